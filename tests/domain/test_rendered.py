"""A message as the contact reads it."""

from __future__ import annotations

import pytest

from gateway.domain.definition import define
from gateway.domain.example import example_of
from gateway.domain.message import FreeForm
from gateway.domain.rendered import rendered, rendered_free_form
from tests.domain.test_hydration import CARD, OFFER, OTP
from tests.platform.refusals import KINDS
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_definition, body, button, header, text


def test_arguments_stand_in_their_places():
    definition = a_definition(IMAGE_HEADER, BODY, {"type": "FOOTER", "text": "Bye"}, BUTTONS)
    components = [header(image={"link": "https://a.example/p"}), body("Ann", "{{1}}"), button("1", "url", text="A-1")]
    assert rendered(definition, components) == {
        "header": {"type": "image", "link": "https://a.example/p"},
        "body": "Hello Ann, your order {{1}} is on its way.",
        "footer": "Bye",
        "buttons": [
            {"type": "quick_reply", "text": "Thanks"},
            {"type": "url", "text": "Track", "url": "https://shop.example/track/A-1"},
        ],
    }


def test_named_arguments_stand_by_their_names():
    definition = a_definition({"type": "BODY", "text": "{{first}} {{last}}"}, parameter_format="NAMED")
    parameters = [text("b", parameter_name="last"), text("a", parameter_name="first")]
    assert rendered(definition, [{"type": "body", "parameters": parameters}])["body"] == "a b"


def test_of_an_amount_the_fallback_is_read():
    amount = {"type": "currency", "currency": {"fallback_value": "9 ₴", "code": "UAH", "amount_1000": 9000}}
    definition = a_definition({"type": "BODY", "text": "It costs {{1}} now"})
    assert rendered(definition, [{"type": "body", "parameters": [amount]}])["body"] == "It costs 9 ₴ now"


def test_cards_and_offers_are_shown():
    definition = a_definition(OFFER, BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]})
    end = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 5}}
    cards = [
        {"card_index": index, "components": [header(image={"id": "7"}), body(f"no. {index}")]} for index in range(2)
    ]
    shown = rendered(
        definition,
        [body("a", "b"), {"type": "limited_time_offer", "parameters": [end]}, {"type": "carousel", "cards": cards}],
    )
    assert shown["offer"] == {"text": "Last call", "expiration_time_ms": 5}
    assert shown["cards"][1] == {"header": {"type": "image", "id": "7"}, "body": "Take no. 1 now", "buttons": []}


def test_a_code_stands_in_the_text_and_in_its_button():
    shown = rendered(OTP, [body("123456"), button("0", "url", text="123456")])
    assert shown["body"].startswith("*123456* is your")
    assert shown["buttons"] == [{"type": "otp", "text": None, "code": "123456"}]


def test_free_form_content_is_a_text_or_a_picture_with_one():
    assert rendered_free_form(FreeForm(type="text", text="Hi"))["body"] == "Hi"
    picture = rendered_free_form(FreeForm(type="image", file_url="https://a.example/p.png", text="Look"))
    assert (picture["header"], picture["body"]) == ({"type": "image", "link": "https://a.example/p.png"}, "Look")


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_example_of_every_kind_can_be_read_without_a_placeholder_left(kind):
    definition = define(kind.definition)
    assert "{{" not in str(rendered(definition, example_of(definition).components))
