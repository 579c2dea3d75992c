"""The one place where a message's status changes: derived from its attempts, written, counted, and told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.domain.delivery import VERDICTS_THAT_STAND, AttemptStatus, message_status
from gateway.domain.errors import ProviderError
from gateway.domain.message import HANDED_OVER, OPEN, Failure, OutboundMessage, Status
from gateway.domain.notice import PENDING, view_changed, view_status
from gateway.store.codec import error_text, message_of, micros
from gateway.store.digests import is_erased
from gateway.store.ledger import Ledger
from gateway.store.outbox import post
from gateway.store.telling import tell_status

MAY_STAND_IN_LINE = OPEN | {Status.UNKNOWN}


class Standing(NamedTuple):
    """Where one attempt stands."""

    status: AttemptStatus
    error: str | None
    is_reported: bool


def standing(attempt: sqlite3.Row) -> Standing:
    return Standing(AttemptStatus(attempt["status"]), attempt["error"], bool(attempt["is_reported"]))


def judge(ledger: Ledger, place: int, *, now: datetime, raw: str | None = None) -> Status:
    """Derive the message's status anew, and write it if it changed. `raw` is the report that led to it."""
    message = ledger.one("message_by_place", place=place)
    attempts = [standing(attempt) for attempt in ledger.rows("attempts_of", message=place)]
    return derive(ledger, message, attempts, now=now, raw=raw)


def derive(
    ledger: Ledger, message: sqlite3.Row, attempts: Sequence[Standing], *, now: datetime, raw: str | None = None
) -> Status:
    """`judge` for a message as it stands in the store, and its attempts as they stand now, the first one first."""
    place = message["place"]
    verdict = None if message["verdict"] is None else Status(message["verdict"])
    status = message_status([attempt.status for attempt in attempts], verdict)
    if status != message["status"]:
        failure, error = _blame(status, message, attempts)
        _change(ledger, message, status, failure=failure, error=error, now=now)
        _tell(ledger, message, status, failure=failure, error=error, now=now, raw=raw)
    elif status not in MAY_STAND_IN_LINE:
        ledger.write("leave_line", place=place)
    return status


def end(
    ledger: Ledger,
    place: int,
    verdict: Status,
    *,
    now: datetime,
    failure: Failure | None = None,
    error: ProviderError | None = None,
) -> Status:
    """End a message. One that may have arrived is only given up: proof or an operator may still move it."""
    if any(attempt["status"] == AttemptStatus.UNKNOWN for attempt in ledger.rows("attempts_of", message=place)):
        ledger.write("give_up", place=place, verdict=Status.UNKNOWN)
    else:
        ledger.write("set_verdict", place=place, verdict=verdict, failure=failure, error=error_text(error))
    return judge(ledger, place, now=now)


def close(ledger: Ledger, place: int, *, now: datetime) -> Status:
    """End a message as failed by an operator's word, which stands also where it may have arrived."""
    ledger.write("set_verdict", place=place, verdict=Status.FAILED, failure=Failure.CLOSED, error=None)
    return judge(ledger, place, now=now)


def count_open(ledger: Ledger, client: str, sender: str, change: int) -> None:
    """Keep the count of a client's messages that are not yet handed over or ended."""
    if change:
        ledger.shared.count_open(client, sender, change)


def _blame(status: Status, message: sqlite3.Row, attempts: Sequence[Standing]) -> tuple[Failure | None, str | None]:
    """How it failed, and the provider's words on the attempt that decided."""
    if message["verdict"] in VERDICTS_THAT_STAND:
        return None if message["failure"] is None else Failure(message["failure"]), message["error"]
    if status in HANDED_OVER or not attempts:
        return None, None
    decided = next((attempt for attempt in reversed(attempts) if attempt.status.value == status.value), attempts[-1])
    if status is not Status.FAILED:
        return None, decided.error
    return (Failure.REPORTED if decided.is_reported else Failure.REFUSED), decided.error


def _change(
    ledger: Ledger, message: sqlite3.Row, status: Status, *, failure: Failure | None, error: str | None, now: datetime
) -> None:
    at = micros(now)
    is_awaited = message["answer_by"] is not None and message["answer_by"] > at
    ledger.write(
        "change_status",
        place=message["place"],
        status=status,
        at=at,
        failure=failure,
        error=error,
        line=history_line(status, at),
        may_stand_in_line=status in MAY_STAND_IN_LINE,
        is_refusal_told=is_awaited and status is Status.FAILED,
    )
    count_open(ledger, message["client"], message["sender"], (status in OPEN) - (message["status"] in OPEN))


def _tell(
    ledger: Ledger,
    row: sqlite3.Row,
    status: Status,
    *,
    failure: Failure | None,
    error: str | None,
    now: datetime,
    raw: str | None,
) -> None:
    """Notices to the client's webhook, and to the message's own callback URL when what it shows has changed."""
    tell_status(ledger, row, status, error=error, now=now, raw=raw)
    view = view_status(status, failure)
    if row["callback_url"] is not None and not is_erased(row["contact"]) and view != row["told_view"]:
        ledger.write("set_told_view", place=row["place"], view=view)
        post(ledger, view_changed(message_of(row), view), row["conversation"], now=now)


def wait_again(ledger: Ledger, message: OutboundMessage, row: sqlite3.Row, *, now: datetime) -> None:
    """A message that was unknown is open once more, and its callback URL is told so."""
    count_open(ledger, message.client, message.sender, +1)
    if message.callback_url is not None and row["told_view"] != PENDING:
        ledger.write("set_told_view", place=row["place"], view=PENDING)
        post(ledger, view_changed(message, PENDING), row["conversation"], now=now)


def history_line(status: Status, at: int) -> str:
    """One line of a message's history."""
    return f"{status} {at}\n"


def history_of(message: sqlite3.Row) -> Iterator[tuple[Status, int]]:
    """The statuses of a message and since when, the first one first."""
    yield Status.QUEUED, message["accepted_at"]
    for line in message["history"].splitlines():
        status, _, at = line.partition(" ")
        yield Status(status), int(at)
