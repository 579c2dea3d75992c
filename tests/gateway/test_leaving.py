"""What leaves as it is accepted, in the dispatcher: only in turn, and never into a gateway that stops."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.domain.identity import Contact
from gateway.domain.message import Draft, FreeForm
from gateway.ports import Accepted
from tests.gateway.harness import CONTACT, SHOP, World, a_world
from tests.store.asking import ask
from tests.store.factories import a_send

TEXT = FreeForm(type="text", text="It is on its way")


async def at_rest(world: World) -> None:
    """Until the sender's loop has found nothing due."""
    async with asyncio.timeout(10):
        while True:
            with world.gateway.dispatch.place(SHOP) as place:
                if place.is_kept:
                    return
            await asyncio.sleep(0.01)


async def accepted(world: World, contact: str = CONTACT, *, may_begin: bool) -> Accepted:
    draft = Draft(client="desk", sender=SHOP, contact=Contact(contact), content=TEXT)
    taken = await ask(world.gateway.store, draft, a_send(TEXT), now=world.clock.now(), may_begin=may_begin)
    assert isinstance(taken, Accepted)
    return taken


async def test_at_rest_a_message_leaves_without_standing_in_line(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await at_rest(world)
        await world.hears()
        await at_rest(world)
        message_id = await world.desk.text("hello")
        message = await world.desk.until(message_id, "submitted")
        assert [change["status"] for change in message["history"]] == ["queued", "sending", "submitted"]
        (attempt,) = message["attempts"]
        assert attempt["started_at"] == message["accepted_at"], "in one transaction: the clock goes on between two"
        assert world.far.texts() == ["hello"]


async def test_messages_to_one_contact_leave_in_order_however_fast_they_come(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        await at_rest(world)
        texts = [f"{number:02}" for number in range(30)]
        for text in texts:
            await world.desk.text(text)
        await world.far.has(30)
        assert world.far.texts() == texts


async def test_nothing_overtakes_what_is_due_and_was_not_given_out(tmp_path: Path) -> None:
    """All slots are taken by requests that hang: what comes later waits behind what waits already."""
    async with a_world(tmp_path) as world:
        release = asyncio.Event()

        async def hang(_: dict[str, Any]) -> web.StreamResponse:
            await release.wait()
            return world.far.taken()

        await at_rest(world)
        world.far.behaviour = hang
        slots = 256
        for number in range(slots + 5):
            await accepted(world, f"38050{number:07}", may_begin=False)
        world.gateway.dispatch.notify(SHOP)
        await world.far.has(slots)
        with world.gateway.dispatch.place(SHOP) as place:
            assert not place.is_kept
        release.set()
        await world.far.has(slots + 5)


async def test_a_place_that_was_not_used_is_free_again(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await at_rest(world)
        for _ in range(300):
            with world.gateway.dispatch.place(SHOP) as place:
                assert place.is_kept


async def test_what_was_begun_while_the_gateway_stopped_stands_in_line(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await at_rest(world)
        with world.gateway.dispatch.place(SHOP) as place:
            taken = await accepted(world, may_begin=place.is_kept)
            await world.gateway.dispatch.stop(timedelta(seconds=5))
            place.give(taken.begun)
        await world.desk.until(taken.answer.receipt.message_id, "queued")
        assert world.far.arrived == []
        with world.gateway.dispatch.place(SHOP) as place:
            assert not place.is_kept
