"""Callbacks in: each event once, with all that follows from it, or kept with the reason why nothing did."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from gateway.domain.callback import (
    CallbackEvent,
    ConsentChange,
    InboundMessage,
    StatusReport,
    TemplateUpdate,
    Unrecognized,
)
from gateway.domain.identity import Sender
from gateway.domain.notice import received
from gateway.ports import Arrival, Ingested
from gateway.store.codec import error_text, micros, micros_or_none, storable, to_json, window_of
from gateway.store.evidence import News, take_report
from gateway.store.group import is_fault
from gateway.store.intake import conversation_row
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.outbox import post
from gateway.store.statuses import next_in_sequence


class Fate(StrEnum):
    """What became of one event; but for ``repeated``, also the word in its row."""

    APPLIED = "applied"
    REPEATED = "repeated"
    KEPT = "kept"
    WAITING = "waiting"
    FAILED = "failed"


_KINDS: dict[type[CallbackEvent], str] = {
    InboundMessage: "message",
    StatusReport: "status",
    TemplateUpdate: "template",
    ConsentChange: "consent",
    Unrecognized: "unrecognized",
}


def ingest(ledger: Ledger, provider: str, arrivals: Sequence[Arrival], *, now: datetime) -> Ingested:
    fates = tuple(_take(ledger, provider, arrival, now=now) for arrival in arrivals)
    count = Counter(fates)
    return Ingested(
        applied=count[Fate.APPLIED],
        repeated=count[Fate.REPEATED],
        kept=count[Fate.KEPT] + count[Fate.WAITING],
        failed=count[Fate.FAILED],
        fates=fates,
    )


def _take(ledger: Ledger, provider: str, arrival: Arrival, *, now: datetime) -> Fate:
    row = _add(ledger, provider, arrival, now=now)
    if row is None:
        return Fate.REPEATED
    ledger.db.execute("savepoint arrival")
    try:
        fate, problem = _apply(ledger, provider, row, arrival, now=now), arrival.problem
    except Exception as error:
        if is_fault(error):
            raise
        ledger.db.execute("rollback to arrival")
        fate, problem = Fate.FAILED, type(error).__name__
    ledger.db.execute("release arrival")
    ledger.write("set_fate", id=row, state=fate, problem=problem)
    return fate


def _add(ledger: Ledger, provider: str, arrival: Arrival, *, now: datetime) -> int | None:
    """The new row of the inbox; None for a repetition."""
    event = arrival.event
    report = event if isinstance(event, StatusReport) else None
    row = ledger.row(
        "add_arrival",
        provider=provider,
        dedupe=storable(event.dedupe),
        kind=_KINDS[type(event)],
        at=micros(now),
        token=None if report is None else storable(report.attempt),
        provider_message_id=None if report is None else storable(report.provider_message_id),
        status=None if report is None else report.status,
        error=None if report is None else error_text(report.error),
        raw=to_json(event.raw),
    )
    return None if row is None else int(row["id"])


def _apply(ledger: Ledger, provider: str, row: int, arrival: Arrival, *, now: datetime) -> Fate:
    if arrival.problem is not None:
        return Fate.KEPT
    match arrival.event:
        case InboundMessage() as event if arrival.sender is not None:
            _hear(ledger, row, arrival, event, arrival.sender, now=now)
            return Fate.APPLIED
        case StatusReport() as event:
            return _apply_report(ledger, provider, event, now=now)
        case _:
            return Fate.KEPT


# --- what a contact wrote -------------------------------------------------------------------------------------------


def _hear(ledger: Ledger, row: int, arrival: Arrival, event: InboundMessage, sender: Sender, *, now: datetime) -> None:
    conversation = conversation_row(ledger, sender, event.contact)
    _open_window(ledger, conversation, arrival, event)
    ledger.write("arrival_of", id=row, conversation=conversation["id"])
    sequence = next_in_sequence(ledger, conversation["id"])
    for client in ledger.policy.listeners.get(sender, ()):
        notice = received(client, sender, event, now=now, sequence=sequence)
        post(ledger, notice, conversation["id"], now=now)
    refresh(ledger, conversation["id"], now=now)


def _open_window(ledger: Ledger, conversation: sqlite3.Row, arrival: Arrival, event: InboundMessage) -> None:
    """Note what was heard. The revision goes up in any case: what was decided before is decided again."""
    window = window_of(conversation)
    if arrival.opened_at is not None:
        opened_by = storable(event.provider_message_id)
        window = window.heard(arrival.opened_at, by=opened_by, evidence=arrival.evidence or "message")
    ledger.write(
        "heard",
        id=conversation["id"],
        contact_name=storable(event.name),
        anchor=micros_or_none(window.anchor),
        opened_by=window.opened_by,
        evidence=window.evidence,
    )


# --- what a provider reports ----------------------------------------------------------------------------------------


def _apply_report(ledger: Ledger, provider: str, report: StatusReport, *, now: datetime) -> Fate:
    if report.status is None:
        return Fate.APPLIED
    attempt = _attempt_of(ledger, provider, report)
    if attempt is None:
        return Fate.WAITING
    news = News(
        status=report.status,
        error=report.error,
        provider_message_id=storable(report.provider_message_id),
        is_report=True,
        raw=to_json(report.raw),
    )
    take_report(ledger, attempt, news, now=now)
    return Fate.APPLIED


def _attempt_of(ledger: Ledger, provider: str, report: StatusReport) -> sqlite3.Row | None:
    """By the attempt's own token when it was posted to it, whatever else it says; else by the provider's id."""
    if report.attempt is not None:
        return ledger.row("attempt_by_token", token=storable(report.attempt))
    if report.provider_message_id is None:
        return None
    return ledger.row(
        "attempt_by_provider_id", provider=provider, provider_message_id=storable(report.provider_message_id)
    )
