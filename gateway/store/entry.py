"""What of a draft is written when it is accepted or refused: its row, its receipt, and what leaves at once."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Literal

from gateway.domain.compliance import Downgrade, Hold, Refuse, Send, fallback_of, is_observed
from gateway.domain.identity import Contact, MessageId
from gateway.domain.message import Draft, FreeForm, OutboundMessage, Receipt, Status
from gateway.domain.notice import PENDING
from gateway.store.codec import (
    content_facts,
    ids_text,
    micros,
    micros_or_none,
    receipt_text,
    template_name,
    to_json,
)
from gateway.store.decision_codec import evidence_text, reasons_text, repairs_text
from gateway.store.ledger import Ledger
from gateway.store.statuses import history_line


def expiry_of(ledger: Ledger, draft: Draft, now: datetime) -> datetime:
    """When it is too late to send it."""
    return now + (draft.ttl or ledger.policy.delivery.message_ttl)


def message_of(
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


_OBSERVED: dict[type, Literal["downgraded", "refused", "held"] | None] = {
    NoneType: None,
    Downgrade: "downgraded",
    Refuse: "refused",
    Hold: "held",
}


def receipt_for(message_id: MessageId, decision: Send | Downgrade, now: datetime) -> Receipt:
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


def add_message(
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
        expires_at=micros(expiry_of(ledger, draft, now)),
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
