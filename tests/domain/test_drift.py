"""What counts as a difference between a provider's template and our file, and in which words it is told."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.drift import drift_between
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_definition

OTHER = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} has left."}
THREE = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} ships on {{3}} from us."}
NAMED = {"type": "BODY", "text": "Hello {{customer}}, your order {{order}} is on its way."}


def named(*components: dict[str, Any]) -> Any:
    return a_definition(*components, parameter_format="NAMED")


def carousel(count: int, text: str = "Look at {{1}} now.") -> dict[str, Any]:
    cards = [{"components": [IMAGE_HEADER, {"type": "BODY", "text": text}]} for _ in range(count)]
    return {"type": "CAROUSEL", "cards": cards}


@pytest.mark.parametrize(
    "theirs",
    [
        a_definition(),
        a_definition(id="5", status="PAUSED", category="UTILITY", quality_score={"score": "RED"}, new_in_v99=1),
        a_definition({**BODY, "example": {"body_text": [["Ann", "7"]]}}),
        a_definition({**BODY, "text": f"{BODY['text']}\n"}),
        a_definition(BODY, language="en-US"),
    ],
)
def test_what_matters_to_no_message_is_no_drift(theirs: Any) -> None:
    assert drift_between(theirs, a_definition()) is None


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        (a_definition(THREE), a_definition(), ["body takes 3 parameters there, 2 here"]),
        (a_definition(), a_definition(THREE), ["body takes 2 parameters there, 3 here"]),
        (named(NAMED), a_definition(), ["body takes 2 parameters by name (customer, order) there, 2 parameters here"]),
        (a_definition(IMAGE_HEADER, BODY), a_definition(), ["header takes one image there, nothing here"]),
        (
            a_definition({**IMAGE_HEADER, "format": "VIDEO"}, BODY),
            a_definition(IMAGE_HEADER, BODY),
            ["header takes one video there, one image here"],
        ),
        (
            a_definition(BODY, BUTTONS),
            a_definition(),
            [
                "button 0 takes a payload, if any there, nothing here",
                "button 1 takes 1 parameter there, nothing here",
            ],
        ),
        (
            a_definition(BODY, carousel(3)),
            a_definition(BODY, carousel(2, "Look at it now.")),
            [
                "carousel takes 3 cards there, 2 here",
                "card 0 body takes 1 parameter there, nothing here",
                "card 1 body takes 1 parameter there, nothing here",
                "card 2 header takes one image there, nothing here",
                "card 2 body takes 1 parameter there, nothing here",
            ],
        ),
    ],
)
def test_what_messages_must_carry_is_told_place_by_place(theirs: Any, ours: Any, told: list[str]) -> None:
    drift = drift_between(theirs, ours)
    assert drift is not None
    assert list(drift.contract) == told


def test_other_words_are_a_diff_from_here_to_there() -> None:
    drift = drift_between(a_definition(OTHER), a_definition())
    assert drift is not None
    assert drift.contract == ()
    assert drift.wording == (
        "--- here",
        "+++ there",
        "@@ -1,2 +1,2 @@",
        " body",
        "-  Hello {{1}}, your order {{2}} is on its way.",
        "+  Hello {{1}}, your order {{2}} has left.",
    )
    assert str(drift) == "customers read other texts there than here"


def test_a_button_that_leads_elsewhere_is_another_wording() -> None:
    (quick, track) = BUTTONS["buttons"]
    elsewhere = {**BUTTONS, "buttons": [quick, {**track, "url": "https://other.example/{{1}}"}]}
    drift = drift_between(a_definition(BODY, elsewhere), a_definition(BODY, BUTTONS))
    assert drift is not None
    assert (drift.contract, any("other.example" in line for line in drift.wording)) == ((), True)


def test_the_platform_s_own_texts_of_an_authentication_template_are_no_drift() -> None:
    code = {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]}
    ours = a_definition({"type": "BODY", "add_security_recommendation": True}, code, category="AUTHENTICATION")
    button = {"type": "URL", "text": "Код", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}"}
    theirs = a_definition(
        {"type": "BODY", "text": "Ваш код: *{{1}}*."},
        {"type": "FOOTER", "text": "10 хвилин"},
        {"type": "BUTTONS", "buttons": [button]},
        category="AUTHENTICATION",
    )
    assert drift_between(theirs, ours) is None
