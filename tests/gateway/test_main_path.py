"""The promise, line by line, over real HTTP with a real store: what leaves, in which shape, and what comes back."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.config import DowngradeLimit
from gateway.shipped import shipped
from tests.gateway.harness import CONTACT, KEY, OTHER_KEY, SHOP, a_world

DAY = timedelta(hours=24)
SENTENCE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)


async def test_inside_the_window_a_reply_leaves_as_it_was_written(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        body = {"source_addr": SHOP, "destination_addr": f"+{CONTACT}", "message_type": 1, "text": "on its way"}
        status, answer, headers = await world.desk.post(body)
        assert (status, set(answer), headers["Gateway-Decision"]) == (200, {"message_id"}, "sent")
        await world.far.has(1)
        assert world.far.arrived[0]["text"] == "on its way"
        assert world.far.arrived[0]["message_type"] == 1
        assert world.far.arrived[0]["destination_addr"] == CONTACT


async def test_after_24_hours_the_same_reply_leaves_as_the_fallback_template(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        world.clock.advance(DAY + timedelta(hours=1))
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "on its way"}
        status, _, headers = await world.desk.post(body)
        assert status == 200
        assert headers["Gateway-Decision"] == "downgraded"
        assert headers["Gateway-Template"] == "ticket_answer/en_US"
        assert headers["Gateway-Reason"] == "window_closed"
        await world.far.has(1)
        assert world.far.arrived[0]["message_type"] == 4
        assert world.far.arrived[0]["template_name"] == "ticket_answer"
        assert "on its way" not in str(world.far.arrived[0])


async def test_an_answer_of_the_contact_opens_the_window_and_reaches_the_application(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        closed = await world.desk.get(f"/v1/windows/{SHOP}/{CONTACT}")
        assert closed["open"] is False
        await world.hears(text="any news?")
        event = await world.desk.has(lambda body: body["type"] == "message.received")
        assert event["data"]["text"] == "any news?"
        assert event["data"]["contact"] == CONTACT
        assert event["data"]["raw"]["text"] == "any news?"
        assert (await world.desk.get(f"/v1/windows/{SHOP}/{CONTACT}"))["open"] is True


async def test_a_status_on_an_attempts_own_url_reaches_the_application_and_the_callback_url(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        hook = world.gateway.config.clients[0].webhook
        assert hook is not None
        body = {
            "source_addr": SHOP,
            "destination_addr": CONTACT,
            "message_type": 1,
            "text": "hi",
            "callback_url": hook.url.replace("/hook", "/message-callback"),
        }
        _, answer, _ = await world.desk.post(body)
        await world.far.has(1)
        attempt = world.far.arrived[0]["callback_url"].rsplit("/", 1)[1]
        await world.desk.until(answer["message_id"], "submitted")
        await world.desk.callback({"message_id": 1, "status": 1}, attempt=attempt)
        told = await world.desk.has(lambda b: b.get("data", {}).get("status") == "delivered")
        assert told["data"]["message_id"] == str(answer["message_id"])
        await world.desk.has(lambda b: b == {"message_id": answer["message_id"], "status": 0})
        await world.desk.has(lambda b: b == {"message_id": answer["message_id"], "status": 1})


async def test_what_was_accepted_as_sent_leaves_as_its_fallback_when_time_passed_in_the_queue(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        is_down = asyncio.Event()

        async def down(_: dict[str, Any]) -> web.StreamResponse:
            if not is_down.is_set():
                return web.json_response({"name": "x", "message": "x", "code": 0, "status": 429}, status=429)
            return world.far.taken()

        world.far.behaviour = down
        await world.hears(ago=timedelta(hours=23))
        message_id = await world.desk.text("still open")
        await world.far.has(1)
        world.clock.advance(timedelta(hours=2))
        is_down.set()
        message = await world.desk.until(message_id, "submitted")
        assert world.far.arrived[-1]["message_type"] == 4
        assert message["decisions"][0]["action"] == "send"
        assert message["decisions"][-1]["action"] == "downgrade"


async def test_what_was_accepted_as_downgraded_leaves_as_free_form_when_the_contact_wrote_meanwhile(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        throttled = True

        async def busy(_: dict[str, Any]) -> web.StreamResponse:
            if throttled:
                return web.json_response({"name": "x", "message": "x", "code": 0, "status": 429}, status=429)
            return world.far.taken()

        world.far.behaviour = busy
        other = await world.desk.text("first of another contact", contact="380507654321")
        await world.far.has(1)
        message_id = await world.desk.text("answer")
        await world.hears()
        throttled = False
        await world.desk.until(message_id, "submitted")
        await world.desk.until(other, "submitted")
        assert {"message_type": 1, "text": "answer"}.items() <= world.far.arrived[-1].items() or any(
            body.get("text") == "answer" for body in world.far.arrived
        )


async def test_the_providers_24_hour_refusal_leads_to_one_downgrade(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:

        async def refuse_free_form(body: dict[str, Any]) -> web.StreamResponse:
            if body["message_type"] == 4:
                return world.far.taken()
            return web.json_response({"name": "Error", "message": SENTENCE, "code": 99, "status": 400}, status=400)

        world.far.behaviour = refuse_free_form
        await world.hears()
        message_id = await world.desk.text("hi")
        message = await world.desk.until(message_id, "submitted")
        assert [body["message_type"] for body in world.far.arrived] == [1, 4]
        assert [attempt["status"] for attempt in message["attempts"]] == ["window_closed", "submitted"]
        assert (await world.desk.get(f"/v1/windows/{SHOP}/{CONTACT}"))["open"] is False


async def test_a_late_24_hour_refusal_in_a_status_leads_to_one_downgrade_however_often_it_comes(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        message_id = await world.desk.text("hi")
        await world.far.has(1)
        await world.desk.until(message_id, "submitted")
        attempt = world.far.arrived[0]["callback_url"].rsplit("/", 1)[1]
        for _ in range(3):
            await world.desk.callback({"message_id": 1, "status": 2, "error": SENTENCE}, attempt=attempt)
        await world.far.has(2)
        await world.desk.until(message_id, "submitted")
        assert [body["message_type"] for body in world.far.arrived] == [1, 4]


async def test_a_lost_answer_is_unknown_and_never_sent_twice(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:

        async def hang_up(_: dict[str, Any]) -> web.StreamResponse:
            raise ConnectionResetError

        world.far.behaviour = hang_up
        await world.hears()
        message_id = await world.desk.text("hi")
        await world.desk.until(message_id, "unknown")
        world.far.behaviour = None
        world.clock.advance(timedelta(hours=2))
        later = await world.desk.text("later")
        await world.desk.until(later, "submitted")
        assert world.far.texts() == ["hi", "later"]
        attempt = world.far.arrived[0]["callback_url"].rsplit("/", 1)[1]
        await world.desk.callback({"message_id": 5, "status": 1}, attempt=attempt)
        assert (await world.desk.get(f"/v1/messages/{message_id}"))["status"] == "delivered"


async def test_a_waiting_request_gets_the_providers_refusal(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:

        async def refuse(_: dict[str, Any]) -> web.StreamResponse:
            error = {"name": "Invalid Parameter: text", "message": "no", "code": 1, "status": 400}
            return web.json_response(error, status=400)

        world.far.behaviour = refuse
        await world.hears()
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hi"}
        status, answer, _ = await world.desk.post(body, Prefer="wait=10", Idempotency_Key="a")
        assert (status, answer["code"], answer["name"]) == (400, 1, "Invalid Parameter: text")
        again, same, _ = await world.desk.post(body, Prefer="wait=10", Idempotency_Key="a")
        assert (again, same) == (status, answer)
        assert len(world.far.arrived) == 1


async def test_an_empty_balance_pauses_the_sender_and_is_told_to_those_who_wait(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        is_empty = True

        async def balance(_: dict[str, Any]) -> web.StreamResponse:
            if not is_empty:
                return world.far.taken()
            error = {"name": "Topup", "message": "User balance is empty", "code": 3, "status": 402}
            return web.json_response(error, status=402)

        world.far.behaviour = balance
        await world.hears()
        patient = await world.desk.text("patient")
        await world.far.has(1)
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hi"}
        status, answer, _ = await world.desk.post(body, Prefer="wait=10")
        assert (status, answer["code"]) == (402, 3)
        async with world.desk.http.get(f"{world.desk.base_url}/readyz") as ready:
            assert ready.status == 200
            assert "balance" in await ready.text()
        is_empty = False
        assert (await world.desk.until(patient, "submitted"))["status"] == "submitted"


async def test_the_same_idempotency_key_gives_the_same_receipt_and_one_message(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hi"}
        answers = await asyncio.gather(*(world.desk.post(body, Idempotency_Key="one") for _ in range(8)))
        assert len({answer["message_id"] for _, answer, _ in answers}) == 1
        status, error, _ = await world.desk.post({**body, "text": "other"}, Idempotency_Key="one")
        assert (status, error["code"]) == (409, 1)
        await world.desk.until(answers[0][1]["message_id"], "submitted")
        assert len(world.far.arrived) == 1


async def test_a_repetition_is_never_judged_against_its_own_first_copy(tmp_path: Path) -> None:
    """The one fallback that the contact may be given is the one that the first request of the key was promised."""
    async with a_world(tmp_path, limit=DowngradeLimit(count=1, per=timedelta(hours=24))) as world:
        for number in range(20):
            body = {
                "source_addr": SHOP,
                "destination_addr": f"3805012345{number:02d}",
                "message_type": 1,
                "text": "hi",
            }
            answers = await asyncio.gather(*(world.desk.post(body, Idempotency_Key=f"{number}") for _ in range(6)))
            assert [status for status, _, _ in answers] == [200] * 6
            assert len({answer["message_id"] for _, answer, _ in answers}) == 1
            other, _, _ = await world.desk.post({**body, "text": "more"})
            assert other == 400, "that was the only one"


async def test_a_repetition_gets_the_answer_that_the_first_request_waits_for(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        answer_now = asyncio.Event()

        async def refuse_late(_: dict[str, Any]) -> web.StreamResponse:
            await answer_now.wait()
            error = {"name": "Invalid Parameter: text", "message": "no", "code": 1, "status": 400}
            return web.json_response(error, status=400)

        world.far.behaviour = refuse_late
        await world.hears()
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hi"}
        first = asyncio.create_task(world.desk.post(body, Prefer="wait=20", Idempotency_Key="one"))
        await world.far.has(1)
        others = [
            asyncio.create_task(world.desk.post(body, Idempotency_Key="one")),
            asyncio.create_task(world.desk.post(body, Prefer="wait=1", Idempotency_Key="one")),
        ]
        await asyncio.sleep(1.5)  # longer than the repetition asked to wait: it may not end the wait of the first
        assert not any(task.done() for task in others)
        answer_now.set()
        answers = [(status, answer["code"]) for status, answer, _ in await asyncio.gather(first, *others)]
        assert answers == [(400, 1)] * 3
        assert len(world.far.arrived) == 1


async def test_a_paused_template_of_ones_own_is_passed_over_and_stops_no_reply(tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(shipped("templates"), templates)
    ticket = (templates / "ticket_answer.en_US.yaml").read_text("utf-8")
    paused = ticket.replace("name: ticket_answer", "name: own_answer").replace("status: APPROVED", "status: PAUSED")
    (templates / "own_answer.en_US.yaml").write_text(paused, "utf-8")
    body = {
        "source_addr": SHOP,
        "destination_addr": CONTACT,
        "message_type": 1,
        "text": "hi",
        "template_name": "own_answer",
        "template_params": {
            "template": {"components": [{"type": "body", "parameters": [{"type": "text", "text": "of today"}]}]}
        },
    }
    async with a_world(tmp_path, templates=templates) as world:
        status, answer, headers = await world.desk.post(body)
        assert (status, headers.get("Gateway-Template")) == (200, "ticket_answer/en_US"), answer
        await world.hears()
        status, _, headers = await world.desk.post(body)
        assert (status, headers["Gateway-Decision"]) == (200, "sent")


async def test_another_client_sees_nothing_of_a_message(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        message_id = await world.desk.text("hi")
        foreign = await world.desk.get(f"/v1/messages/{message_id}", key=OTHER_KEY)
        missing = await world.desk.get("/v1/messages/1", key=OTHER_KEY)
        assert foreign == missing
        assert (await world.desk.get("/v1/messages", key=OTHER_KEY))["messages"] == []
        assert len((await world.desk.get("/v1/messages", key=KEY))["messages"]) == 1
