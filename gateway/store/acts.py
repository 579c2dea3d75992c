"""What an operator may do to a message. Each act leaves a row, also one that changed nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from gateway.domain.errors import NotFound
from gateway.domain.identity import MessageId
from gateway.domain.message import Failure, Status
from gateway.store.codec import micros
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh, stand_in_line
from gateway.store.statuses import end, judge

Act = Callable[[Ledger, sqlite3.Row, datetime], None]


def cancel(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Status:
    return _act(ledger, "cancel", _cancel, message_id, by=by, now=now)


def resend(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Status:
    return _act(ledger, "resend", _resend, message_id, by=by, now=now)


def close(ledger: Ledger, message_id: MessageId, *, by: str, now: datetime) -> Status:
    return _act(ledger, "close", _close, message_id, by=by, now=now)


def _act(ledger: Ledger, name: str, act: Act, message_id: MessageId, *, by: str, now: datetime) -> Status:
    before = ledger.row("message_by_id", id=message_id)
    if before is None:
        raise NotFound("no such message")
    act(ledger, before, now)
    refresh(ledger, before["conversation"], now=now)
    after = Status(ledger.one("message_by_id", id=message_id)["status"])
    ledger.write(
        "note_act", at=micros(now), actor=by, act=name, message_id=message_id, before=before["status"], after=after
    )
    return after


def _cancel(ledger: Ledger, message: sqlite3.Row, now: datetime) -> None:
    if message["status"] in (Status.QUEUED, Status.HELD):
        end(ledger, message["place"], Status.CANCELLED, now=now)


def _resend(ledger: Ledger, message: sqlite3.Row, now: datetime) -> None:
    """With a new time to live; not once retention has removed what there is to send."""
    if message["status"] == Status.UNKNOWN and message["has_content"]:
        expires_at = micros(now + ledger.policy.delivery.message_ttl)
        ledger.write("start_anew", place=message["place"], verdict=Status.QUEUED, expires_at=expires_at)
        stand_in_line(ledger, message["place"], due_at=micros(now))
        judge(ledger, message["place"], now=now)


def _close(ledger: Ledger, message: sqlite3.Row, now: datetime) -> None:
    if message["status"] == Status.UNKNOWN:
        end(ledger, message["place"], Status.FAILED, now=now, failure=Failure.CLOSED)
