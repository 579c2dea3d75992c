"""The operator's templates, loaded once: what is registered, what its messages must fit, and what can stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.domain.compliance import Rung
from gateway.domain.errors import ConfigInvalid, NotFound, TemplateRefused
from gateway.domain.ladder import Key, Step, keys_of
from gateway.domain.message import JsonObject, TemplateMessage
from gateway.domain.rendered import rendered
from gateway.domain.repair import NO_REPAIR, RepairPolicy
from gateway.domain.template import TemplateDefinition, fold_language
from gateway.registry.changes import Changes, changes_between
from gateway.registry.fill_text import FillFacts
from gateway.registry.loading import Loading
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.stand_ins import StandIns


@dataclass(frozen=True, slots=True)
class _Contents:
    """What was loaded together."""

    templates: Mapping[Key, RegisteredTemplate]
    stand_ins: Mapping[Key, StandIns]
    warnings: tuple[str, ...]


class Registry:
    """The registered templates, by name and language."""

    def __init__(self, templates: Mapping[Key, RegisteredTemplate], warnings: Sequence[str] = ()) -> None:
        stand_ins = {key: StandIns(template) for key, template in templates.items() if template.fill is not None}
        self._contents = _Contents(dict(templates), stand_ins, tuple(warnings))

    @classmethod
    def load(cls, templates: Path, schemas: Path | None = None) -> Registry:
        """Read every file of the folder, and the tightenings in ``templates`` under `schemas`.

        Raises ConfigInvalid with all problems of all files.
        """
        loading = Loading()
        found = loading.templates(templates, loading.tightenings(schemas))
        if loading.problems:
            raise ConfigInvalid([str(problem) for problem in loading.problems])
        return cls(found, [str(warning) for warning in loading.warnings])

    def take_over(self, other: Registry) -> Changes:
        """Hold what the other holds, from now on and all at once; what is changed by it."""
        before, self._contents = self._contents, other._contents
        return changes_between(before.templates, self._contents.templates)

    def as_it_is(self) -> Registry:
        """What it holds now, whatever is taken over meanwhile, on this thread or another."""
        held = Registry.__new__(Registry)
        held._contents = self._contents  # noqa: SLF001 - of the same class
        return held

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should look at; none of it stops the start."""
        return self._contents.warnings

    def names(self) -> tuple[Key, ...]:
        return tuple(sorted(self._contents.templates))

    def templates(self) -> tuple[RegisteredTemplate, ...]:
        """In the order of their names."""
        found = self._contents.templates
        return tuple(found[key] for key in sorted(found))

    def template(self, name: str, language: str) -> RegisteredTemplate | None:
        """The template with all that its files say of it."""
        return self._find(name, language)

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

    def rung(
        self,
        name: str,
        language: str,
        facts: FillFacts,
        repair: RepairPolicy = NO_REPAIR,
        *,
        must_be_approved: bool = True,
    ) -> Rung:
        """A template of ours, filled in to stand in for free-form content."""
        contents, key = self._contents, (name, fold_language(language))
        template = contents.templates.get(key)
        if template is None:
            return Rung(name=name, language=language, problem="unknown")
        if must_be_approved and not template.definition.is_approved:
            return Rung(name=name, language=language, problem="not_approved")
        stand_ins = contents.stand_ins.get(key)
        if stand_ins is None:
            return Rung(name=name, language=language, problem="no_fill")
        return stand_ins.rung(facts, repair)

    def ladder(
        self,
        own: TemplateMessage | None,
        steps: Sequence[Step],
        facts: FillFacts,
        *,
        alternates: Sequence[str] = (),
        repair: RepairPolicy = NO_REPAIR,
    ) -> Iterator[Rung]:
        """What may stand in: the request's own template, in its language and then in the `alternates` in which it is
        registered; then what is listed. Each is tried only when it is asked for."""
        for form in self.own_forms(own, alternates):
            yield self.judge(form, repair=repair)
        for name, language in self._registered(steps):
            yield self.rung(name, language, facts, repair)

    def own_forms(self, own: TemplateMessage | None, alternates: Sequence[str]) -> Iterator[TemplateMessage]:
        """A request's own template, as it is and in the other languages in which it is registered."""
        if own is None:
            return
        yield own
        for language in alternates:
            if language != own.language and self._find(own.name, language) is not None:
                yield replace(own, language=language)

    def rendered(self, message: TemplateMessage, *, definition: str | None = None) -> JsonObject | None:
        """A message as the contact will read it; None if it does not fit its template, or not any more. With the
        fingerprint of a `definition`, as it was read then: None where the template is another one by now."""
        template = self._find(message.name, message.language)
        if template is not None and definition not in (None, template.fingerprint):
            return None
        fit = None if template is None else template.judged(message, must_be_approved=False).message
        return None if template is None or fit is None else rendered(template.definition, fit.components)

    def _registered(self, steps: Sequence[Step]) -> Iterator[Key]:
        """Of each step the languages in which it is registered; the first if it is in none."""
        for step in steps:
            yield from [key for key in step if self._find(*key) is not None] or step[:1]

    def missing_rungs(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Those that are registered in none of their languages, as ``name/language``."""
        return tuple("/".join(step[0]) for step in steps if not any(self._find(*key) for key in step))

    def unfilled_rungs(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Those that are registered and can't stand in, as they have no fill."""
        found = {"/".join(key): self._find(*key) for key in keys_of(steps)}
        return tuple(name for name, template in found.items() if template is not None and template.fill is None)

    def usable_rungs(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Those that can stand in as things are."""
        return tuple("/".join(key) for key in keys_of(steps) if self.can_stand_in(*key))

    def can_stand_in(self, name: str, language: str) -> bool:
        template = self._find(name, language)
        return template is not None and template.fill is not None and template.definition.is_approved

    def _find(self, name: str, language: str) -> RegisteredTemplate | None:
        return self._contents.templates.get((name, fold_language(language)))

    def _unknown(self, message: TemplateMessage, at: str) -> TemplateRefused:
        languages = [language for name, language in self.names() if name == message.name]
        if not languages:
            expected = "expected the name of a registered template"
            return TemplateRefused("template_unknown", expected, field="template_name", path=f"{at}.name")
        expected = f"expected a language in which this template is registered: {', '.join(languages)}"
        return TemplateRefused("template_unknown", expected, path=f"{at}.language")
