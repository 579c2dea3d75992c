"""An attempt's way: begun behind a fence, recorded by the worker that holds the claim, or lost in a crash."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from gateway.domain.compliance import Downgrade, Send
from gateway.domain.delivery import (
    AttemptStatus,
    Failed,
    Outcome,
    PauseCause,
    Retry,
    Submitted,
    Unknown,
    WindowWasClosed,
)
from gateway.domain.errors import NotFound, ProviderError
from gateway.domain.message import Failure, Status, TemplateMessage
from gateway.domain.settlement import settle, settle_lost
from gateway.ports import Attempt, Claim
from gateway.store.codec import action_of, content_facts, micros, reasons_text, span, template_name, to_json
from gateway.store.evidence import News, apply_early_reports, follow, heed, move, of_whom, take_news, tried_of
from gateway.store.intake import add_decision
from gateway.store.ledger import Ledger
from gateway.store.lines import holds, refresh
from gateway.store.pace import contact_pace
from gateway.store.senders import end_probe, is_stopped, note, sender_row
from gateway.store.statuses import end, judge

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


def record(ledger: Ledger, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Status:
    """Write what came of an attempt. Of a worker that has lost its claim only the evidence counts."""
    row = ledger.row("attempt_by_token", token=attempt.token)
    if row is None:
        raise NotFound("no such attempt")
    if holds(ledger.one("conversation_by_id", id=claim.conversation), claim):
        _record_held(ledger, row, outcome, now=now)
        ledger.write("end_lease", id=claim.conversation)
        refresh(ledger, claim.conversation, now=now)
    else:
        take_news(ledger, row, _news_of(outcome), now=now)
    apply_early_reports(ledger, row["id"], now=now)
    return Status(ledger.one("status_of", place=row["message"])["status"])


def _record_held(ledger: Ledger, row: sqlite3.Row, outcome: Outcome, *, now: datetime) -> None:
    message = ledger.one("message_by_place", place=row["message"])
    sender = sender_row(ledger, message["sender"])
    settlement = settle(outcome, tried_of(ledger, row, message, sender, now=now), ledger.policy.delivery, ledger.draw())
    news = of_whom(ledger, message, replace(_news_of(outcome), status=settlement.attempt))
    if move(ledger, row, news, now=now):
        follow(ledger, row, message, settlement, news.error, now=now)
        heed(ledger, message, news, now=now)
    note(ledger, sender, message["conversation"], settlement, news.error)
    if settlement.pause is PauseCause.BALANCE:
        _refuse_awaited(ledger, message["sender"], news.error, now=now)


def _refuse_awaited(ledger: Ledger, sender: str, error: ProviderError | None, *, now: datetime) -> None:
    """The account is empty: those who wait for an answer are told so at once."""
    for message in ledger.rows("awaited_of_sender", sender=sender, at=micros(now)).fetchall():
        end(ledger, message["place"], Status.FAILED, now=now, failure=Failure.REFUSED, error=error)
        refresh(ledger, message["conversation"], now=now)


_EVIDENCE: dict[type[Outcome], AttemptStatus] = {
    Submitted: AttemptStatus.SUBMITTED,
    Failed: AttemptStatus.FAILED,
    WindowWasClosed: AttemptStatus.WINDOW_CLOSED,
    Unknown: AttemptStatus.UNKNOWN,
    Retry: AttemptStatus.RETRY,
}


def _news_of(outcome: Outcome) -> News:
    return News(
        status=_EVIDENCE[type(outcome)],
        error=_error_of(outcome),
        provider_message_id=outcome.provider_message_id if isinstance(outcome, Submitted) else None,
    )


def _error_of(outcome: Outcome) -> ProviderError | None:
    match outcome:
        case Submitted():
            return None
        case WindowWasClosed(error=error):
            return replace(error, closes_window=True)
        case _:
            return outcome.error


def withdraw(ledger: Ledger, row: sqlite3.Row, *, now: datetime) -> None:
    """Nothing of it was written: its message is as untouched as before."""
    if move(ledger, row, News(status=AttemptStatus.WITHDRAWN), now=now):
        judge(ledger, row["message"], now=now)


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
    tried = tried_of(ledger, row, message, sender_row(ledger, message["sender"]), now=now)
    settlement = settle_lost(tried, ledger.policy.delivery)
    if move(ledger, row, News(status=settlement.attempt), now=now):
        follow(ledger, row, message, settlement, None, now=now)
