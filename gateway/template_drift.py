"""Templates that are other ones at a provider than our files say: what is different, and which messages would be
refused there. Worked out when a list or a file has changed, never for a message."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from gateway.domain.arguments import normalise
from gateway.domain.compliance import Rung
from gateway.domain.drift import Drift, drift_between
from gateway.domain.errors import Misfit, StoreUnavailable
from gateway.domain.health import HealthKey
from gateway.domain.message import JsonObject
from gateway.domain.template import TemplateDefinition, shown
from gateway.ports import KnownListing
from gateway.registry import RegisteredTemplate, Registry
from gateway.registry.comparing import Unreadable, theirs_of

log = structlog.get_logger()

LONGEST_REASON = 500
PROBLEM = "drift"
"""How the problem of a rung begins that fits our file, and not what the provider has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A template of ours that is another one at a provider."""

    drift: Drift
    theirs: RegisteredTemplate
    """With the contract that follows from what the provider has."""


class TemplateDrift:
    """What is known now. Decisions ask it on the store's thread as well: it is replaced whole."""

    def __init__(self, drifted: Mapping[HealthKey, Drifted] | None = None) -> None:
        self._drifted = dict(drifted or {})

    def judged(self, rung: Rung, provider: str) -> Rung:
        """The rung, passed over if the provider's template does not allow what our file does."""
        drifted = self._drifted.get(HealthKey(provider, rung.name, rung.language))
        if drifted is None or rung.message is None:
            return rung
        problems = drifted.theirs.misfits(normalise(rung.message.components))
        if not problems:
            return rung
        misfits = [Misfit(shown(each.place, under="$.template.components"), each.text) for each in problems]
        problem = f"{PROBLEM}: {'; '.join(map(str, misfits))}"
        return replace(rung, message=None, problem=problem, path=misfits[0].path)

    def of(self, provider: str, name: str, language: str) -> Drift | None:
        drifted = self._drifted.get(HealthKey.of(provider, name, language))
        return None if drifted is None else drifted.drift

    def counts(self) -> Mapping[str, int]:
        """How many templates are others at each provider."""
        return Counter(key.provider for key in list(self._drifted))

    def all(self) -> Mapping[HealthKey, Drifted]:
        return self._drifted

    def take(self, drifted: Mapping[HealthKey, Drifted]) -> None:
        self._drifted = dict(drifted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What came of comparing two definitions, so that it need not be done again."""

    theirs: TemplateDefinition
    ours: TemplateDefinition
    drifted: Drifted | None


class Listed(Protocol):
    """As much of the store as is read."""

    async def listed_templates(self, *, after: int = 0) -> Sequence[KnownListing]: ...


class DriftWatch:
    """Keeps it up to date, and tells once of each change. `providers` are those that list their templates: what another
    one listed before it was taken out of the configuration says nothing any more."""

    def __init__(self, *, store: Listed, registry: Registry, providers: Set[str]) -> None:
        self._store = store
        self._registry = registry
        self._providers = providers
        self._revision = 0
        self._theirs: dict[HealthKey, TemplateDefinition] = {}
        self._compared: dict[HealthKey, _Compared] = {}
        self._one_at_a_time = asyncio.Lock()
        self.drift = TemplateDrift()

    @classmethod
    async def begun(cls, *, store: Listed, registry: Registry, providers: Set[str]) -> DriftWatch:
        """With all that the store knows."""
        watch = cls(store=store, registry=registry, providers=providers)
        await watch()
        return watch

    async def __call__(self) -> None:
        """A list or a file may have changed. What can't be read now is read the next time."""
        if not self._providers:
            return
        async with self._one_at_a_time:
            try:
                known = await self._store.listed_templates(after=self._revision)
                drifted = await asyncio.to_thread(self._look, known)
            except StoreUnavailable:
                log.warning("template.drift_postponed")
            except Exception:  # whatever a definition does to its reader: the gateway goes on with what it knows
                log.exception("template.drift_failed")
            else:
                self._take(drifted)

    def _look(self, known: Sequence[KnownListing]) -> dict[HealthKey, Drifted]:
        """All that differs now; takes a while."""
        for one in known:
            self._learn(one.key, one.document)
            self._revision = max(self._revision, one.revision)
        compared = {key: self._compare_safely(key, theirs) for key, theirs in self._theirs.items()}
        self._compared = {key: one for key, one in compared.items() if one is not None}
        return {key: one.drifted for key, one in self._compared.items() if one.drifted is not None}

    def _learn(self, key: HealthKey, document: JsonObject | None) -> None:
        self._theirs.pop(key, None)
        if document is None or key.provider not in self._providers:
            return
        try:
            self._theirs[key] = theirs_of(document)
        except Unreadable as unreadable:
            if self._registry.definition(key.name, key.language) is not None:  # others are none of our business
                log.warning("template.unreadable", **_named(key), why=str(unreadable)[:LONGEST_REASON])

    def _compare_safely(self, key: HealthKey, theirs: TemplateDefinition) -> _Compared | None:
        """Whatever one definition does to its reader: the others are compared, and this one counts as ours."""
        try:
            return self._compare(key, theirs)
        except Exception:
            log.exception("template.unreadable", **_named(key))
            return None

    def _compare(self, key: HealthKey, theirs: TemplateDefinition) -> _Compared | None:
        """None: it is none of ours."""
        ours = self._registry.definition(key.name, key.language)
        if ours is None:
            return None
        before = self._compared.get(key)
        if before is not None and before.theirs is theirs and before.ours == ours:
            return before
        drift = drift_between(theirs, ours)
        drifted = None if drift is None else Drifted(drift=drift, theirs=RegisteredTemplate.of(theirs))
        return _Compared(theirs=theirs, ours=ours, drifted=drifted)

    def _take(self, drifted: Mapping[HealthKey, Drifted]) -> None:
        before = self.drift.all()
        self.drift.take(drifted)
        _tell(before, drifted)


def _tell(before: Mapping[HealthKey, Drifted], now: Mapping[HealthKey, Drifted]) -> None:
    for key, one in now.items():
        if key not in before or before[key].drift != one.drift:
            log.warning("template.drifted", **_named(key), differs=str(one.drift))
    for key in _without(before, now):
        log.info("template.drift_ended", **_named(key))


def _without(before: Iterable[HealthKey], now: Mapping[HealthKey, Drifted]) -> Iterable[HealthKey]:
    return (key for key in before if key not in now)


def _named(key: HealthKey) -> Mapping[str, str]:
    return {"provider": key.provider, "template": f"{key.name}/{key.language}"}
