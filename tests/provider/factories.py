"""Values that the provider's tests share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.config import InboundFields, ProviderConfig
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Content, FreeForm, OutboundMessage, TemplateMessage

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SENTENCE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)
TEXT = FreeForm(type="text", text="Hello")
TEMPLATE = TemplateMessage(
    name="ticket_answer",
    language="en_US",
    components=({"type": "body", "parameters": [{"type": "text", "text": "of today"}]},),
)


def a_provider(**changes: Any) -> ProviderConfig:
    fields: dict[str, Any] = {
        "name": "dt",
        "kind": "decision-telecom",
        "base_url": "http://127.0.0.1:9/v1/api",
        "key": "made-up-key",
        "callback_secret": "made-up-secret",
        "inbound_fields": InboundFields(),
    }
    return ProviderConfig(**fields | changes)


def a_message(content: Content = TEXT) -> OutboundMessage:
    return OutboundMessage(
        id=MessageId(1),
        client="desk",
        sender=Sender("Custom Company"),
        contact=Contact("380501234567"),
        content=content,
        fallback=None,
        reference=None,
        callback_url=None,
        accepted_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
