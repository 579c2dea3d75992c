"""The contract against examples written by hand, and, in another validator, against itself."""

from __future__ import annotations

import json

import jsonschema
import pytest
import referencing
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.contract import contract_of
from gateway.registry.schema import Schema
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_definition, body, button, header, text

DEFINITIONS = {
    "full": a_definition(IMAGE_HEADER, BODY, BUTTONS),
    "named": a_definition(
        {"type": "HEADER", "format": "TEXT", "text": "Order {{order}}"},
        {"type": "BODY", "text": "{{customer}}, {{news}}"},
        parameter_format="NAMED",
    ),
    "plain": a_definition({"type": "BODY", "text": "Hello."}, {"type": "FOOTER", "text": "Bye"}),
    "document": a_definition({"type": "HEADER", "format": "DOCUMENT"}, {"type": "BODY", "text": "Here it is."}),
}
CONTRACTS = {name: contract_of(definition) for name, definition in DEFINITIONS.items()}
COMPILED = {name: Schema(contract) for name, contract in CONTRACTS.items()}
LINK = header(image={"link": "https://shop.example/a.png"})
TRACK = button("1", "url", text="A-1")
GOOD = [LINK, body("Ann", "4711"), TRACK]


def problem(name, *components):
    found = COMPILED[name].problem(list(components))
    return None if found is None else (found.place, found.text)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_is_a_schema_of_draft_2020_12(contract):
    assert contract["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(contract)


def test_every_definition_in_a_contract_is_used():
    for contract in CONTRACTS.values():
        written = json.dumps(contract)
        assert all(f'"#/$defs/{name}"' in written for name in contract["$defs"])


def test_positional_parameters_stand_in_prefix_items():
    slots = CONTRACTS["full"]["$defs"]["body"]["properties"]["parameters"]["prefixItems"]
    assert [slot["title"] for slot in slots] == ["{{1}}", "{{2}}"]


@pytest.mark.parametrize(
    "components",
    [
        GOOD,
        [TRACK, body("Ann", "4711"), LINK],
        [*GOOD, button("0", "quick_reply", payload="thanks")],
        [header(image={"id": "1602186516975000"}), body("Ann", "4711"), TRACK],
        [header(image={"link": "HTTP://a.example/x", "provider": {"name": "files"}}), body("Ann", "1"), TRACK],
    ],
)
def test_messages_that_the_platform_takes_fit(components):
    assert problem("full", *components) is None


def test_amounts_and_dates_are_taken_with_a_fallback():
    amount = {"type": "currency", "currency": {"fallback_value": "$9", "code": "USD", "amount_1000": 9000}}
    date = {"type": "date_time", "date_time": {"fallback_value": "today", "year": 2026}}
    assert problem("full", LINK, {"type": "body", "parameters": [amount, date]}, TRACK) is None
    del date["date_time"]["fallback_value"]
    assert problem("full", LINK, {"type": "body", "parameters": [amount, date]}, TRACK) == (
        (1, "parameters", 1, "date_time", "fallback_value"),
        f"is missing; expected {A_TEXT}",
    )


def test_named_parameters_come_in_any_order():
    parameters = [text("b", parameter_name="news"), text("a", parameter_name="customer")]
    assert problem("named", _named_header(), {"type": "body", "parameters": parameters}) is None


def _named_header():
    return {"type": "header", "parameters": [text("4711", parameter_name="order")]}


def test_a_template_without_parameters_takes_nothing_or_empty_components():
    assert problem("plain") is None
    assert problem("plain", {"type": "body", "parameters": []}) is None
    assert problem("plain", body("x")) == ((0, "parameters"), "expected no body parameters, got 1")


def test_a_document_may_have_a_file_name():
    assert problem("document", header(document={"link": "https://a.example/x", "filename": "x.pdf"})) is None
    assert problem("document", header(document={"filename": "x.pdf"})) is not None


A_TEXT = "text without line breaks, tabs or more than four spaces in a row, and not blank"
WRONG = [
    (
        "a missing argument",
        [LINK, body("Ann"), TRACK],
        (1, "parameters"),
        "expected 2 body parameters, got 1; {{2}} is missing in: Hello {{1}}, your order {{2}} is on its way.",
    ),
    ("one too many", [LINK, body("a", "b", "c"), TRACK], (1, "parameters"), "expected 2 body parameters, got 3"),
    ("a number for a text", [LINK, body("Ann", 5), TRACK], (1, "parameters", 1, "text"), "expected a text"),
    ("null for a text", [LINK, body(None, "b"), TRACK], (1, "parameters", 0, "text"), "expected a text"),
    (
        "no text at all",
        [LINK, {"type": "body", "parameters": [text("a"), {"type": "text"}]}, TRACK],
        (1, "parameters", 1, "text"),
        f"is missing; expected {A_TEXT}",
    ),
    (
        "no type",
        [LINK, {"type": "body", "parameters": [text("a"), {"text": "b"}]}, TRACK],
        (1, "parameters", 1, "type"),
        'is missing; expected one of "text", "currency", "date_time"',
    ),
    (
        "no payload at all",
        [*GOOD, {**button("0", "quick_reply"), "parameters": [{"type": "payload"}]}],
        (3, "parameters", 0, "payload"),
        "is missing; expected a text",
    ),
    (
        "a button without its index",
        [LINK, body("a", "b"), {"type": "button", "sub_type": "url", "parameters": [text("A-1")]}],
        (2, "index"),
        'is missing; expected one of "0", "1"',
    ),
    (
        "a button without its kind",
        [LINK, body("a", "b"), {"type": "button", "index": "1", "parameters": [text("A-1")]}],
        (2, "sub_type"),
        'is missing; expected "url"',
    ),
    (
        "another medium",
        [header(video={"id": "1"}), body("a", "b"), TRACK],
        (0, "parameters", 0, "type"),
        'expected "image"',
    ),
    (
        "a medium without link",
        [header(image={}), body("a", "b"), TRACK],
        (0, "parameters", 0, "image"),
        "expected exactly one of `link` and `id`",
    ),
    (
        "a medium by both",
        [header(image={"id": "1", "link": "https://a.example"}), body("a", "b"), TRACK],
        (0, "parameters", 0, "image"),
        "expected exactly one of `link` and `id`",
    ),
    (
        "a link to a file",
        [header(image={"link": "file:///etc/passwd"}), body("a", "b"), TRACK],
        (0, "parameters", 0, "image", "link"),
        "expected a URL that starts with https:// or http://, without white space",
    ),
    (
        "an extra key",
        [LINK, {**body("a", "b"), "colour": "red"}, TRACK],
        (1, "colour"),
        "expected no such key; known here: type, parameters",
    ),
    (
        "a key that could hold anything",
        [LINK, {**body("a", "b"), "Ann's card 1234": 1}, TRACK],
        (1,),
        "expected no such key; known here: type, parameters",
    ),
    (
        "a name where parameters have numbers",
        [LINK, {"type": "body", "parameters": [text("a", parameter_name="x"), text("b")]}, TRACK],
        (1, "parameters", 0, "parameter_name"),
        "expected no such key; known here: type, text",
    ),
    ("an unknown component", [LINK, body("a", "b"), TRACK, {"type": "footer"}], (3, "type"), None),
    ("a component that is no object", [LINK, body("a", "b"), TRACK, "x"], (3,), "expected an object"),
    (
        "a header that is missing",
        [body("a", "b"), TRACK],
        (),
        "expected exactly one header component, for: one image by `link` or `id`",
    ),
    (
        "a button that is missing",
        [LINK, body("a", "b")],
        (),
        "expected exactly one button 1 component, for: what follows https://shop.example/track/",
    ),
    (
        "the body twice",
        [LINK, body("a", "b"), body("a", "b"), TRACK],
        (),
        "expected exactly one body component, for: Hello {{1}}, your order {{2}} is on its way.",
    ),
    (
        "a button that there is not",
        [*GOOD, button("7", "url", text="x")],
        (3, "index"),
        'expected one of "0", "1"',
    ),
    (
        "a button of another kind",
        [LINK, body("a", "b"), button("1", "quick_reply", payload="x")],
        (2, "sub_type"),
        'expected "url"',
    ),
    (
        "a suffix with a space",
        [LINK, body("a", "b"), button("1", "url", text="a b")],
        (2, "parameters", 0, "text"),
        "expected the end of a URL, percent-encoded",
    ),
    (
        "a quick reply with a text",
        [*GOOD, button("0", "quick_reply", text="x")],
        (3, "parameters", 0, "type"),
        'expected "payload"',
    ),
]


@pytest.mark.parametrize(
    ("components", "place", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_an_error_names_the_place_and_what_was_expected(components, place, words):
    found_place, found_words = problem("full", *components)
    assert found_place == place
    assert words is None or found_words == words


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\rb", "a\tb", "a     b", "     ", "x" * 1025])
def test_an_argument_has_no_line_break_no_tab_no_five_spaces_and_is_not_blank(bad):
    place, words = problem("full", LINK, body("Ann", bad), TRACK)
    assert place == (1, "parameters", 1, "text")
    assert words.startswith("expected ")


@pytest.mark.parametrize("good", ["a    b", "  a  ", "«ї» 😀", "{{1}}", "x" * 1024])
def test_any_other_text_is_an_argument(good):
    assert problem("full", LINK, body("Ann", good), TRACK) is None


def test_a_missing_name_is_told_with_the_sentence_it_stands_in():
    found = problem("named", _named_header(), {"type": "body", "parameters": [text("a", parameter_name="customer")]})
    assert found == (
        (1, "parameters"),
        "expected exactly one parameter with the parameter_name news, for: {{customer}}, {{news}}",
    )


def test_a_wrong_name_is_told_where_it_stands():
    parameters = [text("a", parameter_name="customr"), text("b", parameter_name="news")]
    assert problem("named", _named_header(), {"type": "body", "parameters": parameters}) == (
        (1, "parameters", 0, "parameter_name"),
        'expected one of "customer", "news"',
    )


def test_a_parameter_without_its_name_is_told_the_names():
    parameters = [text("a"), text("b", parameter_name="news")]
    assert problem("named", _named_header(), {"type": "body", "parameters": parameters}) == (
        (1, "parameters", 0, "parameter_name"),
        'is missing; expected one of "customer", "news"',
    )


def test_a_name_stands_once():
    parameters = [text("a", parameter_name=name) for name in ("customer", "news", "news")]
    assert problem("named", _named_header(), {"type": "body", "parameters": parameters})[0] == (1, "parameters")


def test_no_error_repeats_what_the_customer_is_told():
    secret = "card 4111-1111"
    spoilt = [
        [header(image={"link": secret}), body(secret, secret), TRACK],
        [LINK, body(secret, f"{secret}\n"), TRACK],
        [LINK, {"type": "body", "parameters": secret}, TRACK],
        [LINK, {"type": secret}, TRACK],
        [LINK, {**body("a", "b"), secret: secret}, TRACK],
        [LINK, body("a", "b"), button(secret, secret, text=secret)],
    ]
    for components in spoilt:
        place, words = problem("full", *components)
        assert "4111" not in words
        assert "4111" not in str(place)


# --- two validators, one verdict ------------------------------------------------------------------------------------

TEXTS = st.sampled_from(["Ann", "", "a\nb", "x" * 1025, "4711", " "]) | st.text(max_size=6)
VALUES = TEXTS | st.none() | st.integers(-2, 2) | st.booleans()
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "image", "payload", "currency"]),
        "text": VALUES,
        "payload": VALUES,
        "image": st.dictionaries(st.sampled_from(["link", "id", "x"]), st.sampled_from(["https://a.example", "", "x"])),
        "parameter_name": st.sampled_from(["customer", "news", "order", "x"]),
        "currency": st.dictionaries(st.sampled_from(["fallback_value", "code"]), VALUES),
    },
)
COMPONENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["header", "body", "button", "footer"]),
        "sub_type": st.sampled_from(["url", "quick_reply"]),
        "index": st.sampled_from(["0", "1", "2", 0]),
        "parameters": st.lists(PARAMETERS, max_size=3),
        "extra": st.just(1),
    },
)
NEARLY_GOOD = st.permutations([*GOOD, button("0", "quick_reply", payload="p")]).flatmap(
    lambda components: st.lists(st.sampled_from(components), min_size=1, max_size=4)
)


@given(name=st.sampled_from(sorted(CONTRACTS)), components=st.lists(COMPONENTS, max_size=4) | NEARLY_GOOD)
def test_the_validator_we_use_agrees_with_another(name, components):
    other = jsonschema.Draft202012Validator(CONTRACTS[name], registry=referencing.Registry())
    assert COMPILED[name].fits(components) == other.is_valid(components)


@given(name=st.sampled_from(sorted(CONTRACTS)), components=st.lists(COMPONENTS, max_size=4) | NEARLY_GOOD)
def test_the_other_validator_finds_an_error_at_the_place_that_we_name(name, components):
    found = COMPILED[name].problem(components)
    if found is None:
        return
    other = jsonschema.Draft202012Validator(CONTRACTS[name], registry=referencing.Registry())
    places = {tuple(error.absolute_path) for error in other.iter_errors(components)}
    assert found.place in places or found.place[:-1] in places
