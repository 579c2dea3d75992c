"""The surfaces over real HTTP, the real verbs and the real store; only the clock is ours."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient, AiohttpServer

from gateway.accept import Accept
from gateway.config import CallbackHosts, ClientConfig, Config, ProviderConfig, SenderConfig, ServerConfig
from gateway.decision import Decider
from gateway.domain.compliance import Downgrade, Send
from gateway.domain.delivery import Outcome
from gateway.domain.identity import MessageId, Sender, draw_token
from gateway.egress import Egress
from gateway.explain import Explain
from gateway.ingest import Ingest, directories
from gateway.metrics import Metrics, Names, Scrape
from gateway.ports import Attempt, Claim, Store, StorePolicy
from gateway.provider.callback_decoder import callback_decoder
from gateway.registry import Registry
from gateway.starting import Place
from gateway.store import open_store
from gateway.waiting import Waiting
from gateway.web.server import Parts, build_app

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK_KEY = "gwDeskDeskDeskDeskDeskDeskDeskDeskDeskDeskDesk012345"
SHOP_KEY = "gwShopShopShopShopShopShopShopShopShopShopShop012345"
SDK_KEY = "gwSdkkSdkkSdkkSdkkSdkkSdkkSdkkSdkkSdkkSdkkSdkk012345"
SECRET = "callback-secret-of-dt"

TEMPLATE = """\
name: ticket_answer
language: en_US
category: UTILITY
status: APPROVED
components:
  - {type: BODY, text: "We have an answer to your request {{1}}. Reply to read it."}
fill:
  body:
    - "{{ message.reference | default('of today') }}"
"""

TEXT = {"source_addr": "Desk", "destination_addr": "380501234567", "message_type": 1, "text": "Hello"}


class SetClock:
    """Business time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    async def wake(self) -> None:
        await asyncio.Event().wait()


class SetTicks:
    """Monotonic time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def digest(key: str) -> frozenset[bytes]:
    return frozenset({hashlib.sha256(key.encode()).digest()})


def a_config(tmp_path: Path) -> Config:
    templates = tmp_path / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "ticket_answer.en_US.yaml").write_text(TEMPLATE, encoding="utf-8")
    desk = SenderConfig(
        id=Sender("Desk"), provider="dt", aliases=("380441234567",), phone_number_id="1063", ladder=("ticket_answer",)
    )
    shop = SenderConfig(id=Sender("Shop"), provider="dt")
    return Config(
        server=ServerConfig(operator=tmp_path / "gateway.sock"),
        store_url="memory:",
        templates=templates,
        schemas=None,
        clients=(
            ClientConfig(name="desk", key_digests=digest(DESK_KEY), senders=(desk.id,)),
            ClientConfig(name="shop", key_digests=digest(SHOP_KEY), senders=(shop.id,)),
            ClientConfig(name="sdk", key_digests=digest(SDK_KEY), senders=(desk.id, shop.id), errors_as_200=True),
        ),
        providers=(
            ProviderConfig(
                name="dt",
                kind="decision-telecom",
                base_url="https://provider.example.com/v1/api",
                key="key of the provider",
                callback_secret=SECRET,
            ),
            ProviderConfig(
                name="other",
                kind="decision-telecom",
                base_url="https://other.example.com/v1/api",
                key="key of the other",
                callback_secret="callback-secret-of-other",
            ),
        ),
        senders=(desk, shop),
    )


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A gateway without a far side and without a door."""

    parts: Parts
    decider: Decider
    waiting: Waiting
    accepted: asyncio.Event
    """Set when a message was accepted."""
    clock: SetClock
    ticks: SetTicks


