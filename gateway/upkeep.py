"""What must happen without anybody asking: messages expire, what is older than its retention goes, and what an operator
began to erase is erased to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.erasing import Eraser
from gateway.ports import Clock, Store

log = structlog.get_logger()

EXPIRE_EACH = timedelta(seconds=1)
SWEEP_EACH = timedelta(minutes=10)
ERASE_EACH = timedelta(seconds=30)
EXPIRE_AT_ONCE = 256
SWEEP_AT_ONCE = 100
"""Rows in one transaction: some milliseconds of it."""


class Upkeep:
    """Expires and sweeps in small steps, so that nobody waits for it."""

    def __init__(self, *, store: Store, clock: Clock, notify: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._notify = notify

    async def run(self) -> None:
        """Until cancelled; also at once after the clock jumped."""
        await asyncio.gather(
            self._repeat(self.expire, EXPIRE_EACH),
            self._repeat(self.sweep, SWEEP_EACH),
            self._repeat(self.erase, ERASE_EACH),
        )

    async def expire(self) -> None:
        """End every message whose time to live is over."""
        expired = EXPIRE_AT_ONCE
        while expired == EXPIRE_AT_ONCE:
            expired = await self._store.expire(now=self._clock.now(), limit=EXPIRE_AT_ONCE)
            if expired:
                log.info("messages.expired", count=expired)
                self._notify()

    async def sweep(self) -> None:
        """Remove what is older than its retention."""
        removed, step = 0, SWEEP_AT_ONCE
        while step == SWEEP_AT_ONCE:
            step = await self._store.sweep(now=self._clock.now(), limit=SWEEP_AT_ONCE)
            removed += step
        if removed:
            log.info("store.swept", rows=removed)

    async def erase(self) -> None:
        """Go on with erasures that were interrupted."""
        eraser = Eraser(contacts=self._store, clock=self._clock)
        while await eraser.go_on(None, within=ERASE_EACH.total_seconds()) is not None:
            self._notify()

    async def _repeat(self, job: Callable[[], Awaitable[None]], each: timedelta) -> None:
        while True:
            await self._once(job)
            await self._sleep(each)

    async def _once(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except StoreUnavailable:
            log.warning("upkeep.store_unavailable")
        except Exception:
            log.exception("upkeep.failed")

    async def _sleep(self, each: timedelta) -> None:
        try:
            await asyncio.wait_for(self._clock.wake(), each.total_seconds())
        except TimeoutError:
            return
