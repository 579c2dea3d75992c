from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.arguments import Origin, completed, normalise
from gateway.domain.hydration import ill_filled
from tests.template_factories import BODY, BUTTONS, a_definition, body, button, header, text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["BODY", "button", "parameters"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "sub_type", "index", "parameters", "text"]) | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def first_wrong(definition, components):
    return next(ill_filled(definition, components), None)


def test_components_stand_in_one_order_and_say_where_they_came_from():
    second, first = button(1, "url", text="a"), button("0", "quick_reply", payload="p")
    form = normalise([second, first, body("x"), header(image={"id": "1"})])
    assert [(c["type"], c.get("index")) for c in form.components] == [
        ("header", None),
        ("body", None),
        ("button", "0"),
        ("button", "1"),
    ]
    assert form.origins == tuple(map(Origin, (3, 2, 1, 0)))
    assert form.as_written((2, "parameters", 0)) == (1, "parameters", 0)


def test_buttons_are_ordered_by_number_not_by_letters():
    form = normalise([button(index, "quick_reply") for index in ("10", 9, "2")])
    assert [component["index"] for component in form.components] == ["2", "9", "10"]


def test_words_are_folded_to_lower_case_and_an_index_to_a_string():
    (component,) = normalise(
        [{"type": "BUTTON", "sub_type": "URL", "index": 1, "parameters": [{"type": "TEXT", "text": "A"}]}]
    ).components
    assert component == {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("A")]}


def test_an_index_may_be_written_with_zeros_in_front_and_a_truth_value_is_none():
    assert [c["index"] for c in normalise([{"index": "01"}, {"index": "00"}, {"index": True}]).components] == [
        "1",
        "0",
        True,
    ]


def test_an_index_of_ten_thousand_digits_is_only_a_wrong_index():
    assert normalise([{"type": "button", "index": "9" * 10_000}]).components[0]["index"] == "9" * 10_000


def test_the_request_is_left_as_it_was():
    component = {"type": "BODY", "parameters": [{"type": "TEXT", "text": "x"}]}
    normalise([component])
    assert component == {"type": "BODY", "parameters": [{"type": "TEXT", "text": "x"}]}


@given(st.lists(ANYTHING, max_size=4))
def test_anything_has_a_normal_form_which_is_its_own(components):
    form = normalise(components)
    assert normalise(form.components).components == form.components
    assert sorted(origin.index for origin in form.origins) == list(range(len(components)))


def test_components_that_carry_nothing_are_not_sent():
    form = normalise([{"type": "body", "parameters": []}, {"type": "header"}, button(0, "quick_reply", payload="p")])
    assert form.sendable().components == [button("0", "quick_reply", payload="p")]
    assert form.sendable().origins == (Origin(2),)


def test_a_body_may_have_1024_characters_with_its_arguments_and_not_one_more():
    definition = a_definition({"type": "BODY", "text": "Hello {{1}}."})
    assert first_wrong(definition, [body("x" * 1017)]) is None
    assert first_wrong(definition, [body("x" * 1018)]) == (
        (0, "parameters"),
        "expected at most 1024 characters in the body with its arguments, got 1025",
    )


def test_a_repeated_placeholder_counts_each_time():
    definition = a_definition({"type": "BODY", "text": "{{1}}{{1}}"})
    assert first_wrong(definition, [body("x" * 512)]) is None
    assert first_wrong(definition, [body("x" * 513)]) is not None


def test_a_named_body_is_measured_by_its_names():
    definition = a_definition({"type": "BODY", "text": "{{first}} {{last}}"}, parameter_format="NAMED")
    names = {"type": "body", "parameters": [text("x" * 500, parameter_name=name) for name in ("last", "first")]}
    assert first_wrong(definition, [names]) is None
    names["parameters"][0]["text"] = "x" * 524
    assert "got 1025" in first_wrong(definition, [names])[1]


def test_of_an_amount_the_fallback_is_measured():
    definition = a_definition({"type": "BODY", "text": "{{1}}"})
    amount = {"type": "currency", "currency": {"fallback_value": "x" * 1025, "code": "UAH", "amount_1000": 1}}
    assert first_wrong(definition, [{"type": "body", "parameters": [amount]}]) is not None


def test_a_header_may_have_60_characters():
    definition = a_definition(
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}, {"type": "BODY", "text": "Hi"}
    )
    assert first_wrong(definition, [header(text="x" * 54)]) is None
    assert "header" in first_wrong(definition, [header(text="x" * 55)])[1]


def test_a_url_may_have_2000_characters():
    definition = a_definition(BODY, BUTTONS)
    room = 2000 - len("https://shop.example/track/")
    assert first_wrong(definition, [button("1", "url", text="x" * room)]) is None
    assert "URL" in first_wrong(definition, [button("1", "url", text="x" * (room + 1))])[1]


def one(component):
    (found,) = normalise([component]).components
    return found


@pytest.mark.parametrize(("written", "number"), [(1.7e12, 1_700_000_000_000), (5, 5), (1.5, 1.5), (1e300, 1e300)])
def test_a_whole_number_is_one_however_json_writes_it(written, number):
    offer = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": written}}
    found = one({"type": "limited_time_offer", "parameters": [offer]})
    told = found["parameters"][0]["limited_time_offer"]["expiration_time_ms"]
    assert (told, type(told)) == (number, type(number))


@pytest.mark.parametrize(("written", "index"), [("1", 1), (1.0, 1), (1, 1), ("x", "x"), (True, True), (1.5, 1.5)])
def test_a_card_index_is_a_whole_number_however_it_is_written(written, index):
    (card,) = one({"type": "carousel", "cards": [{"card_index": written}]})["cards"]
    assert (card["card_index"], type(card["card_index"])) == (index, type(index))


def test_nulls_beside_what_is_said_are_nothing():
    typed = {"type": "body", "sub_type": None, "index": None, "cards": None, "parameters": None}
    assert one(typed) == {"type": "body"}
    parameter = {"type": "text", "text": "x", "image": None, "parameter_name": None}
    assert one({"type": "body", "parameters": [parameter]}) == body("x")


def test_a_null_where_something_is_asked_for_stays_to_be_told():
    assert one({"type": "body", "parameters": [{"type": "text", "text": None}]}) == body(None)


def test_a_flow_on_a_card_is_completed_as_well():
    card = {"components": [{"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book"}]}]}
    definition = a_definition(BODY, {"type": "CAROUSEL", "cards": [card, card]})
    cards = [{"card_index": index, "components": []} for index in (0, 1)]
    flow = {"type": "button", "sub_type": "flow", "index": "0"}
    (carousel,) = completed(definition, [{"type": "carousel", "cards": cards}])
    assert [card["components"] for card in carousel["cards"]] == [[flow], [flow]]
