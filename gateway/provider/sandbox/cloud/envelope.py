"""What the platform tells, in its envelope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.provider.sandbox.cloud.account import Account
from gateway.provider.sandbox.cloud.complaint import Complaint
from gateway.provider.sandbox.cloud.wamid import wamid
from gateway.provider.sandbox.people import People, user_id_of
from gateway.provider.sandbox.phone import PhoneMessage

Body = Mapping[str, Any]
_PRICED = frozenset({"sent", "delivered"})
"""The price stands in the first status, and in one of those that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is told: a message, a status, a preference."""

    account: Account
    list: str
    """Which list of ``value`` it stands in."""
    told: Body
    contact: Body | None = None
    field: str = "messages"


def envelope(items: Sequence[Item]) -> Body:
    """One callback with all of these, in their order for each number."""
    entries = [
        {"id": business, "changes": _changes([each for each in items if each.account.business == business])}
        for business in dict.fromkeys(each.account.business for each in items)
    ]
    return {"object": "whatsapp_business_account", "entry": entries}


def _changes(items: Sequence[Item]) -> list[Body]:
    grouped: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        grouped.setdefault((item.account.phone_number_id, item.field, item.list), []).append(item)
    return [{"value": _value(group), "field": group[0].field} for group in grouped.values()]


def _value(items: Sequence[Item]) -> Body:
    account = items[0].account
    contacts = _each_once(item.contact for item in items if item.contact is not None)
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": account.display, "phone_number_id": account.phone_number_id},
        **({"contacts": contacts} if contacts else {}),
        items[0].list: [item.told for item in items],
    }


def _each_once(contacts: Iterable[Body]) -> list[Body]:
    return list({contact["user_id"]: contact for contact in contacts}.values())


def contact_block(contact: str, people: People, name: str) -> Body:
    """Who it is: without the phone number of somebody who hides it."""
    phone = people.phone_of(contact)
    seen = {} if phone is None else {"wa_id": phone}
    return {"profile": {"name": name}, **seen, "user_id": user_id_of(contact)}


def status(message: PhoneMessage, state: str, at: datetime, people: People) -> Body:
    """A status of a message that is on its way, or there."""
    submission = message.submission
    phone = people.phone_of(submission.contact)
    return {
        "id": message_id(message),
        "status": state,
        "timestamp": _seconds(at),
        **({} if phone is None else {"recipient_id": phone}),
        "recipient_user_id": user_id_of(submission.contact),
        **_opaque(message),
        **({"pricing": _pricing(submission.category)} if state in _PRICED else {}),
    }


def failure(message: PhoneMessage, complaint: Complaint, at: datetime, people: People) -> Body:
    """The status of a message that will not arrive: it names the contact as the request did."""
    submission = message.submission
    user = {"recipient_user_id": user_id_of(submission.contact)}
    return {
        "id": message_id(message),
        "status": "failed",
        "timestamp": _seconds(at),
        **(user if submission.by_user_id else {"recipient_id": submission.contact}),
        **_opaque(message),
        "errors": [complaint.to_status()],
    }


def inbound(contact: str, said_id: int, at: datetime, people: People, content: Body) -> Body:
    """What a customer said."""
    phone = people.phone_of(contact)
    return {
        **({} if phone is None else {"from": phone}),
        "from_user_id": user_id_of(contact),
        "id": inbound_id(contact, said_id, people),
        "timestamp": _seconds(at),
        **content,
    }


def wish(contact: str, wished: str, at: datetime, people: People) -> Body:
    """What a customer wants of marketing; this time alone is a number."""
    phone = people.phone_of(contact)
    return {
        **({} if phone is None else {"wa_id": phone}),
        "user_id": user_id_of(contact),
        "detail": f"User requested to {wished} marketing messages",
        "category": "marketing_messages",
        "value": wished,
        "timestamp": int(at.timestamp()),
    }


def message_id(message: PhoneMessage) -> str:
    """The id by which the platform knows a message of ours."""
    submission = message.submission
    return wamid(user_id_of(submission.contact) if submission.by_user_id else submission.contact, message.id)


def inbound_id(contact: str, said_id: int, people: People) -> str:
    return wamid(people.phone_of(contact) or user_id_of(contact), said_id, is_inbound=True)


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _opaque(message: PhoneMessage) -> Body:
    opaque = message.submission.opaque
    return {} if opaque is None else {"biz_opaque_callback_data": opaque}


def _pricing(category: str) -> Body:
    return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
