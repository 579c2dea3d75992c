"""Delivery over the platform's own API, from DecisionTelecom's surface to a far end that plays the Cloud API, and back
by signed callbacks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import Gateway, running
from gateway.config import ProviderConfig, SenderConfig
from gateway.domain.compliance import Evidence, Reason, Send
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Draft, FreeForm
from gateway.domain.wamid import wamid
from gateway.domain.window import ServiceWindow
from gateway.ports import ListQuery
from gateway.provider.sandbox import TravelClock
from tests.gateway.harness import CONTACT, SHOP, Desk, a_config, a_world
from tests.gateway.harness import KEY as HARNESS_KEY
from tests.store.asking import enqueue

APP_SECRET = "0123456789abcdef0123456789abcdef"
NUMBERS = {SHOP: "106540352242922", Sender("Other"): "2088"}
KEY = "EAAmadeup"

Behaviour = Callable[[dict[str, Any]], web.StreamResponse | None]


@dataclass
class Graph:
    """The Cloud API: it keeps what it was sent to which number, and takes it unless `behaviour` says otherwise."""

    arrived: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    behaviour: Behaviour | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        body = await request.json()
        self.arrived.append((request.match_info["number"], body))
        self.news.set()
        said = None if self.behaviour is None else self.behaviour(body)
        if said is None:
            said = web.json_response({"messaging_product": "whatsapp", "messages": [{"id": self.last_id}]})
        elif said.status == 204:  # the answer is lost
            assert request.transport is not None
            request.transport.abort()
        return said

    @property
    def last_id(self) -> str:
        return f"wamid.HBg{len(self.arrived):04}"

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v24.0/{number}/messages", self.messages)
        return app

    async def has(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.arrived) < count:
                self.news.clear()
                await self.news.wait()


def refusing(code: int, *, times: int = 1000, status: int = 400, contact: str | None = None) -> Behaviour:
    left = [times]

    def behaviour(body: dict[str, Any]) -> web.StreamResponse | None:
        if not left[0] or contact not in (None, body["to"]):
            return None
        left[0] -= 1
        error = {"message": f"(#{code}) A title", "code": code, "error_data": {"details": "What was wrong"}}
        return web.json_response({"error": error}, status=status)

    return behaviour


@dataclass
class World:
    gateway: Gateway
    graph: Graph
    desk: Desk
    clock: TravelClock

    async def callback(self, number: str = NUMBERS[SHOP], **lists: Any) -> None:
        """The platform calls back, signed."""
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, **lists}
        change = {"field": "messages", "value": value}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()
        signed = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        url, headers = f"{self.desk.base_url}/callbacks/meta", {"X-Hub-Signature-256": signed}
        async with self.desk.http.post(url, data=io.BytesIO(body), headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def hears(self, contact: str = CONTACT, number: str = NUMBERS[SHOP]) -> None:
        at = int(self.clock.now().timestamp())
        text = {"from": contact, "id": f"wamid.in{number}{contact}{at}", "timestamp": str(at), "type": "text"}
        await self.callback(number, messages=[{**text, "text": {"body": "hello"}}])

    async def reports(self, status: str, number: str = NUMBERS[SHOP], **fields: Any) -> None:
        at = str(int(self.clock.now().timestamp()))
        await self.callback(number, statuses=[{"status": status, "timestamp": at, "recipient_id": CONTACT, **fields}])

    async def was_refused(self, message_id: int, times: int) -> None:
        """Once so many attempts were refused, and that is on disk."""
        async with asyncio.timeout(20):
            while [each["status"] for each in (await self.desk.get(f"/v1/messages/{message_id}"))["attempts"]] != (
                ["retry"] * times
            ):
                await asyncio.sleep(0.01)

    async def post(self, content: FreeForm, **changes: Any) -> MessageId:
        """A message that no surface is asked to take: it may leave at once."""
        now = self.clock.now()
        window = ServiceWindow(anchor=now, opened_by=None, evidence="message", refuted_at=None)
        evidence = Evidence(at=now, window=window, margin=timedelta(0), downgrades=0, downgrade_limit=None)
        draft = Draft(client="desk", sender=SHOP, contact=Contact(CONTACT), content=content, **changes)
        decision = Send(content=content, reasons=(Reason.WINDOW_OPEN,), evidence=evidence)
        answer = await enqueue(self.gateway.store, draft, decision, now=now)
        self.gateway.dispatch.notify(SHOP)
        return answer.receipt.message_id


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    clock, graph = TravelClock(), Graph()
    async with aiohttp.ClientSession() as http:
        desk = Desk(http)
        async with TestServer(graph.app()) as far, TestServer(desk.app()) as hooks:
            config = a_config(folder, far_url="", hook_url=str(hooks.make_url("/hook")), senders=tuple(NUMBERS))
            meta = ProviderConfig(
                name="meta",
                kind="cloud-api",
                base_url=str(far.make_url("/v24.0")),
                key=KEY,
                app_secret=APP_SECRET,
                verify_token="a-word",
            )
            config = replace(config, providers=(meta,), senders=tuple(map(_on_cloud, config.senders)))
            async with running(config, clock=clock) as gateway:
                desk.base_url = gateway.base_url
                yield World(gateway, graph, desk, clock)


def _on_cloud(sender: SenderConfig) -> SenderConfig:
    return replace(sender, provider="meta", phone_number_id=NUMBERS[sender.id])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


async def test_a_text_leaves_by_its_senders_number_and_its_statuses_come_back(world: World) -> None:
    for sender, number in NUMBERS.items():
        await world.hears(number=number)
        message_id = await world.desk.text("Your parcel is here", sender=sender)
        await world.desk.until(message_id, "submitted")
    assert [(number, body["to"], body["text"]) for number, body in world.graph.arrived] == [
        (number, CONTACT, {"body": "Your parcel is here"}) for number in NUMBERS.values()
    ]
    for word in ("sent", "delivered", "read"):
        await world.reports(word, number, id="wamid.HBg0002")
        await world.desk.until(message_id, word)


async def test_a_status_that_comes_from_another_number_settles_nothing(world: World) -> None:
    await world.hears()
    message_id = await world.desk.text("Your parcel is here")
    await world.desk.until(message_id, "submitted")
    await world.reports("failed", NUMBERS[Sender("Other")], id="wamid.HBg0001")
    await world.reports("delivered", id="wamid.HBg0001")
    record = await world.desk.until(message_id, "delivered")
    assert "failed" not in [each["status"] for each in record["history"]]


async def test_into_a_closed_window_a_template_leaves_in_the_platforms_grammar(world: World) -> None:
    message_id = await world.desk.text("Hello", Gateway_Reference="of yesterday")
    await world.desk.until(message_id, "submitted")
    ((_, body),) = world.graph.arrived
    assert (body["type"], body["template"]["name"]) == ("template", "ticket_answer")
    assert body["template"]["language"] == {"code": "en_US"}
    assert body["template"]["components"][0]["parameters"] == [{"type": "text", "text": "of yesterday"}]


async def test_a_lost_answer_is_settled_by_the_word_that_a_status_brings_back(world: World) -> None:
    world.graph.behaviour = lambda _: web.Response(status=204)
    await world.hears()
    message_id = await world.desk.text("Hello")
    await world.desk.until(message_id, "unknown")
    ((_, body),) = world.graph.arrived
    await world.reports("sent", id="wamid.HBgLost", biz_opaque_callback_data=body["biz_opaque_callback_data"])
    await world.desk.until(message_id, "sent")
    await world.reports("delivered", id="wamid.HBgLost")
    await world.desk.until(message_id, "delivered")
    assert len(world.graph.arrived) == 1


async def test_the_24_hour_refusal_may_come_hours_later_and_a_template_leaves_then(world: World) -> None:
    await world.hears()
    message_id = await world.desk.text("Hello")
    await world.desk.until(message_id, "submitted")
    error = {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "More than 24 hours"}}
    await world.reports("failed", id="wamid.HBg0001", errors=[error])
    await world.graph.has(2)
    assert [body["type"] for _, body in world.graph.arrived] == ["text", "template"]
    await world.desk.until(message_id, "submitted")


async def test_a_contact_that_was_written_to_too_often_waits_alone(world: World) -> None:
    other = "380671112233"
    for contact in (CONTACT, other):
        await world.hears(contact)
    world.graph.behaviour = refusing(131056, times=2, contact=CONTACT)
    slow = await world.desk.text("to the one")
    await world.was_refused(slow, 1)
    await world.desk.until(await world.desk.text("to another", contact=other), "submitted")
    (state,) = [state for state in await world.gateway.store.sender_states() if state.sender == SHOP]
    assert state.pause is None
    world.clock.advance(timedelta(seconds=1))
    await world.was_refused(slow, 2)
    world.clock.advance(timedelta(seconds=4))
    await world.desk.until(slow, "submitted")


async def test_a_key_that_is_no_longer_valid_pauses_the_sender_and_loses_nothing(world: World) -> None:
    await world.hears()
    world.graph.behaviour = refusing(190, times=3, status=401)
    message_id = await world.desk.text("Hello")
    await world.desk.until(message_id, "submitted")
    assert len(world.graph.arrived) == 4


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_opt_out_is_noted_whether_it_comes_at_once_or_in_a_status(world: World, is_late: bool) -> None:
    if not is_late:
        world.graph.behaviour = refusing(131050)
    await world.hears()
    message_id = await world.desk.text("Hello")
    if is_late:
        await world.desk.until(message_id, "submitted")
        await world.reports("failed", id="wamid.HBg0001", errors=[{"code": 131050, "title": "Stopped"}])
    await world.desk.until(message_id, "failed")
    (entry,) = (await world.gateway.store.suppressions(ListQuery(sender=None, cursor=None, limit=10))).entries
    assert (entry.contact, entry.sender, entry.scope.value, entry.source.value) == (
        CONTACT,
        SHOP,
        "marketing",
        "provider",
    )


async def test_what_an_error_says_is_kept_with_the_message(world: World) -> None:
    world.graph.behaviour = refusing(131026)
    await world.hears()
    message = await world.desk.until(await world.desk.text("Hello"), "failed")
    assert message["error"]["code"] == 131026
    assert message["error"]["message"] == "What was wrong"


# --- messages of ours that another is about -------------------------------------------------------------------------


async def test_a_message_of_ours_is_quoted_and_reacted_to_by_the_providers_own_id(world: World) -> None:
    await world.hears()
    first = MessageId(await world.desk.text("Hello"))
    await world.desk.until(first, "submitted")
    thumb = {"message_id": wamid(first), "emoji": "\N{THUMBS UP SIGN}"}
    await world.desk.until(await world.post(FreeForm(type="text", text="And this"), reply_to=wamid(first)), "submitted")
    await world.desk.until(await world.post(FreeForm(type="reaction", payload=thumb)), "submitted")
    _, reply, reaction = (body for _, body in world.graph.arrived)
    assert reply["context"] == {"message_id": "wamid.HBg0001"}
    assert reaction["reaction"] == {**thumb, "message_id": "wamid.HBg0001"}


async def test_what_the_contact_wrote_is_quoted_by_the_id_that_came(world: World) -> None:
    await world.hears()
    reply = await world.post(FreeForm(type="text", text="Yes"), reply_to="wamid.HBgLMTY1MA==")
    await world.desk.until(reply, "submitted")
    assert world.graph.arrived[0][1]["context"] == {"message_id": "wamid.HBgLMTY1MA=="}


async def test_for_a_reaction_into_a_closed_window_no_template_stands_in(world: World) -> None:
    url = f"{world.desk.base_url}/v24.0/{NUMBERS[SHOP]}/messages"
    headers = {"Authorization": f"Bearer {HARNESS_KEY}"}
    reaction = {"type": "reaction", "reaction": {"message_id": "wamid.HBg0", "emoji": "\U0001f44d"}}
    told = []
    for said in (reaction, {"type": "location", "location": {"latitude": 50.4, "longitude": 30.5}}):
        body = {"messaging_product": "whatsapp", "to": CONTACT, **said}
        async with world.desk.http.post(url, json=body, headers=headers) as answer:
            error = (await answer.json()).get("error", {})
            told.append((answer.status, error.get("code"), answer.headers.get("Gateway-Decision")))
    assert told == [(400, 131047, None), (200, None, "downgraded")]


async def test_without_the_message_that_it_quotes_a_reply_leaves_plain_and_a_reaction_fails(world: World) -> None:
    await world.hears()
    nobody = wamid(MessageId(12345))
    reply = await world.post(FreeForm(type="text", text="Yes"), reply_to=nobody)
    await world.desk.until(reply, "submitted")
    assert "context" not in world.graph.arrived[0][1]
    reaction = await world.post(FreeForm(type="reaction", payload={"message_id": nobody, "emoji": "x"}))
    message = await world.desk.until(reaction, "failed")
    assert message["error"]["code"] == 131009
    assert message["error"]["message"].startswith("reaction.message_id: ")
    assert len(world.graph.arrived) == 1


# --- what the other side can't express ------------------------------------------------------------------------------


async def test_what_decision_telecom_can_not_carry_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        user_id = "US.134912086553027"
        body = {"source_addr": SHOP, "destination_addr": user_id, "message_type": 1, "text": "Hello"}
        status, said, _ = await world.desk.post(body)
        assert (status, said["code"], said["name"]) == (400, 1, "Invalid Parameter: recipient")
        asked = {"from": SHOP, "to": user_id, "type": "text", "text": {"body": "Hello"}}
        headers = {"Authorization": f"Bearer {HARNESS_KEY}"}
        async with world.desk.http.post(f"{world.desk.base_url}/v1/explain", json=asked, headers=headers) as answer:
            told = await answer.json()
            assert (answer.status, told["code"], told["field"]) == (400, "not_carried", "recipient")
        assert (await world.desk.get("/v1/messages"))["messages"] == []
        assert world.far.arrived == []
