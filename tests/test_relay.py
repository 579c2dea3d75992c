"""The relay with the real store and real endpoints; only the clock is ours."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Set
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from gateway.config import CallbackHosts, WebhookConfig
from gateway.domain.callback import InboundMessage
from gateway.domain.compliance import Evidence, Reason, Send
from gateway.domain.errors import StoreUnavailable
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Draft, FreeForm
from gateway.domain.notice import RETRY_SCHEDULE
from gateway.domain.window import UNKNOWN_WINDOW
from gateway.egress import Egress
from gateway.metrics import Metrics, Names
from gateway.ports import Arrival, Deliveries, Delivery, Outbox, Posted, Replay, Store, StorePolicy
from gateway.post_traces import PostTraces
from gateway.relay import LEASE, Again, Arrived, GivenUp, Relay, verdict
from gateway.store import open_store
from gateway.tracing import UNTRACED
from gateway.webhook import WebhookClient
from tests.store.asking import enqueue

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = Sender("Shop")
ANNA, BORYS = Contact("380501111111"), Contact("380502222222")
KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class HandClock:
    """Business time that only moves when it is told to."""

    def __init__(self) -> None:
        self._now = NOON
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
        self._jumped.set()

    async def wake(self) -> None:
        await self._jumped.wait()
        self._jumped.clear()


class Endpoints:
    """The clients' servers, one path each: they keep what was posted and answer 204, or as they are told."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any], dict[str, str], bytes]] = []
        self.answers: dict[str, Callable[[], web.Response]] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.news = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.base = ""

    async def take(self, request: web.Request) -> web.Response:
        name = request.path.strip("/")
        body = await request.read()
        self.posts.append((name, json.loads(body), dict(request.headers), body))
        self.news.set()
        if name in self.held:
            await self._hold(name)
        return self.answers.get(name, lambda: web.Response(status=204))()

    async def _hold(self, name: str) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.held[name].wait()
        self.at_once -= 1

    def texts(self, name: str = "desk") -> list[str]:
        return [body["data"]["text"] for path, body, _, _ in self.posts if path == name]

    async def until(self, count: int) -> None:
        while len(self.posts) < count:
            self.news.clear()
            await self.news.wait()


@pytest.fixture
async def endpoints(aiohttp_server: Any) -> Endpoints:
    endpoints = Endpoints()
    app = web.Application()
    app.router.add_post("/{name}", endpoints.take)
    endpoints.base = str((await aiohttp_server(app)).make_url("/"))
    return endpoints


class Ticks:
    """The store's own time, in seconds: leases run on it."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by.total_seconds()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def store(ticks: Ticks) -> AsyncIterator[Store]:
    listeners = {SHOP: ("desk",), Sender("Other"): ("other",), Sender("Both"): ("desk", "other")}
    policy = StorePolicy(listeners=listeners)
    opened = await open_store("memory:", policy, ticks=ticks)
    yield opened
    await opened.aclose()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def webhooks() -> AsyncIterator[WebhookClient]:
    client = WebhookClient(Egress(CallbackHosts(allow=("127.0.0.1/32",))))
    yield client
    await client.aclose()


@pytest.fixture
def relay(store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints) -> Relay:
    return a_relay(store, webhooks, clock, endpoints)


def a_relay(
    outbox: Outbox, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints, *names: str, **options: Any
) -> Relay:
    clients = {name: WebhookConfig(url=endpoints.base + name, secret=SECRET) for name in names or ("desk", "other")}
    known = {"metrics": Metrics(Names()), "traces": PostTraces(outbox, UNTRACED), "jitter": lambda: 0.0}
    return Relay(outbox, webhooks, clock, clients, real_now=lambda: NOON, **{**known, **options})


async def wrote(store: Store, text: str, contact: Contact = ANNA, sender: Sender = SHOP) -> None:
    """A contact writes, and the clients that listen to the sender are to be told."""
    event = InboundMessage(contact=contact, kind="text", dedupe=f"m:{contact}:{text}", raw={}, at=NOON, text=text)
    await store.ingest("dt", [Arrival(event=event, sender=sender, opened_at=NOON, evidence="message")], now=NOON)


async def accepted(store: Store, *, callback_url: str) -> int:
    """A message of the client's is in the queue."""
    content = FreeForm(type="text", text="Hello")
    draft = Draft(client="desk", sender=SHOP, contact=ANNA, content=content, callback_url=callback_url)
    evidence = Evidence(at=NOON, window=UNKNOWN_WINDOW, margin=timedelta(0), downgrades=0, downgrade_limit=None)
    decision = Send(content=content, reasons=(Reason.WINDOW_OPEN,), evidence=evidence)
    return (await enqueue(store, draft, decision, now=NOON)).receipt.message_id


