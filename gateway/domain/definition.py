"""Reading a definition as the platform's API returns it, or as it is given to the API to be registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.definition_problems import problems_of
from gateway.domain.message import JsonObject
from gateway.domain.template import (
    BODY_LIMIT,
    CARD_BODY_LIMIT,
    NO_WORDING,
    OFFER_BODY_LIMIT,
    Button,
    ButtonType,
    Face,
    Header,
    HeaderFormat,
    Offer,
    ParameterFormat,
    Place,
    TemplateDefinition,
    Wording,
    fold_language,
)

_CODE = "*{{1}}* is your verification code."
_SECURITY = " For your security, do not share this code."
_EXPIRY = "This code expires in {minutes} minutes."
"""The texts that the platform writes for an authentication template, in English; a definition that was read back from
the API has them in its own language. Source: Meta, authentication templates, as its libraries show them."""


class DefinitionInvalid(ValueError):
    """Every problem of a definition, each with its place."""

    def __init__(self, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(text for _, text in problems))


def define(document: JsonObject) -> TemplateDefinition:
    """Read a definition, words in upper or lower case. Raises DefinitionInvalid with all problems."""
    folded = _folded(document)
    problems = tuple(problems_of(folded))
    if problems:
        raise DefinitionInvalid(problems)
    parts = _parts(folded["components"])
    parameter_format = ParameterFormat(folded["parameter_format"])
    takes_code = folded.get("category") == "AUTHENTICATION"
    offer = _offer(parts["LIMITED_TIME_OFFER"]) if "LIMITED_TIME_OFFER" in parts else None
    return TemplateDefinition(
        name=folded["name"],
        language=folded["language"],
        category=folded.get("category", ""),
        status=folded.get("status", ""),
        parameter_format=parameter_format,
        namespace=folded.get("namespace"),
        header=_header(parts),
        body=Wording(_body_text(parts["BODY"])),
        body_limit=BODY_LIMIT if offer is None else OFFER_BODY_LIMIT,
        footer=_footer(parts.get("FOOTER", {})),
        buttons=_buttons(parts, takes_code=takes_code),
        offer=offer,
        cards=tuple(_card(card, parameter_format) for card in parts.get("CAROUSEL", {}).get("cards", ())),
        document=folded,
    )


def _parts(components: Sequence[JsonObject]) -> dict[str, JsonObject]:
    return {part["type"]: part for part in components}


def _card(card: JsonObject, parameter_format: ParameterFormat) -> Face:
    parts = _parts(card["components"])
    return Face(
        parameter_format=parameter_format,
        header=_header(parts),
        body=Wording(parts["BODY"]["text"]) if "BODY" in parts else NO_WORDING,
        body_limit=CARD_BODY_LIMIT,
        buttons=_buttons(parts, takes_code=False),
    )


def _header(parts: Mapping[str, JsonObject]) -> Header | None:
    part = parts.get("HEADER")
    return None if part is None else Header(HeaderFormat(part["format"]), Wording(part.get("text") or ""))


def _body_text(part: JsonObject) -> str:
    """Its text; the platform's own, when it only says how the platform shall write it."""
    text: str | None = part.get("text")
    return text or (_CODE + (_SECURITY if part.get("add_security_recommendation") else ""))


def _footer(part: JsonObject) -> str:
    minutes = part.get("code_expiration_minutes")
    return part.get("text") or ("" if minutes is None else _EXPIRY.format(minutes=minutes))


def _buttons(parts: Mapping[str, JsonObject], *, takes_code: bool) -> tuple[Button, ...]:
    return tuple(_button(part, takes_code=takes_code) for part in parts.get("BUTTONS", {}).get("buttons", ()))


def _button(part: JsonObject, *, takes_code: bool) -> Button:
    """The API gives the button of an authentication template back as one that opens a URL."""
    kind = ButtonType(part["type"])
    url = Wording(part["url"]) if kind is ButtonType.URL else NO_WORDING
    is_code = kind is ButtonType.OTP or (takes_code and bool(url.parameters))
    return Button(kind, url, label=part.get("text") or "", takes_code=is_code)


def offer_facts(part: JsonObject) -> JsonObject:
    """What a limited-time offer says; its words stand in an object of their own, or beside its type."""
    inner = part.get("limited_time_offer")
    return inner if isinstance(inner, Mapping) else part


def _offer(part: JsonObject) -> Offer:
    facts = offer_facts(part)
    return Offer(text=facts.get("text") or "", has_expiration=facts.get("has_expiration") is True)


# --- one spelling ---------------------------------------------------------------------------------------------------


def _folded(document: JsonObject) -> dict[str, Any]:
    folded = _upper(document, "category", "status", "parameter_format")
    folded["parameter_format"] = folded.get("parameter_format") or ParameterFormat.POSITIONAL.value
    if isinstance(folded.get("language"), str):
        folded["language"] = fold_language(folded["language"])
    folded["components"] = _folded_parts(folded.get("components"))
    return folded


def _folded_parts(parts: Any) -> list[dict[str, Any]]:
    return [_folded_part(part) for part in _listed(parts)]


def _folded_part(part: Any) -> dict[str, Any]:
    folded = _upper(part, "type", "format")
    if folded.get("type") == "BUTTONS":
        folded["buttons"] = [_upper(button, "type", "otp_type") for button in _listed(folded.get("buttons"))]
    elif folded.get("type") == "CAROUSEL":
        folded["cards"] = [_folded_card(card) for card in _listed(folded.get("cards"))]
    return folded


def _folded_card(card: Any) -> dict[str, Any]:
    folded = _upper(card)
    return {**folded, "components": _folded_parts(folded.get("components"))}


def _upper(document: Any, *keys: str) -> dict[str, Any]:
    folded = dict(document) if isinstance(document, Mapping) else {}
    return folded | {key: folded[key].upper() for key in keys if isinstance(folded.get(key), str)}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
