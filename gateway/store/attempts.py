"""An attempt's way: begun behind a fence, recorded by the worker that holds the claim, or lost in a crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain.compliance import Downgrade, Send, fallback_of, is_observed
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
from gateway.domain.settlement import Settlement, settle, settle_lost
from gateway.ports import Attempt, Claim, Recorded
from gateway.store.codec import content_facts, micros, span, template_name, to_json
from gateway.store.contested import come_back, is_out
from gateway.store.deciding import add_decision
from gateway.store.decision_codec import action_of, instead_text, reasons_text
from gateway.store.evidence import (
    News,
    apply_early_reports,
    attempts_of,
    follow,
    heed,
    move,
    moved,
    of_whom,
    take_news,
    tried_of,
)
from gateway.store.handing_over import hand_over
from gateway.store.ledger import Ledger
from gateway.store.lines import holds, refresh
from gateway.store.senders import change, end_probe, is_stopped, note, sender_row
from gateway.store.statuses import MAY_STAND_IN_LINE, end, history_line, judge, wait_again

# --- begin ----------------------------------------------------------------------------------------------------------


def begin(ledger: Ledger, claim: Claim, attempt: Attempt, decision: Send | Downgrade, *, now: datetime) -> bool:
    """Write ``sending``, if all that the decision was taken on still holds."""
    message = ledger.row("message_to_begin", id=attempt.message_id)
    if message is None or not _waits(message, claim, now=now) or not _charge(ledger, claim):
        return False
    place = message["place"]
    add_attempt(ledger, place, claim, attempt, now=now)
    _start(ledger, message, decision, claim, now=now)
    _note_decision(ledger, message, decision, now=now)
    return True


def may_go_on(ledger: Ledger, claim: Claim, conversation: sqlite3.Row, message: sqlite3.Row, *, now: datetime) -> bool:
    """Whether the claim is still good, nothing has changed what was decided, and the message still waits."""
    return (
        holds(conversation, claim)
        and conversation["revision"] == claim.revision
        and _waits(message, claim, now=now)
        and not is_stopped(sender_row(ledger, conversation["sender"]), claim.conversation)
    )


def _waits(message: sqlite3.Row, claim: Claim, *, now: datetime) -> bool:
    return (
        message["conversation"] == claim.conversation
        and message["due_at"] is not None
        and message["status"] in (Status.QUEUED, Status.UNKNOWN)
        and message["expires_at"] > micros(now)
    )


def add_attempt(ledger: Ledger, place: int, claim: Claim, attempt: Attempt, *, now: datetime) -> None:
    """Write it as ``sending``; its content only where that is not what was asked for."""
    asked = claim.message.content
    is_as_asked = attempt.content is asked or attempt.content == asked
    ledger.write(
        "add_attempt",
        message=place,
        number=attempt.number,
        token=attempt.token,
        status=AttemptStatus.SENDING.value,
        is_template=int(isinstance(attempt.content, TemplateMessage)),
        content=None if is_as_asked else to_json(content_facts(attempt.content)),
        started_at=micros(now),
        provider=ledger.policy.providers.get(claim.message.sender),
    )


def _start(ledger: Ledger, message: sqlite3.Row, decision: Send | Downgrade, claim: Claim, *, now: datetime) -> None:
    """What waits in line was never taken by the provider: with the new attempt its status is ``sending``."""
    at = micros(now)
    ledger.write(
        "begin_message",
        place=message["place"],
        at=at,
        downgraded_at=None if fallback_of(decision) is None else at,
        is_observed=is_observed(decision),
        line=history_line(Status.SENDING, at),
    )
    if message["status"] == Status.UNKNOWN:
        wait_again(ledger, claim.message, message, now=now)


def _note_decision(ledger: Ledger, last: sqlite3.Row, decision: Send | Downgrade, *, now: datetime) -> None:
    """Keep the decision if it is another than the last one kept."""
    taken = (action_of(decision), reasons_text(decision), template_name(decision.content), instead_text(decision))
    if taken != (last["action"], last["reasons"], last["template"], last["instead"]):
        add_decision(ledger, last["place"], "send", decision, now=now)


_SLACK = timedelta(seconds=5)
"""A lease outlasts any attempt that begins so soon after it was taken."""


def _charge(ledger: Ledger, claim: Claim) -> bool:
    """Count the attempt against the contact's pace, if the claim still holds, its sender may send, and nothing has
    changed what was decided. A lease that is too short for the attempt starts anew."""
    row = ledger.row(
        "begin_conversation",
        id=claim.conversation,
        epoch=claim.epoch,
        revision=claim.revision,
        tick=ledger.tick,
        interval=ledger.paces.contact.interval,
    )
    if row is None:
        return False
    lease = span(ledger.policy.delivery.lease)
    if row["leased_until"] < ledger.tick + lease - span(_SLACK):
        ledger.write("lease_anew", id=claim.conversation, until=ledger.tick + lease)
    return True


# --- record ---------------------------------------------------------------------------------------------------------


def record(ledger: Ledger, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Recorded:
    """Write what came of an attempt. Of a worker that has lost its claim only the evidence counts; but not of one that
    lost it because its conversation became one with another that was held as well: nobody gave its attempt up."""
    recorded = hand_over(ledger, claim, attempt, outcome, now=now)
    if recorded is not None:
        return recorded
    row = ledger.row("attempt_by_token", token=attempt.token)
    if row is None:
        raise NotFound("no such attempt")
    message = ledger.one("message_to_record", place=row["message"])
    if message["conversation"] == claim.conversation and holds(message, claim):
        status = _record_held(ledger, row, message, outcome, now=now)
        has_more = _go_on(ledger, message, status, now=now)
    elif is_out(message, claim):
        status = _record_held(ledger, row, message, outcome, now=now)
        has_more = come_back(ledger, message["conversation"], claim, now=now)
    else:
        status, has_more = take_news(ledger, row, _news_of(outcome), now=now).status, True
    if apply_early_reports(ledger, row, message, _news_of(outcome).provider_message_id, now=now):
        return Recorded(Status(ledger.one("status_of", place=row["message"])["status"]), has_more=True)
    return Recorded(status, has_more)


def _go_on(ledger: Ledger, message: sqlite3.Row, status: Status, *, now: datetime) -> bool:
    """End the lease; whether anything is left to do. Mostly the message was the only one in line, and has left it."""
    if message["has_others"] or status in MAY_STAND_IN_LINE:
        return refresh(ledger, message["conversation"], now=now, ends_lease=True)
    ledger.write("empty_line", id=message["conversation"])
    return False


def _record_held(ledger: Ledger, row: sqlite3.Row, message: sqlite3.Row, outcome: Outcome, *, now: datetime) -> Status:
    sender = sender_row(ledger, message["sender"])
    attempts = attempts_of(ledger, row, message)
    tried = tried_of(ledger, attempts, row, message, sender, now=now)
    settlement = settle(outcome, tried, ledger.policy.delivery, ledger.draw())
    news = of_whom(ledger, message, replace(_news_of(outcome), status=settlement.attempt))
    status = _settle_held(ledger, row, message, attempts, settlement, news, now=now)
    note(ledger, sender, message["conversation"], settlement, news.error)
    if settlement.pause is PauseCause.BALANCE:
        _refuse_awaited(ledger, message["sender"], news.error, now=now)
    return status


def _settle_held(
    ledger: Ledger,
    row: sqlite3.Row,
    message: sqlite3.Row,
    attempts: Sequence[sqlite3.Row],
    settlement: Settlement,
    news: News,
    *,
    now: datetime,
) -> Status:
    """Move the attempt, and its message with it: a report may have said more already than the answer does."""
    after = move(ledger, row, news, now=now)
    if after is None:
        return Status(message["status"])
    status = follow(ledger, row, message, settlement, moved(attempts, row, after), now=now)
    heed(ledger, row, message, news, now=now)
    return status


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
    resting = {row["id"] for row in ledger.rows("resting")}
    for conversation in sorted(resting | {row["conversation"] for row in lost}):
        void(ledger, conversation, now=now)
    change(ledger, "probe_at_once", tick=ledger.tick)
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
    attempts = attempts_of(ledger, row, message)
    tried = tried_of(ledger, attempts, row, message, sender_row(ledger, message["sender"]), now=now)
    settlement = settle_lost(tried, ledger.policy.delivery)
    after = move(ledger, row, News(status=settlement.attempt), now=now)
    if after is not None:
        follow(ledger, row, message, settlement, moved(attempts, row, after), now=now)
