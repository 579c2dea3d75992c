"""Windows as an operator looks through them: a bounded stretch of conversations at a time."""

from __future__ import annotations

import sqlite3

from gateway.domain.identity import Contact, Sender
from gateway.ports import WindowPage, WindowQuery, WindowRecord
from gateway.store.codec import micros_or_none, window_of
from gateway.store.ledger import Ledger

STEP = 5000
"""A page looks through so many at most."""


def windows(ledger: Ledger, query: WindowQuery) -> WindowPage:
    last = query.after + STEP
    newest = ledger.one("newest_conversation")["id"] or 0
    wanted = {
        "sender": query.sender,
        "opened_after": micros_or_none(query.opened_after),
        "opened_by": micros_or_none(query.opened_by),
    }
    if query.contact is not None:
        rows = ledger.rows("windows_of_contact", contact=query.contact, **wanted)
        return WindowPage(windows=tuple(map(_record, rows)), next=None)
    rows = ledger.rows("windows_between", first=query.after + 1, last=last, **wanted)
    return WindowPage(windows=tuple(map(_record, rows)), next=last if last < newest else None)


def _record(row: sqlite3.Row) -> WindowRecord:
    return WindowRecord(sender=Sender(row["sender"]), contact=Contact(row["contact"]), window=window_of(row))
