"""What the platform wants of the buttons of a template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.message import JsonObject
from gateway.domain.registration_parts import Broken, items, listed, text_at, word
from gateway.domain.registration_texts import Around
from gateway.domain.template import BUTTONS_LIMIT, COUPON_LIMIT, LABEL_LIMIT, PHONE_LIMIT, PLACEHOLDER, URL_LIMIT, Place

_MOST = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
_LONG_COUPON = 15
"""Source: Meta, template components (2026); of coupons one page says 20 and another 15."""
_OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")


def kinds_of_buttons(part: JsonObject) -> tuple[str, ...]:
    return tuple(word(button, "type") for _, button in listed(part, "buttons"))


def button_rules(part: JsonObject, around: Around) -> Iterator[Broken]:
    """The rules that a BUTTONS component breaks."""
    kinds = kinds_of_buttons(part)
    yield from _counts(kinds)
    yield from _order(kinds)
    for place, button in listed(part, "buttons"):
        for code, inner, text in _button(button, around):
            yield code, (*place, *inner), text


def _counts(kinds: Sequence[str]) -> Iterator[Broken]:
    place: Place = ("buttons",)
    if len(kinds) > BUTTONS_LIMIT:
        yield "too_many_buttons", place, f"a template has at most {BUTTONS_LIMIT} buttons"
    for kind, most in _MOST.items():
        if kinds.count(kind) > most:
            yield "too_many_buttons", place, f"a template has at most {most} of type {kind}"


def _order(kinds: Sequence[str]) -> Iterator[Broken]:
    """Quick replies stand together, and the others too."""
    turns = [index for index in range(1, len(kinds)) if _is_reply(kinds[index]) != _is_reply(kinds[index - 1])]
    if len(turns) > 1:
        told = "quick replies and other buttons are mixed; put all of one group before the other"
        yield "interleaved_buttons", ("buttons", turns[1]), told


def _is_reply(kind: str) -> bool:
    return kind == "QUICK_REPLY"


def _button(button: JsonObject, around: Around) -> Iterator[Broken]:
    if len(text_at(button, "text")) > LABEL_LIMIT:
        yield "button_label_length", ("text",), f"a label has at most {LABEL_LIMIT} characters"
    match word(button, "type"):
        case "URL" if not around.is_authentication:
            yield from _url(button)
        case "PHONE_NUMBER" if len(text_at(button, "phone_number")) > PHONE_LIMIT:
            yield "phone_length", ("phone_number",), f"a phone number has at most {PHONE_LIMIT} characters"
        case "COPY_CODE":
            yield from _coupon(button)
        case "OTP":
            yield from _otp(button, around)


def _url(button: JsonObject) -> Iterator[Broken]:
    url = text_at(button, "url")
    parameters = PLACEHOLDER.findall(url)
    if len(PLACEHOLDER.sub("", url)) > URL_LIMIT:
        yield "url_length", ("url",), f"a URL has at most {URL_LIMIT} characters"
    if len(parameters) > 1 or (parameters and not url.endswith("}}")):
        yield "url_parameter", ("url",), "a URL takes one parameter, at its end"
    if parameters and not items(button, "example"):
        yield "missing_example", (), "a URL with a parameter wants an example: the whole URL"


def _coupon(button: JsonObject) -> Iterator[Broken]:
    example = button.get("example")
    codes = [example] if isinstance(example, str) else [code for code in items(button, "example")[:1] if code]
    if not codes:
        yield "missing_example", (), "a coupon code wants an example"
        return
    length = len(str(codes[0]))
    if length > COUPON_LIMIT:
        yield "coupon_length", ("example",), f"a coupon code has at most {COUPON_LIMIT} characters"
    elif length > _LONG_COUPON:
        told = f"a coupon code of more than {_LONG_COUPON} characters may be refused; the platform's pages disagree"
        yield "long_coupon", ("example",), told


def _otp(button: JsonObject, around: Around) -> Iterator[Broken]:
    if not around.is_authentication:
        yield "otp_category", ("type",), "a button for a one-time code wants the category AUTHENTICATION"
    if word(button, "otp_type") not in _OTP_TYPES:
        yield "otp_type", ("otp_type",), f"expected one of {', '.join(_OTP_TYPES)}"
