"""Accepting a message: its idempotency key, its client's limit, and its place in line, in one transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.errors import IdempotencyConflict, NotFound, ProviderError, TooManyRequests
from gateway.domain.identity import Contact, MessageId, Sender, bucket_of, draw_message_id
from gateway.domain.message import Draft, FreeForm, Idempotency, Receipt, Status
from gateway.domain.notice import PENDING
from gateway.ports import Answer
from gateway.store.codec import (
    action_of,
    content_facts,
    error_of,
    evidence_text,
    instant,
    micros,
    micros_or_none,
    reasons_text,
    receipt_of,
    receipt_text,
    suppression_text,
    template_name,
    to_json,
)
from gateway.store.digests import digest_of
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh, stand_in_line
from gateway.store.senders import sender_row
from gateway.store.statuses import count_open
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
    ledger: Ledger, draft: Draft, decision: Send | Downgrade, *, now: datetime, downgrades_since: datetime | None
) -> Answer | None:
    """Store the message, or answer what its key answered before. None: what it was decided on has changed."""
    if draft.idempotency is not None:
        before = replay(ledger, draft.client, draft.idempotency, now=now)
        if before is not None:
            return before
        _forget_key(ledger, draft.client, draft.idempotency)
    if _is_over_limit(ledger, draft, decision, downgrades_since):
        return None
    _check_backlog(ledger, draft.client)
    return Answer(receipt=_accept(ledger, draft, decision, now=now), waits_for=draft.wait)


LAST = 2**63 - 1
"""A place behind all others in line."""


def count_downgrades(ledger: Ledger, conversation: int, since: datetime, *, before: int = LAST) -> int:
    """The fallbacks that the contact was given since then, or is to be given before the message at that place."""
    return int(ledger.one("downgrades", conversation=conversation, since=micros(since), before=before)["count"])


def _is_over_limit(ledger: Ledger, draft: Draft, decision: Send | Downgrade, since: datetime | None) -> bool:
    limit = decision.evidence.downgrade_limit
    if limit is None or since is None or not isinstance(decision, Downgrade):
        return False
    row = ledger.row("conversation_of", sender=draft.sender, contact=draft.contact)
    return row is not None and count_downgrades(ledger, row["id"], since) >= limit


def _forget_key(ledger: Ledger, client: str, idempotency: Idempotency) -> None:
    ledger.write("forget_key", client=client, route=idempotency.route, key=idempotency.key)


def _check_backlog(ledger: Ledger, client: str) -> None:
    limit = ledger.policy.client_queued
    if ledger.one("open_of_client", client=client)["open"] >= limit:
        raise TooManyRequests(f"{limit} messages are waiting to be sent", _FULL_RETRY_AFTER)


def _accept(ledger: Ledger, draft: Draft, decision: Send | Downgrade, *, now: datetime) -> Receipt:
    conversation = conversation_row(ledger, draft.sender, draft.contact)
    receipt = _receipt(_draw_id(ledger, conversation["bucket"]), decision, now)
    place = _add_message(ledger, draft, decision, conversation["id"], receipt, now=now)
    add_decision(ledger, place, "accept", decision, now=now)
    ledger.write("note_status", message=place, status=Status.QUEUED, at=micros(now))
    count_open(ledger, draft.client, draft.sender, +1)
    stand_in_line(ledger, place, due_at=micros(now))
    refresh(ledger, conversation["id"], now=now)
    return receipt


def conversation_row(ledger: Ledger, sender: Sender, contact: Contact) -> sqlite3.Row:
    """The conversation, made if there was none."""
    row = ledger.row("conversation_of", sender=sender, contact=contact)
    if row is not None:
        return row
    sender_row(ledger, sender)
    suppression = suppression_text(in_force(ledger, sender, contact))
    ledger.write(
        "add_conversation", sender=sender, contact=contact, bucket=bucket_of(sender, contact), suppression=suppression
    )
    return ledger.one("conversation_of", sender=sender, contact=contact)


def _draw_id(ledger: Ledger, bucket: int) -> MessageId:
    message_id = draw_message_id(bucket)
    while ledger.row("message_place", id=message_id) is not None:
        message_id = draw_message_id(bucket)
    return message_id


def _receipt(message_id: MessageId, decision: Send | Downgrade, now: datetime) -> Receipt:
    window = decision.evidence.window
    is_downgrade = isinstance(decision, Downgrade)
    return Receipt(
        message_id=message_id,
        action="downgraded" if is_downgrade else "sent",
        template=template_name(decision.content),
        reason=decision.reasons[0].value if is_downgrade else None,
        window_closes_at=window.closes_at if window.is_open(now) else None,
    )


def _add_message(
    ledger: Ledger, draft: Draft, decision: Send | Downgrade, conversation: int, receipt: Receipt, *, now: datetime
) -> int:
    key = draft.idempotency
    added = ledger.write(
        "add_message",
        id=receipt.message_id,
        conversation=conversation,
        client=draft.client,
        status=Status.QUEUED,
        content=to_json(content_facts(draft.content)),
        fallback=None if draft.fallback is None else to_json(content_facts(draft.fallback)),
        is_free_form=isinstance(draft.content, FreeForm),
        reference=draft.reference,
        callback_url=draft.callback_url,
        accepted_at=micros(now),
        expires_at=micros(now + ledger.policy.delivery.message_ttl),
        receipt=receipt_text(receipt),
        route=None if key is None else key.route,
        key=None if key is None else key.key,
        fingerprint=None if key is None else key.fingerprint,
        answer_by=micros_or_none(None if draft.wait is None else now + draft.wait),
        told_view=PENDING,
        downgraded_at=micros(now) if isinstance(decision, Downgrade) else None,
    )
    assert added.lastrowid is not None  # noqa: S101 - an insert always has one
    return added.lastrowid


def add_decision(ledger: Ledger, place: int, stage: str, decision: Send | Downgrade | Refuse, *, now: datetime) -> None:
    ledger.write(
        "add_decision",
        message=place,
        stage=stage,
        at=micros(now),
        action=action_of(decision),
        reasons=reasons_text(decision),
        template=None if isinstance(decision, Refuse) else template_name(decision.content),
        evidence=evidence_text(decision),
    )


def note_refusal(ledger: Ledger, draft: Draft, decision: Refuse, *, now: datetime) -> None:
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
