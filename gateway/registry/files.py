"""The operator's files: registered templates, and the hand-written schemas that tighten their contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gateway.config_file.reading import Unreadable, read_text, read_yaml
from gateway.domain.contract import DIALECT
from gateway.domain.definition import DefinitionInvalid, define
from gateway.domain.repair import UNSAID, RepairPolicy
from gateway.domain.template import Place, TemplateDefinition, fold_language
from gateway.registry.fill import Fill, FillInvalid, compile_fill
from gateway.registry.schema import Schema, SchemaInvalid
from gateway.shipped import shipped

LARGEST_TEMPLATE = 256 * 1024
_LARGEST_SCHEMA = 32 * 1024
_FOREIGN = ("$id", "$dynamicRef", "$dynamicAnchor", "$vocabulary")


class FileInvalid(ValueError):
    """Every problem of one file, each with its place in it."""

    def __init__(self, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(text for _, text in problems))


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template as its file says it; without `fill` it can't stand in for free-form content."""

    definition: TemplateDefinition
    fill: Fill | None
    repair: RepairPolicy = UNSAID


def read_template(path: Path) -> TemplateFile:
    """The template in ``<name>.<language>.yaml``. Raises FileInvalid with all problems."""
    try:
        document = read_yaml(path, largest=LARGEST_TEMPLATE)
    except Unreadable as unreadable:
        raise FileInvalid([((), problem) for problem in unreadable.problems]) from None
    file = template_from(document)
    _expect_name(path, file.definition)
    return file


def template_from(values: Any) -> TemplateFile:
    """The template in the values of a file. Raises FileInvalid with all problems."""
    _expect_whole_characters(values)
    document = _shaped(values)
    fill, repair = document.pop("fill", None), document.pop("repair", {})
    try:
        definition = define(document)
    except DefinitionInvalid as invalid:
        raise FileInvalid(invalid.problems) from None
    try:
        compiled = None if fill is None else compile_fill(definition, fill)
    except FillInvalid as invalid:
        raise FileInvalid([(("fill", *place), text) for place, text in invalid.problems]) from None
    return TemplateFile(definition, compiled, RepairPolicy(**repair))


def raw_template(path: Path) -> dict[str, Any] | None:
    """What stands in the file, unchecked; None if that is no mapping of keys to values."""
    try:
        document = read_yaml(path, largest=LARGEST_TEMPLATE)
    except Unreadable:
        return None
    return document if isinstance(document, dict) else None


def _shaped(document: Any) -> dict[str, Any]:
    try:
        problems = [(problem.place, problem.text) for problem in _file_schema().problems(document)]
    except ValueError:
        raise FileInvalid([((), "holds a value that JSON does not know; remove its !!tag")]) from None
    if problems:
        raise FileInvalid(problems)
    return dict(document)


@cache
def _file_schema() -> Schema:
    path = shipped("schemas") / "template-file.schema.json"
    return Schema(json.loads(path.read_text(encoding="utf-8")))


def _expect_name(path: Path, definition: TemplateDefinition) -> None:
    name, _, language = path.name.removesuffix(".yaml").partition(".")
    if (name, fold_language(language)) != (definition.name, definition.language):
        expected = f"{definition.name}.{definition.language}.yaml"
        raise FileInvalid([(("name",), f"does not agree with the file's name; rename the file to {expected}")])


# --- tightenings ----------------------------------------------------------------------------------------------------


def read_tightening(path: Path) -> Schema:
    """The schema in a JSON file; it stands alone, so that nothing is ever fetched. Raises FileInvalid."""
    try:
        return _tightening(read_text(path, largest=_LARGEST_SCHEMA))
    except Unreadable as unreadable:
        raise FileInvalid([((), problem) for problem in unreadable.problems]) from None
    except RecursionError:
        raise FileInvalid([((), "is nested too deeply; make it flatter")]) from None


def _expect_whole_characters(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FileInvalid([((), "holds half of a character (a lone surrogate); correct its text")]) from None
    except (TypeError, ValueError):  # a value that JSON does not know is told with its place
        return


def parse_json(text: str) -> Any:
    """The values of a JSON text. Raises FileInvalid."""
    try:
        return json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refused)
    except ValueError as error:
        raise FileInvalid([((), f"is not JSON that we take: {error}")]) from None
    except RecursionError:
        raise FileInvalid([((), "is nested too deeply; make it flatter")]) from None


def _tightening(text: str) -> Schema:
    document = parse_json(text)
    if not isinstance(document, dict):
        raise FileInvalid([((), "expected an object, a JSON Schema")])
    problems = list(_foreign(document, ()))
    if problems:
        raise FileInvalid(problems)
    return _compiled(document)


def _compiled(document: dict[str, Any]) -> Schema:
    try:
        return Schema(document)
    except SchemaInvalid as invalid:
        raise FileInvalid([((), f"is no JSON Schema that we take: {invalid}; look-around is not supported")]) from None


def _foreign(part: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Whatever would lead out of the document, or to another dialect."""
    if isinstance(part, list):
        for index, item in enumerate(part):
            yield from _foreign(item, (*place, index))
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        if key == "$ref" and not (isinstance(value, str) and value.startswith("#")):
            yield (*place, key), 'expected a reference inside this file, starting with "#"'
        elif key in _FOREIGN:
            yield (*place, key), f"{key} is not supported; remove it"
        elif key == "$schema" and value != DIALECT:
            yield (*place, key), f"expected {DIALECT}"
        yield from _foreign(value, (*place, key))


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return unique


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
