from __future__ import annotations

import pytest

from gateway.domain.definition import DefinitionInvalid, define
from gateway.domain.template import Wording
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_definition, a_document


def problems_of(*components, **fields):
    with pytest.raises(DefinitionInvalid) as caught:
        define(a_document(*components, **fields))
    return dict(caught.value.problems)


def test_words_are_read_in_either_case():
    definition = a_definition(
        {"type": "header", "format": "image"},
        {"type": "body", "text": "Hi"},
        {"type": "buttons", "buttons": [{"type": "quick_reply", "text": "Yes"}]},
        status="approved",
        category="utility",
        parameter_format="named",
    )
    assert (definition.status, definition.category, definition.parameter_format) == ("APPROVED", "UTILITY", "NAMED")
    assert (definition.header.format, definition.buttons[0].type) == ("IMAGE", "QUICK_REPLY")


def test_parameters_are_positional_when_the_definition_does_not_say():
    assert a_definition().parameter_format == "POSITIONAL"


def test_a_language_has_one_spelling():
    assert a_definition(language="en-US").language == "en_US"


def test_fields_that_we_do_not_know_are_kept():
    definition = a_definition({**BODY, "seen": 1}, quality_score={"score": "GREEN"})
    assert definition.document["quality_score"] == {"score": "GREEN"}
    assert definition.document["components"][0]["seen"] == 1


@pytest.mark.parametrize("status", ["PENDING", "PAUSED", "REJECTED", "", "approvedish"])
def test_only_an_approved_template_can_be_sent(status):
    assert not a_definition(status=status).is_approved
    assert a_definition(status="APPROVED").is_approved


def test_a_definition_without_a_status_is_not_approved():
    document = a_document()
    del document["status"]
    assert not define(document).is_approved


def test_positional_parameters_are_counted_by_number_and_each_once():
    assert Wording("{{2}} and {{1}}, again {{2}}, {{10}}").parameters == ("1", "2", "10")


def test_named_parameters_keep_their_order_of_appearance():
    assert Wording("{{order}} for {{customer}}, {{order}}").parameters == ("order", "customer")


def test_what_looks_like_a_placeholder_in_an_argument_stays_as_it_is():
    assert Wording("{{1}} {{2}}").bound({"1": "{{2}}", "2": "{{7*7}}"}) == "{{2}} {{7*7}}"


PARTS = "HEADER, BODY, BUTTONS, FOOTER, CAROUSEL, LIMITED_TIME_OFFER, CALL_PERMISSION_REQUEST"


@pytest.mark.parametrize(
    ("component", "place", "words"),
    [
        ({"type": "CAROUSAL"}, ("type",), f"expected one of {PARTS}; CAROUSAL is not known here"),
        ({"type": 5}, ("type",), f"expected one of {PARTS}"),
        (
            {"type": "HEADER", "format": "SOUND"},
            ("format",),
            "expected one of TEXT, IMAGE, VIDEO, DOCUMENT, GIF, LOCATION, PRODUCT; SOUND is not known here",
        ),
        ({"type": "HEADER", "format": "GIF", "text": "x"}, ("text",), "expected no text in a header of format GIF"),
        ({"type": "FOOTER"}, ("text",), "expected a text"),
        (
            {"type": "FOOTER", "code_expiration_minutes": "10"},
            ("code_expiration_minutes",),
            "expected a whole number of minutes",
        ),
        ({"type": "BUTTONS", "buttons": []}, ("buttons",), "expected 1 to 10 buttons"),
        ({"type": "CAROUSEL", "cards": []}, ("cards",), "expected 2 to 10 cards"),
        ({"type": "CAROUSEL", "cards": [{}]}, ("cards", 0, "components"), "expected a list of components"),
        (
            {"type": "CAROUSEL", "cards": [{"components": [{"type": "FOOTER", "text": "x"}]}]},
            ("cards", 0, "components", 0, "type"),
            "expected one of HEADER, BODY, BUTTONS; FOOTER is not known here",
        ),
        (
            {"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": "x" * 161}]}]},
            ("cards", 0, "components", 0, "text"),
            "expected at most 160 characters",
        ),
        ({"type": "LIMITED_TIME_OFFER", "limited_time_offer": 5}, ("limited_time_offer",), None),
        (
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"has_expiration": "yes"}},
            ("limited_time_offer", "has_expiration"),
            "expected true or false",
        ),
    ],
)
def test_what_can_not_be_read_is_named(component, place, words):
    ((found, told),) = problems_of(BODY, component).items()
    assert found == ("components", 1, *place)
    assert words is None or told == words


