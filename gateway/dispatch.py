"""Who is sent for, and when: one loop per sender claims conversations, as the store's pace and pauses allow.

Each claimed conversation is one task, which goes the way of ``gateway.sending``; nobody waits for anybody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from gateway.decision import Decider
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import ProviderError, StoreUnavailable
from gateway.domain.identity import MessageId, Sender
from gateway.ports import Claim, Claims, Clock, Conversations
from gateway.sending import STORE_BACK_OFF, Route

log = structlog.get_logger()

CLAIMS_AT_ONCE = 64
LONGEST_SLEEP = timedelta(seconds=1)
"""A claim that comes to nothing costs one look at an index; asking each second heals any wake-up that was missed."""

SHORTEST_SLEEP = timedelta(milliseconds=5)


class Dispatch:
    """Sends the messages of every sender until it is stopped."""

    def __init__(
        self,
        *,
        store: Conversations,
        decider: Decider,
        routes: Mapping[Sender, Route],
        clock: Clock,
        send: Callable[[Claim], Awaitable[None]],
    ) -> None:
        self._store = store
        self._decider = decider
        self._routes = routes
        self._clock = clock
        self._send = send
        self._news = {sender: asyncio.Event() for sender in routes}
        self._loops: list[asyncio.Task[None]] = []
        self._open: dict[asyncio.Task[None], Claim] = {}
        self._crowded_out: set[Sender] = set()
        self._pauses: dict[Sender, PauseCause] = {}

    # --- running ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._loops = [asyncio.create_task(self._serve(sender), name=f"dispatch {sender}") for sender in self._routes]

    def notify(self, sender: Sender) -> None:
        """There may be something to send for this sender."""
        if news := self._news.get(sender):
            news.set()

    def notify_all(self) -> None:
        for news in self._news.values():
            news.set()

    async def stop(self, limit: timedelta) -> Sequence[MessageId]:
        """Claim nothing more, wait for the answers that are out, and give those that are still missing then.

        Their attempts stay ``sending`` in the store, which makes them unknown at the next start.
        """
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if not self._open:
            return ()
        _, late = await asyncio.wait(self._open, timeout=limit.total_seconds())
        still_open = [self._open[task].message.id for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return still_open

    def open_messages(self) -> Sequence[MessageId]:
        """The messages that are with a task now."""
        return [claim.message.id for claim in self._open.values()]

    async def _serve(self, sender: Sender) -> None:
        news = self._news[sender]
        while True:
            news.clear()
            claims = await self._turn_or_back_off(sender)
            if not claims.claims:
                await self._sleep(news, claims)

    async def _turn_or_back_off(self, sender: Sender) -> Claims:
        try:
            return await self.turn(sender)
        except StoreUnavailable:
            log.warning("dispatch.store_unavailable", sender=sender)
        except Exception:
            log.exception("dispatch.turn_failed", sender=sender)
        await asyncio.sleep(STORE_BACK_OFF)
        return Claims()

    async def _sleep(self, news: asyncio.Event, claims: Claims) -> None:
        """Until there is news, the clock jumps, or something is due again."""
        limit = min(LONGEST_SLEEP, *_waits(claims, self._clock.now()))
        sleepers = [asyncio.create_task(news.wait()), asyncio.create_task(self._clock.wake())]
        try:
            await asyncio.wait(sleepers, timeout=limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sleeper in sleepers:
                sleeper.cancel()

    # --- one turn ---------------------------------------------------------------------------------------------------

    async def turn(self, sender: Sender) -> Claims:
        """Claim as many conversations of a sender as there is room for, and start on each."""
        room = min(self._routes[sender].slots.room(sender), CLAIMS_AT_ONCE)
        if room == 0:
            self._crowded_out.add(sender)
            return Claims()
        now = self._clock.now()
        claims = await self._store.claim(
            sender,
            limit=room,
            now=now,
            downgrades_since=self._decider.downgrades_since(sender, now),
            holding=frozenset(claim.conversation for claim in self._open.values()),
        )
        self._notice_pause(sender, claims)
        for claim in claims.claims:
            self._start_on(claim)
        return claims

    def _notice_pause(self, sender: Sender, claims: Claims) -> None:
        """Tell operators once when a sender is paused, for another reason than before, or goes on."""
        before = self._pauses.get(sender)
        if claims.pause is before:
            return
        if claims.pause is None:
            self._pauses.pop(sender)
            log.warning("sender.resumed", sender=sender, cause=before)
            return
        self._pauses[sender] = claims.pause
        error = claims.pause_error or ProviderError()
        log.warning("sender.paused", sender=sender, cause=claims.pause, code=error.code, status=error.status)

    def _start_on(self, claim: Claim) -> None:
        slots = self._routes[claim.message.sender].slots
        slots.take(claim.message.sender)
        task = asyncio.create_task(self._deliver(claim), name=f"message {claim.message.id}")
        self._open[task] = claim

        def ended(task: asyncio.Task[None]) -> None:
            del self._open[task]
            slots.give_back(claim.message.sender)
            self._there_is_room(claim.message.sender)

        task.add_done_callback(ended)

    def _there_is_room(self, sender: Sender) -> None:
        self.notify(sender)
        for other in self._crowded_out:
            self.notify(other)
        self._crowded_out.clear()

    async def _deliver(self, claim: Claim) -> None:
        """The whole way of one claim; whatever happens here stops nobody else."""
        try:
            await self._send(claim)
        except Exception:
            log.exception("dispatch.message_failed", message_id=claim.message.id)


def _waits(claims: Claims, now: datetime) -> Sequence[timedelta]:
    waits = [] if claims.again_in is None else [claims.again_in]
    if claims.again_at is not None:
        waits.append(claims.again_at - now)
    return [max(wait, SHORTEST_SLEEP) for wait in waits] or [LONGEST_SLEEP]
