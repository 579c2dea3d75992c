"""What an operator may do to a message. Each act leaves a row, also one that changed nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from gateway.domain.errors import NotFound
from gateway.domain.identity import MessageId
from gateway.domain.message import Status
from gateway.ports import Acted, ActRecord
from gateway.store import statuses
from gateway.store.codec import instant, micros
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh, stand_in_line

Act = Callable[[Ledger, sqlite3.Row, datetime], bool]
"""Whether it was done, which depends on where the message stands."""


def cancel(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Acted:
    return _act(ledger, "cancel", _cancel, message_id, by=by, now=now)


def resend(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Acted:
    return _act(ledger, "resend", _resend, message_id, by=by, now=now)


def close(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Acted:
    return _act(ledger, "close", _close, message_id, by=by, now=now)


def acts_of(ledger: Ledger, message_id: MessageId) -> tuple[ActRecord, ...]:
    """What operators did to a message, the first act first."""
    return tuple(
        ActRecord(
            at=instant(row["at"]),
            by=row["actor"],
            act=row["act"],
            before=Status(row["status_before"]),
            after=Status(row["status_after"]),
        )
        for row in ledger.rows("acts_of", message_id=message_id)
    )


def _act(ledger: Ledger, name: str, act: Act, message_id: MessageId, *, by: str, now: datetime) -> Acted:
    message = ledger.row("message_by_id", id=message_id)
    if message is None:
        raise NotFound("no such message")
    before = Status(message["status"])
    is_done = act(ledger, message, now)
    refresh(ledger, message["conversation"], now=now)
    after = Status(ledger.one("message_by_id", id=message_id)["status"])
    ledger.write("note_act", at=micros(now), actor=by, act=name, message_id=message_id, before=before, after=after)
    return Acted(before=before, after=after, is_done=is_done)


def _cancel(ledger: Ledger, message: sqlite3.Row, now: datetime) -> bool:
    if message["status"] not in (Status.QUEUED, Status.HELD):
        return False
    statuses.end(ledger, message["place"], Status.CANCELLED, now=now)
    return True


def _resend(ledger: Ledger, message: sqlite3.Row, now: datetime) -> bool:
    """With a new time to live; not once retention has removed what there is to send."""
    if message["status"] != Status.UNKNOWN or not message["has_content"]:
        return False
    expires_at = micros(now + ledger.policy.delivery.message_ttl)
    ledger.write("start_anew", place=message["place"], verdict=Status.QUEUED, expires_at=expires_at)
    stand_in_line(ledger, message["place"], due_at=micros(now))
    statuses.judge(ledger, message["place"], now=now)
    return True


def _close(ledger: Ledger, message: sqlite3.Row, now: datetime) -> bool:
    if message["status"] != Status.UNKNOWN:
        return False
    statuses.close(ledger, message["place"], now=now)
    return True
