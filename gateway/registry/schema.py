"""JSON Schemas, compiled once; their errors as a place and a sentence that never repeats the value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, ValidationErrorKind

from gateway.domain.template import Place

_ARTICLE = {"object": "an object", "array": "a list", "string": "a text", "integer": "a whole number", "null": "null"}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_FIRST = ("const", "enum", "type", "required", "minItems", "maxItems")
"""What explains most comes first: a wrong kind, then what is missing, then the count."""


class SchemaInvalid(ValueError):
    """The document is no schema that we take."""


@dataclass(frozen=True, slots=True)
class Problem:
    place: Place
    text: str


class Schema:
    """A schema of draft 2020-12. It fetches nothing, and its patterns run in linear time (no look-around)."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        try:
            self._validator = Draft202012Validator(document, pattern_options=RegexOptions(), offline=True)
        except (ValidationError, ValueError) as error:
            raise SchemaInvalid(_told(error)) from None

    def fits(self, value: Any) -> bool:
        return self._validator.is_valid(value)

    def problem(self, value: Any) -> Problem | None:
        """The problem to name first, None if the value fits."""
        if self._validator.is_valid(value):
            return None
        return self._explained(min(self._validator.iter_errors(value), key=_weight))

    def problems(self, value: Any) -> Iterator[Problem]:
        """Every problem, in the order of their places."""
        found = map(self._explained, self._validator.iter_errors(value))
        yield from sorted(found, key=lambda problem: _sortable(problem.place))

    def _explained(self, error: ValidationError) -> Problem:
        around = self._around(error)
        place = (*error.instance_path, *_one_step_on(error.kind))
        if isinstance(error.kind, ValidationErrorKind.Required):
            return Problem(place, self._missing(error.kind.property, around))
        return Problem(place, _sentence(error, around))

    def _missing(self, name: str, around: dict[str, Any]) -> str:
        wanted = around.get("properties", {}).get(name)
        told = _worded(wanted) or _worded(self._referred(wanted))
        return f"is missing; expected {told}" if told else "is missing"

    def _referred(self, part: Any) -> Any:
        """What a part of the schema refers to by a plain pointer, one step on; None if it doesn't."""
        match part:
            case {"$ref": str(pointer)}:
                found: Any = self.document
                for step in pointer.split("/")[1:]:
                    found = found.get(step) if isinstance(found, dict) else None
                return found
        return None

    def _around(self, error: ValidationError) -> dict[str, Any]:
        """The part of the schema in which the keyword stands that failed."""
        part: Any = self.document
        for step in error.schema_path[:-1]:
            part = part[step]
        return part if isinstance(part, dict) else {}


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        where = "/".join(map(str, error.instance_path))
        return f"at {where}: {error.message}" if where else error.message
    return str(error)


def _weight(error: ValidationError) -> tuple[bool, int, int, list[tuple[bool, str | int]]]:
    """The outer before the inner; but what the whole lacks is told last: most often a part that is there was meant."""
    rank = _FIRST.index(error.kind.name) if error.kind.name in _FIRST else len(_FIRST)
    return (not error.instance_path, rank, len(error.instance_path), _sortable(error.instance_path))


def _sortable(path: Sequence[str | int]) -> list[tuple[bool, str | int]]:
    return [(isinstance(step, str), step) for step in path]


def _one_step_on(kind: ValidationErrorKind) -> Place:
    """A key that is missing, or too many, is the place itself; one that could hold anything is not repeated."""
    match kind:
        case ValidationErrorKind.Required(name):
            return (name,)
        case ValidationErrorKind.AdditionalProperties([str(name), *_]) if _PLAIN_KEY.fullmatch(name):
            return (name,)
    return ()


def _sentence(error: ValidationError, around: dict[str, Any]) -> str:
    match error.kind:
        case ValidationErrorKind.AdditionalProperties():
            return f"expected no such key; known here: {', '.join(around.get('properties', {})) or 'none'}"
        case ValidationErrorKind.MinItems() | ValidationErrorKind.MaxItems():
            return _count(error, around)
        case ValidationErrorKind.FalseSchema():
            return "expected nothing here"
    return f"expected {_expected(error.kind, around)}"


def _worded(part: Any) -> str | None:
    """What a part of a schema asks for, if it can be said in a few words."""
    match part:
        case {"description": str(told)}:
            return told
        case {"const": value}:
            return json.dumps(value)
        case {"enum": [*options]}:
            return _one_of(options)
        case {"type": str(name)}:
            return _kinds([name])
    return None


def _kinds(names: Sequence[str]) -> str:
    return " or ".join(_ARTICLE.get(name, f"a {name}") for name in names)


def _one_of(options: Sequence[Any]) -> str:
    return f"one of {', '.join(map(json.dumps, options))}" if len(options) > 1 else json.dumps(options[0])


def _expected(kind: ValidationErrorKind, around: dict[str, Any]) -> str:
    match kind:
        case ValidationErrorKind.Type(types):
            return _kinds(types)
        case ValidationErrorKind.Constant(value):
            return json.dumps(value)
        case ValidationErrorKind.Enum(options) if "description" not in around:
            return _one_of(options)
        case ValidationErrorKind.MinLength(limit):
            return f"at least {_counted(limit, 'character')}"
        case ValidationErrorKind.MaxLength(limit):
            return f"at most {_counted(limit, 'character')}"
    return str(around.get("description") or f"a value that fits `{kind.name}` of the schema")


def _count(error: ValidationError, around: dict[str, Any]) -> str:
    """How many there should be, and the first that is missing in the words of its description."""
    least, most, got = around.get("minItems", 0), around.get("maxItems"), len(_items(error))
    bound = least if least == most else f"at least {least}" if got < least else f"at most {most}"
    expected = f"expected {_counted(bound, around.get('title', 'item'))}, got {got}"
    absent = around.get("prefixItems", [])[got : got + 1]
    told = [f"{slot['title']} is missing in: {slot['description']}" for slot in absent if "title" in slot]
    return "; ".join([expected, *told])


def _items(error: ValidationError) -> list[Any]:
    return error.instance if isinstance(error.instance, list) else []


def _counted(number: int | str, noun: str) -> str:
    told = "no" if number in (0, "at most 0") else number
    return f"{told} {noun}" if str(number).split()[-1] == "1" else f"{told} {noun}s"
