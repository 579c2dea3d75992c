"""The health of templates as decisions see it: all of it in memory, read anew whenever the store knows more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from gateway.domain.compliance import Rung
from gateway.domain.errors import StoreUnavailable
from gateway.domain.health import MOST_TEMPLATES, UNKNOWN_HEALTH, Health, HealthKey, says_the_same
from gateway.domain.instant import rfc3339_or_none
from gateway.domain.template_refusal import Mark
from gateway.metrics import Metrics
from gateway.ports import Clock, KnownHealth
from gateway.ports import TemplateHealths as Store

log = structlog.get_logger()

EACH = 30.0
"""Seconds between two looks, besides those that news asks for: whatever kept one of them from being made is healed."""


class TemplateHealth:
    """What is known now. Decisions ask it on the store's thread as well: nothing in it waits or is changed in place."""

    def __init__(self) -> None:
        self._known: dict[HealthKey, KnownHealth] = {}
        self.revision = 0
        """Up to which of the store's changes it is known."""

    def take(self, known: Iterable[KnownHealth]) -> list[tuple[Health, KnownHealth]]:
        """Learn what has changed; each with what was known before."""
        changed, now = [], dict(self._known)
        for one in known:
            before = now.get(one.key)
            if before is None or before.revision < one.revision:
                changed.append((UNKNOWN_HEALTH if before is None else before.health, one))
                now[one.key] = one
                self.revision = max(self.revision, one.revision)
        latest = sorted(now.items(), key=lambda entry: entry[1].revision)[-MOST_TEMPLATES:]
        self._known = dict(latest)
        return changed

    def of(self, provider: str, name: str, language: str) -> Health:
        known = self._known.get(HealthKey.of(provider, name, language))
        return UNKNOWN_HEALTH if known is None else known.health

    def judged(self, rung: Rung, provider: str, now: datetime) -> Rung:
        """The rung, passed over if its template can't be sent by that provider now, and in the category that the
        provider gives it."""
        known = self._known.get(HealthKey(provider, rung.name, rung.language))
        if known is None or rung.message is None:
            return rung
        unusable = known.health.unusable(now)
        if unusable is not None:
            return replace(rung, message=None, problem=str(unusable))
        category = known.health.category_over(rung.category)
        return rung if category == rung.category else replace(rung, category=category)

    def unusable(self, templates: Iterable[tuple[str, str]], now: datetime) -> Mapping[tuple[str, str], int]:
        """How many of these templates are passed over, by provider and reason."""
        ours, counts = set(templates), Counter[tuple[str, str]]()
        for (provider, *template), known in list(self._known.items()):
            unusable = known.health.unusable(now) if tuple(template) in ours else None
            if unusable is not None:
                counts[provider, unusable.code] += 1
        return counts


class HealthWatch:
    """Keeps it up to date, and tells of what has changed."""

    def __init__(self, *, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self.health = TemplateHealth()

    @classmethod
    async def begun(cls, *, store: Store, clock: Clock, metrics: Metrics) -> HealthWatch:
        """With all that the store knows, none of which is news. Raises StoreUnavailable."""
        watch = cls(store=store, clock=clock, metrics=metrics)
        watch.health.take(await store.template_healths())
        return watch

    async def __call__(self) -> None:
        """Something may have changed. What can't be read now is read the next time."""
        try:
            known = await self._store.template_healths(after=self.health.revision)
        except StoreUnavailable:
            log.warning("template.health_postponed")
            return
        self._tell(self.health.take(known))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EACH)
            try:
                await self()
            except Exception:
                log.exception("template.health_failed")

    def _tell(self, changed: Sequence[tuple[Health, KnownHealth]]) -> None:
        for before, now in changed:
            mark = now.health.mark
            if mark is not None and mark != before.mark:
                self._tell_mark(now.key, mark)
            elif not says_the_same(before, now.health):
                self._tell_news(now)

    def _tell_mark(self, key: HealthKey, mark: Mark) -> None:
        self._metrics.template_refused(key.provider, mark.code)
        log.warning(
            "template.marked", **_named(key), code=mark.code, until=rfc3339_or_none(mark.until), strikes=mark.strikes
        )

    def _tell_news(self, known: KnownHealth) -> None:
        unusable = known.health.unusable(self._clock.now())
        tell = log.info if unusable is None else log.warning
        tell("template.updated", **_named(known.key), unusable=None if unusable is None else str(unusable))


def _named(key: HealthKey) -> Mapping[str, str]:
    return {"provider": key.provider, "template": f"{key.name}/{key.language}"}
