from __future__ import annotations

import pytest

from gateway.domain.errors import NotFound, TemplateRefused
from tests.template_factories import (
    BODY,
    BUTTONS,
    IMAGE_HEADER,
    a_document,
    a_message,
    a_registry,
    body,
    button,
    header,
    text,
)

LINK = {"link": "https://shop.example/a.png"}


@pytest.fixture
def registry(tmp_path):
    return a_registry(
        tmp_path,
        a_document(IMAGE_HEADER, BODY, BUTTONS),
        a_document(BODY, name="paused", status="PAUSED"),
        a_document({"type": "BODY", "text": "Hello."}, name="hello", namespace="0f1e2d3c"),
        a_document({"type": "BODY", "text": "Вітаємо."}, name="hello", language="uk"),
    )


def refusal(registry, message, **at):
    with pytest.raises(TemplateRefused) as caught:
        registry.check(message, **at)
    return caught.value


def test_names_are_told_in_order(registry):
    assert registry.names() == (("hello", "en_US"), ("hello", "uk"), ("order_sent", "en_US"), ("paused", "en_US"))


def test_a_message_is_given_back_in_normal_form(registry):
    checked = registry.check(
        a_message(
            {"type": "BUTTON", "sub_type": "URL", "index": 1, "parameters": [text("A-1")]},
            {"type": "Body", "parameters": [{"type": "TEXT", "text": "Ann"}, text("4711")]},
            header(image=LINK),
            language="en-US",
        )
    )
    assert checked.components == (header(image=LINK), body("Ann", "4711"), button("1", "url", text="A-1"))
    assert checked.language == "en_US"


def test_a_checked_message_fits_again_and_stays_the_same(registry):
    checked = registry.check(a_message(header(image=LINK), body("Ann", "4711"), button(1, "url", text="A-1")))
    assert registry.check(checked) == checked


def test_an_error_names_the_place_in_the_request_whatever_the_order_there(registry):
    refused = refusal(
        registry, a_message(button(1, "url", text="A-1"), body("Ann", "a\nb"), header(image=LINK)), at="$.template"
    )
    assert (refused.code, refused.path) == ("template_arguments", "$.template.components[1].parameters[1].text")


def test_an_error_starts_where_the_template_stands_in_the_request(registry):
    refused = refusal(registry, a_message(header(image=LINK), body("Ann")), at="$.fallback")
    assert refused.path == "$.fallback.components[1].parameters"
    assert "got 1" in str(refused)


def test_a_component_that_is_missing_is_an_error_of_the_components(registry):
    refused = refusal(registry, a_message(body("Ann", "4711"), button(1, "url", text="A-1")))
    assert refused.path == "$.template.components"
    assert "exactly one header" in str(refused)


def test_a_body_that_grows_too_long_is_refused_at_its_parameters(registry):
    refused = refusal(registry, a_message(body("x" * 600, "x" * 600), header(image=LINK), button(1, "url", text="A")))
    assert refused.path == "$.template.components[0].parameters"
    assert "1024" in str(refused)


def test_an_unknown_template_is_an_error_of_its_name(registry):
    refused = refusal(registry, a_message(name="nobody"))
    assert (refused.code, refused.path) == ("template_unknown", "$.template.name")


def test_a_language_that_is_not_registered_is_told_with_those_that_are(registry):
    refused = refusal(registry, a_message(name="hello", language="de"))
    assert (refused.code, refused.path) == ("template_unknown", "$.template.language")
    assert str(refused).endswith("en_US, uk")


def test_a_template_that_is_not_approved_is_refused_with_its_status(registry):
    refused = refusal(registry, a_message(body("a", "b"), name="paused"))
    assert refused.code == "template_paused"
    assert "PAUSED" in str(refused)


def test_a_template_that_is_not_sent_now_need_not_be_approved(registry):
    paused = a_message(body("a", "b"), name="paused", language="en-US")
    checked = registry.check(paused, must_be_approved=False)
    assert (checked.language, checked.components) == ("en_US", (body("a", "b"),))
    assert registry.judge(checked).problem == "not_approved"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "nobody"}, "template_unknown"),
        ({"name": "paused", "language": "de"}, "template_unknown"),
        ({"name": "paused", "components": (body("a"),)}, "template_arguments"),
    ],
)
def test_a_template_that_need_not_be_approved_must_still_be_known_and_fit(registry, wrong, code):
    with pytest.raises(TemplateRefused) as caught:
        registry.check(a_message(**wrong), at="$.fallback", must_be_approved=False)
    assert caught.value.code == code
    assert caught.value.path.startswith("$.fallback.")


