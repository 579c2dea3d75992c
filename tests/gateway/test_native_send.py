"""What a message says itself of a closed window and of its time to live holds also for the decision at sending."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.harness import CONTACT, KEY, SHOP, World, a_world

BODY: dict[str, Any] = {"from": SHOP, "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
DAYS = {"ttl": 3 * 24 * 3600}


async def posted(world: World, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with world.desk.http.post(f"{world.desk.base_url}{path}", json=body, headers=headers) as answer:
        told = await answer.json()
        assert answer.status == (202 if path == "/v1/messages" else 200), told
        return told


async def not_now(_body: dict[str, Any]) -> web.Response:
    return web.json_response({"name": "x", "message": "x", "code": 0, "status": 429}, status=429)


@pytest.mark.parametrize(
    ("policy", "explained", "ends"),
    [
        ({"on_closed_window": "refuse"}, "refuse", "refused"),
        ({"on_closed_window": "downgrade"}, "downgrade", "submitted"),
        ({}, "downgrade", "submitted"),
    ],
)
async def test_a_window_that_closed_in_the_queue_is_decided_as_explaining_says(
    tmp_path: Path, policy: dict[str, Any], explained: str, ends: str
) -> None:
    body = {**BODY, **policy, **DAYS}
    async with a_world(tmp_path) as world:
        world.far.behaviour = not_now
        await world.hears(ago=timedelta(hours=23))
        receipt = await posted(world, "/v1/messages", body)
        assert receipt["decision"]["action"] == "send"
        world.clock.advance(timedelta(hours=2))
        foretold = await posted(world, "/v1/explain", body)
        assert foretold["decision"] == explained
        world.far.behaviour = None
        message = await world.desk.until(int(receipt["id"]), ends)
        decided = message["decision"]
        assert (decided["stage"], decided["action"]) == ("send", explained)
        assert decided["reasons"] == [reason["code"] for reason in foretold["reasons"]]
        assert message["decisions"][0]["action"] == "send"


async def test_its_own_time_to_live_ends_a_message_that_waits(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.far.behaviour = not_now
        await world.hears()
        short = await posted(world, "/v1/messages", {**BODY, "ttl": 60})
        usual = await posted(world, "/v1/messages", {**BODY, "to": "380671234567"})
        world.clock.advance(timedelta(seconds=61))
        await world.desk.until(int(short["id"]), "expired")
        assert (await world.desk.get(f"/v1/messages/{usual['id']}"))["status"] in ("queued", "sending")