# --- what follows from an answer ------------------------------------------------------------------------------------


def a_delivery(tries: int = 0) -> Delivery:
    return Delivery(
        id=1, lane=1, epoch=1, endpoint="client:desk", event_id="evt_1", type="message.received", body=b"{}",
        tries=tries, created_at=NOON,
    )  # fmt: skip


def follows(posted: Posted, tries: int = 0, jitter: float = 0.0) -> Arrived | Again | GivenUp:
    return verdict(a_delivery(tries), posted, now=NOON, jitter=jitter)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_an_arrival(status: int):
    assert follows(Posted(status=status)) == Arrived()


@pytest.mark.parametrize("posted", [
    Posted(status=199), Posted(status=302), Posted(status=400), Posted(status=404), Posted(status=500),
    Posted(status=None, error="timeout"), Posted(status=None, error="not_allowed"),
])  # fmt: skip
def test_anything_else_goes_out_again_on_the_schedule(posted: Posted):
    waits = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    for tries, seconds in enumerate(waits):
        again = follows(posted, tries)
        assert isinstance(again, Again)
        assert again.due_at == NOON + timedelta(seconds=seconds)
    assert isinstance(follows(posted, len(waits)), GivenUp)


def test_jitter_adds_up_to_a_fifth():
    again = follows(Posted(status=500), jitter=0.5)
    assert isinstance(again, Again)
    assert again.due_at == NOON + timedelta(seconds=5.5)


def test_only_the_first_failure_holds_up_what_comes_after():
    first, second = follows(Posted(status=500)), follows(Posted(status=500), 1)
    assert isinstance(first, Again)
    assert isinstance(second, Again)
    assert (first.hold_until, second.hold_until) == (NOON + timedelta(seconds=30), NOON)


@pytest.mark.parametrize("posted", [Posted(status=410), Posted(status=None, error="bad_url")])
def test_what_cannot_improve_is_given_up(posted: Posted):
    assert isinstance(follows(posted), GivenUp)


def test_retry_after_makes_the_wait_longer_and_never_shorter():
    for asked, waited in ((600, 600), (1, 5)):
        again = follows(Posted(status=429, retry_after=timedelta(seconds=asked)))
        assert isinstance(again, Again)
        assert again.due_at == NOON + timedelta(seconds=waited)


# --- delivering -----------------------------------------------------------------------------------------------------


async def test_an_event_is_posted_once_signed_over_the_exact_bytes(relay: Relay, store: Store, endpoints: Endpoints):
    await wrote(store, "Привіт")
    assert await relay.turn() == 1
    assert await relay.turn() == 0
    ((name, body, headers, sent),) = endpoints.posts
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), sent])
    by_hand = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{by_hand}"
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert headers["Content-Type"] == "application/json"
    assert (name, body["type"], body["data"]["text"]) == ("desk", "message.received", "Привіт")


async def test_a_failed_event_comes_again_when_it_is_due_with_the_same_id(
    relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock
):
    await wrote(store, "Hi")
    endpoints.answers["desk"] = lambda: web.Response(status=500)
    assert await relay.turn() == 1
    clock.advance(timedelta(seconds=4.9))
    assert await relay.turn() == 0
    endpoints.answers.clear()
    clock.advance(timedelta(seconds=0.1))
    assert await relay.turn() == 1
    assert endpoints.texts() == ["Hi", "Hi"]
    assert len({headers["webhook-id"] for _, _, headers, _ in endpoints.posts}) == 1
    clock.advance(timedelta(days=30))
    assert await relay.turn() == 0


async def test_after_ten_tries_it_is_given_up(relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock):
    await wrote(store, "Hi")
    endpoints.answers["desk"] = lambda: web.Response(status=500)
    for wait in (timedelta(0), *RETRY_SCHEDULE):
        clock.advance(wait)
        assert await relay.turn() == 1
    clock.advance(timedelta(days=30))
    assert await relay.turn() == 0
    assert len(endpoints.posts) == 10


async def test_a_failed_event_holds_up_its_own_contact_and_nobody_else(
    relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock
):
    answers = iter([500])
    endpoints.answers["desk"] = lambda: web.Response(status=next(answers, 204))
    await wrote(store, "first")
    await relay.turn()
    await wrote(store, "second")
    await wrote(store, "of another", BORYS)
    await relay.turn()
    assert endpoints.texts() == ["first", "of another"]
    clock.advance(timedelta(seconds=5))
    while await relay.turn():
        pass
    assert endpoints.texts() == ["first", "of another", "first", "second"]


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_an_event_that_a_client_can_not_digest_holds_its_contact_s_later_ones_for_half_a_minute_at_most(
    relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock, status: int
):
    endpoints.answers["desk"] = lambda: web.Response(status=status, headers={"Retry-After": "3600"})
    await wrote(store, "first")
    await relay.turn()
    endpoints.answers.clear()
    await wrote(store, "second")
    clock.advance(timedelta(seconds=29.9))
    assert await relay.turn() == 0
    clock.advance(timedelta(seconds=0.1))
    assert await relay.turn() == 1
    assert endpoints.texts() == ["first", "second"]


