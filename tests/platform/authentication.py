"""Authentication templates: as they are created, and with the texts and the button that the platform makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.platform.changes import MARK, put
from tests.platform.rules import KINDS_OF_TEXT, ONE_CODE, OTP, OTP_BODY, OTP_LENGTH
from tests.platform.table import (
    Kind,
    Refusal,
    a_registered,
    by,
    positional,
    required_button,
    text_argument,
)
from tests.template_factories import body, button, text

CODE = f"{MARK}4711"
LONGEST = MARK + "1" * 12
AMOUNT = {"type": "currency", "currency": {"fallback_value": CODE, "code": "USD", "amount_1000": 1}}
APPS = [{"package_name": "com.example.luckyshrub", "signature_hash": "K8a/AINcGX7"}]


def _sent(code: str) -> list[dict[str, Any]]:
    return [body(code), button("0", "url", text=code)]


def _refusals() -> Iterator[Refusal]:
    argument = "button 0/parameters/0"
    yield from positional(1, rule=OTP_BODY)
    yield from required_button(OTP, "button 0", ("otp", "copy_code", "quick_reply"), text(CODE))
    yield from text_argument(OTP, argument)
    yield from by(OTP_BODY, put("body", body(), "without the code"), put("body/parameters/0", AMOUNT, "an amount"))
    yield from by(KINDS_OF_TEXT, put(argument, {"type": "coupon_code", "coupon_code": CODE}, "a coupon code"))
    yield from by(ONE_CODE, put("body/parameters/0/text", f"{MARK}4712", "another code"))
    yield from by(ONE_CODE, put(f"{argument}/text", f"{MARK}4712", "another code"))
    for path in ("body/parameters/0/text", f"{argument}/text"):
        yield from by(OTP_LENGTH, put(path, MARK + "1" * 13, "one character too long"))


def _kind(name: str, *components: dict[str, Any]) -> Kind:
    return Kind(
        name=name,
        definition=a_registered(*components, category="AUTHENTICATION", message_send_ttl_seconds=60),
        send=_sent(CODE),
        more={"as long as can be": _sent(LONGEST), "digits": _sent("047110")},
        refusals=tuple(_refusals()),
    )


def _created(otp_type: str, **fields: Any) -> Kind:
    return _kind(
        f"OTP {otp_type}",
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": otp_type, "text": "Copy code", **fields}]},
    )


GENERATED = _kind(
    "OTP as the platform tells it",
    {"type": "BODY", "text": "*{{1}}* is your verification code.", "example": {"body_text": [["123456"]]}},
    {"type": "FOOTER", "text": "This code expires in 10 minutes."},
    {
        "type": "BUTTONS",
        "buttons": [
            {
                "type": "URL",
                "text": "Copy code",
                "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
                "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"],
            }
        ],
    },
)

KINDS = (
    _created("COPY_CODE"),
    _created("ONE_TAP", autofill_text="Autofill", package_name=APPS[0]["package_name"], signature_hash="K8a/AINcGX7"),
    _created("ZERO_TAP", autofill_text="Autofill", supported_apps=APPS, zero_tap_terms_accepted=True),
    GENERATED,
)
