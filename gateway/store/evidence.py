"""News of an attempt: what an answer or a report moves, and what follows for its message and its window."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.delivery import AttemptStatus, WindowWasClosed, advance
from gateway.domain.errors import ProviderError
from gateway.domain.message import Failure, Status
from gateway.domain.settlement import Settlement, Tried, settle
from gateway.domain.suppression import OPTED_OUT
from gateway.store.codec import error_of, error_text, instant, micros, span, unspoken, window_of, wordless
from gateway.store.digests import digest_of, is_erased
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh, stand_in_line
from gateway.store.senders import sender_row
from gateway.store.statuses import end, judge
from gateway.store.suppressions import heed_refusal

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


def tried_of(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, sender: sqlite3.Row, *, now: datetime) -> Tried:
    others = {
        other["status"] for other in ledger.rows("attempts_of", message=row["message"]) if other["id"] != row["id"]
    }
    return Tried(
        is_template=bool(row["is_template"]),
        refusals=message["refusals"],
        was_refuted=AttemptStatus.WINDOW_CLOSED in others,
        had_unknown=AttemptStatus.UNKNOWN in others,
        is_awaited=message["answer_by"] is not None and message["answer_by"] > micros(now),
        is_paused=sender["pause"] is not None,
        failures_in_row=sender["failures_in_row"],
    )


def move(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> bool:
    """Write the news to the attempt's own row; whether it moved the attempt."""
    current = AttemptStatus(row["status"])
    status = advance(current, news.status)
    is_moved = status is not current
    ledger.write(
        "move_attempt",
        id=row["id"],
        status=status,
        is_reported=news.is_report if is_moved else row["is_reported"],
        error=error_text(news.error) if is_moved else row["error"],
        ended_at=micros(now),
        provider_message_id=news.provider_message_id,
    )
    return is_moved


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


def heed(ledger: Ledger, message: sqlite3.Row, news: News, *, now: datetime) -> None:
    """An attempt that was refused as the contact has opted out says so for all that follow."""
    if news.error is not None and news.error.code == OPTED_OUT and not is_erased(message["contact"]):
        heed_refusal(ledger, message, news.provider_message_id, min(news.at or now, now))


def follow(
    ledger: Ledger,
    row: sqlite3.Row,
    message: sqlite3.Row,
    settlement: Settlement,
    error: ProviderError | None,
    *,
    now: datetime,
) -> None:
    """What follows for the message: its place in line, its window, its status."""
    _place(ledger, message, settlement, row["started_at"], now=now)
    if settlement.refutes_window:
        _refute(ledger, message["conversation"], row["started_at"])
    if settlement.verdict is not None:
        end(ledger, message["place"], settlement.verdict, now=now, failure=Failure.REFUSED, error=error)
    else:
        judge(ledger, message["place"], now=now)


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
    else:
        ledger.write("leave_line", place=place)
    if settlement.is_counted or settlement.resolve_unknown_in is not None:
        ledger.write("block_line", place=place, at=started_at)


def _refute(ledger: Ledger, conversation: int, started_at: int) -> None:
    window = window_of(ledger.one("conversation_by_id", id=conversation)).refuted(instant(started_at))
    assert window.refuted_at is not None  # noqa: S101 - a refuted window always says when
    ledger.write("refute_window", id=conversation, refuted_at=micros(window.refuted_at))


# --- reports ---------------------------------------------------------------------------------------------------------


def take_news(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> sqlite3.Row:
    """Apply a report, or the evidence of a worker that lost its claim. A later attempt is never moved by it. The result
    is the message that it is about, as it was."""
    message = ledger.one("message_by_place", place=row["message"])
    _take_news(ledger, row, message, of_whom(ledger, message, news), now=now)
    return message


def _take_news(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, news: News, *, now: datetime) -> None:
    refutes = False
    if news.status is AttemptStatus.WINDOW_CLOSED:
        news, refutes = _settle_closed(ledger, row, message, news, now=now)
    if not move(ledger, row, news, now=now):
        return
    heed(ledger, message, news, now=now)
    if refutes:
        _refute(ledger, message["conversation"], row["started_at"])
    status = judge(ledger, message["place"], now=now, raw=news.raw)
    if status is Status.QUEUED and message["status"] != Status.QUEUED:
        stand_in_line(ledger, message["place"], due_at=micros(now))
    refresh(ledger, message["conversation"], now=now)


def _settle_closed(
    ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, news: News, *, now: datetime
) -> tuple[News, bool]:
    """The late 24-hour refusal: back in line once, unless the message is over; and whether it refutes the window."""
    tried = tried_of(ledger, row, message, sender_row(ledger, message["sender"]), now=now)
    outcome = WindowWasClosed(error=news.error or ProviderError())
    settlement = settle(outcome, tried, ledger.policy.delivery, 0.0)
    is_over = message["expires_at"] <= micros(now) or message["verdict"] not in (None, Status.QUEUED)
    status = AttemptStatus.FAILED if is_over else settlement.attempt
    error = replace(outcome.error, closes_window=True)
    return replace(news, status=status, error=error), settlement.refutes_window


def take_report(ledger: Ledger, row: sqlite3.Row, report: News, *, now: datetime) -> sqlite3.Row:
    """Apply a report, and those that came before it was known whose they are. The message that it is about."""
    message = take_news(ledger, row, report, now=now)
    apply_early_reports(ledger, row["id"], now=now)
    return message


def apply_early_reports(ledger: Ledger, attempt: int, *, now: datetime) -> None:
    row = ledger.one("attempt_by_id", id=attempt)
    if row["provider_message_id"] is None:
        return
    since = micros(now - KEEP_EARLY_REPORTS)
    early = ledger.rows(
        "early_reports", provider=row["provider"], provider_message_id=row["provider_message_id"], since=since
    )
    for report in early.fetchall():
        message = take_news(ledger, ledger.one("attempt_by_id", id=attempt), _news_from_inbox(report), now=now)
        ledger.write("report_applied", id=report["id"], conversation=owner(message))


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
