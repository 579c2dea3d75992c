"""One scrape: a census that several may share, and the text of it all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Gauge, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from gateway import __version__
from gateway.domain.errors import StoreUnavailable
from gateway.metrics.counting import Metrics
from gateway.metrics.gauges import Gauges, SlotUse, Standing
from gateway.ports import Census, Clock

log = structlog.get_logger()

EACH = 15.0
"""Seconds between two looks at the store at least, however many scrape."""
PATIENCE = 5.0
"""Seconds that a scrape waits for a look; it goes on, and a later scrape has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposition:
    body: bytes
    content_type: str


class Scrape:
    """Answers whoever scrapes, also when the store can't be asked."""

    def __init__(
        self,
        metrics: Metrics,
        take_census: Callable[[datetime], Awaitable[Census]],
        clock: Clock,
        *,
        slots: Callable[[], Sequence[SlotUse]] = tuple,
        unusable: Callable[[], Mapping[tuple[str, str], int]] = dict,
        drifted: Callable[[], Mapping[str, int]] = dict,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = metrics.registry
        self._take_census = take_census
        self._clock = clock
        self._slots = slots
        self._unusable = unusable
        self._drifted = drifted
        self._ticks = ticks
        self._looked_at: float | None = None
        self._look: asyncio.Task[None] | None = None
        self._census: Census | None = None
        self._counted_at = 0.0
        self._has_failed = False
        self._gauges = Gauges(metrics.names)
        self._registry.register(self._gauges)
        self._about_process()

    async def __call__(self, accept: str) -> Exposition:
        """All metrics, in the newest format that is accepted."""
        await self._look_anew()
        self._gauges.standing = self._standing()
        encode, content_type = choose_encoder(accept)
        # On a thread of its own: some thousand lines are milliseconds in which nobody else would be served.
        return Exposition(body=await asyncio.to_thread(encode, self._registry), content_type=content_type)

    async def aclose(self) -> None:
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    async def _look_anew(self) -> None:
        if self._look is None or self._look.done():
            if self._looked_at is not None and self._ticks() - self._looked_at < EACH:
                return
            self._looked_at = self._ticks()
            self._look = asyncio.create_task(self._take(), name="census")
        await asyncio.wait({self._look}, timeout=PATIENCE)

    async def _take(self) -> None:
        self._has_failed = True
        try:
            self._census = await self._take_census(self._clock.now())
            self._counted_at = self._ticks()
            self._has_failed = False
        except StoreUnavailable:
            log.warning("census.store_unavailable")
        except Exception:
            log.exception("census.failed")

    def _standing(self) -> Standing:
        return Standing(
            now=self._clock.now(),
            is_stale=self._has_failed,
            census=self._census,
            census_age=self._ticks() - self._counted_at,
            slots=tuple(self._slots()),
            unusable=self._unusable(),
            drifted=self._drifted(),
        )

    def _about_process(self) -> None:
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        Gauge("gateway_up", "That it runs", registry=self._registry).set(1)
        Gauge("gateway_start_time_seconds", "When it started", registry=self._registry).set(time.time())
        about = Gauge("gateway_build_info", "Which version it is", ["version"], registry=self._registry)
        about.labels(__version__).set(1)
