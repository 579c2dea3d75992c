"""A whole gateway over real HTTP, and a provider whose every answer a test decides."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import Gateway, running
from gateway.config import (
    CallbackHosts,
    ClientConfig,
    Config,
    DowngradeLimit,
    ProviderConfig,
    SenderConfig,
    ServerConfig,
    WebhookConfig,
)
from gateway.domain.compliance import Mode
from gateway.domain.delivery import DeliveryPolicy, PacePolicy
from gateway.domain.identity import Sender
from gateway.domain.repair import NO_REPAIR, RepairPolicy
from gateway.provider.sandbox import TravelClock
from gateway.shipped import shipped

KEY = "gateway-test-key-of-the-desk"
OTHER_KEY = "gateway-test-key-of-another"
SECRET = "gateway-test-callback-secret"
CONTACT = "380501234567"
SHOP = Sender("Shop")

Behaviour = Callable[[dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class FarSide:
    """A provider that keeps what it was sent and answers as `behaviour` says; by default it takes everything."""

    arrived: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    behaviour: Behaviour | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.arrived.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.news.set()
        if self.behaviour is not None:
            return await self.behaviour(body)
        return self.taken()

    def taken(self) -> web.Response:
        return web.json_response({"message_id": 7_000_000 + len(self.arrived)})

    def texts(self, sender: str = SHOP) -> list[str]:
        return [body.get("text", body.get("template_name")) for body in self.arrived if body["source_addr"] == sender]

    async def has(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.arrived) < count:
                self.news.clear()
                await self.news.wait()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/api/send-whatsapp", self.send)
        return app


@dataclass
class Desk:
    """A client of the gateway: posts messages, and keeps what its webhook receives."""

    http: aiohttp.ClientSession
    base_url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def hook(self, request: web.Request) -> web.Response:
        self.received.append(await request.json())
        self.headers.append(dict(request.headers))
        self.news.set()
        return web.Response()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self.hook)
        app.router.add_post("/message-callback", self.hook)
        return app

    async def has(self, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first thing received that fits, waited for."""
        async with asyncio.timeout(20):
            while True:
                for body in self.received:
                    if is_there(body):
                        return body
                self.news.clear()
                await self.news.wait()

    async def post(self, body: dict[str, Any], *, key: str = KEY, **headers: str) -> tuple[int, Any, dict[str, str]]:
        authorization = "Basic " + base64.b64encode(key.encode()).decode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(
            f"{self.base_url}/v1/api/send-whatsapp", json=body, headers={"Authorization": authorization, **named}
        ) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def text(self, text: str, *, contact: str = CONTACT, sender: str = SHOP, **headers: str) -> int:
        """Post a text that is accepted; its id."""
        body = {"source_addr": sender, "destination_addr": contact, "message_type": 1, "text": text}
        status, answer, _ = await self.post(body, **headers)
        assert status == 200, answer
        return int(answer["message_id"])

    async def get(self, path: str, *, key: str = KEY) -> Any:
        async with self.http.get(f"{self.base_url}{path}", headers={"Authorization": f"Bearer {key}"}) as answer:
            return await answer.json()

    async def callback(self, body: Any, *, attempt: str = "") -> None:
        url = f"{self.base_url}/callbacks/far/{SECRET}" + (f"/{attempt}" if attempt else "")
        async with self.http.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def until_refused(self, message_id: int) -> None:
        """Once the first attempt has failed, and that is on disk: only then does the clock move its retry nearer."""
        async with asyncio.timeout(20):
            while [each["status"] for each in (await self.get(f"/v1/messages/{message_id}"))["attempts"]] != ["retry"]:
                await asyncio.sleep(0.01)

    async def until(self, message_id: int, *statuses: str) -> Any:
        """The message, once its status is one of these."""
        async with asyncio.timeout(20):
            while True:
                message = await self.get(f"/v1/messages/{message_id}")
                if message["status"] in statuses:
                    return message
                await asyncio.sleep(0.01)


@dataclass
class World:
    """A gateway, the provider behind it, the application before it, and the clock over all."""

    gateway: Gateway
    far: FarSide
    desk: Desk
    clock: TravelClock

    async def hears(
        self, contact: str = CONTACT, text: str = "hello", *, sender: str = SHOP, ago: timedelta = timedelta(0)
    ) -> None:
        """The contact writes."""
        at = self.clock.now() - ago
        number = len(self.desk.received) + int(at.timestamp() * 1000)
        await self.desk.callback(
            {
                "message_id": f"{contact}-{number}",
                "from": contact,
                "to": sender,
                "timestamp": at.timestamp(),
                "text": text,
            }
        )


def digest(key: str) -> frozenset[bytes]:
    return frozenset({hashlib.sha256(key.encode()).digest()})


def a_config(
    folder: Path,
    *,
    far_url: str,
    hook_url: str,
    senders: tuple[str, ...] = (SHOP,),
    limit: DowngradeLimit | None = None,
    mode: Mode = Mode.ENFORCE,
    repair: RepairPolicy = NO_REPAIR,
    closed_window: Literal["at_once", "as_status"] = "at_once",
    **changes: Any,
) -> Config:
    rules: dict[str, Any] = {"mode": mode, "ladder": ("ticket_answer",), "downgrade_limit": limit, "repair": repair}
    known = tuple(SenderConfig(id=Sender(name), provider="far", **rules) for name in senders)
    config = Config(
        server=ServerConfig(port=0, public_url="http://gateway.test", operator=folder / "op.sock"),
        store_url=f"sqlite:///{folder / 'gateway.db'}",
        templates=shipped("templates"),
        schemas=None,
        clients=(
            ClientConfig(
                name="desk",
                key_digests=digest(KEY),
                senders=tuple(Sender(name) for name in senders),
                closed_window=closed_window,
                webhook=WebhookConfig(
                    url=hook_url, secret="whsec_" + base64.b64encode(b"a desk's own secret").decode()
                ),
            ),
            ClientConfig(name="another", key_digests=digest(OTHER_KEY), senders=(Sender(senders[0]),)),
        ),
        providers=(
            ProviderConfig(
                name="far", kind="decision-telecom", base_url=far_url, key="far-key", callback_secret=SECRET
            ),
        ),
        senders=known,
        pace=PacePolicy(sender_per_second=5000, contact_interval=timedelta(milliseconds=1), contact_burst=1000),
        delivery=DeliveryPolicy(
            probe_from=timedelta(milliseconds=20),
            probe_to=timedelta(milliseconds=100),
            stop_timeout=timedelta(seconds=5),
            timeout=timedelta(seconds=5),
        ),
        callback_hosts=CallbackHosts(allow=("127.0.0.1/32",)),
    )
    return replace(config, **changes)


@asynccontextmanager
async def a_world(folder: Path, *, clock: TravelClock | None = None, **changes: Any) -> AsyncIterator[World]:
    """Everything up, over real sockets; what is up is down again afterwards."""
    clock = clock or TravelClock()
    async with aiohttp.ClientSession() as http:
        far, desk = FarSide(), Desk(http)
        far_server, desk_server = TestServer(far.app()), TestServer(desk.app())
        await far_server.start_server()
        await desk_server.start_server()
        try:
            config = a_config(
                folder,
                far_url=str(far_server.make_url("/v1/api")),
                hook_url=str(desk_server.make_url("/hook")),
                **changes,
            )
            async with running(config, clock=clock) as gateway:
                desk.base_url = gateway.base_url
                yield World(gateway, far, desk, clock)
        finally:
            await far_server.close()
            await desk_server.close()
