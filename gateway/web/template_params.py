"""The template that a request names, with its arguments, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact, parse_contact
from gateway.domain.message import JsonObject, TemplateMessage
from gateway.domain.template import fold_language
from gateway.web.shapes import shape
from gateway.web.strict_json import parse_field

FIELD = "template_params"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """What stands around the parameters, and with which they must agree."""

    name: str
    contact: Contact
    language: str
    """The sender's, where the parameters name none."""


def parse_template(written: str | JsonObject, outer: Outer, *, depth: int) -> TemplateMessage:
    """The template message that `template_params` fill, by the form of its request only. Raises InvalidRequest."""
    params = parse_field(written, field=FIELD, depth=depth) if isinstance(written, str) else written
    shape("template-params").check(params, field=FIELD)
    template = params["template"]
    _check_contact(params.get("to"), outer.contact)
    _check_name(template.get("name"), outer.name)
    return template_of({**template, "name": outer.name}, language=outer.language)


def template_of(template: JsonObject, *, language: str) -> TemplateMessage:
    """A template object that has its shape; `language` where it names none."""
    return TemplateMessage(
        name=template["name"],
        language=_language(template.get("language")) or language,
        components=tuple(template.get("components") or ()),
        namespace=template.get("namespace") or None,
    )


def parse_address(written: str | int | float) -> Contact:
    """The contact meant by an address as JSON holds it. Raises ValueError."""
    # 380501234567.0 is an integer to JSON Schema, and its decimal point must not pass for a separator.
    return parse_contact(int(written) if isinstance(written, float) else written)


def _check_contact(to: str | int | float | None, contact: Contact) -> None:
    if to is None or to == "":
        return
    try:
        agrees = parse_address(to) == contact
    except ValueError:
        agrees = False
    if not agrees:
        raise InvalidRequest(FIELD, "expected the same number as in destination_addr", path="$.to")


def _check_name(name: str | None, outer: str) -> None:
    if name and name != outer:
        raise InvalidRequest(FIELD, "expected the same name as in template_name", path="$.template.name")


def _language(written: Any) -> str:
    code = written["code"] if isinstance(written, dict) else written
    return fold_language(code or "")
