from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from tests.provider.sandbox.stage import SENDER, Sandbox, an_answer


async def order(sandbox: Sandbox, **asked: Any) -> list[dict[str, Any]]:
    status, said = await sandbox.post("/faults", asked)
    assert status == 200, said
    return said["faults"]


async def test_what_was_ordered_is_listed_until_it_is_used_up(sandbox: Sandbox):
    await order(sandbox, latency="1ms")
    await order(sandbox, error=500, count=2, sender=SENDER)
    assert (await sandbox.get("/faults"))["faults"] == [
        {"fault": "latency", "value": "0.001s", "left": None, "sender": None},
        {"fault": "error", "value": 500, "left": 2, "sender": SENDER},
    ]
    for _ in range(2):
        assert (await sandbox.send_template(an_answer("x")))[0] == 500
    assert [each["fault"] for each in (await sandbox.get("/faults"))["faults"]] == ["latency"]
    assert (await sandbox.send_template(an_answer("x")))[0] == 200


async def test_faults_are_cleared_all_or_one(sandbox: Sandbox):
    await order(sandbox, balance_empty=True, refuse_window=True)
    assert [each["fault"] for each in await order(sandbox, balance_empty=False)] == ["refuse_window"]
    assert await order(sandbox, clear=True) == []
    assert [each["fault"] for each in await order(sandbox, clear=True, error=500)] == ["error"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"earthquake": True}, "earthquake"),
        ({"latency": 2}, "latency"),
        ({"latency": "6m"}, "latency"),
        ({"error": 200}, "error"),
        ({"error": 599}, "error"),
        ({"error": True}, "error"),
        ({"lost_answers": "many"}, "lost_answers"),
        ({"lost_answers": -1}, "lost_answers"),
        ({"duplicate_callbacks": 11}, "duplicate_callbacks"),
        ({"error": 500, "count": 0}, "count"),
        ({"error": 500, "count": True}, "count"),
        ({"error": 500, "sender": 7}, "sender"),
        ({"refuse_template": True}, "refuse_template"),
        ({"refuse_template": 132015, "template": 7}, "template"),
        ({"clear": "yes"}, "clear"),
    ],
)
async def test_a_wrong_order_names_its_field_and_changes_nothing(sandbox: Sandbox, asked: dict[str, Any], field: str):
    await order(sandbox, balance_empty=True)
    status, said = await sandbox.post("/faults", {"reset": 1, **asked})
    assert (status, said["field"]) == (400, field)
    assert said["error"].startswith("expected")
    assert [each["fault"] for each in (await sandbox.get("/faults"))["faults"]] == ["balance_empty"]


async def test_faults_are_bounded(sandbox: Sandbox):
    for number in range(100):
        await order(sandbox, error=500, sender=f"Sender {number}")
    status, said = await sandbox.post("/faults", {"error": 500})
    assert (status, said["field"]) == (400, "sender")


async def test_a_fault_of_one_sender_leaves_the_others_alone(sandbox: Sandbox):
    await order(sandbox, balance_empty=True, sender=SENDER)
    status, said = await sandbox.send_template(an_answer("x"))
    assert (status, said["code"], said["name"]) == (402, 3, "Topup balance is required")
    assert (await sandbox.send_template(an_answer("x"), source_addr="Other Company"))[0] == 200


@pytest.mark.parametrize(
    ("status", "code"), [(400, 1), (401, 0), (402, 3), (403, 0), (404, 0), (405, 0), (429, 0), (500, 2)]
)
async def test_the_provider_s_own_errors_come_in_its_shape(sandbox: Sandbox, status: int, code: int):
    await order(sandbox, error=status)
    answered, said = await sandbox.send_template(an_answer("x"))
    assert answered == said["status"] == status
    assert said["code"] == code
    assert await sandbox.on_phone() == []


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_errors_of_a_proxy_before_it_can_t_be_read(sandbox: Sandbox, status: int):
    await order(sandbox, error=status)
    with pytest.raises(aiohttp.ContentTypeError) as failed:
        await sandbox.send_template(an_answer("x"))
    assert failed.value.status == status


