"""The schemas that ship: valid, closed to the network, and able to say of every place what was expected there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry

from gateway.domain.errors import InvalidRequest
from gateway.shipped import shipped
from gateway.web.shapes import SHAPES, Shape, shape


def document(name: str) -> dict[str, Any]:
    text = (shipped("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def places(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in schema.get("properties", {}).values():
        yield part
        yield from places(part)
    if "items" in schema:
        yield schema["items"]
        yield from places(schema["items"])


@pytest.mark.parametrize("name", SHAPES)
def test_a_shipped_schema_is_valid_and_describes_every_place(name: str) -> None:
    schema = document(name)
    Draft202012Validator.check_schema(schema)
    assert [part for part in places(schema) if not part.get("description")] == []
    assert "$ref" not in json.dumps(schema)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**16) | st.floats(-5, 5) | st.text(max_size=25),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def bodies(name: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = document(name)["properties"]
    likely = st.sampled_from(
        [
            1,
            2,
            4,
            "a",
            "",
            "x" * 21,
            "380501234567",
            "https://a.b/c.png",
            "https://a.b/c",
            {},
            {"name": "n"},
            "template",
        ]
    )
    return st.dictionaries(st.sampled_from([*fields, "other"]), likely | ANYTHING, max_size=8)


@pytest.mark.parametrize("name", SHAPES)
@settings(deadline=None)
@given(data=st.data())
def test_a_shape_takes_and_refuses_what_another_validator_does(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies(name))
    oracle = Draft202012Validator(document(name), registry=Registry())
    if oracle.is_valid(body):
        shape(name).check(body)
    else:
        with pytest.raises(InvalidRequest, match=r"^expected "):
            shape(name).check(body)


def test_the_first_wrong_field_in_the_order_of_the_document_is_named() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        shape("send-whatsapp").check({"text": 5, "message_type": 3, "source_addr": "S"})
    assert refusal.value.field == "destination_addr"


def test_the_path_of_an_inner_place_is_named_and_the_field_that_holds_it() -> None:
    inner = {"template": {"components": [{"type": "body"}, {"type": 7}]}}
    with pytest.raises(InvalidRequest) as refusal:
        shape("template-params").check(inner, field="template_params")
    assert (refusal.value.field, refusal.value.path) == ("template_params", "$.template.components[1].type")


def test_a_schema_that_refers_elsewhere_is_not_fetched() -> None:
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        Shape({"$ref": "http://127.0.0.1:9/schema.json"})
