"""The shapes of outside requests: JSON Schema documents that ship, compiled once.

What an error says comes from the descriptions in the document, so it never repeats what a customer wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, cast

import jsonschema_rs

from gateway.domain.errors import InvalidRequest, MissingField
from gateway.domain.message import JsonObject
from gateway.shipped import shipped
from gateway.web.json_path import path_of

SHAPES = (
    "send-whatsapp",
    "send-whatsapp-bare",
    "template-params",
    "receive-whatsapp",
    "native-message",
    "cloud-message",
)

Step = str | int

_MISSING = "; it is missing"
"""How what is said of a field ends that is not there."""


class Shape:
    """One compiled document."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self.fields = frozenset(schema.get("properties", ()))
        """The names that mean something in the outermost object."""
        self.document = schema
        self._validator = jsonschema_rs.Draft202012Validator(
            schema, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )

    def check(self, instance: JsonObject, *, field: str | None = None) -> None:
        """Raise InvalidRequest for the first place that does not fit, in the order in which the document names them.

        `field` is the outer field to blame; without it, it is the first step of the path.
        """
        if self._validator.is_valid(instance):
            return
        wrong = min(map(self._wrong, self._validator.iter_errors(instance)), key=self._order)
        steps, expected = wrong
        kind = MissingField if expected.endswith(_MISSING) else InvalidRequest
        raise kind(field or str(steps[0]), expected, path=path_of(steps))

    def _wrong(self, error: jsonschema_rs.ValidationError) -> tuple[Sequence[Step], str]:
        steps = cast(list[Step], list(error.instance_path))
        match error.kind:
            case jsonschema_rs.ValidationErrorKind.Required(missing):
                place = [*steps, missing]
                return place, f"expected {self._description(place)}{_MISSING}"
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected):
                return [*steps, unexpected[0]], "expected no field of this name"
            case _:
                return steps, f"expected {self._description(steps)}"

    def _order(self, wrong: tuple[Sequence[Step], str]) -> int:
        order = list(self._schema["properties"])
        return order.index(wrong[0][0]) if wrong[0] and wrong[0][0] in order else len(order)

    def _description(self, steps: Iterable[Step]) -> str:
        part = self._schema
        for step in steps:
            part = part["items"] if isinstance(step, int) else part["properties"][step]
        return str(part["description"])


@cache
def shape(name: str) -> Shape:
    """The shape of ``schemas/<name>.schema.json`` as it ships."""
    document = shipped("schemas") / f"{name}.schema.json"
    return Shape(json.loads(document.read_text(encoding="utf-8")))
