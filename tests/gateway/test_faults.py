"""What breaks on the far side stops nobody else, and nothing that was accepted is lost or out of order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from gateway.config import ProviderConfig
from gateway.domain.compliance import Evidence, Reason, Send
from gateway.domain.delivery import DeliveryPolicy
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Draft, FreeForm
from gateway.domain.window import ServiceWindow
from tests.crash.driver import free_port
from tests.gateway.harness import CONTACT, SECRET, SHOP, World, a_world
from tests.store.asking import enqueue


async def test_after_an_hour_without_the_provider_everything_is_delivered_in_order(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        is_down = True

        async def down(_: dict[str, Any]) -> web.StreamResponse:
            if is_down:
                error = {"name": "Internal server error", "message": "x", "code": 2, "status": 500}
                return web.json_response(error, status=500)
            return world.far.taken()

        world.far.behaviour = down
        contacts = [f"38050000000{n}" for n in range(4)]
        for contact in contacts:
            await world.hears(contact)
        ids = [await world.desk.text(f"{contact} {n}", contact=contact) for n in range(5) for contact in contacts]
        for _ in range(60):
            world.clock.advance(timedelta(minutes=1))
            await asyncio.sleep(0)
        is_down = False
        before = len(world.far.arrived)
        for message_id in ids:
            await world.desk.until(message_id, "submitted")
        taken = [body["text"] for body in world.far.arrived[before:]]
        for contact in contacts:
            mine = [text for text in taken if text.startswith(contact)]
            assert mine == sorted(mine)
            assert set(mine) >= {f"{contact} {n}" for n in range(5)}


async def test_a_refused_connection_uses_up_no_attempt_and_changes_no_order(tmp_path: Path) -> None:
    far_port = free_port()
    provider = ProviderConfig(
        name="far",
        kind="decision-telecom",
        base_url=f"http://127.0.0.1:{far_port}/v1/api",
        key="far-key",
        callback_secret=SECRET,
    )
    async with a_world(tmp_path, providers=(provider,)) as world:
        await world.hears()
        ids = [await world.desk.text(f"{n}") for n in range(10)]
        async with asyncio.timeout(20):
            while "not_written" not in str(await world.desk.get("/readyz")):
                await asyncio.sleep(0.01)
        server = TestServer(world.far.app(), port=far_port)
        await server.start_server()
        try:
            for message_id in ids:
                await world.desk.until(message_id, "submitted")
        finally:
            await server.close()
        assert world.far.texts() == [f"{n}" for n in range(10)]


async def test_one_message_that_the_provider_always_stumbles_over_stops_nobody_else(tmp_path: Path) -> None:
    policy = DeliveryPolicy(
        retry_schedule=(timedelta(milliseconds=10),),
        probe_from=timedelta(milliseconds=20),
        probe_to=timedelta(milliseconds=50),
        pause_after=3,
    )
    async with a_world(tmp_path, delivery=policy) as world:

        async def stumble(body: dict[str, Any]) -> web.StreamResponse:
            if body.get("text") == "poison":
                error = {"name": "Internal server error", "message": "x", "code": 4, "status": 500}
                return web.json_response(error, status=500)
            return world.far.taken()

        world.far.behaviour = stumble
        contacts = [f"38050000000{n}" for n in range(8)]
        for contact in contacts:
            await world.hears(contact)
        with capture_logs() as logs:
            await world.desk.text("poison", contact=contacts[0])
            await world.far.has(4)
            ids = [await world.desk.text("good", contact=contact) for contact in contacts[1:]]
            for message_id in ids:
                await world.desk.until(message_id, "submitted")
        paused = [entry for entry in logs if entry["event"] == "sender.paused"]
        assert paused[0]["cause"] == "failing"
        assert any(entry["event"] == "sender.resumed" for entry in logs)


async def test_a_probe_that_succeeds_wakes_all_that_waited_for_its_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dispatch.LONGEST_SLEEP", timedelta(hours=1))  # nothing but the probe wakes anybody
    contacts = [f"38050000000{number}" for number in range(5)]
    async with a_world(tmp_path) as world:
        is_busy = True

        async def busy(_: dict[str, Any]) -> web.StreamResponse:
            if is_busy:
                return web.json_response({"name": "Busy", "message": "", "code": 0, "status": 429}, status=429)
            return world.far.taken()

        world.far.behaviour = busy
        ids = [await world.desk.text("hello", contact=contact) for contact in contacts]
        await world.far.has(3)
        is_busy = False
        for message_id in ids:
            await world.desk.until(message_id, "submitted")


async def queue(world: World, count: int, sender: str) -> None:
    """That many messages in line, each to a contact of its own, as accepting them leaves them."""
    now = world.clock.now()
    window = ServiceWindow(anchor=now, evidence="message", opened_by="in")
    evidence = Evidence(at=now, window=window, margin=timedelta(0), downgrades=0, downgrade_limit=None)
    content = FreeForm(type="text", text="x")
    decision = Send(content=content, reasons=(Reason.WINDOW_OPEN,), evidence=evidence)
    drafts = (
        Draft(client="desk", sender=Sender(sender), contact=Contact(f"3805{n:08d}"), content=content)
        for n in range(count)
    )
    await asyncio.gather(*(enqueue(world.gateway.store, draft, decision, now=now) for draft in drafts))


async def test_a_third_senders_messages_leave_as_if_alone(tmp_path: Path) -> None:
    """One sender is paused over 10,000 queued messages, and of another every request hangs."""
    policy = DeliveryPolicy(
        probe_from=timedelta(seconds=30), timeout=timedelta(seconds=20), stop_timeout=timedelta(seconds=0)
    )
    async with a_world(tmp_path, senders=("Paused", "Hanging", SHOP), delivery=policy) as world:
        for_ever = asyncio.Event()

        async def far(body: dict[str, Any]) -> web.StreamResponse:
            if body["source_addr"] == "Paused":
                return web.json_response({"name": "x", "message": "x", "code": 0, "status": 401}, status=401)
            if body["source_addr"] == "Hanging":
                await for_ever.wait()
            return world.far.taken()

        world.far.behaviour = far
        await queue(world, 10_000, "Paused")
        await queue(world, 1_000, "Hanging")
        world.gateway.dispatch.notify_all()
        async with asyncio.timeout(15):
            ids = [await world.desk.text("x", contact=f"3806{n:08d}") for n in range(100)]
            for message_id in ids:
                await world.desk.until(message_id, "submitted")
        assert len(world.far.texts("Hanging")) >= 64, "the other sender's requests hang all the while"
        ready = await world.desk.get("/readyz")
        assert "unauthorized" in str(ready), "and the third is paused"
        for_ever.set()


async def test_a_stop_waits_for_the_answer_that_is_out_and_records_it(tmp_path: Path) -> None:
    answer_now = asyncio.Event()
    async with a_world(tmp_path) as world:

        async def slow(_: dict[str, Any]) -> web.StreamResponse:
            await answer_now.wait()
            return world.far.taken()

        world.far.behaviour = slow
        await world.hears()
        message_id = await world.desk.text("hi")
        await world.far.has(1)
        asyncio.get_running_loop().call_later(0.2, answer_now.set)
    async with a_world(tmp_path) as world:
        assert (await world.desk.get(f"/v1/messages/{message_id}"))["status"] == "submitted"


async def test_while_stopping_what_is_new_gets_503_and_callbacks_are_still_taken(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.gateway.stopping.has_begun = True
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hi"}
        status, _, headers = await world.desk.post(body)
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        await world.hears()
        async with world.desk.http.get(f"{world.desk.base_url}/readyz") as ready:
            assert ready.status == 503


async def test_what_was_sending_when_the_process_ended_is_unknown_at_the_next_start(tmp_path: Path) -> None:
    for_ever = asyncio.Event()
    policy = DeliveryPolicy(stop_timeout=timedelta(0))
    async with a_world(tmp_path, delivery=policy) as world:

        async def hang(_: dict[str, Any]) -> web.StreamResponse:
            await for_ever.wait()
            return world.far.taken()

        world.far.behaviour = hang
        await world.hears()
        message_id = await world.desk.text("hi")
        await world.far.has(1)
        asyncio.get_running_loop().call_later(0.5, for_ever.set)
    async with a_world(tmp_path) as world:
        assert (await world.desk.get(f"/v1/messages/{message_id}"))["status"] == "unknown"
        assert world.far.arrived == []
