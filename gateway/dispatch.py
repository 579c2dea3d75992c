"""Who is sent for, and when: one loop per sender claims conversations, as the store's pace and pauses allow.

Each claimed conversation is one task, which goes the way of ``gateway.sending``; nobody waits for anybody else's. While
a sender has nothing due in line, what is accepted for it leaves at once, without the detour over a claim.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from gateway.decision import Decider
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import ProviderError, StoreUnavailable
from gateway.domain.identity import MessageId, Sender
from gateway.ports import Attempt, Claim, Claims, Clock, Conversations
from gateway.sending import FIRST_BYTE_WITHIN, STORE_BACK_OFF, Job, Route, Sending

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
        sending: Sending,
    ) -> None:
        self._store = store
        self._decider = decider
        self._routes = routes
        self._clock = clock
        self._sending = sending
        self._news = {sender: asyncio.Event() for sender in routes}
        self._loops: list[asyncio.Task[None]] = []
        self._open: dict[MessageId, tuple[Claim, asyncio.Task[None]]] = {}
        self._crowded_out: set[Sender] = set()
        self._pauses: dict[Sender, PauseCause] = {}
        self._drained: set[Sender] = set()
        self._is_stopping = False

    # --- running ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._loops = [asyncio.create_task(self._serve(sender), name=f"dispatch {sender}") for sender in self._routes]

    def notify(self, sender: Sender) -> None:
        """There may be something to send for this sender."""
        if news := self._news.get(sender):
            news.set()

    def notify_all(self) -> None:
        for sender in self._news:
            self.notify(sender)

    async def stop(self, limit: timedelta) -> Sequence[MessageId]:
        """Claim nothing more, wait for the answers that are out, and give those that are still missing then.

        Their attempts stay ``sending`` in the store, which makes them unknown at the next start.
        """
        self._is_stopping = True
        self._drained.clear()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if not self._open:
            return ()
        message_of = {task: message_id for message_id, (_, task) in self._open.items()}
        _, late = await asyncio.wait(message_of, timeout=limit.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return [message_of[task] for task in late]

    def open_messages(self) -> Sequence[MessageId]:
        """The messages that are with a task now."""
        return list(self._open)

    async def _serve(self, sender: Sender) -> None:
        news = self._news[sender]
        while True:
            news.clear()
            claims = await self._turn_or_back_off(sender)
            self._note_what_is_left(sender, claims)
            if not claims.claims:
                await self._sleep(news, claims)

    def _note_what_is_left(self, sender: Sender, claims: Claims) -> None:
        """Only while all that is due was given out may anything leave without standing in line."""
        if claims.is_more or claims.pause is not None or self._is_stopping:
            self._drained.discard(sender)
        else:
            self._drained.add(sender)

    async def _turn_or_back_off(self, sender: Sender) -> Claims:
        try:
            return await self.turn(sender)
        except StoreUnavailable:
            log.warning("dispatch.store_unavailable", sender=sender)
        except Exception:
            log.exception("dispatch.turn_failed", sender=sender)
        await asyncio.sleep(STORE_BACK_OFF)
        return Claims(is_more=True)

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
        slots = self._routes[sender].slots
        room = min(slots.room(sender), CLAIMS_AT_ONCE)
        if room == 0:
            self._crowded_out.add(sender)
            return Claims(is_more=True)
        claims = Claims()
        slots.take(sender, room)  # before it is asked, or what is accepted meanwhile takes them too
        try:
            claims = await self._claim(sender, room)
        finally:
            self._give_back_slots(sender, room - len(claims.claims))
        self._notice_pause(sender, claims)
        for claim in claims.claims:
            self._run(claim, self._sending(claim))
        return claims

    async def _claim(self, sender: Sender, room: int) -> Claims:
        now = self._clock.now()
        return await self._store.claim(
            sender,
            limit=room,
            now=now,
            downgrades_since=self._decider.downgrades_since(sender, now),
            holding=frozenset(claim.conversation for claim, _ in self._open.values()),
        )

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

    def _run(self, claim: Claim, job: Job) -> None:
        """Do it as a task, in a slot that was taken for it and is free when it ends."""
        task = asyncio.get_running_loop().create_task(self._deliver(claim, job))
        self._open[claim.message.id] = (claim, task)

    async def _deliver(self, claim: Claim, job: Job) -> None:
        """The whole way of one claim; whatever happens here stops nobody else. It has begun by the time that anybody
        could cancel it: what it holds is given back here."""
        has_more = True
        try:
            has_more = await job
        except Exception:
            log.exception("dispatch.message_failed", message_id=claim.message.id)
        finally:
            sender = claim.message.sender
            del self._open[claim.message.id]
            if has_more or sender in self._pauses:  # it may have ended the pause
                self.notify(sender)
            self._give_back_slots(sender)

    def _give_back_slots(self, sender: Sender, count: int = 1) -> None:
        self._routes[sender].slots.give_back(sender, count)
        while self._crowded_out:
            self.notify(self._crowded_out.pop())

    # --- what leaves as it is accepted ------------------------------------------------------------------------------

    def place(self, sender: Sender) -> Place:
        """Keep a slot for what is being accepted, if nothing due waits for one."""
        if sender not in self._drained or (slots := self._routes[sender].slots).room(sender) == 0:
            return Place(self, sender, is_kept=False)
        slots.take(sender)
        return Place(self, sender, is_kept=True)

    def give_up_place(self, sender: Sender) -> None:
        self._give_back_slots(sender)

    def send_begun(self, claim: Claim, attempt: Attempt, write_by: float) -> None:
        """Send what was begun in a slot that was kept for it."""
        if self._is_stopping:
            self._run(claim, self._put_back(claim))
        else:
            self._run(claim, self._sending.begun(claim, attempt, write_by))

    async def _put_back(self, claim: Claim) -> bool:
        await self._sending.release(claim)
        return True


class Place:
    """A slot for one message while it is being accepted, if one could be kept."""

    __slots__ = ("_begun", "_dispatch", "_sender", "_write_by", "is_kept")

    def __init__(self, dispatch: Dispatch, sender: Sender, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self._dispatch = dispatch
        self._sender = sender
        self._begun: tuple[Claim, Attempt] | None = None
        self._write_by = time.monotonic() + FIRST_BYTE_WITHIN

    def give(self, begun: tuple[Claim, Attempt] | None) -> None:
        self._begun = begun

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        if self._begun is not None:
            self._dispatch.send_begun(*self._begun, self._write_by)
        elif self.is_kept:
            self._dispatch.give_up_place(self._sender)


def _waits(claims: Claims, now: datetime) -> Sequence[timedelta]:
    waits = [] if claims.again_in is None else [claims.again_in]
    if claims.again_at is not None:
        waits.append(claims.again_at - now)
    return [max(wait, SHORTEST_SLEEP) for wait in waits] or [LONGEST_SLEEP]
