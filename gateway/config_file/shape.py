"""The shape of the configuration, by its JSON Schema, told so that an operator knows what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry

from gateway.config_file.tree import Place, Problem, Tree
from gateway.shipped import shipped

_TYPES = {
    "object": "a mapping (`key: value` lines)",
    "array": "a list",
    "string": "text, in quotes if it is a number",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_WORDS = {"true": True, "false": False}


@cache
def _schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((shipped("schemas") / "config.schema.json").read_text(encoding="utf-8"))
    return document


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_schema(), registry=Registry())


def convert(tree: Tree, whole: Collection[Place]) -> None:
    """Turn texts that came whole from a variable into the number or truth value that is expected there."""
    for error in list(_validator().iter_errors(tree)):
        place = tuple(error.absolute_path)
        if error.validator == "type" and place in whole:
            _put(tree, place, _scalar(str(error.instance), _around(error)["type"]))


def _scalar(text: str, expected: str) -> Any:
    if expected == "boolean":
        return _WORDS.get(text.lower(), text)
    if expected == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if expected == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text


def _put(tree: Tree, place: Place, value: Any) -> None:
    for step in place[:-1]:
        tree = tree[step]
    tree[place[-1]] = value


def problems_of_shape(tree: Tree) -> Iterator[Problem]:
    """Every place where the values don't fit the schema, and what was expected there."""
    for error in _validator().iter_errors(tree):
        place = tuple(error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from _unknown_keys(error, place)
            case "required":
                yield from _missing_keys(error, place)
            case keyword:
                yield place, f"expected {_expected(str(keyword), _around(error))}"


def _around(error: ValidationError) -> dict[str, Any]:
    """The part of the schema in which the keyword stands that failed."""
    return dict(error.schema) if isinstance(error.schema, Mapping) else {}


def _unknown_keys(error: ValidationError, place: Place) -> Iterator[Problem]:
    known = _around(error)["properties"]
    for key in _mapping(error):
        if key not in known:
            near = get_close_matches(key, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            yield (*place, key), f"is no key of ours; {remedy}"


def _missing_keys(error: ValidationError, place: Place) -> Iterator[Problem]:
    for key in _around(error)["required"]:
        if key not in _mapping(error):
            yield (*place, key), "is missing; add it as config.example.yaml shows"


def _mapping(error: ValidationError) -> dict[str, Any]:
    return error.instance if isinstance(error.instance, dict) else {}


def _expected(keyword: str, around: dict[str, Any]) -> str:
    limit = around[keyword]
    if "description" in around:
        return str(around["description"])
    match keyword:
        case "enum":
            return " or ".join(", ".join(limit).rsplit(", ", 1))
        case "type":
            return _TYPES[limit]
        case "minItems":
            return f"at least {limit} of them"
    return f"a number of {'at least' if keyword == 'minimum' else 'at most'} {limit}"
