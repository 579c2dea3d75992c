"""JSON Schemas, compiled once; their errors as a place and a sentence that never repeats the value."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, ValidationErrorKind

from gateway.domain.template import GRAMMAR, Place

_ARTICLE = {"object": "an object", "array": "a list", "string": "a text", "integer": "a whole number", "null": "null"}
_PLAIN_KEY = re.compile(r"[a-z_]{1,32}")
"""A key that looks like a word of a grammar, and not like what a customer wrote."""
_FIRST = ("const", "enum", "type", "required", "minItems", "maxItems")
"""What explains most comes first: a wrong kind, then what is missing, then the count."""


class SchemaInvalid(ValueError):
    """The document is no schema that we take."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at its place: what was expected, and, where the sentence doesn't say it, what came."""

    place: Place
    text: str
    came: str | None = None


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
        return next(iter(self.ranked(value, most=1)), None)

    def ranked(self, value: Any, *, most: int) -> list[Problem]:
        """The problems to name, what explains most comes first; none if the value fits."""
        if self._validator.is_valid(value):
            return []
        errors = sorted(_causes([*self._validator.iter_errors(value)]), key=_weight)
        return list(dict.fromkeys(map(self._explained, errors)))[:most]

    def problems(self, value: Any) -> Iterator[Problem]:
        """Every problem, in the order of their places."""
        found = map(self._explained, self._validator.iter_errors(value))
        yield from sorted(found, key=lambda problem: _sortable(problem.place))

    def _explained(self, error: ValidationError) -> Problem:
        around = self._around(error)
        place = (*error.instance_path, *_one_step_on(error.kind))
        if isinstance(error.kind, ValidationErrorKind.Required):
            return Problem(place, self._missing(error.kind.property, around))
        return Problem(place, _sentence(error, around), _came(error, around))

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


def _causes(errors: Sequence[ValidationError]) -> Iterator[ValidationError]:
    """Without what only follows: what is of a wrong type, or says that it is something else, is wrong in every way."""
    mistyped = {tuple(error.instance_path) for error in errors if isinstance(error.kind, ValidationErrorKind.Type)}
    mistaken = {tuple(error.instance_path[:-1]) for error in errors if _is_word(error)}
    for error in errors:
        path = tuple(error.instance_path)
        follows = path in mistyped and not isinstance(error.kind, ValidationErrorKind.Type)
        if not follows and not (_is_within(path, mistaken) and not _is_word(error)):
            yield error


def _is_word(error: ValidationError) -> bool:
    """Whether it is about a word of the grammar that says what an object is."""
    is_choice = isinstance(error.kind, ValidationErrorKind.Constant | ValidationErrorKind.Enum)
    return is_choice and error.instance_path[-1:] == ["type"]


def _is_within(path: Place, places: Collection[Place]) -> bool:
    return any(path[:length] in places for length in range(1, len(path) + 1))


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


# --- what came ------------------------------------------------------------------------------------------------------

_WORDS = frozenset({"type", "sub_type", "index", "card_index"})
"""Keys whose values are words or numbers of the platform's grammar."""


def _came(error: ValidationError, around: dict[str, Any]) -> str | None:
    """What stands there instead; None where the sentence says it, or where it is only too much of something."""
    match error.kind:
        case ValidationErrorKind.AdditionalProperties() | ValidationErrorKind.FalseSchema():
            return None
        case ValidationErrorKind.MinItems() | ValidationErrorKind.MaxItems():
            return None
        case ValidationErrorKind.Contains():
            return _count_of(around.get("contains", {}), _items(error))
    last = error.instance_path[-1] if error.instance_path else None
    return shape_of(error.instance, is_word=last in _WORDS)


def _count_of(wanted: dict[str, Any], items: list[Any]) -> str:
    keys = {key: told.get("const") for key, told in wanted.get("properties", {}).items()}
    fitting = [item for item in items if isinstance(item, dict) and all(item.get(k) == v for k, v in keys.items())]
    return str(len(fitting)) if fitting else "none"


def shape_of(value: Any, *, is_word: bool = False) -> str:
    """What a value is, without what it says; a word that the platform's grammar knows is told as it is."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value) if is_word and _is_grammar(value) else _text_shape(value)
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else "a number"


def _is_grammar(word: str) -> bool:
    return word in GRAMMAR or (word.isascii() and word.isdigit() and len(word) <= 3)


def _text_shape(text: str) -> str:
    if not text.strip():
        return "a blank text" if text else "an empty text"
    for mark, told in (
        ("\n", "a line break"),
        ("\r", "a line break"),
        ("\t", "a tab"),
        (" " * 5, "five spaces in a row"),
    ):
        if mark in text:
            return f"a text with {told}"
    return f"a text of {_counted(len(text), 'character')}"
