"""The platform's own callbacks: Meta's envelope and the On-Premises form that it grew from.

``raw`` of an event is an envelope of its own, with one ``message``, ``status``, ``call``, ``preference`` or
``change``, all that stands beside the lists of its value (``metadata``, ``errors``, ``messaging_product`` and what is
new), ``contacts``, and ``entry``, the id and time of what it came in: the provider's objects untouched, the contacts
only those that the item is about. What is not understood is kept whole.
A lean event keeps its own item alone, and nothing that others have as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from gateway.domain.callback import CallbackEvent, ConsentChange, IdentityChange, InboundMessage, StatusReport
from gateway.domain.delivery import AttemptStatus
from gateway.domain.identity import is_token, phone_among, user_id_among
from gateway.provider.callback_parts import (
    inbound_dedupe,
    is_report,
    status_of,
    unrecognized,
    window_status,
)
from gateway.provider.contact_ids import ids_after, ids_changed, ids_in
from gateway.provider.instant import instant
from gateway.provider.lenient import fingerprint, scalar
from gateway.provider.meta_value import NO_ENTRY, Object, Shared, items, object_
from gateway.provider.refusal import provider_error
from gateway.provider.template_callback import is_about_templates, template_event

_LONGEST_NAME = 256
_CAPTIONED = ("image", "video", "document")
_TITLED = {"button_reply": "title", "list_reply": "title", "nfm_reply": "body"}


def is_envelope(item: Object) -> bool:
    return item.get("object") == "whatsapp_business_account"


def is_on_premises(item: Object) -> bool:
    """Whether it is what an envelope holds, without the envelope."""
    return any(isinstance(item.get(name), list) and item[name] for name in ("messages", "statuses"))


def envelope_events(envelope: Object, window_codes: Set[int], *, is_lean: bool = False) -> Iterator[CallbackEvent]:
    """Everything in an envelope, in its order; each part that is not understood is an event too."""
    entries = items(envelope.get("entry"))
    if not entries:
        yield unrecognized(envelope, "no_entry")
    for entry in entries:
        changes = items(entry.get("changes")) if isinstance(entry, dict) else []
        if not changes:
            yield unrecognized(entry, "no_change")
        for change in changes:
            yield from _change_events(change, entry, window_codes, is_lean=is_lean)


def _change_events(change: Any, entry: Object, window_codes: Set[int], *, is_lean: bool) -> Iterator[CallbackEvent]:
    """The events of one change; `entry` is what stands around it, kept with a change that shares nothing with others or
    is not understood."""
    value = change.get("value") if isinstance(change, dict) else None
    whole = {"changes": [change]} if is_lean else {**entry, "changes": [change]}
    if not isinstance(value, dict):
        yield unrecognized(whole, "no_value")
    elif is_about_templates(change.get("field")):
        yield template_event(change, entry, whole)
    elif change.get("field") == "user_preferences":
        yield from _preference_events(value, entry, is_lean=is_lean)
    elif change.get("field") == "user_id_update":
        yield from _identity_events(value, entry, is_lean=is_lean)
    elif change.get("field") not in ("messages", "calls", None):
        yield unrecognized(whole, "field")
    else:
        yield from value_events(value, window_codes, entry=entry, is_lean=is_lean)


def _preference_events(value: Object, entry: Object, *, is_lean: bool) -> Iterator[CallbackEvent]:
    preferences = items(value.get("user_preferences"))
    if not preferences:
        yield unrecognized(value, "no_preference")
    shared = Shared.of(value, entry, is_lean=is_lean)
    for preference in preferences:
        yield _preference_event(preference, shared)


def _identity_events(value: Object, entry: Object, *, is_lean: bool) -> Iterator[CallbackEvent]:
    changes = items(value.get("user_id_update"))
    if not changes:
        yield unrecognized(value, "no_identity")
    shared = Shared.of(value, entry, is_lean=is_lean)
    for change in changes:
        yield _identity_event(change, shared)


def _identity_event(change: Any, shared: Shared) -> CallbackEvent:
    if not isinstance(change, dict):
        return unrecognized(change, "shape")
    raw = shared.raw(change=change)
    previous, current = ids_changed(change)
    if not previous or not current:
        return unrecognized(raw, "contact")
    return IdentityChange(
        dedupe=f"i:{fingerprint(change, list(shared.sender_names))}",
        raw=raw,
        previous=previous,
        current=current,
        sender_names=shared.sender_names,
        at=instant(change.get("timestamp")),
    )


def value_events(
    value: Object, window_codes: Set[int], *, entry: Object = NO_ENTRY, is_lean: bool = False
) -> Iterator[CallbackEvent]:
    """The messages, statuses and calls of one value; with none of them, the value itself. `entry` is what it came in,
    if it came in one."""
    messages, statuses, calls = (items(value.get(name)) for name in ("messages", "statuses", "calls"))
    if not (messages or statuses or calls):
        yield unrecognized(value, "errors" if value.get("errors") else "nothing_known")
        return
    shared = Shared.of(value, entry, is_lean=is_lean)
    for message in messages:
        yield _message_event(message, shared)
    for status in statuses:
        yield _status_event(status, shared, window_codes)
    for call in calls:
        yield _call_event(call, shared)


def _message_event(message: Any, shared: Shared) -> CallbackEvent:
    if not isinstance(message, dict):
        return unrecognized(message, "shape")
    if message.get("group_id"):
        return unrecognized(shared.raw(message=message), "group")
    return _inbound(message, shared, kind=_kind(message), raw=shared.raw(message=message))


def _call_event(call: Any, shared: Shared) -> CallbackEvent:
    """A call that the contact makes, once: its later events say nothing of the window, and those of our calls neither,
    but for the status that the contact took one."""
    if not isinstance(call, dict):
        return unrecognized(call, "shape")
    raw = shared.raw(call=call)
    if (call.get("event"), call.get("direction")) != ("connect", "USER_INITIATED"):
        return unrecognized(raw, "call")
    return _inbound(call, shared, kind="call", raw=raw)


def _call_status_event(status: Object, shared: Shared) -> CallbackEvent:
    """How a call of ours went. One that the contact takes opens the window. Source: Meta, calling pricing."""
    raw = shared.raw(status=status)
    if (_string(status.get("status")) or "").upper() != "ACCEPTED":
        return unrecognized(raw, "call")
    return _inbound(status, shared, kind="call", raw=raw)


def _inbound(item: Object, shared: Shared, *, kind: str, raw: Object) -> CallbackEvent:
    ids = ids_in(item, shared.profiles, shared.only)
    contact = phone_among(ids) or user_id_among(ids)  # a phone number may be absent, or a placeholder
    if contact is None:
        return unrecognized(raw, "contact")
    at = instant(item.get("timestamp"))
    message_id = scalar(item.get("id"))
    return InboundMessage(
        contact=contact,
        kind=kind,
        dedupe=inbound_dedupe(message_id, contact, shared.sender_names, kind=kind, at=at, item=item),
        raw=raw,
        sender_names=shared.sender_names,
        provider_message_id=message_id,
        at=at,
        text=_text(item),
        name=_name(shared.profile(item)),
        also_known_as=tuple(one for one in ids if one != contact),
        now_known_as=ids_after(item),
        in_reply_to=scalar(object_(item.get("context")).get("id")),
    )


def _status_event(status: Any, shared: Shared, window_codes: Set[int]) -> CallbackEvent:
    if not isinstance(status, dict):
        return unrecognized(status, "shape")
    if status.get("type") == "call":
        return _call_status_event(status, shared)
    reached = window_status(status_of(_string(status.get("status")) or ""), status, window_codes)
    if reached is None and not is_report(status):
        return unrecognized(shared.raw(status=status), "no_status")
    is_refusal = reached in (AttemptStatus.FAILED, AttemptStatus.WINDOW_CLOSED)
    return StatusReport(
        dedupe=fingerprint(status),
        raw=shared.raw(status=status),
        status=reached,
        attempt=_token_in(status),
        provider_message_id=scalar(status.get("id")),
        at=instant(status.get("timestamp")),
        error=provider_error({"errors": status.get("errors")}) if is_refusal else None,
        contacts=ids_in(status, shared.profiles),
        sender_names=shared.sender_names,
    )


def _token_in(status: Object) -> str | None:
    """Our attempt, of which the report says so itself; any other word in that place is somebody else's."""
    written = _string(status.get("biz_opaque_callback_data"))
    return written if written is not None and is_token(written) else None