async def test_a_lost_answer_is_one_of_a_message_that_arrived(sandbox: Sandbox):
    await order(sandbox, lost_answers=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await sandbox.send_template(an_answer("x"))
    assert len(await sandbox.on_phone()) == 1
    assert [body["status"] for body in await sandbox.application.bodies(2)] == [0, 1]
    assert (await sandbox.send_template(an_answer("x")))[0] == 200


async def test_a_reset_connection_is_one_of_a_message_that_was_not_taken(sandbox: Sandbox):
    await order(sandbox, reset=1)
    with pytest.raises(aiohttp.ClientOSError, match="reset"):
        await sandbox.send_template(an_answer("x"))
    assert await sandbox.on_phone() == []


async def test_latency_delays_the_answer(sandbox: Sandbox):
    await order(sandbox, latency="50ms", count=1)
    started = time.monotonic()
    assert (await sandbox.send_template(an_answer("x")))[0] == 200
    assert time.monotonic() - started >= 0.05


async def test_the_window_is_refused_though_open_as_often_as_asked(sandbox: Sandbox):
    await sandbox.customer_writes()
    await order(sandbox, refuse_window=1)
    status, said = await sandbox.send()
    assert (status, said["code"]) == (400, 7)
    assert (await sandbox.send())[0] == 200


async def test_a_template_is_refused_with_the_code_that_was_asked_for_and_no_other_one_is(sandbox: Sandbox):
    await order(sandbox, refuse_template=132015, template="nobody_s")
    assert (await sandbox.send_template(an_answer("x")))[0] == 200
    await order(sandbox, refuse_template=132015, template=an_answer("x")["name"], count=1)
    status, said = await sandbox.send_template(an_answer("x"))
    assert (status, said["code"]) == (400, 132015)
    assert (await sandbox.send_template(an_answer("x")))[0] == 200


async def test_templates_are_never_refused_as_too_late(sandbox: Sandbox):
    await order(sandbox, refuse_window=True)
    assert (await sandbox.send_template(an_answer("x")))[0] == 200


async def test_a_late_refusal_takes_the_message_and_tells_that_it_failed(sandbox: Sandbox):
    await order(sandbox, late_refusals=True)
    status, receipt = await sandbox.send(callback_url=sandbox.application.url + "/attempt-1")
    assert status == 200
    [(path, body)] = await sandbox.application.wait_for(1)
    assert path == "/callbacks/attempt-1"
    assert (body["message_id"], body["status"], body["code"]) == (receipt["message_id"], 3, 7)
    assert "more than 24 hours have passed" in body["message"]
    assert await sandbox.on_phone() == []
    assert (await sandbox.api("receive-whatsapp", receipt))[1]["status"] == 3


async def test_late_callbacks_wait_by_the_sandbox_s_clock(sandbox: Sandbox):
    await order(sandbox, late_callbacks="10s", count=1)
    assert (await sandbox.customer_writes("Late"))["callback"] == "pending"
    assert (await sandbox.customer_writes("In time"))["callback"] == "answered"
    await sandbox.travel("10s")
    assert [body["text"] for body in await sandbox.application.bodies(2)] == ["In time", "Late"]


async def test_a_lost_callback_is_told_to_nobody(sandbox: Sandbox):
    await order(sandbox, lost_callbacks=1)
    assert (await sandbox.customer_writes("Lost"))["callback"] == "dropped"
    await sandbox.customer_writes("Told")
    assert [body["text"] for body in await sandbox.application.bodies(1)] == ["Told"]
    assert (await sandbox.send())[0] == 200


async def test_duplicated_callbacks_are_the_same_each_time(sandbox: Sandbox):
    await order(sandbox, duplicate_callbacks=2, count=1)
    await sandbox.customer_writes("Twice more")
    bodies = await sandbox.application.bodies(3)
    assert bodies == [bodies[0]] * 3
    await sandbox.customer_writes("Once")
    assert [body["text"] for body in (await sandbox.application.bodies(4))[3:]] == ["Once"]


async def test_a_slow_request_holds_up_no_other(sandbox: Sandbox):
    await order(sandbox, latency="5m", sender=SENDER)
    slow = asyncio.create_task(sandbox.send_template(an_answer("x")))
    assert (await sandbox.send_template(an_answer("x"), source_addr="Other Company"))[0] == 200
    assert not slow.done()
    slow.cancel()
