"""What a request says that it is about, over real HTTP: which template stands in, now and when it leaves later."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.config import IntentConfig
from tests.gateway.harness import CONTACT, SHOP, World, a_world
from tests.gateway.test_template_arguments import a_folder
from tests.template_factories import a_document

FILL = {"fill": {"body": ["{{ message.reference | default('news') | one_line | shorten(60) }}"]}}
ONE = {"type": "BODY", "text": "We have {{1}} for you."}
TEXT = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "on its way"}
PICTURE = {**TEXT, "message_type": 2, "file_url": "https://shop.example/a.png"}
INTENTS = (
    IntentConfig(name="order", templates=("order_news",)),
    IntentConfig(content="image", templates=("picture_news",)),
)


def a_shop(tmp_path: Path) -> dict[str, Any]:
    names = ("ticket_answer", "order_news", "picture_news")
    documents = [a_document(ONE, name=name, category="UTILITY", **FILL) for name in names]
    return {"templates": a_folder(tmp_path, *documents), "intents": INTENTS}


async def template_for(world: World, body: dict[str, Any], **headers: str) -> str:
    status, answer, told = await world.desk.post(body, **headers)
    assert status == 200, answer
    return told["Gateway-Template"]


async def test_the_template_of_the_intent_stands_in_before_the_senders_ladder(tmp_path: Path) -> None:
    async with a_world(tmp_path, **a_shop(tmp_path)) as world:
        assert await template_for(world, TEXT) == "ticket_answer/en_US"
        assert await template_for(world, TEXT, Gateway_Intent="order") == "order_news/en_US"
        assert await template_for(world, PICTURE) == "picture_news/en_US"
        assert await template_for(world, PICTURE, Gateway_Intent="order") == "order_news/en_US"


async def test_an_intent_changes_nothing_while_the_window_is_open(tmp_path: Path) -> None:
    async with a_world(tmp_path, **a_shop(tmp_path)) as world:
        await world.hears()
        _, _, told = await world.desk.post(TEXT, Gateway_Intent="order")
        assert told["Gateway-Decision"] == "sent"


async def test_an_intent_that_is_not_in_the_configuration_is_refused_and_the_known_ones_told(tmp_path: Path) -> None:
    async with a_world(tmp_path, **a_shop(tmp_path)) as world:
        await world.hears()
        status, answer, _ = await world.desk.post(TEXT, Gateway_Intent="orders")
        assert (status, answer["code"], answer["name"]) == (400, 1, "Invalid Parameter: Gateway-Intent")
        assert answer["message"] == "expected the name of an intent: order"


async def test_the_intent_is_remembered_until_the_message_leaves(tmp_path: Path) -> None:
    """Accepted as free-form while the window was open, it waits behind a retry until the window is closed."""
    async with a_world(tmp_path, **a_shop(tmp_path)) as world:
        await world.hears(ago=timedelta(hours=23, minutes=58, seconds=50))

        async def refuse(_: dict[str, Any]) -> web.StreamResponse:
            return web.json_response({"name": "x", "message": "x", "code": 2, "status": 500}, status=500)

        world.far.behaviour = refuse
        message_id = await world.desk.text("on its way", Gateway_Intent="order")
        await world.far.has(1)
        world.far.behaviour = None
        await world.desk.until_refused(message_id)
        world.clock.advance(timedelta(minutes=5))
        await world.far.has(2)
        message = await world.desk.until(message_id, "submitted")
        assert message["decision"]["template"] == "order_news/en_US"


async def test_the_same_key_with_another_intent_is_another_request(tmp_path: Path) -> None:
    async with a_world(tmp_path, **a_shop(tmp_path)) as world:
        assert await template_for(world, TEXT, Idempotency_Key="k", Gateway_Intent="order") == "order_news/en_US"
        status, _, _ = await world.desk.post(TEXT, Idempotency_Key="k")
        assert status == 409
