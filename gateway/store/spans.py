"""Where in a table some time begins: rows are numbered in the order of time, so that no index of times is needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from gateway.store.codec import micros
from gateway.store.ledger import Ledger

From = Callable[[int], sqlite3.Row | None]
"""The first row at or behind a number, as `id` and `at`."""


def first_from(row_from: From, newest: int | None, at: datetime) -> int:
    """The number from which on rows are not before `at`; behind all of them, if none is."""
    wanted, low, high = micros(at), 1, (newest or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = row_from(middle)
        if row is None or row["at"] >= wanted:
            high = middle
        else:
            low = row["id"] + 1
    return low


def first_message(ledger: Ledger, at: datetime) -> int:
    newest = ledger.one("newest_message")["id"]
    return first_from(lambda number: ledger.row("message_from", id=number), newest, at)


def first_decision(ledger: Ledger, at: datetime) -> int:
    newest = ledger.one("newest_decision")["id"]
    return first_from(lambda number: ledger.row("decision_from", id=number), newest, at)


def first_notice(ledger: Ledger, at: datetime) -> int:
    newest = ledger.one("newest_notice")["id"]
    return first_from(lambda number: ledger.row("notice_from", id=number), newest, at)


def first_refusal(ledger: Ledger, at: datetime) -> int:
    newest = ledger.one("newest_refusal")["id"]
    return first_from(lambda number: ledger.row("refusal_from", id=number), newest, at)
