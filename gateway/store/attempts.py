"""An attempt's way: begun behind a fence, recorded as evidence, moved by later news, or lost in a crash."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.compliance import Downgrade, Send
from gateway.domain.delivery import (
    AttemptStatus,
    Outcome,
    PauseCause,
    Settlement,
    Submitted,
    Tried,
    WindowWasClosed,
    advance,
    settle,
    settle_lost,
)
from gateway.domain.errors import NotFound, ProviderError
from gateway.domain.message import Failure, Status, TemplateMessage
from gateway.ports import Attempt, Claim
from gateway.store.codec import (
    action_of,
    content_facts,
    error_of,
    error_text,
    instant,
    micros,
    reasons_text,
    span,
    template_name,
    to_json,
    window_of,
)
from gateway.store.intake import add_decision
from gateway.store.ledger import Ledger
from gateway.store.lines import free, holds, refresh, stand_in_line
from gateway.store.pace import contact_pace
from gateway.store.senders import end_probe, is_stopped, note, sender_row
from gateway.store.statuses import end, judge

KEEP_EARLY_REPORTS = timedelta(days=8)
"""So long a report waits for the answer that brings its provider's id."""


# --- begin ----------------------------------------------------------------------------------------------------------


def begin(ledger: Ledger, claim: Claim, attempt: Attempt, decision: Send | Downgrade, *, now: datetime) -> bool:
    """Write ``sending``, if all that the decision was taken on still holds."""
    conversation = ledger.one("conversation_by_id", id=claim.conversation)
    message = ledger.row("message_by_id", id=attempt.message_id)
    if message is None or not may_go_on(ledger, claim, conversation, message, now=now):
        return False
    place = message["place"]
    _add_attempt(ledger, message, attempt, now=now)
    is_downgrade = isinstance(decision, Downgrade)
    ledger.write("begin_message", place=place, downgraded_at=micros(now) if is_downgrade else None)
    _note_decision(ledger, place, decision, now=now)
    _charge(ledger, conversation)
    judge(ledger, place, now=now)
    return True


def may_go_on(ledger: Ledger, claim: Claim, conversation: sqlite3.Row, message: sqlite3.Row, *, now: datetime) -> bool:
    """Whether the claim is still good, nothing has changed what was decided, and the message still waits."""
    return (
        holds(conversation, claim)
        and conversation["revision"] == claim.revision
        and message["conversation"] == claim.conversation
        and message["due_at"] is not None
        and message["status"] in (Status.QUEUED, Status.UNKNOWN)
        and message["expires_at"] > micros(now)
        and not is_stopped(sender_row(ledger, conversation["sender"]), claim.conversation)
    )


def _add_attempt(ledger: Ledger, message: sqlite3.Row, attempt: Attempt, *, now: datetime) -> None:
    ledger.write(
        "add_attempt",
        message=message["place"],
        number=attempt.number,
        token=attempt.token,
        status=AttemptStatus.SENDING,
        is_template=isinstance(attempt.content, TemplateMessage),
        content=to_json(content_facts(attempt.content)),
        started_at=micros(now),
        provider=ledger.policy.providers.get(message["sender"]),
    )


def _note_decision(ledger: Ledger, place: int, decision: Send | Downgrade, *, now: datetime) -> None:
    """Keep the decision if it is another than the last one kept."""
    last = ledger.one("latest_decision", message=place)
    taken = (action_of(decision), reasons_text(decision), template_name(decision.content))
    if taken != (last["action"], last["reasons"], last["template"]):
        add_decision(ledger, place, "send", decision, now=now)


def _charge(ledger: Ledger, conversation: sqlite3.Row) -> None:
    """Count the attempt against the contact's pace; its lease starts anew."""
    ledger.write(
        "charge_conversation",
        id=conversation["id"],
        pace_tat=contact_pace(ledger.policy.pace).charged(conversation["pace_tat"], ledger.tick),
        until=ledger.tick + span(ledger.policy.delivery.lease),
    )


