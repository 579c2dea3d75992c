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


@pytest.mark.parametrize(
    ("component", "place", "words"),
    [
        ({"type": "CAROUSEL", "cards": []}, ("components", 1, "type"), "component CAROUSEL is not supported yet"),
        (
            {"type": "limited_time_offer"},
            ("components", 1, "type"),
            "component LIMITED_TIME_OFFER is not supported yet",
        ),
        (
            {"type": "HEADER", "format": "LOCATION"},
            ("components", 1, "format"),
            "header format LOCATION is not supported yet",
        ),
        (
            {"type": "BUTTONS", "buttons": [{"type": "OTP"}]},
            ("components", 1, "buttons", 0, "type"),
            "button OTP is not supported yet",
        ),
        (
            {"type": "FOOTER", "code_expiration_minutes": 10},
            ("components", 1, "text"),
            "a FOOTER without text of its own is not supported yet",
        ),
    ],
)
def test_what_is_not_supported_yet_is_named(component, place, words):
    assert problems_of(BODY, component) == {place: words}


def test_a_generated_body_is_not_supported_yet():
    found = problems_of({"type": "BODY", "add_security_recommendation": True})
    assert found == {("components", 0, "text"): "a BODY without text of its own is not supported yet"}


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
    found = problems_of({"type": "CAROUSEL"}, {"type": "LIMITED_TIME_OFFER"}, language="")
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
