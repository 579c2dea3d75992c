"""Definitions as the platform's API returns them, or takes them, become template files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.config_file.reading import Unreadable, read_text
from gateway.domain.ladder import Key
from gateway.domain.template import Place, fold_language, shown
from gateway.registry.files import LARGEST_TEMPLATE, FileInvalid, parse_json, raw_template, template_from
from gateway.registry.loading import key_of, template_paths
from gateway.registry.rendering import fill_written_in, rendered

OURS = ("namespace", "repair", "fill")
"""What an operator writes into a file beside what the platform returns: an import keeps it."""


class Outcome(StrEnum):
    WRITTEN = "written"
    REPLACED = "replaced"
    SAME = "same"
    """The file says the same already."""
    DIFFERS = "differs"
    """There is a file that says something else, and nobody wanted it replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of one definition."""

    name: str
    language: str
    status: str
    path: Path
    outcome: Outcome
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Import:
    """Takes one definition after the other; what can't be taken is noted with its place, and the others are taken."""

    folder: Path
    replaces: bool = False
    writes: bool = True
    taken: list[Imported] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    has_next_page: bool = False
    """The platform has more to tell than was read."""
    _seen: set[Key] = field(default_factory=set)

    def everything_in(self, text: str) -> None:
        """All definitions of a JSON text."""
        try:
            values = parse_json(text)
            found = _definitions_in(values)
        except FileInvalid as invalid:
            self._note((), invalid)
            return
        self.has_next_page = _has_next_page(values)
        for place, document in found:
            try:
                self.taken.append(self._take(document))
            except FileInvalid as invalid:
                self._note(place, invalid)
            except RecursionError:
                self._note(place, FileInvalid([((), "is nested too deeply")]))

    def _note(self, place: Place, invalid: FileInvalid) -> None:
        self.problems += [(shown((*place, *inner)), text) for inner, text in invalid.problems]

    def _take(self, raw: Any) -> Imported:
        document = _without_nulls(raw)
        notes = _supplement(document) if isinstance(document, dict) else ()
        definition = template_from(document).definition
        key = (definition.name, definition.language)
        if key in self._seen:
            raise FileInvalid([((), f"{'/'.join(key)} stands here a second time; remove one of the two")])
        self._seen.add(key)
        existing = {key_of(path): path for path in template_paths(self.folder)}.get(key)
        path = existing or self.folder / f"{definition.name}.{document['language']}.yaml"
        outcome = self._put(path, document) if existing is None else self._put_again(path, document)
        return Imported(name=key[0], language=key[1], status=definition.status, path=path, outcome=outcome, notes=notes)

    def _put(self, path: Path, document: dict[str, Any]) -> Outcome:
        self._write(path, _text_of(document))
        return Outcome.WRITTEN

    def _put_again(self, path: Path, document: dict[str, Any]) -> Outcome:
        """Over a file that is there."""
        there = raw_template(path)
        if there is not None and _platforms(there) == _platforms(document):
            return Outcome.SAME
        if not self.replaces:
            return Outcome.DIFFERS
        if there is None:
            raise FileInvalid([((), f"{path} can't be read, so its fill can't be kept; correct it or remove it")])
        document = document | {key: there[key] for key in OURS if key in there}
        _expect_fitting_fill(path, document)
        self._write(path, _text_of(document, fill_as_written=_fill_of(path)))
        return Outcome.REPLACED

    def _write(self, path: Path, text: str) -> None:
        if not self.writes:
            return
        try:
            write_whole(path, text)
        except OSError as error:
            raise FileInvalid([((), f"{path} can't be written: {error.strerror}")]) from None


def _definitions_in(values: Any) -> list[tuple[Place, Any]]:
    """Those of a page of the API, of a list, or the only one."""
    match values:
        case {"data": [*listed]}:
            return [(("data", index), document) for index, document in enumerate(listed)]
        case [*listed]:
            return [((index,), document) for index, document in enumerate(listed)]
        case {"name": _}:
            return [((), values)]
    expected = 'expected {"data": [...]} as the platform\'s API answers, a list of definitions, or one definition'
    raise FileInvalid([((), expected)])


def _has_next_page(values: Any) -> bool:
    paging = values.get("paging") if isinstance(values, Mapping) else None
    return isinstance(paging, Mapping) and bool(paging.get("next"))


def _without_nulls(value: Any) -> Any:
    """In a file, a key without a value is as if absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _supplement(document: dict[str, Any]) -> tuple[str, ...]:
    """What creation takes has no status yet."""
    if "status" in document:
        return ()
    document["status"] = "PENDING"
    return ("has no status, so it is PENDING",)


def _platforms(document: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in document.items() if key not in OURS}
    return own | {"language": fold_language(str(own.get("language")))}


def _expect_fitting_fill(path: Path, document: dict[str, Any]) -> None:
    try:
        template_from(document)
    except FileInvalid as invalid:
        remedy = f"the fill of {path} does not fit this definition; take it out there, import, and write it anew"
        raise FileInvalid([*invalid.problems, ((), remedy)]) from None


def _fill_of(path: Path) -> str | None:
    try:
        return fill_written_in(read_text(path, largest=LARGEST_TEMPLATE))
    except Unreadable:
        return None


def _text_of(document: dict[str, Any], *, fill_as_written: str | None = None) -> str:
    try:
        text = rendered(document, fill_as_written=fill_as_written)
    except ValueError as error:
        raise FileInvalid([((), str(error))]) from None
    if len(text.encode()) > LARGEST_TEMPLATE:
        raise FileInvalid([((), f"comes to a file of more than {LARGEST_TEMPLATE // 1024} KB")])
    return text


def write_whole(path: Path, text: str) -> None:
    """The file has all of the text or is as it was; a link goes on leading to the file that it led to."""
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{uuid4().hex}.tmp")  # hidden, so that nobody takes it for a template
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
