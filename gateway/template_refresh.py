"""What a provider lists is read at the start, and again and again: beside everything else, and never more often than
the provider allows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.domain.callback import CallbackEvent, TemplateUpdate
from gateway.domain.errors import StoreUnavailable
from gateway.domain.template import fold_language
from gateway.metrics import Metrics
from gateway.ports import Clock, ListFailed, ListTrouble, TemplateList, TemplateListings

log = structlog.get_logger()

FIRST_RETRY = timedelta(seconds=30)
"""After a list that could not be read; it doubles up to the usual time between two readings."""
AFTER_REFUSAL = timedelta(hours=1)
"""A token or an account that is not taken is not better in a minute."""
ASKED_AT_MOST_EACH = timedelta(seconds=10)
"""Callbacks come in swarms when somebody edits many templates."""
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When the list is read again."""

    due: timedelta
    earliest: timedelta
    """Not before, whoever asks for it."""


class Refresh:
    """The list of one provider."""

    def __init__(
        self,
        source: TemplateList,
        *,
        store: TemplateListings,
        clock: Clock,
        metrics: Metrics,
        every: timedelta,
        changed: Callable[[], Awaitable[None]],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._every = every
        self._changed = changed
        self._draw = draw
        self._asked = asyncio.Event()
        self._failures = 0
        self._told: str | None = None
        """Why it was refused the last time, if it was: told once."""

    def ask(self) -> None:
        """Something has changed there: read the list soon."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            following = await self.once()
            await asyncio.sleep(following.earliest.total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout((following.due - following.earliest).total_seconds()):
                    await self._asked.wait()

    async def once(self) -> Next:
        """Read it now; when to do so again. What was read before something went wrong stands."""
        self._asked.clear()
        try:
            rest = await self._read(self._clock.now().replace(microsecond=0))  # as exact as callbacks are
        except ListFailed as failed:
            following = self._failed(failed)
        except StoreUnavailable:
            following = self._failed(ListFailed(ListTrouble.FAILED, "can't be stored now"))
        except Exception:
            log.exception("template_list.failed", provider=self._source.provider)
            following = self._after(ListTrouble.FAILED, None)
        else:
            following = self._done(rest)
        await self._tell()
        return following

    async def _tell(self) -> None:
        """Whoever decides by it."""
        try:
            await self._changed()
        except Exception:
            log.exception("template_list.untold", provider=self._source.provider)

    async def _read(self, at: datetime) -> timedelta:
        """How long not to ask again."""
        count, odd, rest = 0, 0, timedelta(0)
        async with aclosing(self._source.pages()) as pages:
            async for page in pages:
                await self._store.take_listed(self._source.provider, page.templates, at=at)
                count, odd, rest = count + len(page.templates), odd + page.odd, page.rest or rest
        gone = await self._store.end_list(self._source.provider, at=at)
        log.info("template_list.read", provider=self._source.provider, templates=count, odd=odd, gone=gone)
        return rest

    def _done(self, rest: timedelta) -> Next:
        self._failures, self._told = 0, None
        self._metrics.list_read(self._source.provider, "read")
        return self._next(self._every, earliest=rest)

    def _failed(self, failed: ListFailed) -> Next:
        following = self._after(failed.trouble, failed.wait)
        self._metrics.list_read(self._source.provider, failed.trouble.value)
        if failed.why != self._told:
            tell = log.error if failed.trouble is ListTrouble.REFUSED else log.warning
            again = round(following.due.total_seconds())
            tell("template_list.unread", provider=self._source.provider, why=failed.why, again_in=again)
        self._told = failed.why if failed.trouble is ListTrouble.REFUSED else None
        return following

    def _after(self, trouble: ListTrouble, wait: timedelta | None) -> Next:
        match trouble:
            case ListTrouble.LIMITED:
                return self._next(self._every, earliest=wait or self._every)
            case ListTrouble.REFUSED:
                return self._next(max(self._every, AFTER_REFUSAL), earliest=AFTER_REFUSAL)
            case ListTrouble.FAILED:
                self._failures += 1
                doubled = FIRST_RETRY * 2 ** min(self._failures - 1, _MOST_DOUBLINGS)
                return self._next(min(doubled, max(self._every, FIRST_RETRY)))

    def _next(self, due: timedelta, *, earliest: timedelta | None = None) -> Next:
        """With a tenth more or less, so that several gateways that were started together don't ask together."""
        earliest = max(earliest or ASKED_AT_MOST_EACH, ASKED_AT_MOST_EACH)
        return Next(due=max(due * (0.9 + 0.2 * self._draw()), earliest), earliest=earliest)


class Refreshes:
    """Those of all providers that list their templates, by the provider's name."""

    def __init__(self, refreshes: Mapping[str, Refresh]) -> None:
        self.of = refreshes

    def heard(self, provider: str, events: Sequence[CallbackEvent]) -> None:
        """A callback may say that what is registered there has changed: where a list can be read, it is."""
        changed = [one for one in events if isinstance(one, TemplateUpdate) and one.news.has_new_components]
        for one in changed:
            template = f"{one.name}/{fold_language(one.language)}"
            log.warning("template.components_changed", provider=provider, template=template)
        refresh = self.of.get(provider)
        if changed and refresh is not None:
            refresh.ask()