def test_a_button_of_a_kind_that_we_do_not_know_is_named():
    found = problems_of(BODY, {"type": "BUTTONS", "buttons": [{"type": "SHAKE"}]})
    assert found["components", 1, "buttons", 0, "type"].endswith("; SHAKE is not known here")


@pytest.mark.parametrize("kind", ["REQUEST_CONTACT_INFO", "APP", "SPM", "VOICE_CALL", "CATALOG", "FLOW", "MPM", "OTP"])
def test_buttons_of_every_kind_are_read(kind):
    definition = a_definition(BODY, {"type": "BUTTONS", "buttons": [{"type": kind.lower(), "text": "Go"}]})
    assert [(button.type, button.label) for button in definition.buttons] == [(kind, "Go")]


@pytest.mark.parametrize("kind", ["GIF", "LOCATION", "PRODUCT"])
def test_headers_of_every_kind_are_read(kind):
    assert a_definition({"type": "HEADER", "format": kind}, BODY).header.format == kind


def test_a_request_for_permission_to_call_is_read():
    assert a_definition(BODY, {"type": "CALL_PERMISSION_REQUEST"}).buttons == ()


@pytest.mark.parametrize("is_told", [True, False])
def test_the_platform_writes_the_texts_of_an_authentication_template_itself(is_told):
    definition = a_definition(
        {"type": "BODY", "add_security_recommendation": is_told},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "copy_code", "text": "Copy code"}]},
        category="AUTHENTICATION",
    )
    assert definition.body.parameters == ("1",)
    assert definition.body.text.endswith("share this code.") is is_told
    assert "10 minutes" in definition.footer
    assert definition.buttons[0].takes_code


def test_the_button_of_an_authentication_template_comes_back_as_a_url():
    url = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
    definition = a_definition(
        {"type": "BODY", "text": "*{{1}}* is your code."},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy code", "url": url}]},
        category="AUTHENTICATION",
    )
    assert definition.buttons[0].takes_code


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_limited_time_offer_says_its_words_in_an_object_of_its_own_or_beside_its_type(is_nested):
    words = {"text": "Last call", "has_expiration": True}
    offer = {"type": "limited_time_offer", **({"limited_time_offer": words} if is_nested else words)}
    definition = a_definition(offer, BODY)
    assert (definition.offer.text, definition.offer.has_expiration) == ("Last call", True)
    assert definition.body_limit == 600


def test_cards_have_a_header_a_text_and_buttons_of_their_own():
    card = {"components": [{"type": "header", "format": "image"}, {"type": "body", "text": "Take {{1}}"}, BUTTONS]}
    definition = a_definition(BODY, {"type": "carousel", "cards": [card, card]})
    first, second = definition.cards
    assert first == second
    assert (first.header.format, first.body.parameters, len(first.buttons)) == ("IMAGE", ("1",), 2)
    assert first.body_limit == 160


