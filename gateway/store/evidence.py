"""News of an attempt: what an answer or a report moves, and what follows for its message and its window."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.domain.delivery import AttemptStatus, Failed, WindowWasClosed, advance
from gateway.domain.errors import ProviderError
from gateway.domain.message import Failure, Status
from gateway.domain.settlement import Settlement, Tried, settle
from gateway.domain.suppression import OPTED_OUT
from gateway.domain.template_refusal import template_code
from gateway.store import template_health
from gateway.store.codec import error_of, error_text, instant, micros, span, unspoken, window_of, wordless
from gateway.store.digests import digest_of, is_erased
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh, stand_in_line
from gateway.store.senders import SenderRow, sender_row
from gateway.store.statuses import Standing, derive, end, standing
from gateway.store.suppressions import heed_refusal

_MARKING = (AttemptStatus.FAILED, AttemptStatus.TEMPLATE_REFUSED)

KEEP_EARLY_REPORTS = timedelta(days=8)
"""So long a report waits for the answer that brings its provider's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an answer or a report says of an attempt."""

    status: AttemptStatus
    error: ProviderError | None = None
    provider_message_id: str | None = None
    is_report: bool = False
    raw: str | None = None
    at: datetime | None = None
    """The provider's time, if it gave one that is usable."""


def attempts_of(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row) -> Sequence[sqlite3.Row]:
    """All of a message of which one is known, the first one first."""
    return [row] if message["attempts"] == 1 else ledger.rows("attempts_of", message=row["message"]).fetchall()


def tried_of(
    ledger: Ledger,
    attempts: Sequence[sqlite3.Row],
    row: sqlite3.Row,
    message: sqlite3.Row,
    sender: SenderRow,
    *,
    now: datetime,
) -> Tried:
    """What is known of an attempt, one of these, when its outcome comes in."""
    others = {other["status"] for other in attempts if other["id"] != row["id"]}
    return Tried(
        is_template=bool(row["is_template"]),
        is_stand_in=bool(row["is_template"] and message["is_free_form"]),
        was_refused_so=AttemptStatus.TEMPLATE_REFUSED in others
        and template_health.was_refused_before(attempts, row, message),
        refusals=message["refusals"],
        was_refuted=AttemptStatus.WINDOW_CLOSED in others,
        had_unknown=AttemptStatus.UNKNOWN in others,
        is_awaited=message["answer_by"] is not None and message["answer_by"] > micros(now),
        is_observed=message["sender"] in ledger.policy.observing,
        is_paused=sender["pause"] is not None,
        failures_in_row=sender["failures_in_row"],
    )


