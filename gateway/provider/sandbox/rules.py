"""What the provider asks of a message: its own fields, and the platform's rules for templates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from gateway.domain.identity import parse_contact
from gateway.provider.sandbox.filling import Filled, fill
from gateway.provider.sandbox.misfit import Misfit
from gateway.provider.sandbox.rejection import invalid
from gateway.provider.sandbox.templates import Button, Registered, Templates

ADDRESS_LENGTH = 20
TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
PICTURES = (".jpg", ".jpeg", ".png")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message that obeys every rule but the window's."""

    sender: str
    contact: str
    kind: str
    """``text``, ``image``, ``template``; by the platform's own API any type that it has."""
    text: str
    file_url: str | None = None
    template: tuple[str, str] | None = None
    """Name and language."""
    buttons: tuple[Button, ...] = ()
    filled: Filled | None = None
    """The parts of a template message."""
    callback_url: str | None = None
    category: str = "service"
    """What the platform counts it as: a template's own category, in small letters."""
    told_as: Literal["decision-telecom", "cloud-api"] = "decision-telecom"
    """The API by which it came: what becomes of it is told in its words."""
    content: Mapping[str, Any] | None = None
    """What the platform's API holds under the type's name."""
    reply_to: str | None = None
    """The id of the message that it quotes."""
    opaque: str | None = None
    """Given back with each status."""
    by_user_id: bool = False
    """Whether it was addressed to a business-scoped user id."""

    @property
    def is_marketing(self) -> bool:
        return self.category == "marketing"


def read_submission(body: Body, templates: Templates, senders: Sequence[str]) -> Submission:
    """The message that a request asks for. `senders` are those registered, none meaning any. Raises Rejected."""
    if body.get("type") == "template" and body.get("message_type") is None:
        return _bare(body, templates, senders)
    address = _Address(
        sender=_sender(body, senders),
        contact=_contact(body, "destination_addr"),
        callback_url=_url(body, "callback_url") if body.get("callback_url") else None,
    )
    match body.get("message_type"):
        case bool():
            raise invalid("message_type", "1, 2 or 4 was expected")
        case 1:
            return address.carrying("text", text=_text(body, "text", TEXT_LENGTH))
        case 2:
            return address.carrying("image", text=_caption(body), file_url=_picture(body))
        case 4:
            return _template(body, address, templates)
        case _:
            raise invalid("message_type", "1, 2 or 4 was expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    sender: str
    contact: str
    callback_url: str | None = None

    def carrying(self, kind: str, *, text: str, file_url: str | None = None) -> Submission:
        return Submission(
            sender=self.sender,
            contact=self.contact,
            callback_url=self.callback_url,
            kind=kind,
            text=text,
            file_url=file_url,
        )

    def filled(self, template: Registered, filled: Filled) -> Submission:
        return Submission(
            sender=self.sender,
            contact=self.contact,
            callback_url=self.callback_url,
            kind="template",
            text=filled.text,
            template=(template.name, template.language),
            buttons=filled.buttons,
            filled=filled,
            category=template.category.lower() or "utility",
        )


def _bare(body: Body, templates: Templates, senders: Sequence[str]) -> Submission:
    if not senders:
        raise invalid("source_addr", "a sender was expected")
    address = _Address(sender=senders[0], contact=_contact(body, "to"))
    return _filled(body.get("template"), address, templates, "template")


def _template(body: Body, address: _Address, templates: Templates) -> Submission:
    name = _text(body, "template_name", 512)
    outer = _params(body)
    if outer.get("type") != "template":
        raise invalid("template_params", "type: template was expected")
    if "to" in outer and outer["to"] != address.contact:
        raise invalid("template_params", "to: the same number as in destination_addr was expected")
    inner = outer.get("template")
    if not isinstance(inner, dict) or inner.get("name") != name:
        raise invalid("template_params", "template.name: the same as template_name was expected")
    return _filled(inner, address, templates, "template_params")


def _params(body: Body) -> Mapping[str, Any]:
    """The documents show a string that holds JSON; whether an object is taken too is not known, so it is not."""
    written = _text(body, "template_params", 65536)
    try:
        params = json.loads(written)
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise invalid("template_params", "a string that holds a JSON object was expected")
    return params


def _filled(template: Any, address: _Address, templates: Templates, field: str) -> Submission:
    if not isinstance(template, dict):
        raise invalid(field, "a template was expected")
    registered = _registered(template, templates, field)
    try:
        return address.filled(registered, fill(registered, template.get("components")))
    except Misfit as misfit:
        raise invalid(field, str(misfit)) from None


def _registered(template: Mapping[str, Any], templates: Templates, field: str) -> Registered:
    registered = templates.get((str(template.get("name")), _language(template, field)))
    if registered is None:
        raise invalid(field, "the template is not registered in this language")
    if registered.status != "APPROVED":
        raise invalid(field, f"the template is not approved: {registered.status}")
    namespace = template.get("namespace")
    if namespace is not None and registered.namespace is not None and namespace != registered.namespace:
        raise invalid(field, "namespace: not that of the template")
    return registered


def _language(template: Mapping[str, Any], field: str) -> str:
    language = template.get("language")
    if not isinstance(language, dict) or not isinstance(language.get("code"), str):
        raise invalid(field, "language.code was expected")
    if language.get("policy", "deterministic") != "deterministic":
        raise invalid(field, "language.policy: deterministic was expected")
    return str(language["code"])


def _sender(body: Body, senders: Sequence[str]) -> str:
    sender = _text(body, "source_addr", ADDRESS_LENGTH)
    if senders and sender not in senders:
        raise invalid("source_addr", "a registered sender was expected")
    return sender


def _contact(body: Body, field: str) -> str:
    """Digits without a plus, as every example of the provider writes a number."""
    value = body.get(field)
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(written, str) or len(written) > ADDRESS_LENGTH or not _is_plain(written):
        raise invalid(field, "a number in international digits was expected")
    return written


def _is_plain(written: str) -> bool:
    try:
        return parse_contact(written) == written
    except ValueError:
        return False


def _text(body: Body, field: str, longest: int) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise invalid(field, "a text was expected")
    if len(value) > longest:
        raise invalid(field, f"at most {longest} characters were expected")
    return value


def _caption(body: Body) -> str:
    return _text(body, "text", CAPTION_LENGTH) if body.get("text") else ""


def _picture(body: Body) -> str:
    url = _url(body, "file_url")
    if not urlsplit(url).path.lower().endswith(PICTURES):
        raise invalid("file_url", "a file with the extension jpg, jpeg or png was expected")
    return url


def _url(body: Body, field: str) -> str:
    url = _text(body, field, 2048)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise invalid(field, "a URL was expected") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid(field, "a URL was expected")
    return url