async def test_an_endpoint_that_was_gone_is_asked_again_by_an_operator_s_word(
    relay: Relay, store: Store, endpoints: Endpoints
):
    endpoints.answers["desk"] = lambda: web.Response(status=410)
    await wrote(store, "first")
    await relay.turn()
    endpoints.answers.clear()
    replay = Replay(run="0" * 16, client="desk", since=NOON, until=NOON + timedelta(days=1))
    await store.post_again(replay, by="operator", now=NOON)
    relay.ask_again("client:desk")
    assert await relay.turn() == 1
    assert endpoints.texts() == ["first", "first"]
    assert len({headers["webhook-id"] for _, _, headers, _ in endpoints.posts}) == 1


async def test_an_endpoint_that_is_gone_is_not_asked_again(
    relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock
):
    endpoints.answers["desk"] = lambda: web.Response(status=410)
    await wrote(store, "first")
    await relay.turn()
    await wrote(store, "second", BORYS, Sender("Both"))
    while await relay.turn():
        pass
    clock.advance(timedelta(days=30))
    assert await relay.turn() == 0
    assert (endpoints.texts("desk"), endpoints.texts("other")) == (["first"], ["second"])


@pytest.mark.parametrize(("status", "headers", "seconds"), [(429, {"Retry-After": "120"}, 120), (503, {}, 30)])
async def test_an_endpoint_that_asks_for_a_slower_pace_is_left_alone_so_long(
    relay: Relay,
    store: Store,
    endpoints: Endpoints,
    clock: HandClock,
    status: int,
    headers: dict[str, str],
    seconds: int,
):
    endpoints.answers["desk"] = lambda: web.Response(status=status, headers=headers)
    await wrote(store, "first")
    await relay.turn()
    endpoints.answers.clear()
    await wrote(store, "second", BORYS, Sender("Both"))
    clock.advance(timedelta(seconds=seconds - 1))
    while await relay.turn():
        pass
    assert (endpoints.texts("desk"), endpoints.texts("other")) == (["first"], ["second"])
    clock.advance(timedelta(seconds=1))
    while await relay.turn():
        pass
    assert sorted(endpoints.texts("desk")) == ["first", "first", "second"]


async def test_a_messages_own_callback_url_is_posted_to_without_a_signature(
    relay: Relay, store: Store, endpoints: Endpoints
):
    message = await accepted(store, callback_url=endpoints.base + "callback")
    await store.cancel(message, by="operator", now=NOON)
    while await relay.turn():
        pass
    ((_, body, headers, _),) = [post for post in endpoints.posts if post[0] == "callback"]
    assert body == {"message_id": message, "status": 3}
    assert headers["Content-Type"] == "application/json"
    assert not [name for name in headers if name.lower().startswith("webhook-")]


async def test_a_client_without_a_webhook_any_more_is_given_up(
    store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints
):
    await wrote(store, "Hi")
    relay = a_relay(store, webhooks, clock, endpoints, "other")
    assert await relay.turn() == 1
    clock.advance(timedelta(days=30))
    assert await relay.turn() == 0
    assert not endpoints.posts


# --- running --------------------------------------------------------------------------------------------------------


async def test_while_running_news_are_delivered_when_they_come_and_retries_when_the_clock_jumps(
    relay: Relay, store: Store, endpoints: Endpoints, clock: HandClock
):
    running = asyncio.create_task(relay.run())
    endpoints.answers["desk"] = lambda: web.Response(status=500)
    await wrote(store, "Hi")
    relay.notify()
    await endpoints.until(1)
    endpoints.answers.clear()
    await wrote(store, "Ho", BORYS)
    relay.notify()
    await endpoints.until(2)
    clock.advance(timedelta(seconds=5))
    await endpoints.until(3)
    await relay.stop()
    await running
    assert endpoints.texts() == ["Hi", "Ho", "Hi"]


