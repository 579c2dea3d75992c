"""From a body of the native surface to a draft: a message object of the Cloud API, and beside it what is asked of us.

``POST /v1/messages`` and ``POST /v1/explain`` read it here, so they can't take different bodies for the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from gateway.config import ClientConfig
from gateway.domain.errors import InvalidRequest
from gateway.domain.message import Draft, FreeFormType, JsonObject, OnClosedWindow, TemplateMessage
from gateway.web import cloud_drafts
from gateway.web.drafts import DraftRules, callback_url_of, idempotency_of, intent_of
from gateway.web.json_path import inside
from gateway.web.send_headers import SendHeaders
from gateway.web.shapes import shape
from gateway.web.template_params import template_of

ROUTE = "messages"
"""The scope of idempotency keys."""
FALLBACK_AT = "$.fallback"
"""Where the template that is to stand in is found in the body."""

_BESIDE = "native-message"
_KINDS = (*get_args(FreeFormType), "template")


def parse_native_draft(body: JsonObject, headers: SendHeaders, client: ClientConfig, rules: DraftRules) -> Draft:
    """The draft that a client asks for, by its form only. Raises InvalidRequest."""
    beside, message = _read(body, rules)
    sender = rules.senders.find_native(beside["from"], client)
    if sender is None:
        raise InvalidRequest("from", "expected a sender of this key")
    contact, also_known_as = cloud_drafts.contacts_of(message)
    asked = {"reference": headers.reference, "intent": headers.intent, **beside}
    return Draft(
        client=client.name,
        sender=sender.id,
        contact=contact,
        also_known_as=also_known_as,
        content=cloud_drafts.content_of(message, sender.language),
        fallback=_fallback(beside, sender.language),
        reference=asked["reference"],
        intent=intent_of(asked["intent"], sender.id, rules, field="intent"),
        reply_to=cloud_drafts.reply_to(message),
        opaque=message.get("biz_opaque_callback_data"),
        on_closed_window=_policy(beside),
        ttl=_ttl(beside),
        callback_url=callback_url_of(beside, rules),
        wait=headers.wait,
        idempotency=idempotency_of(body, headers, route=ROUTE),
    )


def _read(body: JsonObject, rules: DraftRules) -> tuple[Mapping[str, Any], JsonObject]:
    """What is asked beside the message, and the message itself; each has its shape."""
    given = {name: value for name, value in body.items() if value is not None}
    own, cloud = shape(_BESIDE).fields, shape(cloud_drafts.SHAPE).fields
    for name in given:
        if name not in own and name not in cloud:
            raise InvalidRequest(name, "expected no field of this name", path=inside("$", name))
    beside = {name: value for name, value in given.items() if name in own}
    shape(_BESIDE).check(beside)
    if not beside.get("reference", "").isprintable():
        raise InvalidRequest("reference", "expected printable characters")
    rest = {name: value for name, value in given.items() if name not in own}
    message = cloud_drafts.read_message(rest, depth=rules.depth)
    _check_alone(message, beside)
    cloud_drafts.check_links(message, rules.may_post_to)
    cloud_drafts.check_links_in(beside.get("fallback"), "fallback", rules.may_post_to)
    return beside, message


def _check_alone(message: JsonObject, beside: Mapping[str, Any]) -> None:
    """What would be left out in silence is refused."""
    kind = message["type"]
    left_out = [name for name in _KINDS if name in message and name != kind]
    for name in [*left_out, *(["fallback"] if kind == "template" and "fallback" in beside else [])]:
        raise InvalidRequest(name, f"expected no {name} beside the type {kind}")


def _fallback(beside: Mapping[str, Any], language: str) -> TemplateMessage | None:
    written = beside.get("fallback")
    return None if written is None else template_of(written, language=language)


def _policy(beside: Mapping[str, Any]) -> OnClosedWindow | None:
    written = beside.get("on_closed_window")
    return None if written is None else OnClosedWindow(written)


def _ttl(beside: Mapping[str, Any]) -> timedelta | None:
    seconds = beside.get("ttl")
    return None if seconds is None else timedelta(seconds=seconds)
