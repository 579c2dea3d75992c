"""The operator's templates, loaded once: what is registered, what its messages must fit, and what can stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.domain.compliance import Rung
from gateway.domain.errors import ConfigInvalid, NotFound, TemplateRefused
from gateway.domain.message import TemplateMessage
from gateway.domain.repair import NO_REPAIR, RepairPolicy
from gateway.domain.template import Place, TemplateDefinition, fold_language, shown
from gateway.registry.files import FileInvalid, read_template, read_tightening
from gateway.registry.fill_text import FillFacts
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.schema import Schema
from gateway.registry.stand_ins import StandIns
from gateway.registry.trial import problems_on_trial, warnings_on_trial

Key = tuple[str, str]
"""Name and language."""


class Registry:
    """The registered templates, by name and language."""

    def __init__(self, templates: Mapping[Key, RegisteredTemplate], warnings: Sequence[str] = ()) -> None:
        self._templates = dict(templates)
        self._stand_ins = {key: StandIns(template) for key, template in templates.items() if template.fill is not None}
        self.warnings = tuple(warnings)
        """What an operator should look at; none of it stops the start."""

    @classmethod
    def load(cls, templates: Path, schemas: Path | None = None) -> Registry:
        """Read every file of the folder, and the tightenings in ``templates`` under `schemas`.

        Raises ConfigInvalid with all problems of all files.
        """
        loading = _Loading()
        found = loading.templates(templates, loading.tightenings(schemas))
        if loading.problems:
            raise ConfigInvalid(loading.problems)
        return cls(found, loading.warnings)

    def names(self) -> tuple[Key, ...]:
        return tuple(sorted(self._templates))

    def definition(self, name: str, language: str) -> TemplateDefinition | None:
        template = self._find(name, language)
        return None if template is None else template.definition

    def contract(self, name: str, language: str) -> Mapping[str, Any]:
        """The JSON Schema of the template's components, tightening included. Raises NotFound."""
        template = self._find(name, language)
        if template is None:
            raise NotFound("there is no such template")
        return template.document()

    def check(
        self,
        message: TemplateMessage,
        *,
        at: str = "$.template",
        must_be_approved: bool = True,
        repair: RepairPolicy = NO_REPAIR,
    ) -> TemplateMessage:
        """The message in normal form. Raises TemplateRefused: unknown, not approved, or arguments that don't fit.

        `at` is where the template object stands in the request. A template that need not be sent now
        need not be approved now. `repair` is what its sender lets be mended, besides the template's own policy.
        """
        template = self._find(message.name, message.language)
        if template is None:
            raise self._unknown(message, at)
        return template.check(message, at=at, must_be_approved=must_be_approved, repair=repair)

    def judge(
        self, message: TemplateMessage, *, must_be_approved: bool = True, repair: RepairPolicy = NO_REPAIR
    ) -> Rung:
        """The same as a rung, for a decision."""
        template = self._find(message.name, message.language)
        if template is None:
            return Rung(name=message.name, language=message.language, problem="unknown")
        return template.judged(message, must_be_approved=must_be_approved, repair=repair)

    def rung(self, name: str, language: str, facts: FillFacts, repair: RepairPolicy = NO_REPAIR) -> Rung:
        """A template of ours, filled in to stand in for free-form content."""
        template = self._find(name, language)
        if template is None:
            return Rung(name=name, language=language, problem="unknown")
        if not template.definition.is_approved:
            return Rung(name=name, language=language, problem="not_approved")
        stand_ins = self._stand_ins.get((template.definition.name, template.definition.language))
        if stand_ins is None:
            return Rung(name=name, language=language, problem="no_fill")
        return stand_ins.rung(facts, repair)

    def ladder(
        self,
        own: TemplateMessage | None,
        names: Sequence[str],
        language: str,
        facts: FillFacts,
        *,
        repair: RepairPolicy = NO_REPAIR,
    ) -> Iterator[Rung]:
        """What may stand in: the request's own template, then the sender's. Each is tried only when it is asked for.

        `names` are ``name``, in `language`, or ``name/language``.
        """
        if own is not None:
            yield self.judge(own, repair=repair)
        for name, its_language in _keys(names, language):
            yield self.rung(name, its_language, facts, repair)

    def missing_rungs(self, names: Sequence[str], language: str) -> tuple[str, ...]:
        """Those of a ladder that are not registered, as ``name/language``."""
        return tuple("/".join(key) for key in _keys(names, language) if self._find(*key) is None)

    def unfilled_rungs(self, names: Sequence[str], language: str) -> tuple[str, ...]:
        """Those of a ladder that are registered and can't stand in, as they have no fill."""
        found = {"/".join(key): self._find(*key) for key in _keys(names, language)}
        return tuple(name for name, template in found.items() if template is not None and template.fill is None)

    def usable_rungs(self, names: Sequence[str], language: str) -> tuple[str, ...]:
        """Those of a ladder that can stand in as things are."""
        return tuple("/".join(key) for key in _keys(names, language) if self.can_stand_in(*key))

    def can_stand_in(self, name: str, language: str) -> bool:
        template = self._find(name, language)
        return template is not None and template.fill is not None and template.definition.is_approved

    def _find(self, name: str, language: str) -> RegisteredTemplate | None:
        return self._templates.get((name, fold_language(language)))

    def _unknown(self, message: TemplateMessage, at: str) -> TemplateRefused:
        languages = sorted(language for name, language in self._templates if name == message.name)
        if not languages:
            expected = "expected the name of a registered template"
            return TemplateRefused("template_unknown", expected, field="template_name", path=f"{at}.name")
        expected = f"expected a language in which this template is registered: {', '.join(languages)}"
        return TemplateRefused("template_unknown", expected, path=f"{at}.language")


