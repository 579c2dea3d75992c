"""Retention in small steps: what was said goes first, then that it was said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.store.codec import emptied, evidence_without_content, micros
from gateway.store.intake import KEEP_KEYS
from gateway.store.ledger import Ledger

KEEP_DEDUPE = timedelta(days=8)
"""Providers repeat a callback for seven days."""
KEEP_PROVIDER_IDS = timedelta(days=30)
"""A status may come as late as this."""

_PAGES = 256
"""So many free pages go back to the file system in one step."""

Drop = Callable[[Ledger, sqlite3.Row], None]


def sweep(ledger: Ledger, *, now: datetime, limit: int) -> int:
    """Remove what is no longer kept, `limit` rows at most; how many."""
    history = ledger.policy.keep_history
    content = min(ledger.policy.keep_content, history)
    steps: list[tuple[str, timedelta, Drop]] = [
        ("old_keys", KEEP_KEYS, _drop_key),
        ("old_content", content, _drop_content),
        ("old_raw", content, _drop_raw),
        ("old_notices", content, _drop_notice),
        ("old_messages", max(history, KEEP_PROVIDER_IDS), _drop_message),
        ("old_arrivals", max(history, KEEP_DEDUPE), _drop_arrival),
        ("old_refusals", history, _drop_refusal),
        ("old_acts", history, _drop_act),
    ]
    removed = 0
    for query, keep, drop in steps:
        rows = ledger.rows(query, at=micros(now - keep), limit=limit - removed).fetchall()
        for row in rows:
            drop(ledger, row)
        removed += len(rows)
    _give_back_pages(ledger)
    return removed


def _give_back_pages(ledger: Ledger) -> None:
    """Page by page: the statement frees one each time that it is stepped, and here it is stepped once."""
    free = int(ledger.one("free_pages")["freelist_count"])
    for _ in range(min(free, _PAGES)):
        ledger.write("give_back_page")


def _drop_key(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_key", place=row["place"])


def _drop_content(ledger: Ledger, row: sqlite3.Row) -> None:
    place, fallback = row["place"], row["fallback"]
    ledger.write(
        "drop_content",
        place=place,
        content=emptied(row["content"]),
        fallback=None if fallback is None else emptied(fallback),
    )
    ledger.write("drop_attempt_content", message=place)
    for decision in ledger.rows("decisions_of", message=place).fetchall():
        ledger.write("set_evidence", id=decision["id"], evidence=evidence_without_content(decision["evidence"]))


def _drop_message(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_message", place=row["place"])


def _drop_raw(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_raw", id=row["id"])


def _drop_arrival(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_arrival", id=row["id"])


def _drop_notice(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_notice", id=row["id"])
    emptied_lane = ledger.row("drop_empty_lane", id=row["lane"])
    if emptied_lane is not None:
        ledger.write("drop_empty_endpoint", name=emptied_lane["endpoint"])


def _drop_refusal(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_refusal", id=row["id"])


def _drop_act(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_act", id=row["id"])
