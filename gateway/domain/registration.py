"""What the platform refuses when a template is registered, looked for in a definition that nobody has checked yet.

The definition is as the platform's API returns it or takes it: words in upper or lower case, fields of any kind. What
can't be recognised breaks no rule here: that is told by whoever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.registration_buttons import button_rules, kinds_of_buttons
from gateway.domain.registration_parts import Broken, listed, word
from gateway.domain.registration_texts import Around, text_rules
from gateway.domain.template import (
    BODY_LIMIT,
    CARD_BODY_LIMIT,
    CARD_BUTTONS_LIMIT,
    CARDS,
    OFFER_BODY_LIMIT,
    OFFER_LIMIT,
    Place,
)

_NAME = re.compile(r"[a-z0-9_]{1,512}")


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


_TAKEN = frozenset({"APPROVED", "PAUSED", "DISABLED", "FLAGGED", "ARCHIVED"})
"""Statuses that only a template has which the platform took as it is."""

ADVICE = frozenset({"parameter_density", "long_coupon"})
"""Rules whose exact bound nobody has published."""

RULES = (
    "name_pattern",
    "body_missing",
    "body_length",
    "header_length",
    "footer_length",
    "leading_parameter",
    "trailing_parameter",
    "adjacent_parameters",
    "parameter_density",
    "parameter_form",
    "parameter_gap",
    "duplicate_parameter",
    "header_parameters",
    "footer_parameters",
    "missing_example",
    "too_many_buttons",
    "interleaved_buttons",
    "button_label_length",
    "url_length",
    "url_parameter",
    "phone_length",
    "coupon_length",
    "long_coupon",
    "otp_category",
    "otp_type",
    "otp_length",
    "offer_text_length",
    "offer_category",
    "offer_footer",
    "carousel_cards",
    "card_buttons",
    "unequal_cards",
)
"""The codes of all rules; they stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    code: str
    severity: Severity
    place: Place
    text: str


def findings(document: JsonObject) -> Iterator[Finding]:
    """Every rule that the definition breaks. What the platform has taken already is a warning."""
    was_taken = word(document, "status") in _TAKEN
    for code, place, text in broken_rules(document):
        severity = Severity.WARNING if was_taken or code in ADVICE else Severity.ERROR
        yield Finding(code=code, severity=severity, place=place, text=text)


def broken_rules(document: JsonObject) -> Iterator[Broken]:
    """The code of each rule that is broken, its place, and a sentence."""
    parts = listed(document, "components")
    kinds = {word(part, "type") for _, part in parts}
    is_offer = "LIMITED_TIME_OFFER" in kinds
    around = Around(
        category=word(document, "category"),
        language=str(document.get("language", "")),
        is_named=word(document, "parameter_format") == "NAMED",
        body_limit=OFFER_BODY_LIMIT if is_offer else BODY_LIMIT,
    )
    yield from _name(document)
    if parts and "BODY" not in kinds:
        yield "body_missing", ("components",), "a template has a body"
    if is_offer:
        yield from _offer(around, parts)
    for place, part in parts:
        yield from _moved(place, _part(part, around))


def _name(document: JsonObject) -> Iterator[Broken]:
    name = document.get("name")
    if isinstance(name, str) and not _NAME.fullmatch(name):
        yield "name_pattern", ("name",), "a name is 1 to 512 lower-case letters, digits and underscores"


def _moved(place: Place, broken: Iterator[Broken]) -> Iterator[Broken]:
    yield from ((code, (*place, *inner), text) for code, inner, text in broken)


def _part(part: JsonObject, around: Around) -> Iterator[Broken]:
    match word(part, "type"):
        case "HEADER" | "BODY" | "FOOTER":
            yield from text_rules(part, around)
        case "BUTTONS":
            yield from button_rules(part, around)
        case "LIMITED_TIME_OFFER":
            yield from _offer_text(part)
        case "CAROUSEL":
            yield from _carousel(part, around)


# --- limited-time offers ----------------------------------------------------------------------------------------------


def _offer(around: Around, parts: list[tuple[Place, JsonObject]]) -> Iterator[Broken]:
    if around.category != "MARKETING":
        yield "offer_category", ("category",), "a limited-time offer is of category MARKETING"
    for place, part in parts:
        if word(part, "type") == "FOOTER":
            yield "offer_footer", place, "a template with a limited-time offer has no footer; remove it"


def _offer_text(part: JsonObject) -> Iterator[Broken]:
    """The text stands in the component, or one step deeper as creation takes it."""
    inner: Any = part.get("limited_time_offer")
    place: Place = ("limited_time_offer", "text") if isinstance(inner, dict) else ("text",)
    text = (inner if isinstance(inner, dict) else part).get("text")
    if isinstance(text, str) and len(text) > OFFER_LIMIT:
        yield "offer_text_length", place, f"the text of an offer has at most {OFFER_LIMIT} characters"


# --- carousels --------------------------------------------------------------------------------------------------------


def _carousel(part: JsonObject, around: Around) -> Iterator[Broken]:
    cards = listed(part, "cards")
    least, most = CARDS
    if not least <= len(cards) <= most:
        yield "carousel_cards", ("cards",), f"a carousel has {least} to {most} cards"
    shapes = [_shape(card) for _, card in cards]
    for (place, card), shape in zip(cards, shapes, strict=True):
        if shape != shapes[0]:
            yield "unequal_cards", place, "all cards have the same components, header format and buttons as the first"
        yield from _moved(place, _card(card, around.within(CARD_BODY_LIMIT)))


def _card(card: JsonObject, around: Around) -> Iterator[Broken]:
    for place, part in listed(card, "components"):
        if len(kinds_of_buttons(part)) > CARD_BUTTONS_LIMIT:
            yield "card_buttons", (*place, "buttons"), f"a card has at most {CARD_BUTTONS_LIMIT} buttons"
        yield from _moved(place, _part(part, around))


def _shape(card: JsonObject) -> list[tuple[object, ...]]:
    parts = (part for _, part in listed(card, "components"))
    return sorted((word(part, "type"), word(part, "format"), *kinds_of_buttons(part)) for part in parts)
