"""What a client of the platform's format receives of a whole gateway, read by a library of others if it is there."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.cli.operating import ask
from gateway.config import ClientConfig, WebhookConfig
from gateway.domain.identity import MessageId, Sender
from gateway.domain.subscription import Format
from gateway.domain.wamid import wamid
from gateway.post_traces import message_told_of
from tests.gateway.harness import CONTACT, KEY, OTHER_KEY, SHOP, World, a_world, digest

SECRET = "whsec_an-app-s-secret-as-it-is-written"


@dataclass
class Endpoint:
    """A client's server that keeps the bytes it was sent."""

    posts: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((await request.read(), dict(request.headers)))
        self.news.set()
        return web.Response(status=self.status)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.posts) < count:
                self.news.clear()
                await self.news.wait()

    def bodies(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.posts]

    def values(self, name: str) -> list[dict[str, Any]]:
        found = [body["entry"][0]["changes"][0]["value"] for body in self.bodies()]
        return [value for value in found if name in value]


@asynccontextmanager
async def world_with(tmp_path: Path, shape: Format) -> AsyncIterator[tuple[World, Endpoint]]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_post("/hook", endpoint.take)
    server = TestServer(app)
    await server.start_server()
    try:
        webhook = WebhookConfig(url=str(server.make_url("/hook")), secret=SECRET, format=shape)
        clients = (
            ClientConfig(name="desk", key_digests=digest(KEY), senders=(Sender(SHOP),), webhook=webhook),
            ClientConfig(name="another", key_digests=digest(OTHER_KEY), senders=(Sender(SHOP),)),
        )
        async with a_world(tmp_path, clients=clients) as world:
            yield world, endpoint
    finally:
        await server.close()


async def a_life(world: World, endpoint: Endpoint) -> int:
    """A contact writes, is answered, and reads it; a message of the desk's own fails."""
    await world.hears(text="Де моє замовлення? / 📦")
    read, failed = await world.desk.text("It is on its way"), await world.desk.text("And here")
    for number, report in ((1, {"status": 0}), (2, {"status": 3, "code": 1, "name": "Invalid Parameter: text"})):
        await world.far.has(number)
        token = world.far.arrived[number - 1]["callback_url"].rpartition("/")[2]
        message = read if number == 1 else failed
        await world.desk.until(message, "submitted")
        await world.desk.callback(report, attempt=token)
        if number == 1:
            await world.desk.callback({"status": 1}, attempt=token)
    await endpoint.has(4)
    return read


@pytest.mark.parametrize("shape", [Format.CLOUD_API, Format.DIALOG360])
async def test_each_body_is_ascii_and_signed_over_its_exact_bytes_with_the_secret_as_it_is_written(
    tmp_path: Path, shape: Format
) -> None:
    async with world_with(tmp_path, shape) as (world, endpoint):
        await a_life(world, endpoint)
    assert len(endpoint.posts) == 4
    for body, headers in endpoint.posts:
        assert body.isascii()
        assert rb"\/" not in body
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
        assert headers["Gateway-Event-Id"].startswith("evt_")
        assert "webhook-signature" not in {name.lower() for name in headers}


async def test_an_envelope_is_made_for_a_provider_whose_callbacks_are_flat(tmp_path: Path) -> None:
    async with world_with(tmp_path, Format.CLOUD_API) as (world, endpoint):
        message_id = await a_life(world, endpoint)
    assert [set(body) for body in endpoint.bodies()] == [{"object", "entry"}] * 4
    (value,) = endpoint.values("messages")
    number = value["metadata"]["phone_number_id"]
    assert number.isdigit()
    assert int(number) < 2**53
    assert value["contacts"] == [{"profile": {"name": CONTACT}, "wa_id": CONTACT, "user_id": f"ZZ.{CONTACT}"}]
    (message,) = value["messages"]
    assert message["text"] == {"body": "Де моє замовлення? / 📦"}
    assert (message["type"], message["from"], message["timestamp"].isdigit()) == ("text", CONTACT, True)
    told = [value["statuses"][0] for value in endpoint.values("statuses")]
    ids = {status["status"]: status["id"] for status in told}
    assert set(ids) == {"sent", "delivered", "failed"}
    assert ids["sent"] == ids["delivered"] == wamid(MessageId(message_id))
    assert all((one["recipient_id"], one["recipient_user_id"]) == (CONTACT, f"ZZ.{CONTACT}") for one in told)
    (failed,) = [one for one in told if one["status"] == "failed"]
    (error,) = failed["errors"]
    assert (error["code"], error["error_data"]["details"]) == (131009, "Invalid Parameter: text (code 1)")


