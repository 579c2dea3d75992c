"""What the platform tells of a customer's wish about marketing messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def preference(sender: str, contact: str, wish: str, at: datetime) -> Mapping[str, Any]:
    """The platform's own envelope, in which every provider passes it on. Source: Meta, user_preferences webhook; its
    timestamp is an integer, unlike those of messages."""
    detail = f"User requested to {wish} marketing messages"
    wished = {
        "wa_id": contact,
        "detail": detail,
        "category": "marketing_messages",
        "value": wish,
        "timestamp": int(at.timestamp()),
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": sender, "phone_number_id": sender},
        "contacts": [{"wa_id": contact}],
        "user_preferences": [wished],
    }
    change = {"field": "user_preferences", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "sandbox", "changes": [change]}]}
