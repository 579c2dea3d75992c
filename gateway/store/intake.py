"""Accepting a message: its idempotency key, its client's limit, and its place in line, in one transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.compliance import Downgrade, Hold, Refuse, Send, is_of_window
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import BalanceEmpty, IdempotencyConflict, NotFound, ProviderError, TooManyRequests
from gateway.domain.identity import Contact, MessageId, Sender, bucket_of, draw_message_id, draw_token
from gateway.domain.message import Draft, Idempotency, Receipt, Status
from gateway.domain.suppression import Suppression
from gateway.ports import Accepted, Answer, Attempt, Conversation, Decide
from gateway.store.attempts import add_attempt
from gateway.store.codec import error_of, instant, micros, receipt_of
from gateway.store.deciding import add_decision, find
from gateway.store.decision_codec import suppression_text
from gateway.store.digests import digest_of
from gateway.store.entry import add_message, expiry_of, message_of, note_refusal, receipt_for
from gateway.store.identities import add_client_s, names_of, with_spellings
from gateway.store.leaving import lease_at_once, may_leave_at_once
from gateway.store.ledger import Ledger
from gateway.store.lines import join
from gateway.store.senders import SenderRow, sender_row
from gateway.store.statuses import count_open, end
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
            note_refusal(ledger, draft, refusal, now=now)
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
        receipt = receipt_for(draw_message_id(conversation["bucket"]), decision, now)
        place = add_message(ledger, draft, decision, conversation["id"], found.named, receipt, leaves=leaves, now=now)
    add_decision(ledger, place, "accept", decision, now=now)
    count_open(ledger, draft.client, draft.sender, +1)
    answer = Answer(receipt=receipt, waits_for=draft.wait)
    if not leaves:
        join(ledger, conversation, draft, is_free=is_free, now=now)
        return Accepted(answer=answer, decision=decision)
    ids = tuple(dict.fromkeys((*names_of(conversation), *found.named)))
    message = message_of(draft, receipt, ids, expires_at=expiry_of(ledger, draft, now), now=now)
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
        place = add_message(ledger, draft, refusal, conversation["id"], found.named, receipt, leaves=False, now=now)
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


def add_conversation(ledger: Ledger, sender: Sender, contact: Contact, suppression: Suppression | None) -> sqlite3.Row:
    """That of a contact of whom nothing is known yet."""
    return ledger.one(
        "add_conversation",
        sender=sender,
        contact=contact,
        bucket=bucket_of(sender, contact),
        suppression=suppression_text(suppression),
    )


def settle_wait(ledger: Ledger, message_id: MessageId) -> ProviderError | None:
    """The refusal that was recorded while the client waited; else its wait is over, and no later one is told."""
    row = ledger.row("end_wait", id=message_id)
    if row is None:
        raise NotFound("no such message")
    return error_of(row["error"]) or ProviderError() if row["is_refusal_told"] else None
