"""Outgoing webhooks: claim what is due, sign and post it, record what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from gateway.config import WebhookConfig
from gateway.domain.errors import StoreUnavailable
from gateway.domain.notice import BLOCK_FOR, RETRY_SCHEDULE
from gateway.metrics import Metrics
from gateway.ports import Clock, Delivery, Outbox, Posted, Webhooks
from gateway.post_traces import PostTraces
from gateway.signing import hub_headers, signed_headers

LEASE = timedelta(seconds=60)
"""Longer than a post can take, with its recording."""
IDLE_AT_MOST = 1.0
"""The longest sleep between two looks, in seconds: news that told nobody is found then."""
LONGEST_REST = 30.0
STOP_WITHIN = timedelta(seconds=15)
"""As long as a post can take."""
SLOW_FOR = timedelta(seconds=30)
"""How long an endpoint that asked for a slower pace without naming one is left alone."""
_GONE = 410
_SLOW_DOWN = (429, 503)
_CLIENT = "client:"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The endpoint took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """It goes out once more, and holds up its lane for a while."""

    due_at: datetime
    hold_until: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """No more tries."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a notice goes. A message's own callback_url has no secret: what is posted there is not signed."""

    url: str
    secret: str | None = None


def verdict(delivery: Delivery, posted: Posted, *, now: datetime, jitter: float) -> Arrived | Again | GivenUp:
    """What follows from an endpoint's answer; `jitter` in [0, 1) adds up to a fifth to the wait."""
    if posted.status is not None and 200 <= posted.status < 300:
        return Arrived()
    error = posted.error or f"http {posted.status}"
    if posted.status == _GONE or posted.error == "bad_url" or delivery.tries >= len(RETRY_SCHEDULE):
        return GivenUp(error=error)
    wait = RETRY_SCHEDULE[delivery.tries] * (1 + jitter / 5)
    # A second failure comes within the hold of the first, and the third try long after it: there is no order to keep.
    hold = BLOCK_FOR if delivery.tries == 0 else timedelta(0)
    return Again(due_at=now + max(wait, posted.retry_after or wait), hold_until=now + hold, error=error)