# --- record ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an answer or a report says of an attempt."""

    status: AttemptStatus
    error: ProviderError | None = None
    provider_message_id: str | None = None
    is_report: bool = False
    raw: str | None = None


def record(ledger: Ledger, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Status:
    """Write what came of an attempt. Of a worker that has lost its claim only the evidence counts."""
    row = ledger.row("attempt_by_token", token=attempt.token)
    if row is None:
        raise NotFound("no such attempt")
    if holds(ledger.one("conversation_by_id", id=claim.conversation), claim):
        _record_held(ledger, row, outcome, now=now)
        free(ledger, claim.conversation)
        refresh(ledger, claim.conversation, now=now)
    else:
        take_news(ledger, row, _news_of(outcome), now=now)
    _apply_early_reports(ledger, row["id"], now=now)
    return Status(ledger.one("message_by_place", place=row["message"])["status"])


_EVIDENCE = {
    "Submitted": AttemptStatus.SUBMITTED,
    "Failed": AttemptStatus.FAILED,
    "WindowWasClosed": AttemptStatus.WINDOW_CLOSED,
    "Unknown": AttemptStatus.UNKNOWN,
    "Retry": AttemptStatus.RETRY,
}


def _news_of(outcome: Outcome) -> News:
    return News(
        status=_EVIDENCE[type(outcome).__name__],
        error=_error_of(outcome),
        provider_message_id=outcome.provider_message_id if isinstance(outcome, Submitted) else None,
    )


def _error_of(outcome: Outcome) -> ProviderError | None:
    return None if isinstance(outcome, Submitted) else outcome.error


def _record_held(ledger: Ledger, row: sqlite3.Row, outcome: Outcome, *, now: datetime) -> None:
    message = ledger.one("message_by_place", place=row["message"])
    sender = sender_row(ledger, message["sender"])
    settlement = settle(outcome, _tried(ledger, row, message, sender, now=now), ledger.policy.delivery, ledger.draw())
    if _move(ledger, row, replace(_news_of(outcome), status=settlement.attempt), now=now):
        _follow(ledger, row, message, settlement, _error_of(outcome), now=now)
    note(ledger, sender, message["conversation"], settlement, _error_of(outcome))
    if settlement.pause is PauseCause.BALANCE:
        _refuse_awaited(ledger, message["sender"], _error_of(outcome), now=now)


def _tried(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, sender: sqlite3.Row, *, now: datetime) -> Tried:
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


def _move(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> bool:
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


def _follow(
    ledger: Ledger,
    row: sqlite3.Row,
    message: sqlite3.Row,
    settlement: Settlement,
    error: ProviderError | None,
    *,
    now: datetime,
) -> None:
    """What follows for the message: its place in line, its window, its status."""
    _place(ledger, message, settlement, now=now)
    if settlement.refutes_window:
        _refute(ledger, message["conversation"], row["started_at"])
    if settlement.verdict is not None:
        end(ledger, message["place"], settlement.verdict, now=now, failure=Failure.REFUSED, error=error)
    else:
        judge(ledger, message["place"], now=now)


def _place(ledger: Ledger, message: sqlite3.Row, settlement: Settlement, *, now: datetime) -> None:
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
        ledger.write("block_line", place=place, at=at)


def _refute(ledger: Ledger, conversation: int, started_at: int) -> None:
    window = window_of(ledger.one("conversation_by_id", id=conversation)).refuted(instant(started_at))
    assert window.refuted_at is not None  # noqa: S101 - a refuted window always says when
    ledger.write("refute_window", id=conversation, refuted_at=micros(window.refuted_at))


def _refuse_awaited(ledger: Ledger, sender: str, error: ProviderError | None, *, now: datetime) -> None:
    """The account is empty: those who wait for an answer are told so at once."""
    for message in ledger.rows("awaited_of_sender", sender=sender, at=micros(now)).fetchall():
        end(ledger, message["place"], Status.FAILED, now=now, failure=Failure.REFUSED, error=error)
        refresh(ledger, message["conversation"], now=now)


# --- news -----------------------------------------------------------------------------------------------------------


def take_news(ledger: Ledger, row: sqlite3.Row, news: News, *, now: datetime) -> None:
    """Apply a report, or the evidence of a worker that lost its claim. A later attempt is never moved by it."""
    message = ledger.one("message_by_place", place=row["message"])
    refutes = False
    if news.status is AttemptStatus.WINDOW_CLOSED:
        news, refutes = _settle_closed(ledger, row, message, news, now=now)
    if not _move(ledger, row, news, now=now):
        return
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
    tried = _tried(ledger, row, message, sender_row(ledger, message["sender"]), now=now)
    outcome = WindowWasClosed(error=news.error or ProviderError())
    settlement = settle(outcome, tried, ledger.policy.delivery, 0.0)
    is_over = message["expires_at"] <= micros(now) or message["verdict"] not in (None, Status.QUEUED)
    status = AttemptStatus.FAILED if is_over else settlement.attempt
    return replace(news, status=status), settlement.refutes_window


def take_report(ledger: Ledger, row: sqlite3.Row, report: News, *, now: datetime) -> None:
    """Apply a report, and those that came before it was known whose they are."""
    take_news(ledger, row, report, now=now)
    _apply_early_reports(ledger, row["id"], now=now)


def _apply_early_reports(ledger: Ledger, attempt: int, *, now: datetime) -> None:
    row = ledger.one("attempt_by_id", id=attempt)
    if row["provider_message_id"] is None:
        return
    since = micros(now - KEEP_EARLY_REPORTS)
    early = ledger.rows(
        "early_reports", provider=row["provider"], provider_message_id=row["provider_message_id"], since=since
    )
    for report in early.fetchall():
        ledger.write("report_applied", id=report["id"])
        take_news(ledger, ledger.one("attempt_by_id", id=attempt), _news_from_inbox(report), now=now)


def _news_from_inbox(report: sqlite3.Row) -> News:
    return News(
        status=AttemptStatus(report["status"]),
        error=error_of(report["error"]),
        provider_message_id=report["provider_message_id"],
        is_report=True,
        raw=report["raw"],
    )


# --- lost -----------------------------------------------------------------------------------------------------------


def recover(ledger: Ledger, *, now: datetime) -> int:
    """Nobody works yet: void every lease, and what was ``sending`` is unknown."""
    lost = ledger.rows("attempts_sending").fetchall()
    for row in lost:
        _lose(ledger, row, now=now)
    for conversation in ledger.rows("resting").fetchall():
        void(ledger, conversation["id"], now=now)
    ledger.write("probe_at_once", tick=ledger.tick)
    return len(lost)


def lose_lease(ledger: Ledger, conversation: int, *, now: datetime) -> None:
    """A worker did not come back in time: its attempt is unknown, its claim is void."""
    for row in ledger.rows("sending_in_conversation", conversation=conversation).fetchall():
        _lose(ledger, row, now=now)
    end_probe(ledger, conversation)
    void(ledger, conversation, now=now)


def void(ledger: Ledger, conversation: int, *, now: datetime) -> None:
    ledger.write("void_lease", id=conversation)
    refresh(ledger, conversation, now=now)


def _lose(ledger: Ledger, row: sqlite3.Row, *, now: datetime) -> None:
    message = ledger.one("message_by_place", place=row["message"])
    tried = _tried(ledger, row, message, sender_row(ledger, message["sender"]), now=now)
    settlement = settle_lost(tried, ledger.policy.delivery)
    if _move(ledger, row, News(status=settlement.attempt), now=now):
        _follow(ledger, row, message, settlement, None, now=now)