_WISHES = {"stop": True, "resume": False}


def _preference_event(preference: Any, shared: Shared) -> CallbackEvent:
    """A wish about marketing messages. Other categories and values (``signup``) are kept as they came."""
    if not isinstance(preference, dict):
        return unrecognized(preference, "shape")
    raw = shared.raw(preference=preference)
    is_stop = _WISHES.get(_string(preference.get("value")) or "")
    contacts = ids_in(preference, shared.profiles)
    if is_stop is None or preference.get("category") != "marketing_messages":
        return unrecognized(raw, "preference")
    if not contacts:
        return unrecognized(raw, "contact")
    return ConsentChange(
        dedupe=f"p:{fingerprint(preference, list(shared.sender_names))}",
        raw=raw,
        contacts=contacts,
        is_stop=is_stop,
        sender_names=shared.sender_names,
        at=instant(preference.get("timestamp")),
    )


def _name(profile: Object) -> str | None:
    name = _string(object_(profile.get("profile")).get("name"))
    return None if name is None else name[:_LONGEST_NAME]


def _kind(message: Object) -> str:
    kind = _string(message.get("type")) or "unsupported"
    is_permission = "call_permission_reply" in (object_(message.get("interactive")).get("type"), kind)
    return "call_permission_reply" if is_permission else kind


def _text(message: Object) -> str | None:
    """What a person would call the text of the message: typed, tapped, or under a picture."""
    interactive = object_(message.get("interactive"))
    found = [
        object_(message.get("text")).get("body"),
        object_(message.get("button")).get("text"),
        *(object_(interactive.get(reply)).get(key) for reply, key in _TITLED.items()),
        *(object_(message.get(media)).get("caption") for media in _CAPTIONED),
    ]
    return next((text for text in found if isinstance(text, str)), None)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