def move(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> Standing | None:
    """Write the news to the attempt's own row; where it stands then, if that moved it."""
    current = standing(row)
    status = advance(current.status, news.status)
    is_moved = status is not current.status
    after = Standing(status, error_text(news.error), news.is_report) if is_moved else current
    ledger.write(
        "move_attempt",
        id=row["id"],
        status=after.status,
        is_reported=after.is_reported,
        error=after.error,
        ended_at=micros(now),
        provider_message_id=news.provider_message_id,
    )
    return after if is_moved else None


def of_whom(ledger: Ledger, message: sqlite3.Row, news: News) -> News:
    """The news as it may be kept: of a contact that was erased, without anything that names it."""
    if not is_erased(message["contact"]):
        return news
    provider_message_id = news.provider_message_id
    if provider_message_id is not None:
        for row in ledger.rows("early_of_id", provider_message_id=provider_message_id).fetchall():
            ledger.write("forget_arrival", id=row["id"], error=wordless(row["error"]))
        provider_message_id = digest_of(ledger, provider_message_id)
    return replace(news, provider_message_id=provider_message_id, error=unspoken(news.error), raw=None)


def heed(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, news: News, *, now: datetime) -> None:
    """What a refusal says for all that follow: that the contact has opted out, or that the template can't be sent."""
    at = min(news.at or now, now)
    if news.error is not None and news.error.code == OPTED_OUT and not is_erased(message["contact"]):
        heed_refusal(ledger, message, news.provider_message_id, at)
    code = template_code(news.error) if row["is_template"] and news.status in _MARKING else None
    if code is not None:
        template_health.mark(ledger, row, message, code, at=at)


def follow(
    ledger: Ledger,
    row: sqlite3.Row,
    message: sqlite3.Row,
    settlement: Settlement,
    attempts: Sequence[Standing],
    *,
    now: datetime,
) -> Status:
    """What follows for the message: its place in line, its window, its status. `attempts` are as they stand now."""
    _place(ledger, message, settlement, row["started_at"], now=now)
    if settlement.refutes_window:
        _refute(ledger, message["conversation"], row["started_at"])
    if settlement.verdict is None:
        return derive(ledger, message, attempts, now=now)
    error = error_of(attempts[-1].error)
    return end(ledger, message["place"], settlement.verdict, now=now, failure=Failure.REFUSED, error=error)


def moved(attempts: Sequence[sqlite3.Row], row: sqlite3.Row, after: Standing) -> Sequence[Standing]:
    """Where the attempts of a message stand, now that one of them has moved."""
    return [after if attempt["id"] == row["id"] else standing(attempt) for attempt in attempts]


def _place(ledger: Ledger, message: sqlite3.Row, settlement: Settlement, started_at: int, *, now: datetime) -> None:
    place, at = message["place"], micros(now)
    if settlement.is_counted:
        ledger.write("count_refusal", place=place)
    if settlement.again_in is not None:
        keeps = not settlement.again_in and message["due_at"] is not None
        stand_in_line(ledger, place, due_at=message["due_at"] if keeps else at + span(settlement.again_in))
    elif settlement.resolve_unknown_in is not None:
        due_at = at + span(settlement.resolve_unknown_in)
        stand_in_line(ledger, place, due_at=due_at, leaves=not settlement.then_retry)
    elif settlement.attempt is AttemptStatus.UNKNOWN:  # any other leaves the line as its message's status changes
        ledger.write("leave_line", place=place)
    if settlement.is_counted or settlement.resolve_unknown_in is not None:
        ledger.write("block_line", place=place, at=started_at)


def _refute(ledger: Ledger, conversation: int, started_at: int) -> None:
    window = window_of(ledger.one("conversation_by_id", id=conversation)).refuted(instant(started_at))
    assert window.refuted_at is not None  # noqa: S101 - a refuted window always says when
    ledger.write("refute_window", id=conversation, refuted_at=micros(window.refuted_at))


# --- reports ---------------------------------------------------------------------------------------------------------


class Taken(NamedTuple):
    """The message that news was about, as it was, and its status now."""

    message: sqlite3.Row
    status: Status


def take_news(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> Taken:
    """Apply a report, or the evidence of a worker that lost its claim. A later attempt is never moved by it."""
    message = ledger.one("message_by_place", place=row["message"])
    return Taken(message, _take_news(ledger, row, message, of_whom(ledger, message, news), now=now))


def _take_news(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, news: News, *, now: datetime) -> Status:
    attempts = attempts_of(ledger, row, message)
    news, refutes = _settled(ledger, row, message, attempts, news, now=now)
    after = move(ledger, row, news, now=now)
    if after is None:
        return Status(message["status"])
    heed(ledger, row, message, news, now=now)
    if refutes:
        _refute(ledger, message["conversation"], row["started_at"])
    if row["status"] == AttemptStatus.SENDING:  # its message may leave the line, and its worker is still out
        ledger.write("rest_as_leased", id=message["conversation"])
    status = derive(ledger, message, moved(attempts, row, after), now=now, raw=news.raw)
    if status is Status.QUEUED and message["status"] != Status.QUEUED:
        stand_in_line(ledger, message["place"], due_at=micros(now))
    refresh(ledger, message["conversation"], now=now)
    return status


def _settled(
    ledger: Ledger,
    row: sqlite3.Row,
    message: sqlite3.Row,
    attempts: Sequence[sqlite3.Row],
    news: News,
    *,
    now: datetime,
) -> tuple[News, bool]:
    """A late refusal: back in line where another form may be taken, unless the message is over; and whether it refutes
    the window."""
    refused = _OUTCOMES.get(news.status)
    if refused is None:
        return news, False
    tried = tried_of(ledger, attempts, row, message, sender_row(ledger, message["sender"]), now=now)
    outcome = refused(error=news.error or ProviderError())
    settlement = settle(outcome, tried, ledger.policy.delivery, 0.0)
    is_over = message["expires_at"] <= micros(now) or message["verdict"] not in (None, Status.QUEUED)
    status = AttemptStatus.FAILED if is_over else settlement.attempt
    is_closed = news.status is AttemptStatus.WINDOW_CLOSED
    error = replace(outcome.error, closes_window=True) if is_closed else news.error
    return replace(news, status=status, error=error), settlement.refutes_window


_OUTCOMES: Mapping[AttemptStatus, type[Failed | WindowWasClosed]] = {
    AttemptStatus.FAILED: Failed,
    AttemptStatus.WINDOW_CLOSED: WindowWasClosed,
}


def take_report(ledger: Ledger, row: sqlite3.Row, report: News, *, now: datetime) -> sqlite3.Row:
    """Apply a report, and those that came before it was known whose they are. The message that it is about."""
    message, _ = take_news(ledger, row, report, now=now)
    apply_early_reports(ledger, row, message, report.provider_message_id, now=now)
    return message


def apply_early_reports(
    ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, told: str | None, *, now: datetime
) -> bool:
    """Apply what was said of the provider's id before it was known whose it is, `told` only now; whether any was."""
    if told is not None and is_erased(message["contact"]):
        told = digest_of(ledger, told)
    provider_message_id = row["provider_message_id"] or told
    if provider_message_id is None:
        return False
    since = micros(now - KEEP_EARLY_REPORTS)
    early = ledger.rows(
        "early_reports", provider=row["provider"], provider_message_id=provider_message_id, since=since
    ).fetchall()
    for report in early:
        attempt = ledger.one("attempt_by_id", id=row["id"])
        take_news(ledger, attempt, _news_from_inbox(report), now=now)
        ledger.write("report_applied", id=report["id"], conversation=owner(message))
    return bool(early)


def owner(message: sqlite3.Row) -> int | None:
    """The conversation that a callback about the message belongs to; none once the contact is erased."""
    return None if is_erased(message["contact"]) else int(message["conversation"])


def _news_from_inbox(report: sqlite3.Row) -> News:
    return News(
        status=AttemptStatus(report["status"]),
        error=error_of(report["error"]),
        provider_message_id=report["provider_message_id"],
        is_report=True,
        raw=report["raw"],
        at=instant(report["arrived_at"]),
    )