def _keys(names: Sequence[str], language: str) -> Iterator[Key]:
    for entry in names:
        name, _, its_own = entry.partition("/")
        yield name, fold_language(its_own or language)


# --- loading --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Loading:
    """Goes through the files and notes what is wrong, so that all of it can be told at once."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def tightenings(self, schemas: Path | None) -> dict[Path, Schema]:
        if schemas is None:
            return {}
        if not schemas.is_dir():
            self.problems.append(f"{schemas}: there is no such folder; correct paths.schemas, or leave it empty")
        found: dict[Path, Schema] = {}
        for path in _files(schemas / "templates", "*.json"):
            try:
                found[path] = read_tightening(path)
            except FileInvalid as invalid:
                self._note(path, invalid.problems)
        return found

    def templates(self, folder: Path, tightenings: Mapping[Path, Schema]) -> dict[Key, RegisteredTemplate]:
        found: dict[Key, RegisteredTemplate] = {}
        if not folder.is_dir():
            self.problems.append(f"{folder}: there is no such folder; create it, or correct paths.templates")
        own = {_key(path): (path, schema) for path, schema in tightenings.items()}
        paths = _files(folder, "*.yaml")
        for path in paths:
            template = self._template(path, own.get(_key(path)))
            if template is not None:
                found[template.definition.name, template.definition.language] = template
        self._look_around(folder, paths, own)
        return found

    def _template(self, path: Path, tightening: tuple[Path, Schema] | None) -> RegisteredTemplate | None:
        try:
            file = read_template(path)
        except FileInvalid as invalid:
            self._note(path, invalid.problems)
            return None
        schema = tightening[1] if tightening is not None else None
        template = RegisteredTemplate.of(file.definition, tightening=schema, fill=file.fill, repair=file.repair)
        self._note(path, problems_on_trial(template))
        self.warnings.extend(_line(path, place, text) for place, text in warnings_on_trial(template))
        return template

    def _look_around(self, folder: Path, paths: Sequence[Path], tightenings: Mapping[Key, tuple[Path, Schema]]) -> None:
        keys = [_key(path) for path in paths]
        for path, key in zip(paths, keys, strict=True):
            if keys.count(key) > 1:
                self.problems.append(f"{path}: registers {'/'.join(key)} a second time; remove one of the two files")
        for key, (path, _) in tightenings.items():
            if key not in keys:
                self.warnings.append(f"{path}: there is no template {'/'.join(key)} in {folder} for it to tighten")
        self.warnings.extend(f"{path}: is not read; rename it to .yaml" for path in _files(folder, "*.yml"))
        if not paths:
            self.warnings.append(f"{folder}: holds no template file; nothing can be sent into a closed window")

    def _note(self, path: Path, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems.extend(_line(path, place, text) for place, text in problems)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Without hidden files, which editors and copies between systems leave behind."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _key(path: Path) -> Key:
    name, _, language = path.stem.partition(".")
    return name, fold_language(language)


def _line(path: Path, place: Place, text: str) -> str:
    return f"{path}: {shown(place)}: {text}" if place else f"{path}: {text}"
