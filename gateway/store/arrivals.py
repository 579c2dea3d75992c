"""Callbacks in: each event once, with all that follows from it, or kept with the reason why nothing did."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.callback import (
    CallbackEvent,
    ConsentChange,
    IdentityChange,
    InboundMessage,
    StatusReport,
    TemplateUpdate,
    Unrecognized,
)
from gateway.domain.identity import Contact, Sender
from gateway.ports import Arrival, Ingested
from gateway.store import template_health
from gateway.store.codec import error_text, instant, micros, micros_or_none, storable, to_json, unspoken, window_of
from gateway.store.digests import is_erased
from gateway.store.evidence import News, owner, take_report
from gateway.store.group import is_fault
from gateway.store.identities import names_of, with_spellings
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.suppressions import heed
from gateway.store.telling import tell_played
from gateway.store.telling_of_contacts import tell_consent, tell_of_account, tell_received
from gateway.store.tying import hear_from, ids_believed, rename, tie


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
    IdentityChange: "identity",
    Unrecognized: "unrecognized",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an event, and the conversation that it belongs to, as far as it is known."""

    fate: Fate
    conversation: int | None = None


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
    ledger.shared.write(ledger.db)  # what others of the transaction have put off is not undone with this
    ledger.db.execute("savepoint arrival")
    try:
        applied, problem = _apply(ledger, provider, row, arrival, now=now), arrival.problem
    except Exception as error:
        if is_fault(error):
            raise
        ledger.db.execute("rollback to arrival")
        ledger.shared.forget()
        applied, problem = Applied(Fate.FAILED), type(error).__name__
    ledger.db.execute("release arrival")
    ledger.write("set_fate", id=row, state=applied.fate, problem=problem, conversation=applied.conversation)
    return applied.fate


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


def _apply(ledger: Ledger, provider: str, row: int, arrival: Arrival, *, now: datetime) -> Applied:
    if arrival.problem is not None:
        if isinstance(arrival.event, Unrecognized):
            tell_of_account(ledger, provider, arrival.event, now=now)
        return Applied(Fate.KEPT)
    match arrival.event:
        case InboundMessage() as event if arrival.sender is not None:
            return Applied(Fate.APPLIED, _hear(ledger, provider, arrival, event, arrival.sender, now=now))
        case ConsentChange() as event if arrival.sender is not None:
            _heed(ledger, event, arrival.sender, now=now)
            return Applied(Fate.APPLIED)
        case IdentityChange() as event:
            return Applied(Fate.APPLIED, _rename(ledger, provider, event, arrival.sender, now=now))
        case TemplateUpdate() as event:
            template_health.hear(ledger, provider, event, now=now)
            tell_of_account(ledger, provider, event, now=now)
            return Applied(Fate.APPLIED)
        case StatusReport() as event:
            return _apply_report(ledger, provider, row, event, arrival.sender, now=now)
        case _:
            return Applied(Fate.KEPT)


# --- what a contact wrote -------------------------------------------------------------------------------------------


def _hear(
    ledger: Ledger, provider: str, arrival: Arrival, event: InboundMessage, sender: Sender, *, now: datetime
) -> int:
    """The conversation in which it was said."""
    conversation = _conversation(ledger, event, sender, now=now)
    _open_window(ledger, conversation, arrival, event, now=now)
    tell_received(ledger, provider, sender, event, conversation["id"], now=now)
    refresh(ledger, conversation["id"], now=now)
    return int(conversation["id"])


def _conversation(ledger: Ledger, event: InboundMessage, sender: Sender, *, now: datetime) -> sqlite3.Row:
    """That of the contact who wrote; of one who tells that it has other ids now, by these."""
    ids = (event.contact, *event.also_known_as)
    if not event.now_known_as:
        return hear_from(ledger, sender, ids, at=event.at, now=now)
    moved = rename(ledger, sender, ids, event.now_known_as, at=event.at, now=now)
    return moved or hear_from(ledger, sender, event.now_known_as, at=event.at, now=now)


def _open_window(
    ledger: Ledger, conversation: sqlite3.Row, arrival: Arrival, event: InboundMessage, *, now: datetime
) -> None:
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
        told_at=micros(min(event.at or now, now)),
    )


