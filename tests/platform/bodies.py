"""Kinds of template by the parameters of their body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.platform.changes import MARK, MARKED_NUMBER, beside, put, renamed, without
from tests.platform.rules import (
    BODY_LENGTH,
    COUNT,
    CURRENCY,
    DATE_TIME,
    EXTRA,
    INVALID,
    KINDS_OF_TEXT,
    NAMES,
    NO_ARGUMENTS,
    NO_BODY,
    WHOLE_AMOUNT,
)
from tests.platform.table import (
    Kind,
    Refusal,
    a_registered,
    by,
    component,
    exactly,
    missing,
    null,
    positional,
    spelling,
    text_argument,
    wrong_types,
)
from tests.template_factories import body, button, header, text

TWO = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."}
"""34 characters around its arguments."""
TAP_TARGET = {
    "type": "tap_target_configuration",
    "parameters": [
        {
            "type": "tap_target_configuration",
            "tap_target_configuration": [{"url": f"https://shop.example/{MARK}", "title": MARK}],
        }
    ],
}


def _strange_components() -> Iterator[Refusal]:
    """Components that this template has no place for."""
    strange = {
        "a footer": {"type": "footer", "parameters": [text(MARK)]},
        "an unknown component": {"type": MARK, "parameters": [text(MARK)]},
        "a carousel": {"type": "carousel", "cards": [{"card_index": 0, "components": [body(MARK)]}]},
        "an offer": {
            "type": "limited_time_offer",
            "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1}}],
        },
        "buttons": {"type": "buttons", "parameters": [text(MARK)]},
        "a button": button(0, "url", text=MARK),
        "a quick reply": button(0, "quick_reply", payload=MARK),
        "an image": header(image={"id": "1"}),
        "a text": MARK,
        "a number": MARKED_NUMBER,
        "a list": [body(MARK)],
        "null": None,
        "an empty object": {},
    }
    yield from by(EXTRA, *(beside("body", value, told) for told, value in strange.items()))


POSITIONAL = Kind(
    name="positional body",
    definition=a_registered({**TWO, "example": {"body_text": [["Pablo", "4711"]]}}),
    send=[body(MARK, f"{MARK}-2")],
    more={
        "whatever may stand in a text": [body("«ї» 😀 {{1}}", f"  {MARK}    {MARK}  ")],
        "as long as can be": [body(MARK, "x" * (1024 - 34 - len(MARK)))],
        "with a tap target": [body(MARK, MARK), TAP_TARGET],
    },
    refusals=(
        *positional(2),
        *by(BODY_LENGTH, put("body/parameters/1/text", "x" * (1025 - 34 - len(MARK)), "one character too long")),
        *by(BODY_LENGTH, put("body/parameters/0/text", MARK + "x" * 1024, "too long by itself")),
        *by(KINDS_OF_TEXT, put("body/parameters/0", {"type": "image", "image": {"id": "1"}}, "an image")),
        *by(KINDS_OF_TEXT, put("body/parameters/0", {"type": "payload", "payload": MARK}, "a payload")),
        *_strange_components(),
    ),
)

REPEATED = Kind(
    name="body with a repeated placeholder",
    definition=a_registered({"type": "BODY", "text": "{{1}}, {{1}}!", "example": {"body_text": ["Pablo"]}}),
    send=[body(MARK)],
    more={"as long as can be": [body("x" * 510)]},
    refusals=(*positional(1), *by(BODY_LENGTH, put("body/parameters/0/text", "x" * 511, "one character too long"))),
)

PLAIN = Kind(
    name="body without placeholders",
    definition=a_registered({"type": "BODY", "text": "Hello."}, {"type": "FOOTER", "text": "Bye"}),
    send=[{"type": "body", "parameters": []}],
    more={"nothing at all": []},
    refusals=(
        *by(NO_BODY, put("body", body(MARK), "with a text"), put("body", body(MARK, MARK), "with two texts")),
        *by(EXTRA, put("body/colour", MARK), beside("body", header(text=MARK), "a header")),
        *by(EXTRA, beside("body", {"type": "footer", "parameters": [text(MARK)]}, "a footer")),
    ),
)


# --- names ----------------------------------------------------------------------------------------------------------


def _named(**arguments: Any) -> dict[str, Any]:
    return {
        "type": "body",
        "parameters": [text(value, parameter_name=name) for name, value in arguments.items()],
    }


def _names_refusals() -> Iterator[Refusal]:
    yield from component(NAMES, "body")
    yield from exactly(NAMES, "body", 2, text(MARK, parameter_name="colour"))
    for index in range(2):
        path = f"body/parameters/{index}"
        yield from text_argument(NAMES, path)
        yield from missing(NAMES, f"{path}/parameter_name")
        yield from by(NAMES, renamed(f"{path}/parameter_name", "param_name"))
        yield from wrong_types(NAMES, f"{path}/parameter_name")
        yield from null(NAMES, f"{path}/parameter_name")
    yield from by(NAMES, put("body/parameters/0/parameter_name", "order_number", "that of the other"))
    yield from by(NAMES, put("body/parameters/0/parameter_name", "First_Name", "in capitals"))
    yield from by(NAMES, put("body/parameters/0/parameter_name", "1", "its number"))
    yield from by(BODY_LENGTH, put("body/parameters/0/text", "x" * 1024, "too long with the other"))


NAMED = Kind(
    name="named body",
    definition=a_registered(
        {
            "type": "BODY",
            "text": "Thank you, {{first_name}}! Your order number is {{order_number}}.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "first_name", "example": "Pablo"},
                    {"param_name": "order_number", "example": "860198-230332"},
                ]
            },
        },
        parameter_format="NAMED",
    ),
    send=[_named(first_name=MARK, order_number=f"{MARK}-2")],
    more={"in another order": [_named(order_number=f"{MARK}-2", first_name=MARK)]},
    refusals=tuple(_names_refusals()),
)


# --- amounts and dates ----------------------------------------------------------------------------------------------

AMOUNT = {"fallback_value": f"{MARK} 100.99", "code": "USD", "amount_1000": 100990}
DATE = {"fallback_value": f"{MARK} 25, 1977", "day_of_week": 5, "year": 1977, "month": 2, "calendar": "GREGORIAN"}


def _amount_refusals() -> Iterator[Refusal]:
    path = "body/parameters/0/currency"
    yield from spelling(CURRENCY, "body/parameters/0", "currency")
    yield from wrong_types(CURRENCY, path)
    for key in AMOUNT:
        yield from by(WHOLE_AMOUNT, without(f"{path}/{key}"))
        yield from null(WHOLE_AMOUNT, f"{path}/{key}")
        yield from by(INVALID, renamed(f"{path}/{key}", f"{key}s"))
        yield from by(CURRENCY, put(f"{path}/{key}", [MARK]), put(f"{path}/{key}", True))
    yield from by(CURRENCY, put(f"{path}/fallback_value", "", "empty"), put(f"{path}/amount_1000", MARK))
    yield from by(CURRENCY, put(f"{path}/fallback_value", MARKED_NUMBER), put(f"{path}/code", MARKED_NUMBER))
    yield from by(BODY_LENGTH, put(f"{path}/fallback_value", "x" * 1020, "too long"))


def _date_refusals() -> Iterator[Refusal]:
    path = "body/parameters/1/date_time"
    yield from spelling(DATE_TIME, "body/parameters/1", "date_time")
    yield from wrong_types(DATE_TIME, path)
    yield from by(WHOLE_AMOUNT, without(f"{path}/fallback_value"), renamed(f"{path}/fallback_value", "fallback"))
    yield from null(WHOLE_AMOUNT, f"{path}/fallback_value")
    yield from wrong_types(DATE_TIME, f"{path}/fallback_value", str)
    yield from by(DATE_TIME, put(f"{path}/fallback_value", "", "empty"))


MONEY = Kind(
    name="body with an amount and a date",
    definition=a_registered({**TWO, "example": {"body_text": [["$10", "Monday"]]}}),
    send=[
        {
            "type": "body",
            "parameters": [{"type": "currency", "currency": AMOUNT}, {"type": "date_time", "date_time": DATE}],
        }
    ],
    more={
        "a date with nothing but its fallback": [
            {
                "type": "body",
                "parameters": [text(MARK), {"type": "date_time", "date_time": {"fallback_value": MARK}}],
            }
        ]
    },
    refusals=(*_amount_refusals(), *_date_refusals(), *by(COUNT, without("body/parameters/1"))),
)

CALL_PERMISSION = Kind(
    name="call permission request",
    definition=a_registered(
        {**TWO, "example": {"body_text": [["Pablo", "4711"]]}}, {"type": "call_permission_request"}
    ),
    send=[body(MARK, MARK)],
    refusals=(
        *positional(2),
        *by(
            NO_ARGUMENTS,
            beside("body", {"type": "call_permission_request", "parameters": [text(MARK)]}, "a request with a text"),
            beside("body", button(0, "call_permission_request", payload=MARK), "a button with a payload"),
        ),
    ),
)

KINDS = (POSITIONAL, REPEATED, PLAIN, NAMED, MONEY, CALL_PERMISSION)
