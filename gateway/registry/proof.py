"""Whether a template that may stand in fits its contract whatever comes: tried at load with the worst that there is,
so that nobody finds out when a message has to leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from gateway.domain.arguments import NormalForm, normalise
from gateway.domain.ladder import Key, Step, keys_of
from gateway.domain.message import FREE_FORM_TYPES
from gateway.domain.repair import NO_REPAIR, RepairPolicy, repaired
from gateway.registry.fill_text import FillFacts, FillFailed, FillLacks
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.registry import Registry

_LINES = "A long answer \U0001f6d2 of many lines,\n\twith     wide gaps, {{1}} & 100 % more…\r\n"
_TEXT = (_LINES * 60)[:4096]
_CAPTION = (_LINES * 20)[:1024]
_NAME = ("Ann-Marie\n  O'Neill \U0001f600     " * 20)[:256]
_REFERENCE = ("Order     4711/№ ö & more " * 10)[:200]
_LINK = f"https://www.example.com/{'a' * 2019}.jpeg"
"""As long and as odd as each may be when it reaches us. Source: the limits of our own surfaces."""
_SPOKEN = frozenset({"text", "interactive"})
_CAPTIONED = frozenset({"image", "video", "document"})
_MEDIA = _CAPTIONED | {"audio", "sticker"}
_SILENT = FREE_FORM_TYPES - _SPOKEN - {"image"}
"""What was uploaded has no link. Not so a picture, wherever nothing but texts and pictures can be sent."""


@dataclass(frozen=True, slots=True)
class _Case:
    told: str
    types: frozenset[str]
    """Of the messages that may be so."""
    facts: FillFacts


@dataclass(frozen=True, slots=True)
class Proof:
    """A template that does not fit for messages of one kind."""

    template: str
    case: str
    problem: str


_Told = tuple[tuple[str, dict[str, str]], ...]


def _cases() -> Iterator[_Case]:
    contents: tuple[tuple[str, frozenset[str], dict[str, str]], ...] = (
        ("a long text of many lines", _SPOKEN, {"text": _TEXT}),
        ("a picture or another file", _MEDIA, {"file_url": _LINK}),
        ("a picture or another file with a long caption", _CAPTIONED, {"file_url": _LINK, "text": _CAPTION}),
        ("a message without text or link", _SILENT, {}),
    )
    people: _Told = (("", {}), (" from a contact with a long name", {"contact_name": _NAME}))
    references: _Told = (("", {}), (" with a long reference", {"reference": _REFERENCE}))
    for told, types, said in contents:
        for named, name in people:
            for referred, reference in references:
                facts = FillFacts(sender_id="A sender's long id", **said, **name, **reference)
                yield _Case(f"{told}{named}{referred}", types, facts)


CASES = tuple(_cases())


def unproved(
    registry: Registry,
    steps: Sequence[Step],
    *,
    types: Set[str] = FREE_FORM_TYPES,
    repair: RepairPolicy = NO_REPAIR,
) -> Iterator[Proof]:
    """The templates of a ladder that would be found not to fit for messages of these types, each with the first message
    that shows it.

    One that lacks what a message does not have is passed over by its operator's own wish, and tightenings may ask for
    anything: neither is looked at.
    """
    for key in keys_of(steps):
        template = registry.template(*key)
        if template is not None and template.fill is not None:
            yield from _first_unfit(key, template, types, repair)


def _first_unfit(key: Key, template: RegisteredTemplate, types: Set[str], repair: RepairPolicy) -> Iterator[Proof]:
    for case in CASES:
        problem = _unfit(template, case.facts, repair) if types & case.types else None
        if problem is not None:
            yield Proof("/".join(key), case.told, problem)
            return


def _unfit(template: RegisteredTemplate, facts: FillFacts, repair: RepairPolicy) -> str | None:
    try:
        message = template.filled(facts)
    except FillLacks:
        return None
    except FillFailed as failed:
        return str(failed)
    form = normalise(message.components)
    components, _ = repaired(template.definition, form.components, template.repair.over(repair))
    misfits = template.derived_misfits(NormalForm(components, form.origins))
    return None if not misfits else misfits[0].text
