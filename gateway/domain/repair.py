"""Mending the arguments of a template message where its operator allows it: nothing is mended unless asked for, and
everything that was is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gateway.domain.hydration import Text, text_of
from gateway.domain.message import JsonObject
from gateway.domain.template import Face, Place, TemplateDefinition, shown

_WHITE = re.compile(r"[\n\r\t]| {5}")
_ELLIPSIS = "…"


class Mending(StrEnum):
    """What was done to an argument."""

    DEFAULTED = "defaulted"
    FLATTENED = "flattened"
    SHORTENED = "shortened"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPolicy:
    """What may be mended; None: as the next policy says, in the end nothing."""

    flatten: bool | None = None
    """White space that the platform refuses becomes single spaces."""
    shorten: bool | None = None
    """A text that is too long with its arguments gets a shorter argument, with an ellipsis."""
    empty: str | None = None
    """What stands for an argument that is empty or blank."""

    def over(self, other: RepairPolicy) -> RepairPolicy:
        """This policy, and the other one where this one says nothing."""
        return RepairPolicy(
            flatten=other.flatten if self.flatten is None else self.flatten,
            shorten=other.shorten if self.shorten is None else self.shorten,
            empty=other.empty if self.empty is None else self.empty,
        )

    @property
    def is_on(self) -> bool:
        return bool(self.flatten or self.shorten or self.empty is not None)


UNSAID = RepairPolicy()
"""A template's own policy, where its file has none."""

NO_REPAIR = RepairPolicy(flatten=False, shorten=False)


@dataclass(frozen=True, slots=True)
class Repair:
    """An argument that was mended: where it stands in the normal form, and how."""

    place: Place
    mending: Mending

    def __str__(self) -> str:
        return f"{shown(self.place)} {self.mending}"


def repaired(
    definition: TemplateDefinition, components: Sequence[Any], policy: RepairPolicy
) -> tuple[list[Any], tuple[Repair, ...]]:
    """Components in normal form, mended as far as the policy allows. What can't be mended stays as it is."""
    if not policy.is_on:
        return list(components), ()
    work = _Work(policy, [])
    mended = [work.component(definition, component, (index,)) for index, component in enumerate(components)]
    return mended, tuple(work.done)


@dataclass(slots=True)
class _Work:
    policy: RepairPolicy
    done: list[Repair]

    def component(self, definition: TemplateDefinition, component: Any, place: Place) -> Any:
        if not isinstance(component, Mapping):
            return component
        if component.get("type") == "carousel" and isinstance(component.get("cards"), list):
            return {**component, "cards": list(self._cards(definition.cards, component["cards"], (*place, "cards")))}
        return self._face_component(definition, component, place)

    def _cards(self, faces: Sequence[Face], cards: Sequence[Any], place: Place) -> Iterator[Any]:
        for index, card in enumerate(cards):
            inner = card.get("components") if isinstance(card, Mapping) else None
            if not isinstance(inner, list) or index >= len(faces):
                yield card
                continue
            mended = [
                self._face_component(faces[index], component, (*place, index, "components", position))
                for position, component in enumerate(inner)
            ]
            yield {**card, "components": mended}

    def _face_component(self, face: Face, component: Any, place: Place) -> Any:
        if not isinstance(component, Mapping) or component.get("type") not in ("header", "body"):
            return component
        parameters = component.get("parameters")
        if not isinstance(parameters, list) or not all(map(_is_text, parameters)):
            return component
        inner: Place = (*place, "parameters")
        cleaned = [self._cleaned(each, (*inner, index)) for index, each in enumerate(parameters)]
        text = text_of(face, {**component, "parameters": cleaned})
        if text is not None and self.policy.shorten and _is_measurable(text):
            cleaned = self._shortened(text, inner)
        return {**component, "parameters": cleaned}

    def _cleaned(self, parameter: JsonObject, place: Place) -> JsonObject:
        text = parameter.get("text")
        if self.policy.empty is not None and (text is None or (isinstance(text, str) and not text.strip())):
            return self._with_text(parameter, self.policy.empty, place, Mending.DEFAULTED)
        if self.policy.flatten and isinstance(text, str) and _WHITE.search(text):
            return self._with_text(parameter, " ".join(text.split()), place, Mending.FLATTENED)
        return parameter

    def _with_text(self, parameter: JsonObject, text: str, place: Place, mending: Mending) -> JsonObject:
        self.done.append(Repair((*place, "text"), mending))
        return {**parameter, "text": text}

    def _shortened(self, text: Text, place: Place) -> list[JsonObject]:
        """With the longest arguments shorter, until the text is as long as it may be."""
        parameters = list(text.parameters)
        for _ in parameters:
            excess = replace(text, parameters=parameters).length() - text.limit
            if excess <= 0:
                break
            index = max(range(len(parameters)), key=lambda each: len(parameters[each]["text"]))
            shorter = _cut(parameters[index]["text"], excess)
            parameters[index] = self._with_text(parameters[index], shorter, (*place, index), Mending.SHORTENED)
        return parameters


def _is_measurable(text: Text) -> bool:
    """Whether each argument is a text in a place that there is: anything else is for the contract to refuse."""
    names = text.wording.parameters
    return len(text.parameters) <= len(names) and all(
        isinstance(each.get("text"), str) and each.get("parameter_name", names[0]) in names for each in text.parameters
    )


def _is_text(parameter: Any) -> bool:
    return isinstance(parameter, Mapping) and parameter.get("type") == "text"


def _cut(text: str, excess: int) -> str:
    """Shorter by `excess` characters or more, an ellipsis included; at least one character stays."""
    kept = text[: max(1, len(text) - excess - len(_ELLIPSIS))].rstrip()
    return f"{kept}{_ELLIPSIS}"
