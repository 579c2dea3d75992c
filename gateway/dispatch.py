"""Sending what was accepted: claim -> pace -> decide again -> begin -> send -> record.

One loop per sender claims conversations (the store paces them); each claimed conversation is one task that decides on
its head and makes one attempt. What joins the steps are values: Claim, Decision, Attempt, Outcome.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.decision import Decider
from gateway.domain.compliance import Downgrade, Hold, Refuse, Send
from gateway.domain.delivery import Cause, Failed, Outcome, PauseCause, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError, StoreUnavailable
from gateway.domain.identity import MessageId, Sender
from gateway.ports import Attempt, Claim, Claims, Clock, Conversations, Provider
from gateway.slots import Slots
from gateway.waiting import Waiting

log = structlog.get_logger()

FIRST_BYTE_WITHIN = 5.0
"""Seconds between the commit of an attempt and its first byte; later it is withdrawn. Keeps a process that was stopped
for a while from sending what another may have taken over."""

CLAIMS_AT_ONCE = 64
LONGEST_SLEEP = timedelta(seconds=1)
"""A claim that comes to nothing costs one look at an index; asking each second heals any wake-up that was missed."""

SHORTEST_SLEEP = timedelta(milliseconds=5)
STORE_BACK_OFF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one sender's messages leave."""

    provider: Provider
    slots: Slots
    callback_url: Callable[[str], str | None]
    """From an attempt's token to the URL that its statuses come to."""


class Dispatch:
    """Sends the messages of every sender until it is stopped."""

    def __init__(
        self,
        *,
        store: Conversations,
        decider: Decider,
        routes: Mapping[Sender, Route],
        clock: Clock,
        waiting: Waiting,
        notify_relay: Callable[[], None],
    ) -> None:
        self._store = store
        self._decider = decider
        self._routes = routes
        self._clock = clock
        self._waiting = waiting
        self._notify_relay = notify_relay
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

    async def settle(self) -> None:
        """Send all that can be sent now, and return when nothing more is due; for a clock that stands still."""
        found = True
        while found:
            found = False
            for sender in self._routes:
                claims = await self.turn(sender)
                found = found or bool(claims.claims)
            await asyncio.gather(*self._open)

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
            await self._decide(claim)
        except Exception:
            log.exception("dispatch.message_failed", message_id=claim.message.id)

    async def _decide(self, claim: Claim) -> None:
        decision = self._decider(claim.message, claim, now=self._clock.now(), template_started=claim.template_started)
        match decision:
            case Send() | Downgrade():
                await self._attempt(claim, decision)
            case Refuse():
                await self._refuse(claim, decision)
            case Hold():
                raise AssertionError("hold is refused when the configuration is read")

    async def _refuse(self, claim: Claim, decision: Refuse) -> None:
        if not await self._written(self._store.refuse(claim, decision, now=self._clock.now())):
            await self._release(claim)
            return
        reasons = [reason.value for reason in decision.reasons]
        log.info("message.refused", message_id=claim.message.id, sender=claim.message.sender, reasons=reasons)
        self._tell(claim)

    async def _attempt(self, claim: Claim, decision: Send | Downgrade) -> None:
        attempt = Attempt(
            message_id=claim.message.id,
            number=claim.attempts + 1,
            token=secrets.token_urlsafe(16),
            content=decision.content,
        )
        write_by = time.monotonic() + FIRST_BYTE_WITHIN
        if not await self._written(self._store.begin(claim, attempt, decision, now=self._clock.now())):
            await self._release(claim)
            return
        await self._record(claim, attempt, await self._send(claim, attempt, write_by))

    async def _written(self, verb: Coroutine[None, None, bool]) -> bool:
        """Whether the store took it; nothing was sent when it did not."""
        try:
            return await verb
        except StoreUnavailable:
            log.warning("dispatch.store_unavailable")
            return False

    async def _release(self, claim: Claim) -> None:
        """Give a claim back of which nothing was sent, so that nobody waits for its lease to end."""
        while True:
            try:
                return await self._store.release(claim, now=self._clock.now())
            except StoreUnavailable:
                await asyncio.sleep(STORE_BACK_OFF)

    async def _send(self, claim: Claim, attempt: Attempt, write_by: float) -> Outcome:
        route = self._routes[claim.message.sender]
        try:
            return await route.provider.send(
                claim.message, attempt.content, callback_url=route.callback_url(attempt.token), write_by=write_by
            )
        except Exception as fault:
            log.exception("dispatch.send_failed", message_id=claim.message.id, attempt=attempt.number)
            return Unknown(error=ProviderError(name=type(fault).__name__, message="the attempt broke off"))

    async def _record(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> None:
        status = await self._recorded(claim, attempt, outcome)
        log.info(
            "message.attempted",
            message_id=claim.message.id,
            sender=claim.message.sender,
            attempt=attempt.number,
            status=status,
            **_facts(outcome),
        )
        self._tell(claim)
        if isinstance(outcome, Retry) and outcome.cause is Cause.BALANCE:
            self._waiting.tell_all(claim.message.sender)

    async def _recorded(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> str:
        """An outcome is evidence: it is offered to the store until it is taken."""
        while True:
            try:
                return await self._store.record(claim, attempt, outcome, now=self._clock.now())
            except StoreUnavailable:
                log.warning("dispatch.record_postponed", message_id=claim.message.id, attempt=attempt.number)
                await asyncio.sleep(STORE_BACK_OFF)

    def _tell(self, claim: Claim) -> None:
        self._waiting.tell(claim.message.id)
        self._notify_relay()


def _facts(outcome: Outcome) -> dict[str, object]:
    """What came of an attempt, as a log may tell it: numbers, and none of the provider's words."""
    match outcome:
        case Submitted(provider_message_id=provider_message_id):
            return {"outcome": "submitted", "provider_message_id": provider_message_id}
        case Retry(cause=cause, error=error):
            return {"outcome": "retry", "cause": cause, "code": error.code, "http_status": error.status}
        case Failed(error=error):
            return {"outcome": "failed", "code": error.code, "http_status": error.status}
        case WindowWasClosed(error=error):
            return {"outcome": "window_closed", "code": error.code, "http_status": error.status}
        case Unknown(error=error):
            return {"outcome": "unknown", "cause": error.message, "http_status": error.status}


def _waits(claims: Claims, now: datetime) -> Sequence[timedelta]:
    waits = [] if claims.again_in is None else [claims.again_in]
    if claims.again_at is not None:
        waits.append(claims.again_at - now)
    return [max(wait, SHORTEST_SLEEP) for wait in waits] or [LONGEST_SLEEP]
