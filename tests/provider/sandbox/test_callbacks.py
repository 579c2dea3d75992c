from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.provider.sandbox import callbacks
from tests.provider.sandbox.stage import CONTACT, SENDER, Sandbox, an_answer

NOON = 1772366400


async def test_what_a_customer_writes_is_posted_flat_to_the_configured_address(sandbox: Sandbox):
    said = await sandbox.customer_writes("Where is it?", name="Olena")
    assert said["callback"] == "answered"
    [(path, body)] = await sandbox.application.wait_for(1)
    assert path == "/callbacks"
    assert body == {
        "message_id": said["message_id"],
        "from": CONTACT,
        "to": SENDER,
        "timestamp": NOON,
        "text": "Where is it?",
        "name": "Olena",
    }


async def test_the_time_of_a_message_is_the_customer_s_by_the_sandbox_s_clock(sandbox: Sandbox):
    await sandbox.travel("2h")
    await sandbox.customer_writes(ago="25h")
    [body] = await sandbox.application.bodies(1)
    assert body["timestamp"] == NOON + 2 * 3600 - 25 * 3600


async def test_a_contact_has_one_spelling_whatever_the_customer_s_route_says(sandbox: Sandbox):
    await sandbox.customer_writes(contact="+380 50 123-45-67")
    [body] = await sandbox.application.bodies(1)
    assert body["from"] == CONTACT
    assert (await sandbox.send())[0] == 200


async def test_sent_and_delivered_are_told_in_order_at_the_message_s_own_address(sandbox: Sandbox):
    own = sandbox.application.url + "/attempt-1"
    _, receipt = await sandbox.send_template(an_answer("x"), callback_url=own)
    assert await sandbox.application.wait_for(2) == [
        ("/callbacks/attempt-1", {"message_id": receipt["message_id"], "status": 0}),
        ("/callbacks/attempt-1", {"message_id": receipt["message_id"], "status": 1}),
    ]


async def test_statuses_of_a_message_without_an_address_go_to_the_configured_one(sandbox: Sandbox):
    await sandbox.send_template(an_answer("x"))
    assert [path for path, _ in await sandbox.application.wait_for(2)] == ["/callbacks", "/callbacks"]


async def test_a_message_is_told_as_read_once_when_the_customer_answers(sandbox: Sandbox):
    _, receipt = await sandbox.send_template(an_answer("x"))
    await sandbox.application.wait_for(2)
    await sandbox.customer_writes()
    assert {"message_id": receipt["message_id"], "status": "read"} in await sandbox.application.bodies(4)
    assert (await sandbox.on_phone())[0]["status"] == "read"
    await sandbox.customer_writes()
    read = [body for body in await sandbox.application.bodies(5) if body.get("status") == "read"]
    assert len(read) == 1


async def test_an_answer_to_one_sender_leaves_the_messages_of_another_unread(sandbox: Sandbox):
    await sandbox.send_template(an_answer("x"), source_addr="Other Company")
    await sandbox.customer_writes()
    assert [each["status"] for each in await sandbox.on_phone()] == ["delivered"]


async def test_a_tap_sends_the_button_s_text_and_opens_the_window(sandbox: Sandbox):
    payload = {"type": "button", "sub_type": "quick_reply", "index": "0"}
    template = an_answer("x")
    template["components"].append({**payload, "parameters": [{"type": "payload", "payload": "read-7"}]})
    _, receipt = await sandbox.send_template(template)
    assert (await sandbox.send())[0] == 400
    for button in (0, "Read it"):
        status, said = await sandbox.post(f"/contacts/{CONTACT}/taps", {"to": SENDER, "button": button})
        assert status == 200, said
    tapped: list[dict[str, Any]] = [body for body in await sandbox.application.bodies(5) if "text" in body]
    assert len(tapped) == 2
    assert tapped[0]["text"] == "Read it"
    assert tapped[0]["button"] == {"text": "Read it", "payload": "read-7"}
    assert tapped[0]["context"] == {"id": receipt["message_id"]}
    assert (await sandbox.send())[0] == 200


async def test_a_callback_is_posted_again_until_it_is_answered_200(sandbox: Sandbox):
    sandbox.application.answers = [503, 404, 204]
    assert (await sandbox.customer_writes())["callback"] == "pending"
    bodies = await sandbox.travel_until_taken(4)
    assert [body["message_id"] for body in bodies] == [bodies[0]["message_id"]] * 4


async def test_a_callback_is_given_up_after_a_bounded_number_of_tries(sandbox: Sandbox):
    sandbox.application.answers = [503] * 20
    await sandbox.customer_writes()
    await sandbox.travel_until_taken(12)
    for _ in range(20):
        await sandbox.travel("1h")
    assert len(sandbox.application.taken) == 12


async def test_of_too_many_waiting_callbacks_the_oldest_is_dropped(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(callbacks, "PENDING", 2)
    await sandbox.post("/faults", {"late_callbacks": "1h", "count": 3})
    for text in ("First", "Second", "Third"):
        assert (await sandbox.customer_writes(text))["callback"] == "pending"
    await sandbox.travel("1h")
    await sandbox.customer_writes("Last")
    texts = [body["text"] for body in await sandbox.application.bodies(3)]
    assert sorted(texts) == ["Last", "Second", "Third"]


async def test_nobody_at_the_address_delays_nothing_else(sandbox: Sandbox):
    await sandbox.send_template(an_answer("x"), callback_url="http://127.0.0.1:1/nobody")
    assert (await sandbox.customer_writes())["callback"] == "answered"


async def test_text_that_no_one_can_store_is_passed_on_as_it_was_written(sandbox: Sandbox):
    await sandbox.customer_writes("a\x00b\ud800")
    [body] = await sandbox.application.bodies(1)
    assert body["text"] == "a\x00b\ud800"


async def test_a_hundred_messages_at_once_are_all_told(sandbox: Sandbox):
    contacts = [f"3805000000{number:02}" for number in range(100)]
    await asyncio.gather(*(sandbox.customer_writes(contact=contact) for contact in contacts))
    assert {body["from"] for body in await sandbox.application.bodies(100)} == set(contacts)
