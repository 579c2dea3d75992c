"""What no schema can say: lengths with the arguments in, products over all sections, one code in two places."""

from __future__ import annotations

import pytest

from gateway.domain.hydration import ill_filled
from tests.template_factories import BODY, BUTTONS, a_definition, body, button, header

OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Last call", "has_expiration": True}}
CARD = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Take {{1}} now"}]}
OTP = a_definition(
    {"type": "BODY"},
    {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    category="AUTHENTICATION",
)
MPM = a_definition(BODY, {"type": "BUTTONS", "buttons": [{"type": "MPM", "text": "Look"}]})


def wrong(definition, *components, **more):
    return list(ill_filled(definition, components, **more))


@pytest.mark.parametrize(("extra", "found"), [(0, []), (1, [601])])
def test_beside_a_limited_time_offer_a_body_may_have_600_characters(extra, found):
    definition = a_definition(OFFER, {"type": "BODY", "text": "Hello {{1}}."})
    told = [text for _, text in wrong(definition, body("x" * (593 + extra)))]
    assert told == [f"expected at most 600 characters in the body with its arguments, got {count}" for count in found]


def test_a_cards_body_may_have_160_characters_and_the_card_is_named():
    definition = a_definition(BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]})
    long = {"card_index": 1, "components": [body("x" * 152)]}
    carousel = {"type": "carousel", "cards": [{"card_index": 0, "components": [body("x" * 151)]}, long]}
    assert wrong(definition, carousel) == [
        (
            (0, "cards", 1, "components", 0, "parameters"),
            "expected at most 160 characters in the body with its arguments, got 161",
        )
    ]


def test_a_url_is_as_long_as_it_is_percent_encoded():
    fixed = "https://shop.example/café/"  # the é takes six characters
    button_of = {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Go", "url": f"{fixed}{{{{1}}}}"}]}
    definition = a_definition(BODY, button_of)
    room = 2000 - len(fixed) - 5
    assert wrong(definition, button("0", "url", text="x" * room)) == []
    assert "got 2001" in wrong(definition, button("0", "url", text="x" * (room + 1)))[0][1]


def test_what_is_percent_encoded_already_counts_as_it_stands():
    definition = a_definition(BODY, BUTTONS)
    room = 2000 - len("https://shop.example/track/")
    assert wrong(definition, button("1", "url", text="%20" * (room // 3))) == []


def a_list(*counts):
    item = {"product_retailer_id": "p"}
    sections = [{"title": "t", "product_items": [item] * count} for count in counts]
    action = {"thumbnail_product_retailer_id": "p", "sections": sections}
    return button("0", "mpm", action=action)


def test_thirty_products_may_stand_in_all_sections_together():
    assert wrong(MPM, a_list(20, 10)) == []
    assert wrong(MPM, a_list(20, 11)) == [
        ((0, "parameters"), "expected at most 30 products in all sections, got 31"),
    ]


def test_a_button_copies_the_code_that_the_body_shows():
    assert wrong(OTP, body("123456"), button("0", "url", text="123456")) == []
    assert wrong(OTP, body("123456"), button("0", "url", text="123457")) == [
        ((1, "parameters", 0, "text"), "expected the same code as in the body")
    ]


def test_components_that_do_not_fit_the_contract_are_left_out():
    definition = a_definition({"type": "HEADER", "format": "TEXT", "text": "Of {{1}}"}, BODY)
    broken = {"type": "body", "parameters": "nonsense"}
    found = wrong(definition, header(text="x" * 60), broken, without={1})
    assert [place for place, _ in found] == [(0, "parameters")]
