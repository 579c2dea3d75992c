"""What every unit of work is given: a transaction with its named queries, the policy, the store's own time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from gateway.ports import StorePolicy

_TITLE = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def _load(text: str) -> Mapping[str, str]:
    """The queries by name: each stands under a line ``-- name: what it is for``."""
    parts = _TITLE.split(text)
    return {name: query.strip() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


QUERIES = _load(files("gateway.store").joinpath("queries.sql").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """An open transaction, and what the rules inside it depend on. `tick` is the store's own time in microseconds."""

    db: sqlite3.Connection
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
