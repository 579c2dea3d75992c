"""Kinds of template by their buttons: links, replies and codes to copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.platform.changes import MARK, beside, put
from tests.platform.rules import (
    COPY_CODE,
    COUPON_LENGTH,
    KINDS_OF_TEXT,
    PERCENT,
    QUICK_REPLY,
    STATIC_URL,
    UNNAMED,
    URL_BUTTON,
    URL_ENCODED,
    URL_LENGTH,
)
from tests.platform.table import (
    Kind,
    Refusal,
    a_registered,
    bad_texts,
    by,
    positional,
    required_button,
    spelling,
    text_argument,
    wrong_types,
)
from tests.platform.table import button as button_refusals
from tests.template_factories import body, button, text

BODY = {"type": "BODY", "text": "Your order {{1}} is on its way.", "example": {"body_text": [["4711"]]}}
SHOP = "https://shop.example/track/"


def with_buttons(*buttons: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return a_registered(BODY, {"type": "BUTTONS", "buttons": list(map(dict, buttons))}, **fields)


# --- links ----------------------------------------------------------------------------------------------------------

STATIC = {"type": "URL", "text": "Help", "url": "https://shop.example/help"}
DYNAMIC = {"type": "URL", "text": "Track", "url": SHOP + "{{1}}", "example": [SHOP + "4711"]}


def suffix(path: str) -> Iterator[Refusal]:
    """Of a URL's button by its path."""
    argument = f"{path}/parameters/0"
    yield from required_button(URL_BUTTON, path, ("quick_reply", "copy_code", "otp"), text(MARK))
    yield from text_argument(URL_BUTTON, argument)
    yield from by(URL_ENCODED, *(put(f"{argument}/text", value) for value in (f"{MARK} 1", f"{MARK}ї", f"{MARK}😀")))
    yield from by(PERCENT, *(put(f"{argument}/text", MARK + value) for value in ("%", "%2", "%zz", "%%20", "50%-1")))
    yield from by(KINDS_OF_TEXT, put(argument, {"type": "payload", "payload": MARK}, "a payload"))
    yield from by(UNNAMED, put(f"{argument}/parameter_name", "suffix"))


LINKS = Kind(
    name="URL buttons",
    definition=with_buttons(STATIC, DYNAMIC),
    send=[body(MARK), button("1", "url", text=MARK)],
    more={
        "percent-encoded": [body(MARK), button("1", "url", text=f"{MARK}%20%D1%97?a=1&b=2")],
        "as long as can be": [body(MARK), button("1", "url", text=MARK + "x" * (1997 - len(SHOP)))],
    },
    refusals=(
        *positional(1),
        *suffix("button 1"),
        *by(URL_LENGTH, put("button 1/parameters/0/text", "x" * (2001 - len(SHOP)), "one character too long")),
        *by(STATIC_URL, put("button 1/index", "0", "that of the static URL")),
        *by(STATIC_URL, beside("body", button("0", "url", text=MARK), "a suffix for the static URL")),
    ),
)

STATIC_LINK = Kind(
    name="static URL button",
    definition=with_buttons(STATIC),
    send=[body(MARK)],
    refusals=(
        *positional(1),
        *by(STATIC_URL, beside("body", button("0", "url", text=MARK), "a suffix")),
        *by(STATIC_URL, beside("body", button("0", "quick_reply", payload=MARK), "a payload")),
    ),
)


# --- replies --------------------------------------------------------------------------------------------------------


def payload(path: str) -> Iterator[Refusal]:
    argument = f"{path}/parameters/0"
    yield from spelling(QUICK_REPLY, argument, "payload")
    yield from by(QUICK_REPLY, put(f"{argument}/payload", [MARK]), put(f"{argument}/payload", {"colour": MARK}))
    yield from by(QUICK_REPLY, put(argument, {"type": "coupon_code", "coupon_code": MARK}, "a coupon code"))
    yield from by(QUICK_REPLY, beside(argument, {"type": "payload", "payload": MARK}, "another"))


def quick_reply(path: str) -> Iterator[Refusal]:
    yield from button_refusals(QUICK_REPLY, path, ("url", "copy_code", "flow"))
    yield from payload(path)


REPLIES = Kind(
    name="quick replies",
    definition=with_buttons({"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "No"}),
    send=[body(MARK), button("0", "quick_reply", payload=MARK), button("1", "quick_reply", payload=f"{MARK}-2")],
    more={
        "no payloads": [body(MARK)],
        "one payload": [body(MARK), button("1", "quick_reply", payload=MARK)],
        "a text for a payload": [body(MARK), button("0", "quick_reply", text=MARK)],
        "truth values for payloads": [
            body(MARK),
            button("0", "quick_reply", text=True),
            button("1", "quick_reply", text=False),
        ],
    },
    refusals=(
        *positional(1),
        *quick_reply("button 0"),
        *quick_reply("button 1"),
        *by(QUICK_REPLY, put("button 1/index", "0", "that of the other")),
        *by(QUICK_REPLY, beside("body", button("2", "quick_reply", payload=MARK), "a third reply")),
    ),
)


# --- codes ----------------------------------------------------------------------------------------------------------


def coupon(path: str) -> Iterator[Refusal]:
    argument = f"{path}/parameters/0"
    extra = {"type": "coupon_code", "coupon_code": MARK}
    yield from required_button(COPY_CODE, path, ("url", "quick_reply", "otp"), extra)
    yield from spelling(COPY_CODE, argument, "coupon_code")
    yield from wrong_types(COPY_CODE, f"{argument}/coupon_code", str)
    yield from bad_texts(f"{argument}/coupon_code")
    yield from by(COUPON_LENGTH, put(f"{argument}/coupon_code", MARK + "X" * 18, "one character too long"))
    yield from by(COPY_CODE, put(argument, text(MARK), "a text"))


COUPON = Kind(
    name="copy code",
    definition=with_buttons({"type": "COPY_CODE", "text": "Copy", "example": ["25OFF"]}, category="MARKETING"),
    send=[body(MARK), button("0", "copy_code", coupon_code=f"{MARK}25")],
    more={"as long as can be": [body(MARK), button("0", "copy_code", coupon_code=MARK + "X" * 17)]},
    refusals=(*positional(1), *coupon("button 0")),
)

KINDS = (LINKS, STATIC_LINK, REPLIES, COUPON)