@dataclass(frozen=True, kw_only=True)
class House(Inside):
    """The same behind its door, and what a test asks of it."""

    http: TestClient[Any, Any]

    async def send(self, body: Any = TEXT, *, key: str = DESK_KEY, **headers: str) -> ClientResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post("/v1/api/send-whatsapp", json=body, headers={**basic(key), **named})

    async def sent(self, body: Any = TEXT, *, key: str = DESK_KEY) -> int:
        """The id of a message that was accepted."""
        answer = await (await self.send(body, key=key)).json()
        message_id = answer["message_id"]
        assert isinstance(message_id, int)
        return message_id

    async def explain(self, body: Any, *, key: str = DESK_KEY, **headers: str) -> ClientResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post("/v1/explain", json=body, headers={**bearer(key), **named})

    async def receive(self, message_id: Any, *, key: str = DESK_KEY) -> ClientResponse:
        return await self.http.post("/v1/api/receive-whatsapp", json={"message_id": message_id}, headers=basic(key))

    async def get(self, path: str, *, key: str = DESK_KEY) -> ClientResponse:
        return await self.http.get(path, headers=bearer(key))

    async def callback(self, body: Any, *, path: str = f"/callbacks/dt/{SECRET}") -> ClientResponse:
        return await self.http.post(path, json=body)

    async def contact_writes(self, *, ago: timedelta = timedelta(0), contact: str = "380501234567") -> None:
        """An inbound message, by the provider's callback."""
        at = int((self.clock.now() - ago).timestamp())
        body = {"from": contact, "to": "380441234567", "message_id": f"in-{at}", "timestamp": at, "text": "Hi"}
        assert (await self.callback(body)).status == 200

    async def attempt(self, outcome: Outcome) -> MessageId:
        """One attempt for the sender Desk, from claim to record, as dispatch makes it."""
        store, now = self.parts.store, self.clock.now()
        [claim] = (await store.claim(Sender("Desk"), limit=1, now=now, downgrades_since=now)).claims
        decision = self.decider(claim.message, claim, now=now)
        assert isinstance(decision, Send | Downgrade)
        attempt = Attempt(
            message_id=claim.message.id,
            number=claim.attempts + 1,
            token=draw_token(claim.message.id),
            content=decision.content,
        )
        assert await store.begin(claim, attempt, decision, now=now)
        await store.record(claim, attempt, outcome, now=now)
        return claim.message.id


Open = Callable[..., Awaitable[House]]


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    opened = await open_store("memory:", StorePolicy())
    yield opened
    await opened.aclose()


@pytest.fixture
def open_house(tmp_path: Path, store: Store, aiohttp_server: AiohttpServer, aiohttp_client: AiohttpClient) -> Open:
    """Opens a gateway; a test may put in other parts, or limits."""

    async def opened(*, limits: dict[str, Any] | None = None, **parts: Any) -> House:
        config = a_config(tmp_path)
        config = replace(config, limits=replace(config.limits, **(limits or {})))
        inside = _inside(config, store)
        inside = replace(inside, parts=replace(inside.parts, **parts))
        server = await aiohttp_server(build_app(inside.parts), auto_decompress=False, access_log=None, lingering_time=0)
        return House(http=await aiohttp_client(server), **vars(inside))

    return opened


@pytest.fixture
async def house(open_house: Open) -> House:
    return await open_house()


class InLine:
    """Where nothing leaves by itself: all that is accepted stands in line."""

    is_kept = False

    def __init__(self, accepted: asyncio.Event) -> None:
        self._accepted = accepted

    def place(self, sender: Sender) -> AbstractContextManager[Place]:
        return nullcontext(self)

    def give(self, begun: tuple[Claim, Attempt] | None) -> None:
        assert begun is None

    def notify(self, sender: Sender) -> None:
        self._accepted.set()


def _inside(config: Config, store: Store) -> Inside:
    clock, ticks, accepted = SetClock(), SetTicks(), asyncio.Event()
    registry = Registry.load(config.templates, config.schemas)
    senders = {sender.id: sender for sender in config.senders}
    decider = Decider(registry, senders, config.window.margin)
    waiting = Waiting(config.limits.waiting)
    metrics = Metrics(Names.of(config))
    accept = Accept(
        store=store,
        registry=registry,
        decider=decider,
        senders=senders,
        clock=clock,
        waiting=waiting,
        starting=InLine(accepted),
        metrics=metrics,
    )
    ingest = Ingest(
        inbox=store,
        clock=clock,
        directories=directories(config),
        also_opened_by=config.window.also_opened_by,
        notify=lambda: None,
        metrics=metrics,
    )
    parts = Parts(
        accept=accept,
        ingest=ingest,
        explain=Explain(store=store, registry=registry, decider=decider, senders=senders, clock=clock),
        store=store,
        registry=registry,
        clock=clock,
        config=config,
        decoders={provider.name: callback_decoder(provider) for provider in config.providers},
        may_post_to=Egress(CallbackHosts()).problem,
        is_stopping=lambda: False,
        metrics=metrics,
        scrape=Scrape(metrics, lambda now: store.census(now=now), clock, ticks=ticks),
        ticks=ticks,
    )
    return Inside(parts=parts, decider=decider, waiting=waiting, accepted=accepted, clock=clock, ticks=ticks)
