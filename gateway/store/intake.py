"""Accepting a message: its idempotency key, its client's limit, and its place in line, in one transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import NoneType
from typing import Literal

from gateway.domain.compliance import Downgrade, Hold, Refuse, Send, fallback_of, is_observed, is_of_window
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import BalanceEmpty, IdempotencyConflict, NotFound, ProviderError, TooManyRequests
from gateway.domain.identity import Contact, MessageId, Sender, bucket_of, draw_message_id, draw_token
from gateway.domain.message import Draft, FreeForm, Idempotency, OutboundMessage, Receipt, Status
from gateway.domain.notice import PENDING
from gateway.domain.suppression import Suppression
from gateway.ports import Accepted, Answer, Attempt, Conversation, Decide
from gateway.store.attempts import add_attempt
from gateway.store.codec import (
    content_facts,
    error_of,
    ids_text,
    instant,
    micros,
    micros_or_none,
    receipt_of,
    receipt_text,
    template_name,
    to_json,
)
from gateway.store.deciding import add_decision, find
from gateway.store.decision_codec import evidence_text, reasons_text, repairs_text, suppression_text
from gateway.store.digests import digest_of
from gateway.store.identities import add_client_s, names_of, with_spellings
from gateway.store.leaving import lease_at_once, may_leave_at_once
from gateway.store.ledger import Ledger
from gateway.store.lines import join
from gateway.store.senders import SenderRow, sender_row
from gateway.store.statuses import count_open, end, history_line
from gateway.store.suppressions import in_force

KEEP_KEYS = timedelta(hours=24)
_FULL_RETRY_AFTER = 10


def replay(ledger: Ledger, client: str, idempotency: Idempotency, *, now: datetime) -> Answer | None:
    """What this key answered. Raises IdempotencyConflict when it came with another body."""
    row = ledger.row("message_by_key", client=client, route=idempotency.route, key=idempotency.key)
    if row is None or row["accepted_at"] <= micros(now - KEEP_KEYS):
        return None
    if row["fingerprint"] not in (idempotency.fingerprint, digest_of(ledger, idempotency.fingerprint)):
        raise IdempotencyConflict("the key was used before, with another body")
    return Answer(
        receipt=receipt_of(row["receipt"]),
        refusal=error_of(row["error"]) if row["is_refusal_told"] else None,
        is_repeated=True,
        waits_for=_until(row["answer_by"], now),
    )


def _until(answer_by: int | None, now: datetime) -> timedelta | None:
    if answer_by is None or answer_by <= micros(now):
        return None
    return instant(answer_by) - now


def enqueue(
    ledger: Ledger, draft: Draft, decide: Decide, *, now: datetime, downgrades_since: datetime | None, may_begin: bool
) -> Accepted | Refuse:
    """Decide, and store the message or the refusal; or answer what its key answered before."""
    if draft.idempotency is not None:
        before = replay(ledger, draft.client, draft.idempotency, now=now)
        if before is not None:
            return Accepted(answer=before)
        _forget_key(ledger, draft.client, draft.idempotency)
    found = _find(ledger, draft, downgrades_since)
    if draft.wait is not None and found.known.pause is PauseCause.BALANCE:
        raise BalanceEmpty("the provider's account is empty")
    match decide(found.known):
        case Send() | Downgrade() as decision:
            _check_backlog(ledger, draft.client)
            return _accept(ledger, draft, decision, found, may_begin=may_begin, now=now)
        case Refuse() as refusal if draft.tells_refusal_later and is_of_window(refusal, draft.content):
            return _accept_refused(ledger, draft, refusal, found, now=now)
        case Refuse() as refusal:
            _note_refusal(ledger, draft, refusal, now=now)
            return refusal
        case Hold():
            raise AssertionError("hold is refused when the configuration is read")


def _forget_key(ledger: Ledger, client: str, idempotency: Idempotency) -> None:
    ledger.write("forget_key", client=client, route=idempotency.route, key=idempotency.key)


def _backlog(ledger: Ledger, client: str) -> int:
    known = ledger.shared.backlogs.get(client)
    if known is None:
        known = ledger.shared.backlogs[client] = int(ledger.one("open_of_client", client=client)["open"])
    return known


def _check_backlog(ledger: Ledger, client: str) -> None:
    limit = ledger.policy.client_queued
    if _backlog(ledger, client) + ledger.shared.opened.get(client, 0) >= limit:
        raise TooManyRequests(f"{limit} messages are waiting to be sent", _FULL_RETRY_AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What there is of a draft's sender and conversation."""

    sender: SenderRow
    conversation: sqlite3.Row | None
    known: Conversation
    named: tuple[Contact, ...]