@pytest.mark.parametrize("bad", [{"type": "text"}, text(5), text("a\nb"), "x"])
def test_an_error_in_a_body_says_which_parameter_of_the_template_it_is(registry, bad):
    wrong = {"type": "body", "parameters": [text("Ann"), bad]}
    refused = refusal(registry, a_message(wrong, header(image=LINK), button(1, "url", text="A-1")))
    assert refused.path.startswith("$.template.components[0].parameters[1]")
    assert str(refused).endswith(" (body parameter 2 of 2, in “Hello {{1}}, your order {{2}} is on its way.”)")


def test_an_error_of_a_button_says_which_button_it_is(registry):
    spoilt = {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text"}]}
    refused = refusal(registry, a_message(body("a", "b"), header(image=LINK), spoilt))
    assert str(refused) == "is missing; expected the end of a URL, percent-encoded (the button “Track”)"


def test_a_namespace_passes_through_and_else_is_the_registered_one(registry):
    assert registry.check(a_message(name="hello")).namespace == "0f1e2d3c"
    assert registry.check(a_message(name="hello", namespace="mine")).namespace == "mine"


def test_empty_components_are_not_sent_on(registry):
    assert registry.check(a_message({"type": "body", "parameters": []}, name="hello")).components == ()


def test_a_provider_of_a_link_is_kept(registry):
    linked = header(image={**LINK, "provider": {"name": "files"}})
    assert registry.check(a_message(linked, body("a", "b"), button(1, "url", text="A"))).components[0] == linked


def test_judging_says_the_same_without_raising(registry):
    good = registry.judge(a_message(button(1, "url", text="A"), header(image=LINK), body("a", "b")))
    assert good.message.components[0]["type"] == "header"
    assert good.problem is None
    assert registry.judge(a_message(name="nobody")).problem == "unknown"
    assert registry.judge(a_message(name="paused")).problem == "not_approved"
    bad = registry.judge(a_message(header(image=LINK), body("secret-1"), button(1, "url", text="A")))
    assert bad.message is None
    assert bad.problem.startswith("contract: $.template.components[1].parameters: expected 2 body parameters, got 1")
    assert "secret" not in bad.problem


@pytest.mark.parametrize("components", [("x",), (None, 3), ({"type": []},), ({"type": "body", "parameters": {}},)])
def test_nonsense_is_refused_and_never_a_crash(registry, components):
    assert refusal(registry, a_message(*components)).code == "template_arguments"


def test_definitions_and_contracts_are_found_in_either_spelling_of_the_language(registry):
    assert registry.definition("order_sent", "en-US") is registry.definition("order_sent", "en_US")
    assert registry.definition("order_sent", "fr") is None
    assert registry.contract("order_sent", "en-US")["title"] == "order_sent/en_US"
    with pytest.raises(NotFound):
        registry.contract("order_sent", "fr")


# --- what a reviewer found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "components",
    [
        [{"type": "body", "parameters": [1] * 120_000}],
        [{}] * 85_000,
        [{"type": "carousel", "cards": [{"card_index": 0, "components": [{}] * 8_000}] * 10}],
        [{"type": "button", "parameters": [{"type": "action", "action": {"sections": [{}] * 80_000}}]}],
        [[[[[1] * 500]]]],
    ],
)
def test_more_than_any_template_has_is_refused_without_a_look_at_each(registry, components, monkeypatch):
    """Each thing that is wrong costs a tenth of a millisecond to tell, on the loop that all requests share."""
    monkeypatch.setattr("gateway.registry.registered.normalise", None)
    refused = refusal(registry, a_message(*components))
    assert (refused.path, str(refused)) == (
        "$.template.components",
        "expected at most 400 components, cards, parameters and products in all",
    )


def test_the_data_of_a_flow_may_be_as_long_as_its_author_likes(tmp_path):
    flow = {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book"}]}
    registry = a_registry(tmp_path, a_document({"type": "BODY", "text": "Hi"}, flow))
    action = {"flow_action_data": {"days": list(range(2000))}}
    assert registry.check(a_message(button(0, "flow", action=action))).components[0]["parameters"]


def test_whatever_judging_does_a_rung_comes_of_it(registry, monkeypatch):
    def broken(*_):
        raise KeyError("nobody foresaw it")

    monkeypatch.setattr("gateway.registry.registered.normalise", broken)
    assert registry.judge(a_message(body("a", "b"))).problem == "failed: KeyError"
