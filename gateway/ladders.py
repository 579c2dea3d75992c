"""The ladders of a configuration: which templates may stand in for which message, and whether that leads anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.config import PLATFORM, Config, IntentConfig, SenderConfig
from gateway.domain.carriage import TEXTS_AND_PICTURES
from gateway.domain.ladder import Step, steps_of
from gateway.domain.message import FREE_FORM_TYPES
from gateway.registry import Proof, Registry, unproved

BY_NAME: frozenset[str] = frozenset({"reaction"})
"""Types for which nothing stands in unless an intent names them, or the request an intent: for a thumbs up nobody
expects a message that costs."""


class Ladders:
    """For each message the templates of the intents that it has, in their order, and then those of its sender."""

    def __init__(self, intents: Sequence[IntentConfig] = ()) -> None:
        self._intents = tuple(intents)
        self._names = frozenset(intent.name for intent in intents)
        self._made: dict[tuple[str, str | None, str], tuple[Step, ...]] = {}

    def steps(self, sender: SenderConfig, intent: str | None, content: str) -> tuple[Step, ...]:
        """For a message from this sender, about `intent`, with content of this type."""
        known = intent if intent in self._names else None  # one that went from the configuration since it was accepted
        key = (sender.id, known, content)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(sender, known, content)
        return made

    def _make(self, sender: SenderConfig, intent: str | None, content: str) -> tuple[Step, ...]:
        meant = [each for each in self._intents if _is_meant(each, sender, intent, content)]
        listed = [step for each in meant for step in _steps(each, sender.languages)]
        usual = () if content in BY_NAME else steps_of(sender.ladder, sender.languages)
        return tuple(dict.fromkeys([*listed, *usual]))


def _is_meant(intent: IntentConfig, sender: SenderConfig, name: str | None, content: str) -> bool:
    """Whether all that it says is true of a message."""
    is_named = intent.name is None or intent.name == name
    return is_named and content in _types_for(intent) and intent.sender in (None, sender.id)


def _steps(intent: IntentConfig, languages: Sequence[str]) -> tuple[Step, ...]:
    by_language = (steps_of(intent.by_language.get(language, ()), [language]) for language in languages)
    return (*steps_of(intent.templates, languages), *(step for steps in by_language for step in steps))


# --- whether they lead anywhere -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Steps where the configuration lists them, for one of the senders whose messages may take them."""

    place: str
    steps: tuple[Step, ...]
    sender: SenderConfig
    types: frozenset[str]
    """Of the messages that it may be for."""


def listed_in(config: Config) -> Iterator[Listed]:
    """Every list of templates that a configuration has."""
    types = _types_of(config)
    for index, sender in enumerate(config.senders):
        steps = steps_of(sender.ladder, sender.languages)
        yield Listed(place=f"senders[{index}].ladder", steps=steps, sender=sender, types=types[sender.id] - BY_NAME)
    for index, intent in enumerate(config.intents):
        for sender in config.senders:
            if _may_be(intent, sender):
                place, steps = f"intents[{index}].templates", _all_steps(intent, sender.languages)
                yield Listed(place=place, steps=steps, sender=sender, types=types[sender.id] & _types_for(intent))


def _types_of(config: Config) -> Mapping[str, frozenset[str]]:
    """What each sender's provider can send."""
    kinds = {provider.name: provider.kind for provider in config.providers}
    return {
        sender.id: FREE_FORM_TYPES if kinds[sender.provider] in PLATFORM else TEXTS_AND_PICTURES
        for sender in config.senders
    }


def _types_for(intent: IntentConfig) -> frozenset[str]:
    if intent.content is not None:
        return frozenset({intent.content})
    return FREE_FORM_TYPES if intent.name is not None else FREE_FORM_TYPES - BY_NAME


def _all_steps(intent: IntentConfig, languages: Sequence[str]) -> tuple[Step, ...]:
    """Those of languages that no sender has as well: they are there to be used."""
    return _steps(intent, tuple(dict.fromkeys([*languages, *intent.by_language])))


def ladder_problems(config: Config, registry: Registry) -> Iterator[str]:
    """What a gateway does not start with, and does not take over: templates that are missing, and those that would be
    found not to fit when they are needed."""
    told = (told for listed in listed_in(config) for told in _problems(listed, config, registry))
    yield from dict.fromkeys(told)


def _problems(listed: Listed, config: Config, registry: Registry) -> Iterator[str]:
    for rung in registry.missing_rungs(listed.steps):
        remedy = f"add its file to {config.templates}, or take it off the ladder"
        yield f"{listed.place}: there is no template {rung}; {remedy}"
    for proof in unproved(registry, listed.steps, types=listed.types, repair=listed.sender.repair):
        yield f"{listed.place}: {_told(proof)}"


def _told(proof: Proof) -> str:
    remedy = "shorten and flatten it in the template's fill (one_line, shorten), or let it be mended (repair)"
    return f"{proof.template} does not fit for {proof.case}: {proof.problem}; {remedy}"


def ladder_warnings(config: Config, registry: Registry) -> Iterator[str]:
    """What an operator should look at."""
    warnings: Iterable[str] = (
        f"{listed.place}: {rung} has no fill, so it is always passed over"
        for listed in listed_in(config)
        for rung in registry.unfilled_rungs(listed.steps)
    )
    yield from dict.fromkeys(warnings)
    types = _types_of(config)
    for index, intent in enumerate(config.intents):
        if not any(_types_for(intent) & types[sender.id] for sender in config.senders if _may_be(intent, sender)):
            yield f"intents[{index}].content: no sender that it is meant for can send this"
        known = {language for sender in config.senders for language in sender.languages if _may_be(intent, sender)}
        for language in intent.by_language.keys() - known:
            yield f"intents[{index}].templates.{language}: no sender that it is meant for has this language"


def _may_be(intent: IntentConfig, sender: SenderConfig) -> bool:
    return intent.sender in (None, sender.id)