def _find(ledger: Ledger, draft: Draft, downgrades_since: datetime | None) -> _Found:
    sender = sender_row(ledger, draft.sender)
    found = find(
        ledger,
        draft.sender,
        draft.contact,
        sender,
        downgrades_since,
        also=draft.also_known_as,
        client=draft.client,
    )
    return _Found(sender=sender, conversation=found.conversation, known=found.known, named=found.named)


def _accept(
    ledger: Ledger, draft: Draft, decision: Send | Downgrade, found: _Found, *, may_begin: bool, now: datetime
) -> Accepted:
    conversation = _conversation(ledger, draft, found)
    is_free = not conversation["has_line"]
    leaves = may_begin and is_free and may_leave_at_once(ledger, conversation, found.sender)
    place = 0
    while not place:  # the unique key catches an id that is taken
        receipt = _receipt(draw_message_id(conversation["bucket"]), decision, now)
        place = _add_message(ledger, draft, decision, conversation["id"], found.named, receipt, leaves=leaves, now=now)
    add_decision(ledger, place, "accept", decision, now=now)
    count_open(ledger, draft.client, draft.sender, +1)
    answer = Answer(receipt=receipt, waits_for=draft.wait)
    if not leaves:
        join(ledger, conversation, draft, is_free=is_free, now=now)
        return Accepted(answer=answer, decision=decision)
    ids = tuple(dict.fromkeys((*names_of(conversation), *found.named)))
    message = _message_of(draft, receipt, ids, expires_at=_expires_at(ledger, draft, now), now=now)
    claim = lease_at_once(ledger, message, conversation, found.sender, found.known)
    attempt = Attempt(message_id=message.id, number=1, token=draw_token(message.id), content=decision.content)
    add_attempt(ledger, place, claim, attempt, now=now)
    return Accepted(answer=answer, decision=decision, begun=(claim, attempt))


def _accept_refused(ledger: Ledger, draft: Draft, refusal: Refuse, found: _Found, *, now: datetime) -> Accepted:
    """Stored, and ended in the same transaction: its status is told like any other, and nothing ever leaves."""
    conversation = _conversation(ledger, draft, found)
    place = 0
    while not place:
        message_id = draw_message_id(conversation["bucket"])
        receipt = Receipt(message_id=message_id, action="refused", reason=refusal.reasons[0].value)
        place = _add_message(ledger, draft, refusal, conversation["id"], found.named, receipt, leaves=False, now=now)
    add_decision(ledger, place, "accept", refusal, now=now)
    count_open(ledger, draft.client, draft.sender, +1)
    end(ledger, place, Status.REFUSED, now=now)
    return Accepted(answer=Answer(receipt=receipt), refused=refusal)


def _conversation(ledger: Ledger, draft: Draft, found: _Found) -> sqlite3.Row:
    """The one that was found, or a new one; by what else the request named the contact, its client finds it again."""
    conversation = found.conversation
    if conversation is None:
        suppression = in_force(ledger, draft.sender, [draft.contact]) if found.named else found.known.suppression
        conversation = add_conversation(ledger, draft.sender, draft.contact, suppression)
    if found.named:
        own = with_spellings(ledger, names_of(conversation))
        fresh = [one for one in found.named if one not in own]
        add_client_s(ledger, conversation["id"], draft.sender, fresh, draft.client)
    return conversation


def _expires_at(ledger: Ledger, draft: Draft, now: datetime) -> datetime:
    return now + (draft.ttl or ledger.policy.delivery.message_ttl)