def _heed(ledger: Ledger, event: ConsentChange, sender: Sender, *, now: datetime) -> None:
    """By whichever id the contact is written to, its wish is found; an id that it has no longer is another's."""
    believed = ids_believed(ledger, sender, event.contacts, at=event.at)
    row = tie(ledger, sender, event.contacts, at=event.at, now=now)
    names = believed if row is None else with_spellings(ledger, names_of(row))
    evidence = {"user_preferences": "stop" if event.is_stop else "resume"}
    for contact in [one for one in event.contacts if one in names]:
        heed(ledger, sender, contact, is_stop=event.is_stop, at=min(event.at or now, now), evidence=evidence)
    tell_consent(ledger, sender, event, now=now)


def _rename(
    ledger: Ledger, provider: str, event: IdentityChange, sender: Sender | None, *, now: datetime
) -> int | None:
    """User ids are the same for all numbers of an account: where none is named, it is a change for all of the
    provider's. The conversation that it was, if it was one."""
    senders = (
        [sender] if sender is not None else [one for one, its in ledger.policy.providers.items() if its == provider]
    )
    rows = [rename(ledger, one, event.previous, event.current, at=event.at, now=now) for one in senders]
    found = [int(row["id"]) for row in rows if row is not None]
    return found[0] if len(found) == 1 else None


# --- what a provider reports ----------------------------------------------------------------------------------------


def _apply_report(
    ledger: Ledger, provider: str, row: int, report: StatusReport, sender: Sender | None, *, now: datetime
) -> Applied:
    attempt = _attempt_of(ledger, provider, report)
    if attempt is not None and sender is not None and _is_of_another(ledger, sender, attempt):
        return Applied(Fate.KEPT)
    if attempt is None:
        return Applied(Fate.APPLIED if report.status is None else Fate.WAITING)
    message = _take_report(ledger, attempt, report, now=now)
    if is_erased(message["contact"]):
        ledger.write("forget_arrival", id=row, error=error_text(unspoken(report.error)))
        return Applied(Fate.APPLIED)
    return Applied(Fate.APPLIED, _owner(ledger, message, report, attempt["started_at"], now=now))


def _owner(ledger: Ledger, message: sqlite3.Row, report: StatusReport, started_at: int, *, now: datetime) -> int | None:
    """The conversation that the report belongs to. By what ids it calls whom the message was for, the contact is known
    from now on, unless it had others when that was sent. Where the message may have gone by an id that only its client
    calls the contact by, the report is of whom it names itself."""
    if set(report.contacts) <= set(names_of(message)):
        return owner(message)
    ids = report.contacts if message["addressed"] else (Contact(message["contact"]), *report.contacts)
    row = tie(ledger, Sender(message["sender"]), ids, at=instant(started_at), now=now)
    return owner(message) if row is None else int(row["id"])


def _take_report(ledger: Ledger, attempt: sqlite3.Row, report: StatusReport, *, now: datetime) -> sqlite3.Row:
    if report.status is None:
        return ledger.one("message_by_place", place=attempt["message"])
    news = News(
        status=report.status,
        error=report.error,
        provider_message_id=storable(report.provider_message_id),
        is_report=True,
        raw=to_json(report.raw),
        at=report.at,
    )
    message = take_report(ledger, attempt, news, now=now)
    tell_played(ledger, message, report, now=now)
    return message


def _is_of_another(ledger: Ledger, sender: Sender, attempt: sqlite3.Row) -> bool:
    """Whether another of our numbers sent it: a report of one says nothing of another's. A sender that is configured no
    longer may have got another name."""
    sent_by = ledger.one("message_by_place", place=attempt["message"])["sender"]
    return sent_by != sender and sent_by in ledger.policy.providers


def _attempt_of(ledger: Ledger, provider: str, report: StatusReport) -> sqlite3.Row | None:
    """By the attempt's own token when it was posted to it, whatever else it says; else by the provider's id."""
    if report.attempt is not None:
        row = ledger.row("attempt_by_token", token=storable(report.attempt))
        return row if row is None or row["provider"] in (None, provider) else None
    if report.provider_message_id is None:
        return None
    said = {"provider": provider, "provider_message_id": storable(report.provider_message_id)}
    return ledger.row("attempt_by_provider_id", **said) or ledger.row("attempt_by_digest", **said)