def test_phone_number_and_static_url_buttons_and_a_footer_need_no_arguments():
    buttons = [
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "380441234567"},
        {"type": "URL", "text": "Go", "url": "https://shop.example/"},
    ]
    definition = a_definition(BODY, {"type": "FOOTER", "text": "Bye"}, {"type": "BUTTONS", "buttons": buttons})
    assert [button.url.parameters for button in definition.buttons] == [(), ()]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "Hi {{1}} and {{3}}"}, "expected placeholders {{1}}, {{2}}, ... without a gap"),
        ({"text": "Hi {{name}}"}, "expected placeholders like {{1}}; for names set parameter_format: NAMED"),
        ({"text": "Hi {{ 1 }}"}, "expected placeholders like {{1}}; for names set parameter_format: NAMED"),
        ({"text": "Hi {{0}}"}, "expected placeholders like {{1}}; for names set parameter_format: NAMED"),
        ({"text": "x" * 1025}, "expected at most 1024 characters"),
    ],
)
def test_a_body_text_obeys_the_platforms_grammar(fields, words):
    assert problems_of({"type": "BODY", **fields}) == {("components", 0, "text"): words}


def test_a_named_template_takes_no_numbers_with_capitals_or_spaces():
    found = problems_of({"type": "BODY", "text": "Hi {{Name}}"}, parameter_format="NAMED")
    assert "lower-case letters" in found["components", 0, "text"]


def test_a_header_has_at_most_one_placeholder_and_a_footer_none():
    found = problems_of(
        {"type": "HEADER", "format": "TEXT", "text": "{{1}} {{2}}"}, BODY, {"type": "FOOTER", "text": "{{1}}"}
    )
    assert found["components", 0, "text"] == "expected at most one placeholder in a header"
    assert found["components", 2, "text"] == "expected no placeholder here"


@pytest.mark.parametrize("url", ["https://a.example/{{1}}/x", "https://{{1}}{{2}}", "ftp://a.example", "", None])
def test_a_url_has_at_most_one_placeholder_at_its_end(url):
    found = problems_of(BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "url": url}]})
    assert list(found) == [("components", 1, "buttons", 0, "url")]


def test_every_problem_is_told_at_once():
    found = problems_of({"type": "CAROUSAL"}, {"type": "TIME_OFFER"}, language="")
    assert set(found) == {("language",), ("components",), ("components", 0, "type"), ("components", 1, "type")}


def test_a_component_stands_once():
    assert problems_of(BODY, BODY) == {("components", 1, "type"): "expected at most one BODY component"}


@pytest.mark.parametrize("components", [None, "x", [None], [[]], [{"type": 3}], [{"type": "BUTTONS", "buttons": "x"}]])
def test_nonsense_is_a_problem_and_never_a_crash(components):
    with pytest.raises(DefinitionInvalid):
        define({"name": "x", "language": "en", "components": components})


def test_a_full_definition_has_its_parts():
    definition = a_definition(IMAGE_HEADER, BODY, BUTTONS, namespace="0f1e2d3c")
    assert definition.namespace == "0f1e2d3c"
    assert definition.body.parameters == ("1", "2")
    assert [button.url.parameters for button in definition.buttons] == [(), ("1",)]


@pytest.mark.parametrize("odd", [[], {}, 5, True])
def test_a_word_that_is_none_is_a_problem_and_never_a_crash(odd):
    for component in (
        {"type": odd},
        {"type": "HEADER", "format": odd},
        {"type": "BUTTONS", "buttons": [{"type": odd}]},
        {"type": "CAROUSEL", "cards": [{"components": [{"type": odd}, {"type": odd}]}]},
    ):
        assert problems_of(BODY, component)
    assert problems_of(BODY, parameter_format=odd or [[]]) == {("parameter_format",): "expected POSITIONAL or NAMED"}


def test_an_authentication_text_with_more_than_its_code_takes_other_words_as_well():
    definition = a_definition(
        {"type": "BODY", "text": "Your code is {{1}}, for {{2}} more"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
        category="AUTHENTICATION",
    )
    assert not definition.is_of_code


def test_braces_without_end_cost_no_more_than_their_length():
    assert Wording("{{" * 200_000).parameters == ()


@pytest.mark.parametrize("label", [True, 5, ["x"], {"a": 1}])
def test_a_label_that_is_no_text_is_a_problem(label):
    found = problems_of(BODY, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": label}]})
    assert found == {("components", 1, "buttons", 0, "text"): "expected a text"}
