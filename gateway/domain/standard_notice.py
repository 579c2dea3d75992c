"""Events as Standard Webhooks have them: ``type``, ``timestamp``, and ``data`` with the provider's object inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.domain.callback import ConsentChange, InboundMessage
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.message import OutboundMessage, Status
from gateway.domain.notice import OPAQUE, Notice, client_endpoint
from gateway.domain.subscription import EventType


def is_told(status: Status) -> bool:
    """Whether a change to this status goes to the client's webhook: all that is no longer only ours."""
    return status not in (Status.QUEUED, Status.HELD, Status.SENDING)


def received(client: str, sender: Sender, event: InboundMessage, *, now: datetime, sequence: int) -> Notice:
    """``message.received``: a contact wrote to a sender that the client uses."""
    facts = {
        "sender": sender,
        "contact": event.contact,
        "id": event.provider_message_id,
        "kind": event.kind,
        "text": event.text,
        "name": event.name,
        "written_at": rfc3339_or_none(event.at),
        "sequence": sequence,
        "raw": event.raw,
    }
    return _notice(client, EventType.RECEIVED, facts, now)


def status_changed(
    message: OutboundMessage,
    status: Status,
    *,
    now: datetime,
    sequence: int,
    error: ProviderError | None = None,
    raw: Any = None,
) -> Notice:
    """``message.status``: a message of the client moved. Its id is a string, as everywhere on the native surface."""
    facts = {
        "message_id": str(message.id),
        "sender": message.sender,
        "contact": message.contact,
        "status": status.value,
        "reference": message.reference,
        "error": None if error is None else {"code": error.code, "name": error.name, "message": error.message},
        "sequence": sequence,
        "raw": _with_own_word(raw, message.opaque),
    }
    return _notice(message.client, EventType.STATUS, facts, now)


def _with_own_word(raw: Any, opaque: str | None) -> Any:
    """The report with the client's own word in the place of ours, by which the platform tells us the attempt."""
    status = raw.get("status") if isinstance(raw, Mapping) else None
    if not isinstance(status, Mapping) or OPAQUE not in status:
        return raw
    own = {} if opaque is None else {OPAQUE: opaque}
    return {**raw, "status": {**{name: said for name, said in status.items() if name != OPAQUE}, **own}}


def downgraded(
    message: OutboundMessage,
    *,
    template: str,
    reasons: Sequence[str],
    window: Mapping[str, Any],
    now: datetime,
    sequence: int,
) -> Notice:
    """``message.downgraded``: the template ``name/language`` left in place of what was asked for. `window` is what was
    known of it, in JSON's terms."""
    facts = {
        "message_id": str(message.id),
        "sender": message.sender,
        "contact": message.contact,
        "reference": message.reference,
        "template": template,
        "reasons": list(reasons),
        "window": {"opened_at": window.get("anchor"), "closes_at": window.get("closes_at")},
        "sequence": sequence,
    }
    return _notice(message.client, EventType.DOWNGRADED, facts, now)


def consent_changed(client: str, sender: Sender, event: ConsentChange, *, now: datetime, sequence: int) -> Notice:
    """``consent.changed``: a contact stopped or resumed marketing messages of a sender."""
    facts = {
        "sender": sender,
        "contact": event.contacts[0],
        "marketing": "stopped" if event.is_stop else "resumed",
        "chosen_at": rfc3339_or_none(event.at),
        "sequence": sequence,
        "raw": event.raw,
    }
    return _notice(client, EventType.CONSENT, facts, now)


def account_news(client: str, event: EventType, provider: str, field: str, raw: Any, *, now: datetime) -> Notice:
    """``template.updated``, ``account.updated``: the platform says something new. What, is in its own words."""
    return _notice(client, event, {"provider": provider, "field": field, "raw": raw}, now)


def _notice(client: str, event: EventType, facts: Mapping[str, Any], now: datetime) -> Notice:
    body = {"type": event.value, "timestamp": rfc3339(now), "data": facts}
    return Notice(endpoint=client_endpoint(client), type=event.value, body=body)