def _message_of(
    draft: Draft, receipt: Receipt, ids: tuple[Contact, ...], *, expires_at: datetime, now: datetime
) -> OutboundMessage:
    return OutboundMessage(
        id=receipt.message_id,
        client=draft.client,
        sender=draft.sender,
        contact=ids[0],
        also_known_as=ids[1:],
        content=draft.content,
        fallback=draft.fallback,
        reference=draft.reference,
        intent=draft.intent,
        reply_to=draft.reply_to,
        opaque=draft.opaque,
        on_closed_window=draft.on_closed_window,
        callback_url=draft.callback_url,
        traceparent=draft.traceparent,
        accepted_at=now,
        expires_at=expires_at,
    )


def add_conversation(ledger: Ledger, sender: Sender, contact: Contact, suppression: Suppression | None) -> sqlite3.Row:
    """That of a contact of whom nothing is known yet."""
    return ledger.one(
        "add_conversation",
        sender=sender,
        contact=contact,
        bucket=bucket_of(sender, contact),
        suppression=suppression_text(suppression),
    )


_OBSERVED: dict[type, Literal["downgraded", "refused", "held"] | None] = {
    NoneType: None,
    Downgrade: "downgraded",
    Refuse: "refused",
    Hold: "held",
}


def _receipt(message_id: MessageId, decision: Send | Downgrade, now: datetime) -> Receipt:
    window = decision.evidence.window
    is_downgrade = isinstance(decision, Downgrade)
    return Receipt(
        message_id=message_id,
        action="downgraded" if is_downgrade else "sent",
        template=template_name(decision.content),
        reason=decision.reasons[0].value if is_downgrade else None,
        window_closes_at=window.closes_at if window.is_open(now) else None,
        observed=_OBSERVED[type(decision.instead_of)] if isinstance(decision, Send) else None,
        repaired=repairs_text(decision),
        reasons=tuple(reason.value for reason in decision.reasons),
    )


def _add_message(
    ledger: Ledger,
    draft: Draft,
    decision: Send | Downgrade | Refuse,
    conversation: int,
    named: tuple[Contact, ...],
    receipt: Receipt,
    *,
    leaves: bool,
    now: datetime,
) -> int:
    """Its place; 0 if its id is taken."""
    key, at = draft.idempotency, micros(now)
    added = ledger.write(
        "add_message",
        id=receipt.message_id,
        conversation=conversation,
        client=draft.client,
        status=(Status.SENDING if leaves else Status.QUEUED).value,
        attempts=int(leaves),
        history=history_line(Status.SENDING, at) if leaves else "",
        content=to_json(content_facts(draft.content)),
        fallback=None if draft.fallback is None else to_json(content_facts(draft.fallback)),
        is_free_form=int(isinstance(draft.content, FreeForm)),
        reference=draft.reference,
        callback_url=draft.callback_url,
        accepted_at=at,
        expires_at=micros(_expires_at(ledger, draft, now)),
        receipt=receipt_text(receipt),
        route=None if key is None else key.route,
        key=None if key is None else key.key,
        fingerprint=None if key is None else key.fingerprint,
        answer_by=micros_or_none(None if draft.wait is None else now + draft.wait),
        told_view=PENDING,
        downgraded_at=None if fallback_of(decision) is None else at,
        is_observed=int(is_observed(decision)),
        traceparent=draft.traceparent,
        intent=draft.intent,
        reply_to=draft.reply_to,
        opaque=draft.opaque,
        on_closed_window=draft.on_closed_window,
        addressed=ids_text(named),
    )
    return added.lastrowid or 0 if added.rowcount else 0


def _note_refusal(ledger: Ledger, draft: Draft, decision: Refuse, *, now: datetime) -> None:
    ledger.write(
        "add_refusal",
        at=micros(now),
        client=draft.client,
        sender=draft.sender,
        contact=draft.contact,
        reasons=reasons_text(decision),
        evidence=evidence_text(decision),
    )


def settle_wait(ledger: Ledger, message_id: MessageId) -> ProviderError | None:
    """The refusal that was recorded while the client waited; else its wait is over, and no later one is told."""
    row = ledger.row("end_wait", id=message_id)
    if row is None:
        raise NotFound("no such message")
    return error_of(row["error"]) or ProviderError() if row["is_refusal_told"] else None
