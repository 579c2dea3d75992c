"""The templates that a provider lists, beside the operator's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from gateway.domain.definition import DefinitionInvalid, define
from gateway.domain.drift import Drift, drift_between
from gateway.domain.ladder import Key
from gateway.domain.listing import ListedTemplate
from gateway.domain.message import JsonObject
from gateway.domain.template import TemplateDefinition, fold_language, shown
from gateway.registry.registry import Registry


class What(StrEnum):
    """In what the two differ."""

    ONLY_THERE = "only there"
    ONLY_HERE = "only here"
    UNREADABLE = "unreadable"
    """What is listed is no definition that we understand."""
    STATUS = "status"
    CATEGORY = "category"
    CONTRACT = "contract"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Between what is listed and its file, both of one name and language."""

    key: Key
    what: tuple[What, ...]
    details: tuple[str, ...] = ()
    listed: ListedTemplate | None = None
    theirs: TemplateDefinition | None = None
    ours: TemplateDefinition | None = None
    drift: Drift | None = None


class Unreadable(ValueError):
    """A definition of a provider's that we don't understand."""


def theirs_of(document: JsonObject) -> TemplateDefinition:
    """What a provider lists, as a definition. Raises Unreadable, which names every place, and no text of a template."""
    try:
        return define(document)
    except DefinitionInvalid as invalid:
        problems = [f"{shown(place)}: {text}" if place else text for place, text in invalid.problems]
        raise Unreadable("; ".join(problems)) from None


def differences(listed: Iterable[ListedTemplate], registry: Registry) -> list[Difference]:
    """What is different, by name and language; what is the same there and here is not told."""
    there = {(one.name, fold_language(one.language)): one for one in listed}
    here = {key: registry.definition(*key) for key in registry.names()}
    both = chain.from_iterable(_of(key, there.get(key), here.get(key)) for key in sorted({*there, *here}))
    return list(both)


def _of(key: Key, listed: ListedTemplate | None, ours: TemplateDefinition | None) -> Iterator[Difference]:
    if listed is None:
        yield Difference(key=key, what=(What.ONLY_HERE,), ours=ours)
        return
    try:
        theirs = theirs_of(listed.document)
    except Unreadable as unreadable:
        yield Difference(key=key, what=(What.UNREADABLE,), details=(str(unreadable),), listed=listed, ours=ours)
        return
    if ours is None:
        yield Difference(key=key, what=(What.ONLY_THERE,), details=_status(theirs), listed=listed, theirs=theirs)
        return
    drift = drift_between(theirs, ours)
    told = _told(theirs, ours, drift)
    if told:
        details = tuple(detail for detail in told.values() if detail)
        yield Difference(
            key=key, what=tuple(told), details=details, listed=listed, theirs=theirs, ours=ours, drift=drift
        )


def _status(theirs: TemplateDefinition) -> tuple[str, ...]:
    return (theirs.status,) if theirs.status else ()


def _told(theirs: TemplateDefinition, ours: TemplateDefinition, drift: Drift | None) -> Mapping[What, str]:
    """In what they differ, each with how."""
    told: dict[What, str] = {}
    if theirs.status and theirs.status != ours.status:
        told[What.STATUS] = f"{theirs.status} there, {ours.status} here"
    if theirs.category and theirs.category != ours.category:
        told[What.CATEGORY] = f"{theirs.category} there, {ours.category} here"
    if drift is not None and drift.contract:
        told[What.CONTRACT] = "; ".join(drift.contract)
    if drift is not None and drift.wording:
        told[What.TEXTS] = ""
    return told
