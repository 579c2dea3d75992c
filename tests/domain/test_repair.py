"""Mending arguments: only what is allowed, only what is needed, and all of it told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.hydration import ill_filled
from gateway.domain.repair import NO_REPAIR, Mending, Repair, RepairPolicy, repaired
from tests.template_factories import BODY, BUTTONS, a_definition, body, button, header, text

FLATTEN = RepairPolicy(flatten=True)
SHORTEN = RepairPolicy(shorten=True)
EMPTY = RepairPolicy(empty="-")
ALL = RepairPolicy(flatten=True, shorten=True, empty="-")
PLAIN = a_definition(BODY)
CARD = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Take {{1}} now"}]}


def told(*repairs):
    return tuple(Repair(place, mending) for place, mending in repairs)


@pytest.mark.parametrize("policy", [NO_REPAIR, RepairPolicy(flatten=False, shorten=False)])
def test_nothing_is_mended_unless_it_is_asked_for(policy):
    components = [body("a\nb", "x" * 2000)]
    assert repaired(PLAIN, components, policy) == (components, ())


def test_white_space_is_flattened():
    mended, repairs = repaired(PLAIN, [body("a\n b\t", "fine")], FLATTEN)
    assert mended == [body("a b", "fine")]
    assert repairs == told(((0, "parameters", 0, "text"), Mending.FLATTENED))


def test_white_space_that_the_platform_takes_stays():
    assert repaired(PLAIN, [body("a    b", " c ")], FLATTEN) == ([body("a    b", " c ")], ())


@pytest.mark.parametrize("empty", ["", "  ", "\n", None])
def test_an_empty_argument_gets_what_stands_for_it(empty):
    mended, repairs = repaired(PLAIN, [body("a", empty)], EMPTY)
    assert mended == [body("a", "-")]
    assert repairs == told(((0, "parameters", 1, "text"), Mending.DEFAULTED))


def test_an_argument_without_a_text_gets_what_stands_for_it():
    assert repaired(PLAIN, [{"type": "body", "parameters": [text("a"), {"type": "text"}]}], EMPTY)[0] == [
        body("a", "-")
    ]


def test_the_longest_argument_is_shortened_until_the_text_fits():
    mended, repairs = repaired(PLAIN, [body("Ann", "x" * 2000)], SHORTEN)
    (name, order) = (each["text"] for each in mended[0]["parameters"])
    assert name == "Ann"
    assert order.endswith("x…")
    assert len(PLAIN.body.bound({"1": name, "2": order})) == 1024
    assert repairs == told(((0, "parameters", 1, "text"), Mending.SHORTENED))


def test_a_text_of_1024_characters_is_left_as_it_is():
    room = 1024 - len(PLAIN.body.bound({"1": "", "2": ""}))
    assert repaired(PLAIN, [body("a", "x" * (room - 1))], SHORTEN)[1] == ()


def test_a_header_is_shortened_to_60_characters():
    definition = a_definition({"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}, BODY)
    mended, _ = repaired(definition, [header(text="x" * 80), body("a", "b")], SHORTEN)
    assert len(mended[0]["parameters"][0]["text"]) == 54


def test_a_card_is_mended_in_its_place():
    definition = a_definition(BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]})
    cards = [{"card_index": index, "components": [body("a\nb")]} for index in (0, 1)]
    mended, repairs = repaired(definition, [body("a", "b"), {"type": "carousel", "cards": cards}], FLATTEN)
    assert mended[1]["cards"][1]["components"] == [body("a b")]
    assert [repair.place for repair in repairs] == [
        (1, "cards", card, "components", 0, "parameters", 0, "text") for card in (0, 1)
    ]


def test_only_texts_are_mended():
    amount = {"type": "currency", "currency": {"fallback_value": "", "code": "UAH", "amount_1000": 1}}
    components = [{"type": "body", "parameters": [amount, text("a\nb")]}, button("1", "url", text="a\nb")]
    assert repaired(a_definition(BODY, BUTTONS), components, ALL) == (components, ())


def test_a_templates_own_policy_goes_before_its_senders():
    mine, theirs = RepairPolicy(flatten=False, empty="?"), RepairPolicy(flatten=True, shorten=True, empty="-")
    assert mine.over(theirs) == RepairPolicy(flatten=False, shorten=True, empty="?")


def test_a_repair_reads_as_a_place_and_a_word():
    assert str(Repair((0, "parameters", 1, "text"), Mending.SHORTENED)) == "[0].parameters[1].text shortened"


@given(st.lists(st.text(max_size=1500), min_size=2, max_size=2))
def test_what_may_all_be_mended_fits(values):
    mended, _ = repaired(PLAIN, [body(*values)], ALL)
    assert list(ill_filled(PLAIN, mended)) == []
    for parameter in mended[0]["parameters"]:
        assert parameter["text"].strip()
        assert not set(parameter["text"]) & set("\n\r\t")


NONSENSE = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "parameters", "cards", "components", "text"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.lists(NONSENSE, max_size=3))
def test_nonsense_stays_nonsense(components):
    repaired(a_definition(BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]}), components, ALL)


NAMED = a_definition({"type": "BODY", "text": "{{first}} and {{last}} too"}, parameter_format="NAMED")


@pytest.mark.parametrize("name", ["third", None, 5, ["first"], {"a": 1}])
def test_a_name_that_there_is_not_is_left_to_the_contract(name):
    components = [{"type": "body", "parameters": [text("x" * 2000, parameter_name=name), text("y")]}]
    assert repaired(NAMED, components, SHORTEN) == (components, ())