async def test_a_library_that_others_wrote_takes_every_body_and_its_signature(tmp_path: Path) -> None:
    pywa = pytest.importorskip("pywa")
    flask_like = pywa.WhatsApp(
        phone_id=None, token="x", server=None, verify_token="v", app_secret=SECRET, filter_updates=False
    )
    taken: list[Any] = []
    flask_like.add_handlers(
        pywa.handlers.MessageHandler(lambda _, update: taken.append(update)),
        pywa.handlers.MessageStatusHandler(lambda _, update: taken.append(update)),
    )
    async with world_with(tmp_path, Format.CLOUD_API) as (world, endpoint):
        message_id = await a_life(world, endpoint)
    for body, headers in endpoint.posts:
        assert flask_like.webhook_update_validator(body, headers["X-Hub-Signature-256"]) is None
        assert flask_like.webhook_update_validator(body + b" ", headers["X-Hub-Signature-256"]) is not None
        assert flask_like.webhook_update_handler(body) == ("ok", 200)
    assert [update.text for update in taken if hasattr(update, "text")] == ["Де моє замовлення? / 📦"]
    statuses = {update.status.value: update for update in taken if hasattr(update, "status")}
    assert set(statuses) == {"sent", "delivered", "failed"}
    assert statuses["delivered"].id == wamid(MessageId(message_id))
    assert statuses["failed"].error.code == 131009


async def test_a_status_in_any_format_is_known_to_be_of_its_message_for_its_trace(tmp_path: Path) -> None:
    async with world_with(tmp_path, Format.CLOUD_API) as (world, endpoint):
        message_id = await a_life(world, endpoint)
    of_which = [message_told_of(body, Format.CLOUD_API) for body in endpoint.bodies()]
    assert of_which.count(None) == 1
    assert of_which.count(MessageId(message_id)) == 2
    assert message_told_of({"data": {"message_id": "7"}}, Format.STANDARD) == 7


async def listed(folder: Path, state: str) -> dict[str, Any]:
    """The one event that there is, once it stands so."""
    query = {"since": "2000-01-01T00:00:00Z", "state": state}
    async with asyncio.timeout(20):
        while not (rows := (await ask(folder / "op.sock", "GET", "/webhooks", query=query))["rows"]):
            await asyncio.sleep(0.01)
    (row,) = rows
    found: dict[str, Any] = row
    return found


async def test_what_an_endpoint_that_was_gone_did_not_take_is_posted_again_by_an_operator_s_word(
    tmp_path: Path,
) -> None:
    async with world_with(tmp_path, Format.CLOUD_API) as (world, endpoint):
        endpoint.status = 410
        await world.hears()
        await listed(tmp_path, "failed")
        endpoint.status = 200
        now = world.clock.now()
        asked = {
            "client": "desk",
            "run": "0" * 16,
            "since": (now - timedelta(hours=1)).isoformat(),
            "until": (now + timedelta(hours=1)).isoformat(),
        }
        told = await ask(tmp_path / "op.sock", "POST", "/webhooks/replay", body=asked)
        row = await listed(tmp_path, "delivered")
    assert (told["replayed"], told["done"]) == (1, True)
    assert row["client"] == "desk"
    (first, again) = endpoint.posts
    assert first[0] == again[0]
    assert first[1]["Gateway-Event-Id"] == again[1]["Gateway-Event-Id"] == row["event_id"]
