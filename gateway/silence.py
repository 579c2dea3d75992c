"""A sender that sends and hears nothing: often its callbacks don't come here, and then every window looks closed."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.identity import Sender
from gateway.ports import Clock, Hearing, Watched

log = structlog.get_logger()

LISTEN_EACH = timedelta(minutes=1)
TOO_LONG = timedelta(hours=6)


class Silence:
    """Warns once of each silence."""

    def __init__(self, *, store: Watched, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._warned: dict[Sender, datetime | None] = {}

    async def run(self) -> None:
        """Until cancelled; also at once after the clock jumped."""
        while True:
            try:
                await self.listen()
            except StoreUnavailable:
                log.warning("silence.store_unavailable")
            except Exception:
                log.exception("silence.failed")
            await self._sleep()

    async def listen(self) -> None:
        """Work out who was heard, and warn of those who have become silent."""
        now = self._clock.now()
        for hearing in await self._store.listen():
            if is_silent(hearing, now) and self._warned.get(hearing.sender) != hearing.silent_from:
                self._warned[hearing.sender] = hearing.silent_from
                log.warning(
                    "sender.silent",
                    sender=hearing.sender,
                    since=None if hearing.silent_from is None else hearing.silent_from.isoformat(),
                    advice="check that the provider's callbacks come to server.public_url",
                )

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._clock.wake(), LISTEN_EACH.total_seconds())
        except TimeoutError:
            return


def is_silent(hearing: Hearing, now: datetime) -> bool:
    """Whether it has sent something lately, and was not heard for as long as that."""
    if hearing.silent_from is None or hearing.tried_at is None:
        return False
    return now - hearing.silent_from >= TOO_LONG and now - hearing.tried_at < TOO_LONG
