from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import CannotStart
from gateway.provider.sandbox.filling import fill
from gateway.provider.sandbox.misfit import Misfit
from gateway.provider.sandbox.templates import Catalogue, read_template
from tests.provider.sandbox.stage import ANSWER, PARCEL

IMAGE = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/a.png"}}]}
TRACK = {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "77"}]}


def text(value: object, **fields: object) -> dict[str, object]:
    return {"type": "text", "text": value, **fields}


def body(*parameters: object) -> dict[str, object]:
    return {"type": "body", "parameters": list(parameters)}


NAMED = body(text("Olena", parameter_name="customer"), text("77", parameter_name="number"))


def test_named_parameters_are_filled_in_any_order():
    turned = body(*reversed(NAMED["parameters"]))  # type: ignore[call-overload]
    for component in (NAMED, turned):
        filled = fill(read_template(PARCEL), [IMAGE, component, TRACK])
        assert filled.text == (
            "<image https://example.com/a.png>\nOlena, your parcel 77 is here.\n[Track https://example.com/t/77]"
        )


@pytest.mark.parametrize(
    "components",
    [
        [NAMED, TRACK],
        [IMAGE, TRACK],
        [IMAGE, NAMED],
        [IMAGE, IMAGE, NAMED, TRACK],
        [IMAGE, body(text("Olena"), text("77")), TRACK],
        [IMAGE, body(text("Olena", parameter_name="customer"), text("7", parameter_name="customer")), TRACK],
        [IMAGE, body(text("Olena", parameter_name="customer"), text("7", parameter_name="order")), TRACK],
        [{"type": "header", "parameters": [text("A header")]}, NAMED, TRACK],
        [{"type": "header", "parameters": [{"type": "image", "image": {}}]}, NAMED, TRACK],
        [{"type": "header", "parameters": [{"type": "image", "image": {"link": "file:///a.png"}}]}, NAMED, TRACK],
        [IMAGE, NAMED, {**TRACK, "sub_type": "quick_reply"}],
        [IMAGE, NAMED, {**TRACK, "index": 1}],
        [IMAGE, NAMED, {**TRACK, "parameters": []}],
        [IMAGE, NAMED, {**TRACK, "index": True}],
        [IMAGE, NAMED, {**TRACK, "parameters": [text("7 7")]}],
        [IMAGE, NAMED, {**TRACK, "parameters": [text("7" * 2000)]}],
        [IMAGE, NAMED, TRACK, {"type": "footer"}],
        [IMAGE, NAMED, TRACK, "footer"],
    ],
)
def test_what_does_not_fit_the_definition_is_a_misfit(components: list[object]):
    with pytest.raises(Misfit):
        fill(read_template(PARCEL), components)


@pytest.mark.parametrize("value", ["", " ", "a\nb", "a\tb", "a     b", None, 7, "x" * 1024])
def test_a_parameter_obeys_the_platform_s_rules_for_texts(value: object):
    with pytest.raises(Misfit):
        fill(read_template(ANSWER), [body(text(value))])


@pytest.mark.parametrize("kind", [None, [], {}, 7, "image"])
def test_a_parameter_of_a_type_that_is_none_is_a_misfit(kind: object):
    with pytest.raises(Misfit):
        fill(read_template(ANSWER), [body({"type": kind, "text": "x"})])


def test_four_spaces_and_a_body_of_exactly_1024_characters_fit():
    around = len("We have an answer to your request . Reply to read it.")
    value = "a    b".ljust(1024 - around, "x")
    assert len(fill(read_template(ANSWER), [body(text(value))]).text.splitlines()[0]) == 1024


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_wrong_number_of_parameters_is_a_misfit(count: int):
    with pytest.raises(Misfit, match=f"expected 1 parameters, not {count}"):
        fill(read_template(ANSWER), [body(*[text("x")] * count)])


def test_money_and_dates_show_their_fallback_value():
    money = {"type": "currency", "currency": {"fallback_value": "$7", "code": "USD", "amount_1000": 7000}}
    assert "request $7." in fill(read_template(ANSWER), [body(money)]).text


def test_what_looks_like_a_slot_in_a_value_stays_as_it_is():
    assert "request {{1}}." in fill(read_template(ANSWER), [body(text("{{1}}"))]).text


def test_a_quick_reply_may_carry_a_payload_and_nothing_else():
    payload = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": 0,
        "parameters": [{"type": "payload", "payload": "p"}],
    }
    assert fill(read_template(ANSWER), [body(text("x")), payload]).buttons[0].payload == "p"
    with pytest.raises(Misfit):
        fill(read_template(ANSWER), [body(text("x")), {**payload, "parameters": [text("p")]}])


def test_a_link_without_a_slot_takes_no_parameter():
    button = {"type": "URL", "text": "Help", "url": "https://example.com/help"}
    definition = {**ANSWER, "components": [{"type": "BUTTONS", "buttons": [button]}]}
    assert fill(read_template(definition), None).text == "[Help https://example.com/help]"
    with pytest.raises(Misfit, match="expected no parameters"):
        fill(read_template(definition), [TRACK])


def test_a_header_of_text_takes_its_one_parameter_and_60_characters():
    definition = {**ANSWER, "components": [{"type": "HEADER", "format": "TEXT", "text": "About {{1}}"}]}
    header = {"type": "HEADER", "parameters": [text("your parcel")]}
    assert fill(read_template(definition), [header]).text == "About your parcel"
    with pytest.raises(Misfit, match="at most 60"):
        fill(read_template(definition), [{**header, "parameters": [text("x" * 55)]}])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["body", "header", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "parameters", "text", "index", "sub_type", "image"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_filling_fails_in_no_other_way(components: object):
    for definition in (ANSWER, PARCEL):
        with suppress(Misfit):
            assert fill(read_template(definition), components).text


@pytest.mark.parametrize("text", ["", "[]", "name: [", "name: x", "{name: x, language: y, components: [7]}", "\x00"])
def test_a_file_that_is_no_definition_is_named(tmp_path: Path, text: str):
    (tmp_path / "broken.yaml").write_text(text)
    with pytest.raises(CannotStart, match=r"broken\.yaml: is no template definition"):
        Catalogue(tmp_path)


def test_definitions_are_read_from_a_folder_in_either_case(tmp_path: Path):
    (tmp_path / "a.en_US.yaml").write_text(
        """
        name: order
        language: en_US
        parameter_format: named
        status: approved
        components: [{type: body, text: "Thank you, {{first_name}}!"}]
        fill: {body: {first_name: "{{ contact.name }}"}}
        """
    )
    (tmp_path / "notes.txt").write_text("not a template")
    templates: Any = Catalogue(tmp_path).templates
    assert list(templates) == [("order", "en_US")]
    order = templates["order", "en_US"]
    assert (order.is_named, order.status) == (True, "APPROVED")
    assert fill(order, [body(text("Olena", parameter_name="first_name"))]).text == "Thank you, Olena!"
