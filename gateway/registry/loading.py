"""Goes through the operator's files and notes what is wrong, so that all of it can be told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain.ladder import Key
from gateway.domain.template import Place, fold_language, shown
from gateway.registry.files import FileInvalid, read_template, read_tightening
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.schema import Schema
from gateway.registry.trial import problems_on_trial, warnings_on_trial


@dataclass(frozen=True, slots=True)
class Noted:
    """What is to be said of a file, at a place in it."""

    path: Path
    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {shown(self.place)}: {self.text}" if self.place else f"{self.path}: {self.text}"


@dataclass(slots=True)
class Loading:
    """What was found up to now."""

    problems: list[Noted] = field(default_factory=list)
    warnings: list[Noted] = field(default_factory=list)

    def tightenings(self, schemas: Path | None) -> dict[Path, Schema]:
        """Those of the folder that can be read."""
        if schemas is None:
            return {}
        if not schemas.is_dir():
            self._wrong(schemas, "there is no such folder; correct paths.schemas, or leave it empty")
        found: dict[Path, Schema] = {}
        for path in tightening_paths(schemas):
            try:
                found[path] = read_tightening(path)
            except FileInvalid as invalid:
                self._note(path, invalid.problems)
        return found

    def templates(self, folder: Path, tightenings: Mapping[Path, Schema]) -> dict[Key, RegisteredTemplate]:
        """Those of the folder that can be read."""
        found: dict[Key, RegisteredTemplate] = {}
        if not folder.is_dir():
            self._wrong(folder, "there is no such folder; create it, or correct paths.templates")
        own = {key_of(path): (path, schema) for path, schema in tightenings.items()}
        paths = template_paths(folder)
        for path in paths:
            tightening = own.get(key_of(path))
            template = self.template(path, None if tightening is None else tightening[1])
            if template is not None:
                found[template.definition.name, template.definition.language] = template
        self._look_around(folder, paths, own)
        return found

    def template(self, path: Path, tightening: Schema | None) -> RegisteredTemplate | None:
        """The one in this file, if it can be read."""
        try:
            file = read_template(path)
        except FileInvalid as invalid:
            self._note(path, invalid.problems)
            return None
        template = RegisteredTemplate.of(file.definition, tightening=tightening, fill=file.fill, repair=file.repair)
        self._note(path, problems_on_trial(template))
        self.warnings.extend(Noted(path, place, text) for place, text in warnings_on_trial(template))
        return template

    def _look_around(self, folder: Path, paths: Sequence[Path], tightenings: Mapping[Key, tuple[Path, Schema]]) -> None:
        keys = [key_of(path) for path in paths]
        for path, key in zip(paths, keys, strict=True):
            if keys.count(key) > 1:
                self._wrong(path, f"registers {'/'.join(key)} a second time; remove one of the two files")
        for key, (path, _) in tightenings.items():
            if key not in keys:
                self._warn(path, f"there is no template {'/'.join(key)} in {folder} for it to tighten")
        for path in _files(folder, "*.yml"):
            self._warn(path, "is not read; rename it to .yaml")
        if not paths:
            self._warn(folder, "holds no template file; nothing can be sent into a closed window")

    def _wrong(self, path: Path, text: str) -> None:
        self.problems.append(Noted(path, (), text))

    def _warn(self, path: Path, text: str) -> None:
        self.warnings.append(Noted(path, (), text))

    def _note(self, path: Path, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems.extend(Noted(path, place, text) for place, text in problems)


def template_paths(folder: Path) -> list[Path]:
    """The template files of the operator's folder."""
    return _files(folder, "*.yaml")


def tightening_paths(schemas: Path | None) -> list[Path]:
    """The tightenings in the operator's folder of schemas."""
    return [] if schemas is None else _files(schemas / "templates", "*.json")


def _files(folder: Path, pattern: str) -> list[Path]:
    """Without hidden files, which editors and copies between systems leave behind."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def key_of(path: Path) -> Key:
    """The template that a file is about, by its name."""
    name, _, language = path.stem.partition(".")
    return name, fold_language(language)
