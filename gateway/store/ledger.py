"""What every unit of work is given: a transaction with its named queries, the policy, the store's own time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from operator import itemgetter
from typing import Any, NamedTuple

from gateway.ports import StorePolicy
from gateway.store.pace import Paces

_TITLE = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def _load(text: str) -> Mapping[str, str]:
    """The queries by name: each stands under a line ``-- name: what it is for``."""
    parts = _TITLE.split(text)
    return {name: query.strip() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


QUERIES = _load(files("gateway.store").joinpath("queries.sql").read_text("utf-8"))


class _Bound(NamedTuple):
    """A query with numbers in the place of its names, and how its values are put in that order: binding by name costs
    as much as a look into an index for a query of ten values."""

    text: str
    values: Callable[[Mapping[str, Any]], Sequence[Any]]


_NAME = re.compile(r":([a-z]\w*)")


def _bound(query: str) -> _Bound:
    names = list(dict.fromkeys(_NAME.findall(query)))
    return _Bound(_NAME.sub(lambda found: f"?{names.index(found[1]) + 1}", query), _in_order(names))


def _in_order(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    match names:
        case []:
            return lambda _: ()
        case [name]:
            return lambda values: (values[name],)
        case _:
            return itemgetter(*names)


_BOUND = {name: _bound(query) for name, query in QUERIES.items()}


def run(db: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    """A named query. A value too many is not noticed; one too few is a KeyError."""
    text, in_order = _BOUND[query]
    return db.execute(text, in_order(values))


class Shared:
    """What the units of one transaction know together, so that a row which nearly all of them touch is read and written
    once: the senders with their pace, and how many messages are open."""

    __slots__ = ("_charged", "_opened", "backlogs", "ledger", "opened", "senders")

    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        """That of the transaction, once a unit has needed one: all of its units run at one instant."""
        self.backlogs: dict[str, int] = {}
        """How many messages of each client are open by the table ..."""
        self.opened: dict[str, int] = {}
        """... and how many more there are by now."""
        self.senders: dict[str, dict[str, Any]] = {}
        self._charged: dict[str, dict[str, Any]] = {}
        self._opened: dict[tuple[str, str], int] = {}

    def charge(self, sender: dict[str, Any], *, pace_tat: int, last_client: str) -> None:
        """Count what was given out; it is written at the end, or before the sender is read anew."""
        charged = {"id": sender["id"], "pace_tat": pace_tat, "last_client": last_client}
        self._charged[sender["id"]] = charged
        self.senders.get(sender["id"], sender).update(charged)

    def count_open(self, client: str, sender: str, change: int) -> None:
        self.opened[client] = self.opened.get(client, 0) + change
        self._opened[client, sender] = self._opened.get((client, sender), 0) + change

    def write(self, db: sqlite3.Connection) -> None:
        """Write what was put off, and forget what was read."""
        for charged in self._charged.values():
            run(db, "charge_sender", charged)
        for (client, sender), change in self._opened.items():
            if change:
                run(db, "count_open", {"client": client, "sender": sender, "change": change})
        self.forget()

    def forget(self) -> None:
        """Drop what was put off and what was read: it is written, or undone."""
        self._charged.clear()
        self._opened.clear()
        self.opened.clear()
        self.backlogs.clear()
        self.senders.clear()


class Ledger:
    """An open transaction, and what the rules inside it depend on. `tick` is the store's own time in microseconds."""

    __slots__ = ("db", "draw", "paces", "policy", "shared", "tick")

    def __init__(
        self,
        *,
        db: sqlite3.Connection,
        shared: Shared,
        policy: StorePolicy,
        paces: Paces,
        tick: int,
        draw: Callable[[], float],
    ) -> None:
        self.db = db
        self.shared = shared
        self.policy = policy
        self.paces = paces
        self.tick = tick
        self.draw = draw

    def rows(self, query: str, **values: object) -> sqlite3.Cursor:
        """The rows of a named query, read as they are asked for."""
        text, in_order = _BOUND[query]
        return self.db.execute(text, in_order(values))

    def row(self, query: str, **values: object) -> sqlite3.Row | None:
        text, in_order = _BOUND[query]
        row: sqlite3.Row | None = self.db.execute(text, in_order(values)).fetchone()
        return row

    def one(self, query: str, **values: object) -> sqlite3.Row:
        """The row that must be there."""
        row = self.row(query, **values)
        if row is None:
            raise LookupError(query)
        return row

    def write(self, query: str, **values: object) -> sqlite3.Cursor:
        text, in_order = _BOUND[query]
        return self.db.execute(text, in_order(values))
