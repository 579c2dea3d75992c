"""How free-form content becomes the arguments of a template: the `fill` of a template file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from gateway.domain.message import JsonObject
from gateway.domain.places import beyond_texts, components_from, optional_places, required_places
from gateway.domain.template import Place, TemplateDefinition, shown
from gateway.registry.fill_text import FillFacts, FillFailed, FillText, source_problems


class FillInvalid(ValueError):
    """Every problem of a fill, each with its place."""

    def __init__(self, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(text for _, text in problems))


@dataclass(frozen=True, slots=True)
class Fill:
    """The compiled fill of one template."""

    definition: TemplateDefinition
    texts: Mapping[Place, FillText]

    def takes(self, fact: str) -> tuple[Place, ...]:
        """Where a fact, such as ``message.text``, is used."""
        return tuple(place for place, text in self.texts.items() if fact in text.facts)

    def facts(self) -> frozenset[str]:
        """All that it speaks of, such as ``message.text``."""
        return frozenset(chain.from_iterable(text.facts for text in self.texts.values()))

    def components(self, facts: FillFacts) -> tuple[JsonObject, ...]:
        """The components of a message, in send grammar. Raises FillFailed, which names the place."""
        context = facts.context()
        filled: dict[Place, str] = {}
        for place, text in self.texts.items():
            try:
                filled[place] = text.filled(context)
            except FillFailed as failed:
                raise type(failed)(f"{shown(place)} {failed}") from None
        return components_from(self.definition, filled)


def compile_fill(definition: TemplateDefinition, fill: JsonObject) -> Fill:
    """The fill of a template file, whose shape was checked. Raises FillInvalid with all problems."""
    sources = dict(_sources(fill))
    problems = [*_form_problems(definition, fill)] or [*_mismatches(definition, sources)]
    problems += [(place, problem) for place, source in sources.items() for problem in source_problems(source)]
    if problems:
        raise FillInvalid(problems)
    return Fill(definition, {place: FillText.compile(source) for place, source in sources.items()})


def _sources(fill: JsonObject) -> Iterator[tuple[Place, str]]:
    if "header" in fill:
        yield ("header",), fill["header"]
    body = fill.get("body", ())
    for key, source in body.items() if isinstance(body, Mapping) else enumerate(body):
        yield ("body", key), source
    for index, source in fill.get("buttons", {}).items():
        yield ("buttons", int(index)), source


# --- what must be filled ---------------------------------------------------------------------------------------------


def _form_problems(definition: TemplateDefinition, fill: JsonObject) -> Iterator[tuple[Place, str]]:
    for need in beyond_texts(definition):
        yield (), f"this template can't stand in: no text can be {need}; remove `fill`"
    body = fill.get("body", ())
    if isinstance(body, Mapping) and not definition.is_named:
        yield ("body",), "expected a list, as parameters are POSITIONAL"
    elif not isinstance(body, Mapping) and definition.is_named and body:
        yield ("body",), "expected a mapping of names to texts, as parameters are NAMED"


def _mismatches(definition: TemplateDefinition, sources: Mapping[Place, str]) -> Iterator[tuple[Place, str]]:
    required, optional = set(required_places(definition)), set(optional_places(definition))
    for place in sorted(required - set(sources), key=str):
        yield place, "is missing: the template has a parameter there"
    for place in sorted(set(sources) - required - optional, key=str):
        yield place, "fills nothing: the template has no parameter there"
