"""Windows as an operator looks through them: a bounded stretch of conversations at a time."""

from __future__ import annotations

import sqlite3

from gateway.domain.identity import Sender
from gateway.ports import WindowPage, WindowQuery, WindowRecord
from gateway.store.codec import micros_or_none, window_of
from gateway.store.identities import PROVIDER, conversations_named, names_of
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
        named = conversations_named(ledger, query.contact, PROVIDER)
        rows = [
            row for one in named for row in ledger.rows("window_of_conversation", id=one["id"], **wanted).fetchall()
        ]
        return WindowPage(windows=tuple(map(_record, rows)), next=None)
    between = ledger.rows("windows_between", first=query.after + 1, last=last, **wanted)
    return WindowPage(windows=tuple(map(_record, between)), next=last if last < newest else None)


def _record(row: sqlite3.Row) -> WindowRecord:
    first, *also = names_of(row)
    return WindowRecord(sender=Sender(row["sender"]), contact=first, window=window_of(row), also_known_as=tuple(also))
