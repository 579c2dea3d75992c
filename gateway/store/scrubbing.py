"""Leaving nothing of what was erased in the files.

``secure_delete`` overwrites what is deleted, but where SQLite moves rows from one page to another it leaves copies in
the unused part of the old page, out of reach of any later deletion. Only writing the whole file anew removes them.
"""

from __future__ import annotations

import sqlite3

from gateway.ports import Scrubbed
from gateway.store.group import is_fault


def scrub(db: sqlite3.Connection, largest: int | None) -> Scrubbed:
    """To be called outside of any transaction; see ``Contacts.scrub``."""
    if not _empty_log(db):
        return Scrubbed.BUSY
    is_clean = (largest is None or _size(db) <= largest) and _is_rewritten(db)
    if not _empty_log(db):
        return Scrubbed.BUSY
    return Scrubbed.CLEAN if is_clean else Scrubbed.KEPT


def _size(db: sqlite3.Connection) -> int:
    (pages,), (size,) = db.execute("pragma page_count").fetchone(), db.execute("pragma page_size").fetchone()
    return int(pages * size)


def _is_rewritten(db: sqlite3.Connection) -> bool:
    try:
        db.execute("vacuum")
    except sqlite3.Error as error:  # no room for a second copy
        if not is_fault(error):
            raise
        return False
    return True


def _empty_log(db: sqlite3.Connection) -> bool:
    """Into the file; not when a look-up is just reading the log, and without waiting for it."""
    (patience,) = db.execute("pragma busy_timeout").fetchone()
    db.execute("pragma busy_timeout = 0")
    try:
        return not db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    finally:
        db.execute(f"pragma busy_timeout = {patience}")