async def test_a_dead_endpoint_takes_its_share_of_slots_and_the_others_go_on(
    store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints
):
    both = Sender("Both")
    people = [Contact(f"3805000000{number:02}") for number in range(30)]
    for person in people:
        await wrote(store, f"to {person}", person, both)
    endpoints.held["desk"] = asyncio.Event()
    relay = a_relay(store, webhooks, clock, endpoints, in_flight=12, per_endpoint=8)
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(5):
        while len(endpoints.texts("other")) < len(people):
            endpoints.news.clear()
            await endpoints.news.wait()
    assert endpoints.at_once <= 8
    endpoints.held.pop("desk").set()
    await endpoints.until(2 * len(people))
    await relay.stop()
    await running
    assert sorted(endpoints.texts("desk")) == sorted(endpoints.texts("other"))
    assert 5 <= endpoints.most_at_once <= 8


async def test_an_endpoint_that_is_busy_already_gets_only_the_rest_of_its_share(
    store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints
):
    people = [Contact(f"3805000000{number:02}") for number in range(23)]
    endpoints.held["desk"] = asyncio.Event()
    relay = a_relay(store, webhooks, clock, endpoints, per_endpoint=8)
    running = asyncio.create_task(relay.run())
    for person in people[:3]:
        await wrote(store, "Hi", person)
    relay.notify()
    await endpoints.until(3)
    for person in people[3:]:
        await wrote(store, "Hi", person)
    relay.notify()
    await endpoints.until(8)
    await wrote(store, "Ho", ANNA, Sender("Other"))
    relay.notify()
    await endpoints.until(9)  # it left later than anything that was claimed for the desk before
    endpoints.held.pop("desk").set()
    await endpoints.until(len(people) + 1)
    await relay.stop()
    await running
    assert endpoints.most_at_once == 8


class Unavailable(Outbox):
    """The real outbox behind a store that fails a few times first."""

    def __init__(self, outbox: Outbox, *, claims: int = 0, records: int = 0) -> None:
        self._outbox, self._claims, self._records = outbox, claims, records

    async def claim_deliveries(
        self, *, limit: int, now: datetime, lease: timedelta, excluding: Set[str] = frozenset()
    ) -> Deliveries:
        self._claims -= 1
        if self._claims >= 0:
            raise StoreUnavailable
        return await self._outbox.claim_deliveries(limit=limit, now=now, lease=lease, excluding=excluding)

    async def delivered(self, delivery: Delivery, *, now: datetime) -> None:
        self._records -= 1
        if self._records >= 0:
            raise StoreUnavailable
        await self._outbox.delivered(delivery, now=now)


async def test_running_goes_on_after_the_store_was_not_available(
    store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints
):
    await wrote(store, "Hi")
    relay = a_relay(Unavailable(store, claims=1), webhooks, clock, endpoints)
    running = asyncio.create_task(relay.run())
    await endpoints.until(1)
    await relay.stop()
    await running
    assert endpoints.texts() == ["Hi"]


async def test_an_arrival_that_cannot_be_recorded_stops_nobody_and_comes_again_under_the_same_id(
    store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints, ticks: Ticks
):
    relay = a_relay(Unavailable(store, records=1), webhooks, clock, endpoints)
    await wrote(store, "first")
    assert await relay.turn() == 1
    await wrote(store, "second", BORYS)
    assert await relay.turn() == 1
    ticks.advance(LEASE)
    assert await relay.turn() == 1
    assert endpoints.texts() == ["first", "second", "first"]
    assert endpoints.posts[0][2]["webhook-id"] == endpoints.posts[2][2]["webhook-id"]


async def test_stopping_lets_what_is_in_flight_finish_and_claims_nothing_more(
    relay: Relay, store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints
):
    endpoints.held["desk"] = asyncio.Event()
    await wrote(store, "first")
    running = asyncio.create_task(relay.run())
    await endpoints.until(1)
    stopping = asyncio.create_task(relay.stop())
    await running
    await wrote(store, "second", BORYS)
    endpoints.held.pop("desk").set()
    await stopping
    assert endpoints.texts() == ["first"]
    assert await a_relay(store, webhooks, clock, endpoints).turn() == 1
    assert endpoints.texts() == ["first", "second"]


async def test_stopping_cuts_short_what_takes_too_long_and_it_comes_again(
    relay: Relay, store: Store, webhooks: WebhookClient, clock: HandClock, endpoints: Endpoints, ticks: Ticks
):
    endpoints.held["desk"] = asyncio.Event()
    await wrote(store, "first")
    running = asyncio.create_task(relay.run())
    await endpoints.until(1)
    await relay.stop(timedelta(0))
    await running
    endpoints.held.pop("desk").set()
    ticks.advance(LEASE)
    assert await a_relay(store, webhooks, clock, endpoints).turn() == 1
    assert endpoints.texts() == ["first", "first"]
