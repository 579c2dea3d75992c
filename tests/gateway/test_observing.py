"""A sender that only observes, over real HTTP: everything goes as asked, and what would have been done is recorded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.app import running
from gateway.config_file import config_from
from gateway.demo import CONTACT as CUSTOMER
from gateway.demo import KEY as DEMO_KEY
from gateway.demo import SENDER as SHOP_OF_DEMO
from gateway.demo import demo_config
from gateway.domain.compliance import Mode
from tests.gateway.harness import CONTACT, SHOP, World, a_world

DAY = timedelta(hours=24)
TEXT = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "on its way"}
SENTENCE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)


def a_template(name: str, *arguments: str, **outer: Any) -> dict[str, Any]:
    parameters = [{"type": "text", "text": argument} for argument in arguments]
    template = {"name": name, "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": parameters}]}
    params = {"to": CONTACT, "type": "template", "template": template}
    return {
        "source_addr": SHOP,
        "destination_addr": CONTACT,
        "message_type": 4,
        "template_name": name,
        "template_params": json.dumps(params),
        **outer,
    }


@asynccontextmanager
async def observing(folder: Path, **changes: Any) -> AsyncIterator[World]:
    async with a_world(folder, mode=Mode.OBSERVE, **changes) as world:
        yield world


async def decided(world: World, message_id: int) -> dict[str, Any]:
    message = await world.desk.get(f"/v1/messages/{message_id}")
    decision: dict[str, Any] = message["decision"]
    return decision


async def too_late(body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"name": "Error", "message": SENTENCE, "code": 7, "status": 400}, status=400)


async def test_free_form_into_a_closed_window_leaves_as_it_was_written(tmp_path: Path) -> None:
    async with observing(tmp_path) as world:
        status, answer, headers = await world.desk.post(TEXT)
        assert (status, headers["Gateway-Decision"], headers["Gateway-Observed"]) == (200, "sent", "downgraded")
        assert not {"Gateway-Template", "Gateway-Reason", "Gateway-Window-Closes-At"} & set(headers)
        await world.far.has(1)
        assert {"message_type": 1, "text": "on its way"}.items() <= world.far.arrived[0].items()
        decision = await decided(world, answer["message_id"])
        assert (decision["action"], decision["reasons"]) == ("send", ["observed"])
        assert decision["instead"]["template"] == "ticket_answer/en_US"


async def test_inside_the_window_there_is_nothing_to_observe(tmp_path: Path) -> None:
    async with observing(tmp_path) as world:
        await world.hears()
        _, answer, headers = await world.desk.post(TEXT)
        assert "Gateway-Observed" not in headers
        assert (await decided(world, answer["message_id"]))["reasons"] == ["window_open", "observed"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (a_template("ticket_answer"), "$.template.components[0].parameters"),
        (a_template("nobody_knows_it", "4711"), None),
        ({**a_template("ticket_answer", "4711", "too many"), "message_type": 1, "text": "hi"}, "$.template"),
    ],
    ids=["arguments", "unknown", "a fallback of its own"],
)
async def test_what_does_not_fit_a_template_leaves_and_is_recorded_with_its_place(
    tmp_path: Path, body: dict[str, Any], path: str | None
) -> None:
    async with observing(tmp_path) as world:
        status, answer, headers = await world.desk.post(body)
        assert (status, headers["Gateway-Decision"], headers["Gateway-Observed"]) == (200, "sent", "refused")
        await world.far.has(1)
        arrived = world.far.arrived[0]
        assert arrived["message_type"] == body["message_type"]
        if body["message_type"] == 4:
            sent, asked = json.loads(arrived["template_params"]), json.loads(body["template_params"])
            assert sent["template"]["components"] == asked["template"]["components"]
        decision = await decided(world, answer["message_id"])
        assert (decision["instead"]["action"], decision["instead"]["reasons"][-1]) == ("refuse", "template_unusable")
        (rung,) = decision["evidence"]["rungs"]
        assert (rung["path"] or "").startswith(path) if path else rung["problem"] == "unknown"
        assert "too many" not in json.dumps(decision)


async def test_what_can_not_be_read_as_the_surfaces_form_is_refused_as_ever(tmp_path: Path) -> None:
    async with observing(tmp_path) as world:
        for body in ({**TEXT, "message_type": 9}, {**a_template("ticket_answer"), "template_params": "{"}):
            status, answer, _ = await world.desk.post(body)
            assert (status, answer["code"]) == (400, 1)
        assert world.far.arrived == []


async def test_the_providers_24_hour_refusal_reaches_the_one_who_waits_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    async with observing(tmp_path) as world:
        world.far.behaviour = too_late
        await world.hears()
        status, answer, _ = await world.desk.post(TEXT, Prefer="wait=10")
        assert (status, answer["code"], answer["message"]) == (400, 7, SENTENCE)
        (message,) = (await world.desk.get("/v1/messages"))["messages"]
        assert message["status"] == "failed"
        assert (await world.desk.get(f"/v1/windows/{SHOP}/{CONTACT}"))["open"] is False
        world.far.behaviour = None
        await world.desk.text("the next", contact="380507654321")
        await world.far.has(2)
        assert world.far.texts() == ["on its way", "the next"]


async def test_a_message_whose_window_closes_in_the_queue_leaves_as_asked_with_both_decisions_kept(
    tmp_path: Path,
) -> None:
    async with observing(tmp_path) as world:
        is_busy = True

        async def busy(_: dict[str, Any]) -> web.StreamResponse:
            if is_busy:
                return web.json_response({"name": "x", "message": "x", "code": 0, "status": 429}, status=429)
            return world.far.taken()

        world.far.behaviour = busy
        await world.hears(ago=timedelta(hours=23))
        message_id = await world.desk.text("still open")
        await world.far.has(1)
        world.clock.advance(timedelta(hours=2))
        is_busy = False
        message = await world.desk.until(message_id, "submitted")
        assert world.far.arrived[-1]["message_type"] == 1
        assert [one["instead"] and one["instead"]["action"] for one in message["decisions"]] == [None, "downgrade"]


async def test_what_still_waits_when_the_sender_begins_to_enforce_is_decided_by_that(tmp_path: Path) -> None:
    async def down(_: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"name": "x", "message": "x", "code": 0, "status": 429}, status=429)

    async with observing(tmp_path) as world:
        world.far.behaviour = down
        message_id = await world.desk.text("of yesterday")
        await world.far.has(1)
        clock = world.clock
    async with a_world(tmp_path, clock=clock) as world:
        message = await world.desk.until(message_id, "submitted")
        assert [body["message_type"] for body in world.far.arrived] == [4]
        assert [one["action"] for one in message["decisions"]] == ["send", "downgrade"]


async def test_a_repetition_gets_the_header_of_the_first_receipt(tmp_path: Path) -> None:
    async with observing(tmp_path) as world:
        _, first, headers = await world.desk.post(TEXT, Idempotency_Key="a")
        await world.hears()
        _, again, repeated = await world.desk.post(TEXT, Idempotency_Key="a")
        assert (first, headers["Gateway-Observed"]) == (again, repeated["Gateway-Observed"])


# --- against the sandbox, which has the platform's rules -------------------------------------------------------------


async def test_the_sandbox_refuses_what_would_have_been_downgraded_and_all_of_it_is_told(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    tree = dict(demo_config(unused_tcp_port))
    tree["server"] = {**tree["server"], "operator": str(tmp_path / "op.sock")}
    tree["senders"] = [{**tree["senders"][0], "mode": "observe"}]
    config = config_from(tree, {}, folder=tmp_path, name="demo")
    body = {**TEXT, "source_addr": SHOP_OF_DEMO, "destination_addr": CUSTOMER}
    basic = {"Authorization": aiohttp.encode_basic_auth(DEMO_KEY, ""), "Prefer": "wait=20"}
    bearer = {"Authorization": f"Bearer {DEMO_KEY}"}
    async with running(config) as gateway, aiohttp.ClientSession(gateway.base_url) as http:

        async def post(path: str, json: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
            async with http.post(path, json=json, headers=headers) as answer:
                return answer.status, await answer.json()

        await post(f"/sandbox/contacts/{CUSTOMER}/messages", {"to": SHOP_OF_DEMO, "text": "hello"})
        assert (await post("/v1/api/send-whatsapp", body, basic))[0] == 200
        await post("/sandbox/clock", {"advance": "25h"})
        status, refused = await post("/v1/api/send-whatsapp", body, basic)
        assert (status, refused["code"]) == (400, 7)
        async with http.get("/v1/messages?status=failed", headers=bearer) as answer:
            (message,) = (await answer.json())["messages"]
        async with http.get(f"/v1/messages/{message['id']}", headers=bearer) as answer:
            record = await answer.json()
        assert (record["error"]["code"], record["error"]["message"]) == (7, refused["message"])
        assert record["decision"]["instead"]["action"] == "downgrade"
        assert len(record["attempts"]) == 1
