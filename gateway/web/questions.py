"""What is asked to be explained: a message in the native form, or exactly as an existing integration posts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.config import ClientConfig
from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact
from gateway.domain.message import Content, Draft, FreeForm, JsonObject, OnClosedWindow
from gateway.web.drafts import DraftRules, intent_of, parse_draft
from gateway.web.send_headers import SendHeaders
from gateway.web.shapes import shape
from gateway.web.template_params import parse_address, template_of

_CONTENTS = ("text", "image", "template")

_NOT_BUILT: Mapping[str, str] = {
    "context": "expected no context: replies to a message are not built yet",
    "recipient": "expected `to`: business-scoped user ids are taken there",
    **{
        kind: f"expected text, image or template: {kind} is not built yet"
        for kind in ("audio", "contacts", "document", "interactive", "location", "reaction", "sticker", "video")
    },
}
"""Fields of the Cloud API's message, and of ours, that are refused in words of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    draft: Draft
    fallback_at: str = "$.fallback"
    """Where the template that is to stand in is found in the body."""


def parse_question(body: JsonObject, headers: SendHeaders, client: ClientConfig, rules: DraftRules) -> Question:
    """The message that is asked about, by its form only. Raises InvalidRequest."""
    if "source_addr" in body and "message_type" in body:
        return Question(draft=parse_draft(body, headers, client, rules), fallback_at="$.template")
    fields = {name: value for name, value in body.items() if value is not None}
    _check(fields)
    sender = rules.senders.find_native(fields["from"], client)
    if sender is None:
        raise InvalidRequest("from", "expected a sender of this key")
    fallback = fields.get("fallback")
    draft = Draft(
        client=client.name,
        sender=sender.id,
        contact=_contact(fields["to"]),
        content=_content(fields, sender.language),
        fallback=None if fallback is None else template_of(fallback, language=sender.language),
        reference=fields.get("reference"),
        intent=intent_of(fields.get("intent"), sender.id, rules, field="intent"),
        on_closed_window=_policy(fields),
        ttl=None if fields.get("ttl") is None else timedelta(seconds=fields["ttl"]),
    )
    return Question(draft=draft)


def _policy(fields: Mapping[str, Any]) -> OnClosedWindow | None:
    written = fields.get("on_closed_window")
    return None if written is None else OnClosedWindow(written)


def _check(fields: Mapping[str, Any]) -> None:
    """What the shape can't say in words of its own is looked at first."""
    for name, expected in _NOT_BUILT.items():
        if name in fields:
            raise InvalidRequest(name, expected)
    shape("explain").check(fields)
    kind = fields.get("type", "text")
    for name in (*_CONTENTS, *(["fallback"] if kind == "template" else [])):
        if name in fields and name != kind:
            raise InvalidRequest(name, f"expected no {name} beside the type {kind}")
    if not fields.get("reference", "").isprintable():
        raise InvalidRequest("reference", "expected printable characters")


def _contact(written: str | int | float) -> Contact:
    try:
        return parse_address(written)
    except ValueError as error:
        raise InvalidRequest("to", str(error)) from None


def _content(fields: Mapping[str, Any], language: str) -> Content:
    match fields.get("type", "text"):
        case "template":
            return template_of(fields["template"], language=language)
        case "image":
            image = fields["image"]
            return FreeForm(type="image", text=image.get("caption") or None, file_url=image["link"])
        case _:
            return FreeForm(type="text", text=fields["text"]["body"])
