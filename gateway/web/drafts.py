"""From the body of a send request to a draft, without asking anybody."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.config import ClientConfig, SenderConfig
from gateway.domain.business_number import BusinessNumber, business_number
from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Content, Draft, FreeForm, Idempotency, JsonObject, TemplateMessage
from gateway.web.send_headers import INTENT, SendHeaders
from gateway.web.shapes import shape
from gateway.web.strict_json import MAX_DEPTH
from gateway.web.template_params import Outer, parse_address, parse_template

ROUTE = "send-whatsapp"
_IMAGE, _TEMPLATE = 2, 4


def number_of(sender: SenderConfig) -> BusinessNumber:
    """What the Cloud API's clients call a sender, whether the configuration says it or not."""
    return business_number(sender.id, aliases=sender.aliases, phone_number_id=sender.phone_number_id)


class Senders:
    """The senders, as a client may name them: by id or by alias, on the native surface by phone_number_id too."""

    def __init__(self, senders: Iterable[SenderConfig]) -> None:
        senders = tuple(senders)
        self._named = {name: sender for sender in senders for name in (sender.id, *sender.aliases)}
        self._numbered = {number_of(sender).phone_number_id: sender for sender in senders}

    def find(self, name: str, client: ClientConfig) -> SenderConfig | None:
        """The client's sender of that name; None for an unknown one and for another client's."""
        return self._of(client, self._named.get(name))

    def find_native(self, name: str, client: ClientConfig) -> SenderConfig | None:
        """The same where the Cloud API's name of a sender, its `phone_number_id`, is known as well."""
        return self._of(client, self._named.get(name) or self._numbered.get(name))

    def find_numbered(self, number: str, client: ClientConfig) -> SenderConfig | None:
        """The client's sender of that ``phone_number_id``."""
        return self._of(client, self._numbered.get(number))

    def default_of(self, client: ClientConfig) -> SenderConfig | None:
        """The sender that a client means where it names none."""
        return self._named.get(next(iter(client.senders), Sender("")))

    def all_of(self, client: ClientConfig) -> tuple[SenderConfig, ...]:
        """The client's senders, the default one first."""
        return tuple(self._named[sender] for sender in client.senders if sender in self._named)

    def _of(self, client: ClientConfig, sender: SenderConfig | None) -> SenderConfig | None:
        return sender if sender is not None and sender.id in client.senders else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRules:
    """What a draft is checked against, besides its shape."""

    senders: Senders
    may_post_to: Callable[[str], str | None]
    """Why we don't post to a URL; None when we do."""
    depth: int = MAX_DEPTH
    intents: Callable[[Sender], frozenset[str]] = lambda _: frozenset()
    """What a request to a sender may say that it is about."""


def parse_draft(body: JsonObject, headers: SendHeaders, client: ClientConfig, rules: DraftRules) -> Draft:
    """The draft that a client asks for, in the documented form or as a bare template. Raises InvalidRequest."""
    present = _present(body)
    fields = _documented(present, client)
    shape("send-whatsapp").check(fields)
    sender = rules.senders.find(fields["source_addr"], client)
    if sender is None:
        raise InvalidRequest("source_addr", "expected a sender of this key")
    contact = _contact(fields["destination_addr"], "to" if _is_bare(present) else "destination_addr")
    content, fallback = _contents(fields, sender, contact, rules)
    return Draft(
        client=client.name,
        sender=sender.id,
        contact=contact,
        content=content,
        fallback=fallback,
        reference=headers.reference,
        intent=intent_of(headers.intent, sender.id, rules, field=INTENT),
        callback_url=callback_url_of(fields, rules),
        wait=headers.wait,
        idempotency=idempotency_of(body, headers, route=ROUTE),
    )


def ignored_fields(body: JsonObject) -> int:
    """How many fields of a body mean nothing to us."""
    if body.keys() <= shape("send-whatsapp").fields:
        return 0
    known = shape("send-whatsapp-bare" if _is_bare(_present(body)) else "send-whatsapp").fields
    return len(body.keys() - known - {"source_addr", "callback_url"})


def _present(body: JsonObject) -> dict[str, Any]:
    """Null means absent, and so does an empty string: clients send both for what they don't set."""
    return {name: value for name, value in body.items() if value is not None and value != ""}


def _is_bare(fields: JsonObject) -> bool:
    return "template" in fields and "message_type" not in fields


def _documented(fields: dict[str, Any], client: ClientConfig) -> dict[str, Any]:
    """The documented form of a body; a bare template is from the client's default sender."""
    if not _is_bare(fields):
        return fields
    shape("send-whatsapp-bare").check(fields)
    documented = {
        "source_addr": fields.get("source_addr") or next(iter(client.senders), None),
        "destination_addr": fields["to"],
        "message_type": _TEMPLATE,
        "template_name": fields["template"]["name"],
        "template_params": {name: fields[name] for name in ("to", "type", "template")},
        "callback_url": fields.get("callback_url"),
    }
    return _present(documented)


def _contact(written: str | int | float, field: str) -> Contact:
    try:
        return parse_address(written)
    except ValueError as error:
        raise InvalidRequest(field, str(error)) from None


def _contents(
    fields: JsonObject, sender: SenderConfig, contact: Contact, rules: DraftRules
) -> tuple[Content, TemplateMessage | None]:
    """The content, and the template that the request itself names to stand in for it."""
    template = None
    if "template_params" in fields:
        outer = Outer(name=fields["template_name"], contact=contact, language=sender.language)
        template = parse_template(fields["template_params"], outer, depth=rules.depth)
    if fields["message_type"] == _TEMPLATE and template is not None:
        return template, None
    return _free_form(fields), template


def _free_form(fields: JsonObject) -> FreeForm:
    if fields["message_type"] == _IMAGE:
        return FreeForm(type="image", text=fields.get("text"), file_url=fields["file_url"])
    return FreeForm(type="text", text=fields["text"])


def callback_url_of(fields: JsonObject, rules: DraftRules) -> str | None:
    """Where a message's statuses are to be posted. Raises InvalidRequest for where we don't."""
    url: str | None = fields.get("callback_url")
    problem = None if url is None else rules.may_post_to(url)
    if problem is not None:
        raise InvalidRequest("callback_url", problem)
    return url


def intent_of(intent: str | None, sender: Sender, rules: DraftRules, *, field: str) -> str | None:
    """A misspelt one would pick another template, or none, on the day when the window is closed."""
    if intent is not None and intent not in (names := rules.intents(sender)):
        known = ", ".join(sorted(names)) or "there are none for this sender"
        raise InvalidRequest(field, f"expected the name of an intent: {known}")
    return intent


def idempotency_of(body: JsonObject, headers: SendHeaders, *, route: str) -> Idempotency | None:
    """The key of a request and what was said under it; `route` keeps the surfaces apart."""
    if headers.idempotency_key is None:
        return None
    said = [body, headers.reference, *([] if headers.intent is None else [headers.intent])]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
    return Idempotency(route=route, key=headers.idempotency_key, fingerprint=fingerprint)