class Relay:
    """Delivers notices until it is stopped. A dead endpoint takes a few slots and nobody else's time."""

    def __init__(
        self,
        outbox: Outbox,
        webhooks: Webhooks,
        clock: Clock,
        clients: Mapping[str, WebhookConfig],
        *,
        metrics: Metrics,
        traces: PostTraces,
        in_flight: int = 64,
        per_endpoint: int = 8,
        jitter: Callable[[], float] = random.random,
        real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._outbox = outbox
        self._webhooks = webhooks
        self._clock = clock
        self._clients = clients
        self._metrics = metrics
        self._traces = traces
        self._in_flight = in_flight
        self._per_endpoint = per_endpoint
        self._jitter = jitter
        self._real_now = real_now  # receivers judge a signature's age by real time, whatever our clock says
        self._posting: dict[asyncio.Task[None], str] = {}
        self._slowed: dict[str, datetime] = {}
        self._gone: set[str] = set()
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()

    def notify(self) -> None:
        """There may be something to deliver."""
        self._news.set()

    def ask_again(self, endpoint: str) -> None:
        """An operator has something posted to it again, whatever it answered before."""
        self._gone.discard(endpoint)
        self._slowed.pop(endpoint, None)
        self.notify()

    async def turn(self) -> int:
        """Deliver what is due now, as far as the limits allow; how many were tried."""
        before = set(self._posting)
        await self._start_due()
        started = [task for task in self._posting if task not in before]
        if started:
            await asyncio.wait(started)
        return len(started)

    async def run(self) -> None:
        """Deliver until stopped, whatever fails on the way."""
        watching = asyncio.create_task(self._watch_clock())
        failures = 0
        try:
            while not self._stopping.is_set():
                self._news.clear()
                try:
                    await _wait(self._news, await self._start_due())
                    failures = 0
                except Exception as error:
                    failures += 1
                    await _wait(self._stopping, _report(error, failures))
        finally:
            watching.cancel()

    async def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """Claim nothing more and let what is in flight finish for so long; the rest goes out after the next start."""
        self._stopping.set()
        self._news.set()
        if not self._posting:
            return
        _, late = await asyncio.wait(self._posting, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            log.warning("relay.cut_short", posts=len(late))

    async def _start_due(self) -> float:
        """Start what is due; the seconds to rest before the next look, 0 when there may be more at once."""
        now = self._clock.now()
        busy = Counter(self._posting.values())
        full = {endpoint for endpoint, posts in busy.items() if posts > self._per_endpoint // 2}
        limit = self._room(busy, full)
        if limit <= 0:
            return IDLE_AT_MOST
        claimed = await self._outbox.claim_deliveries(
            limit=limit, now=now, lease=LEASE, excluding=full | self._resting(now)
        )
        if self._stopping.is_set():
            return 0.0
        for delivery in claimed.deliveries:
            self._start(delivery)
        if claimed.deliveries:
            return 0.0
        if claimed.again_at is None or claimed.again_at <= now:  # due, and held back by a limit of ours
            return IDLE_AT_MOST
        return min((claimed.again_at - now).total_seconds(), IDLE_AT_MOST)

    def _room(self, busy: Counter[str], full: set[str]) -> int:
        """How many to claim at once, so that even if all are for one endpoint it gets no more than its share."""
        most = max((posts for endpoint, posts in busy.items() if endpoint not in full), default=0)
        return min(self._in_flight - len(self._posting), self._per_endpoint - most)

    def _resting(self, now: datetime) -> set[str]:
        self._slowed = {endpoint: until for endpoint, until in self._slowed.items() if until > now}
        return set(self._slowed)

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._deliver(delivery))
        self._posting[task] = delivery.endpoint
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._posting[task]
        self._news.set()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._record(delivery, await self._try(delivery))
        except StoreUnavailable:  # its lease ends, and it goes out again under the same id
            log.warning("webhook.not_recorded", event_id=delivery.event_id)
        except Exception:  # the top of one delivery: no other one has to suffer for it
            log.exception("webhook.broke", event_id=delivery.event_id)
            await self._count_broken(delivery)

    async def _count_broken(self, delivery: Delivery) -> None:
        """A try that broke is a try: it uses up the schedule like any other."""
        broken = verdict(delivery, Posted(status=None, error="broke"), now=self._clock.now(), jitter=self._jitter())
        try:
            await self._record(delivery, broken)
        except StoreUnavailable:
            log.warning("webhook.not_recorded", event_id=delivery.event_id)

    async def _try(self, delivery: Delivery) -> Arrived | Again | GivenUp:
        target = self._target(delivery)
        if target is None:
            return GivenUp(error="the client has no webhook any more")
        if delivery.endpoint in self._gone:
            return GivenUp(error="the endpoint is disabled: it answered 410")
        posted = await self._post(target, delivery)
        now = self._clock.now()
        result = verdict(delivery, posted, now=now, jitter=self._jitter())
        self._remember(delivery.endpoint, posted, now)
        return result

    async def _post(self, target: Target, delivery: Delivery) -> Posted:
        started = time.perf_counter()
        async with self._traces.step(delivery, hands_on=target.secret is not None) as step:
            headers = {**self._headers(target, delivery), **step.headers}
            posted = await self._webhooks.post(target.url, delivery.body, headers)
            step.note(posted)
        self._metrics.posted(delivery.endpoint, time.perf_counter() - started)
        return posted

    def _target(self, delivery: Delivery) -> Target | None:
        if delivery.url is not None:
            return Target(url=delivery.url)
        config = self._clients.get(delivery.endpoint.removeprefix(_CLIENT))
        return None if config is None else Target(url=config.url, secret=config.secret)

    def _headers(self, target: Target, delivery: Delivery) -> dict[str, str]:
        if target.secret is None:
            return {}
        if delivery.format.is_platform:
            return hub_headers(target.secret, delivery.event_id, delivery.body)
        return signed_headers(target.secret, delivery.event_id, self._real_now(), delivery.body)

    def _remember(self, endpoint: str, posted: Posted, now: datetime) -> None:
        """A client's endpoint that is gone is not asked again; a callback_url ends with its message anyway."""
        if posted.status == _GONE and endpoint.startswith(_CLIENT):
            self._gone.add(endpoint)
            log.error("webhook.disabled", endpoint=endpoint, status=_GONE)
        elif posted.status in _SLOW_DOWN:
            self._slowed[endpoint] = now + (SLOW_FOR if posted.retry_after is None else posted.retry_after)

    async def _record(self, delivery: Delivery, result: Arrived | Again | GivenUp) -> None:
        now = self._clock.now()
        facts = {"event_id": delivery.event_id, "endpoint": delivery.endpoint, "tries": delivery.tries + 1}
        match result:
            case Arrived():
                await self._outbox.delivered(delivery, now=now)
                self._metrics.delivered(delivery.endpoint, "delivered")
                log.debug("webhook.delivered", **facts)
            case Again(due_at=due_at, hold_until=hold_until, error=error):
                await self._outbox.deliver_again(delivery, due_at=due_at, hold_until=hold_until, error=error, now=now)
                self._metrics.delivered(delivery.endpoint, "again")
                log.warning("webhook.failed", error=error, **facts)
            case GivenUp(error=error):
                await self._outbox.give_up(delivery, error=error, now=now)
                self._metrics.delivered(delivery.endpoint, "given_up")
                log.warning("webhook.given_up", error=error, **facts)

    async def _watch_clock(self) -> None:
        while True:
            await self._clock.wake()
            self._news.set()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, at most so long."""
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


def _report(error: Exception, failures: int) -> float:
    """Log why a turn failed, and the seconds to wait before the next one."""
    if isinstance(error, StoreUnavailable):
        log.warning("relay.store_unavailable", failures=failures)
    else:
        log.exception("relay.turn_failed", failures=failures)
    return float(min(2 ** min(failures, 10) / 2, LONGEST_REST))
