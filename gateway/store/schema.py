"""The file's schema: numbered migrations, and whether a file is one of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from gateway.domain.errors import CannotStart, SchemaTooNew
from gateway.store.group import roll_back

APPLICATION_ID = 0x57534757
"""Marks a file as ours in SQLite's header."""

_MIGRATIONS = sorted(
    (int(entry.name.split("_")[0]), entry.read_text("utf-8"))
    for entry in files("gateway.store").joinpath("migrations").iterdir()
    if entry.name.endswith(".sql")
)
LATEST = _MIGRATIONS[-1][0]


def check(db: sqlite3.Connection, name: str) -> int:
    """The version of the schema, 0 for an empty file. Raises CannotStart, SchemaTooNew."""
    try:
        version = _number(db, "user_version")
        mark = _number(db, "application_id")
        is_empty = db.execute("select 1 from sqlite_schema limit 1").fetchone() is None
    except sqlite3.DatabaseError as error:
        raise CannotStart(f"{name} can't be read as a store of the gateway: {error}") from error
    if mark != APPLICATION_ID and not (is_empty and mark == 0 and version == 0):
        raise CannotStart(f"{name} is a database, but no store of the gateway")
    if version > LATEST:
        raise SchemaTooNew(
            f"{name} was written by a newer version of the gateway (schema {version}, this one knows {LATEST}); "
            "start that version, or restore a backup made before it"
        )
    return version


def migrate(db: sqlite3.Connection, version: int, *, to: int = LATEST) -> None:
    """Bring the schema from this version to the latest, each step in a transaction of its own."""
    for number, script in _MIGRATIONS:
        if version < number <= to:
            _apply(db, number, script)


def _apply(db: sqlite3.Connection, number: int, script: str) -> None:
    db.execute("begin immediate")
    try:
        for statement in _statements(script):
            db.execute(statement)
        db.execute(f"pragma application_id = {APPLICATION_ID}")
        db.execute(f"pragma user_version = {number}")
        db.execute("commit")
    except BaseException:
        roll_back(db)
        raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"pragma {pragma}").fetchone()[0])
