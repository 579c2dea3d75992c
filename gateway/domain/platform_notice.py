"""Events in the platform's own envelope, one message or status in each: what its clients read already.

The provider's objects stay as they came, but for the ids that a client knows otherwise. Where a provider has callbacks
of its own, the objects are made from the event. Source: Meta, webhook references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.business_number import BusinessNumber
from gateway.domain.callback import ConsentChange, InboundMessage
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, is_phone, stand_in_user_id, user_id_among
from gateway.domain.message import OutboundMessage, Status
from gateway.domain.notice import OPAQUE, Notice, client_endpoint
from gateway.domain.platform_errors import platform_errors
from gateway.domain.platform_references import with_references
from gateway.domain.subscription import EventType, Format
from gateway.domain.wamid import wamid

Object = Mapping[str, Any]

_ITEMS = ("message", "status", "call", "preference")
_LISTS = {"message": "messages", "status": "statuses", "call": "calls", "preference": "user_preferences"}
_FIELDS = {"message": "messages", "status": "messages", "call": "calls", "preference": "user_preferences"}
_WORDS = {Status.SENT: "sent", Status.DELIVERED: "delivered", Status.READ: "read"} | dict.fromkeys(
    (Status.FAILED, Status.REFUSED, Status.EXPIRED, Status.CANCELLED), "failed"
)
_UNKNOWN_KIND = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
PLAYED = "played"
"""What the platform says of a voice message beyond ``read``."""
_KNOWN_WORDS = ("sent", "delivered", "read", PLAYED, "failed")


def is_told(status: Status) -> bool:
    """Whether the platform has a word for it: it knows of nothing before ``sent``, and nothing of lost answers."""
    return status in _WORDS


def envelope(account: str, field: str, value: Object, *, entry: Object | None = None) -> Object:
    """One change in the platform's envelope; `entry` is what stood around it, where that is known."""
    around = {"id": account, **(entry or {})}
    return {"object": "whatsapp_business_account", "entry": [{**around, "changes": [{"value": value, "field": field}]}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The client that is told, and how it knows the sender."""

    client: str
    format: Format
    number: BusinessNumber

    def notice(self, event: EventType, body: Object) -> Notice:
        return Notice(endpoint=client_endpoint(self.client), type=event.value, body=body, format=self.format)


# --- what a contact wrote -------------------------------------------------------------------------------------------


def received(to: Recipient, event: InboundMessage, *, now: datetime, ids: Mapping[str, str]) -> Notice:
    """A message of a contact, or a call. `ids` are ours by the provider's, of messages that this client posted."""
    name = item_of(event.raw, "message", "call", "status")
    raw: Object
    if name is None:
        raw = {"message": _made_message(event, now), "contacts": [_made_contact(event.contact, event.name)]}
        name = "message"
    else:
        kept: Object = event.raw
        raw = {**kept, name: with_references(kept[name], ids)}
    field = "calls" if event.kind == "call" else _FIELDS[name]
    return to.notice(EventType.RECEIVED, _enveloped(to, name, raw, event.contact, event.name, field=field))


def consent_changed(to: Recipient, event: ConsentChange) -> Notice:
    """A contact's wish about marketing messages, as the platform told it."""
    raw = event.raw if item_of(event.raw, "preference") else {"preference": event.raw}
    return to.notice(EventType.CONSENT, _enveloped(to, "preference", raw, event.contacts[0], None))


def passed_on(to: Recipient, event: EventType, raw: Object) -> Notice:
    """A change that is about no message, as it came with its entry."""
    return to.notice(event, {"object": "whatsapp_business_account", "entry": [{"id": to.number.account, **raw}]})


def change_of(raw: Any) -> Object | None:
    """The one change of an entry that was kept whole."""
    changes = raw.get("changes") if isinstance(raw, Mapping) else None
    only = changes[0] if isinstance(changes, list) and len(changes) == 1 else None
    return only if isinstance(only, Mapping) and isinstance(only.get("field"), str) else None


def item_of(raw: Any, *names: str) -> str | None:
    """Under which of the names the platform's own object stands in what was kept of an event; None: it is not of the
    platform's making. Flat objects have words there, or texts."""
    if not isinstance(raw, Mapping):
        return None
    return next((name for name in names if isinstance(raw.get(name), Mapping) and _is_item(raw[name])), None)


def _is_item(item: Object) -> bool:
    return "timestamp" in item and bool({"id", "from", "from_user_id", "wa_id", "user_id"} & item.keys())


def _enveloped(
    to: Recipient,
    name: str,
    raw: Object,
    contact: Contact | None,
    profile_name: str | None,
    *,
    field: str | None = None,
) -> Object:
    """The envelope around one item: what stood beside it stays, our number and the contact's user id are added."""
    beside = {key: kept for key, kept in raw.items() if key not in (*_ITEMS, "entry", "metadata", "contacts")}
    contacts = _contacts(raw, raw[name], contact, profile_name)
    value = {
        "messaging_product": "whatsapp",
        **beside,
        "metadata": _metadata(to.number, raw.get("metadata")),
        **({"contacts": contacts} if contacts else {}),
        _LISTS[name]: [raw[name]],
    }
    entry = raw.get("entry")
    return envelope(
        to.number.account, field or _FIELDS[name], value, entry=entry if isinstance(entry, Mapping) else None
    )


def _metadata(number: BusinessNumber, kept: Any) -> Object:
    """The provider's, where it gave any; but a number's id is the one that clients post to, if it was configured."""
    ours = {"display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id}
    if not isinstance(kept, Mapping):
        return ours
    return {**ours, **kept, **({"phone_number_id": number.phone_number_id} if number.is_configured else {})}


def _contacts(raw: Object, item: Object, contact: Contact | None, name: str | None) -> list[Object]:
    """Each with a user id: some libraries drop what has none."""
    kept = raw.get("contacts")
    known = [one for one in kept if isinstance(one, Mapping)] if isinstance(kept, list) else []
    if not known:
        return [] if contact is None else [_made_contact(contact, name, _told_user_id(item))]
    return [one if one.get("user_id") else {**one, "user_id": _user_id_in(one, item, contact)} for one in known]


def _user_id_in(profile: Object, item: Object, contact: Contact | None) -> str:
    number = profile.get("wa_id")
    its_own = Contact(number) if isinstance(number, str) and is_phone(Contact(number)) else None
    return _told_user_id(item) or stand_in_user_id(its_own or contact or Contact(""))


def _told_user_id(item: Object) -> str | None:
    told = (item.get(key) for key in ("from_user_id", "recipient_user_id", "user_id"))
    return next((name for name in told if isinstance(name, str) and name), None)


def _made_contact(contact: Contact, name: str | None, user_id: str | None = None) -> Object:
    number = {"wa_id": contact} if is_phone(contact) else {}
    return {"profile": {"name": name or contact}, **number, "user_id": user_id or stand_in_user_id(contact)}


def _made_message(event: InboundMessage, now: datetime) -> Object:
    """The message of a provider that has a shape of its own. Of what is no text only that it came can be said."""
    number = {"from": event.contact} if is_phone(event.contact) else {}
    made = {
        **number,
        "from_user_id": stand_in_user_id(event.contact),
        "id": event.provider_message_id or _made_id(event.dedupe),
        "timestamp": _seconds(event.at or now),
    }
    if event.text is None:
        return {**made, "type": "unsupported", "errors": [_UNKNOWN_KIND]}
    return {**made, "type": "text", "text": {"body": event.text}}


def _made_id(dedupe: str) -> str:
    """The same for a repetition."""
    return f"wamid.gwin{hashlib.sha256(dedupe.encode(errors='replace')).hexdigest()[:32]}"


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


# --- what became of a message ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A message's new status, and what is known of how it came to it."""

    message: OutboundMessage
    status: Status
    now: datetime
    error: ProviderError | None = None
    reasons: tuple[str, ...] = ()
    """Of the decision that refused it."""
    raw: Any = None
    """The report that led to it."""
    is_anonymous: bool = False
    """Its contact was erased."""


def status_changed(to: Recipient, change: Change) -> Notice:
    """A status of the client's message, under the id that the client was given, with the word that it gave itself."""
    message = change.message
    is_told = item_of(change.raw, "status") is not None and not change.is_anonymous
    raw: Object = change.raw if is_told else {"status": _made_status(change)}
    kept = {key: value for key, value in raw["status"].items() if key != OPAQUE}
    opaque = {} if message.opaque is None else {OPAQUE: message.opaque}
    status = {**kept, **_in_words(change, kept), "id": wamid(message.id), **_recipient(change, raw), **opaque}
    contact = None if change.is_anonymous else message.contact
    body = _enveloped(to, "status", {**raw, "status": status}, contact, None)
    return to.notice(EventType.STATUS, body)


def played(to: Recipient, change: Change) -> Notice | None:
    """That a voice message was played: news to the platform's clients, though to us it was read before."""
    is_told = item_of(change.raw, "status") is not None and change.raw["status"].get("status") == PLAYED
    return status_changed(to, change) if is_told else None


def _made_status(change: Change) -> Object:
    return {"id": "", "timestamp": _seconds(change.now)}


def _in_words(change: Change, said: Object) -> Object:
    """The status and its errors in the platform's words, where the report does not use them itself."""
    word = said["status"] if said.get("status") in _KNOWN_WORDS else _WORDS[change.status]
    if word != "failed" or said.get("errors"):
        return {"status": word}
    return {"status": word, "errors": platform_errors(change.status, change.error, change.reasons)}


def _recipient(change: Change, raw: Object) -> Object:
    """Who it went to, by both names, where the report leaves one out."""
    if change.is_anonymous:
        return {}
    contact, status = change.message.contact, raw["status"]
    known = user_id_among(change.message.contact_ids)
    user_id = _told_user_id(status) or _user_id_of_profile(raw) or known or stand_in_user_id(contact)
    number = {"recipient_id": contact} if is_phone(contact) and not status.get("recipient_id") else {}
    return {**number, "recipient_user_id": user_id}


def _user_id_of_profile(raw: Object) -> str | None:
    contacts = raw.get("contacts")
    profile = contacts[0] if isinstance(contacts, list) and contacts else None
    return _told_user_id(profile) if isinstance(profile, Mapping) else None
