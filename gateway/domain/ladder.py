"""Which templates may stand in, in their order, as an operator lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.template import fold_language

Key = tuple[str, str]
"""A template's name and language, the latter folded."""

Step = tuple[Key, ...]
"""One template, in the languages that a contact may get it in, best first. Only the first must be registered."""


def steps_of(entries: Sequence[str], languages: Sequence[str]) -> tuple[Step, ...]:
    """The steps that a list names: ``name`` in each of the languages, or ``name/language`` in that one alone."""
    return tuple(_step(entry, languages) for entry in entries)


def _step(entry: str, languages: Sequence[str]) -> Step:
    name, _, its_own = entry.partition("/")
    wanted = [its_own] if its_own else languages
    return tuple(dict.fromkeys((name, fold_language(language)) for language in wanted))


def keys_of(steps: Sequence[Step]) -> Iterator[Key]:
    """All the templates that they name, in the order in which they are tried."""
    for step in steps:
        yield from step
