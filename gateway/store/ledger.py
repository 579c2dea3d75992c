"""What every unit of work is given: a transaction with its named queries, the policy, the store's own time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gateway.ports import StorePolicy

_TITLE = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def _load(text: str) -> Mapping[str, str]:
    """The queries by name: each stands under a line ``-- name: what it is for``."""
    parts = _TITLE.split(text)
    return {name: query.strip() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


QUERIES = _load(files("gateway.store").joinpath("queries.sql").read_text("utf-8"))


class Shared:
    """What the units of one transaction know together, so that a row which nearly all of them touch is read and written
    once: the senders with their pace, and how many messages are open."""

    __slots__ = ("_charged", "_opened", "backlogs", "senders")

    def __init__(self) -> None:
        self.backlogs: dict[str, int] = {}
        """How many messages of each client were open at first."""
        self.senders: dict[str, dict[str, Any]] = {}
        self._charged: dict[str, dict[str, Any]] = {}
        self._opened: dict[tuple[str, str], int] = {}

    def charge(self, sender: dict[str, Any], *, pace_tat: int, last_client: str) -> None:
        """Count what was given out; it is written at the end, or before the sender is read anew."""
        charged = {"id": sender["id"], "pace_tat": pace_tat, "last_client": last_client}
        self._charged[sender["id"]] = charged
        self.senders.get(sender["id"], sender).update(charged)

    def count_open(self, client: str, sender: str, change: int) -> None:
        self._opened[client, sender] = self._opened.get((client, sender), 0) + change

    def opened_by(self, client: str) -> int:
        """How many more are open than the table says."""
        return sum(change for (whose, _), change in self._opened.items() if whose == client)

    def write(self, db: sqlite3.Connection) -> None:
        """Write what was put off, and forget what was read."""
        for charged in self._charged.values():
            db.execute(QUERIES["charge_sender"], charged)
        for (client, sender), change in self._opened.items():
            if change:
                db.execute(QUERIES["count_open"], {"client": client, "sender": sender, "change": change})
        self.forget()

    def forget(self) -> None:
        """Drop what was put off and what was read: it is written, or undone."""
        self._charged.clear()
        self._opened.clear()
        self.backlogs.clear()
        self.senders.clear()


# Not frozen: one is made for every unit, and freezing it costs as much as a statement.
@dataclass(slots=True, kw_only=True)
class Ledger:
    """An open transaction, and what the rules inside it depend on. `tick` is the store's own time in microseconds."""

    db: sqlite3.Connection
    shared: Shared
    policy: StorePolicy
    tick: int
    draw: Callable[[], float]

    def rows(self, query: str, **values: object) -> sqlite3.Cursor:
        """The rows of a named query, read as they are asked for."""
        return self.db.execute(QUERIES[query], values)

    def row(self, query: str, **values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(QUERIES[query], values).fetchone()
        return row

    def one(self, query: str, **values: object) -> sqlite3.Row:
        """The row that must be there."""
        row = self.row(query, **values)
        if row is None:
            raise LookupError(query)
        return row

    def write(self, query: str, **values: object) -> sqlite3.Cursor:
        return self.db.execute(QUERIES[query], values)
