"""Retention in small steps: what was said goes first, then that it was said, then with whom.

A conversation goes once no message, callback or notice refers to it and its window has long closed. So it is looked at
when the last of those goes; one to which none ever referred (an imported window) says itself from when on it is quiet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.domain.window import LENGTH
from gateway.store.codec import emptied, micros
from gateway.store.decision_codec import evidence_without_content
from gateway.store.intake import KEEP_KEYS
from gateway.store.ledger import Ledger

KEEP_DEDUPE = timedelta(days=8)
"""Providers repeat a callback for seven days."""
KEEP_PROVIDER_IDS = timedelta(days=30)
"""A status may come as late as this."""

_PAGES = 64
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
        ("old_deeds", history, _drop_deed),
        ("old_lifted", KEEP_DEDUPE, _drop_entry),
        ("old_conversations", max(history, LENGTH), _drop_quiet),
    ]
    removed, touched = 0, set()
    for query, keep, drop in steps:
        rows = ledger.rows(query, at=micros(now - keep), limit=limit - removed).fetchall()
        for row in rows:
            drop(ledger, row)
        removed += len(rows)
        touched |= {row["conversation"] for row in rows if query in _REFERRING}
    for conversation in touched - {None}:
        look_at(ledger, conversation)
    give_back_pages(ledger)
    return removed


_REFERRING = ("old_messages", "old_arrivals", "old_notices")
_DAY = 24 * 3600 * 1_000_000


def whole_days(at: int) -> int:
    """The end of the day, so that many conversations share a place in the index."""
    return -(-at // _DAY) * _DAY


def look_at(ledger: Ledger, conversation: int) -> None:
    """Note from when on a conversation is quiet, if nothing refers to it any more."""
    row = ledger.one("traces_of", id=conversation)
    quiet_from = None if row["is_referred_to"] else whole_days(max(row["anchor"] or 0, row["refuted_at"] or 0))
    if quiet_from != row["quiet_from"]:
        ledger.write("set_quiet", id=conversation, quiet_from=quiet_from)


def _drop_quiet(ledger: Ledger, row: sqlite3.Row) -> None:
    """It may have been spoken in since; then it is looked at again later. One that was merged into another may have
    left a lane behind."""
    for lane in ledger.rows("lanes_of_conversation", conversation=row["id"]).fetchall():
        drop_lane_if_empty(ledger, lane["id"])
    look_at(ledger, row["id"])
    ledger.write("drop_conversation", id=row["id"], at=row["at"])


def give_back_pages(ledger: Ledger) -> None:
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
    drop_lane_if_empty(ledger, row["lane"])


def drop_lane_if_empty(ledger: Ledger, lane: int) -> None:
    """With its endpoint, if that was its last."""
    emptied_lane = ledger.row("drop_empty_lane", id=lane)
    if emptied_lane is not None:
        ledger.write("drop_empty_endpoint", name=emptied_lane["endpoint"])


def _drop_refusal(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_refusal", id=row["id"])


def _drop_act(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_act", id=row["id"])


def _drop_deed(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("drop_deed", id=row["id"])


def _drop_entry(ledger: Ledger, row: sqlite3.Row) -> None:
    ledger.write("unblock", id=row["id"])
