"""The customer stops marketing messages: the platform tells it, and refuses those alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.sandbox.stage import CONTACT, SENDER, Sandbox, an_answer

AN_OFFER = {"name": "offer", "language": {"code": "en_US"}}


async def prefer(sandbox: Sandbox, wish: str, contact: str = CONTACT, to: str = SENDER) -> Any:
    status, said = await sandbox.post(f"/contacts/{contact}/preferences", {"to": to, "marketing": wish})
    assert status == 200, said
    return said


async def test_a_stop_is_told_as_the_platform_tells_it(sandbox: Sandbox):
    said = await prefer(sandbox, "stop")
    (body,) = await sandbox.application.bodies(1)
    assert said == {**body, "callback": "answered"}
    (change,) = body["entry"][0]["changes"]
    assert (body["object"], change["field"]) == ("whatsapp_business_account", "user_preferences")
    assert change["value"]["metadata"]["phone_number_id"] == SENDER
    (wish,) = change["value"]["user_preferences"]
    assert (wish["wa_id"], wish["category"], wish["value"]) == (CONTACT, "marketing_messages", "stop")
    assert isinstance(wish["timestamp"], int), "of preferences the platform's timestamp is a number"


async def test_after_a_stop_marketing_templates_are_refused_and_others_are_not(sandbox: Sandbox):
    assert (await sandbox.send_template(AN_OFFER))[0] == 200
    await prefer(sandbox, "stop")
    status, said = await sandbox.send_template(AN_OFFER)
    assert (status, said["code"], said["status"]) == (400, 131050, 400)
    assert (await sandbox.send_template(an_answer("of today")))[0] == 200
    await sandbox.customer_writes()
    assert (await sandbox.send())[0] == 200, "free-form is no marketing"
    assert (await sandbox.send_template(AN_OFFER))[0] == 400, "an open window makes no difference"
    await prefer(sandbox, "resume")
    assert (await sandbox.send_template(AN_OFFER))[0] == 200


async def test_a_stop_is_of_one_customer_and_one_sender(sandbox: Sandbox):
    await prefer(sandbox, "stop", contact="380671234567")
    assert (await sandbox.send_template(AN_OFFER))[0] == 200
    await prefer(sandbox, "stop")
    assert (await sandbox.send_template(AN_OFFER, source_addr="Other Company"))[0] == 200


async def test_an_unwanted_message_may_be_refused_hours_later(sandbox: Sandbox):
    await prefer(sandbox, "stop")
    await sandbox.post("/faults", {"late_refusals": 1})
    assert (await sandbox.send_template(AN_OFFER))[0] == 200
    _, report = await sandbox.application.bodies(2)
    assert (report["status"], report["code"]) == (3, 131050)
    assert (await sandbox.get(f"/messages?contact={CONTACT}"))["messages"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"to": SENDER}, "marketing"),
        ({"to": SENDER, "marketing": "pause"}, "marketing"),
        ({"to": SENDER, "marketing": ["stop"]}, "marketing"),
        ({"to": "Nobody", "marketing": "stop"}, "to"),
        ({"to": SENDER, "marketing": "stop", "text": "x"}, "text"),
    ],
)
async def test_a_wrong_wish_is_explained(sandbox: Sandbox, asked: Any, field: str):
    status, said = await sandbox.post(f"/contacts/{CONTACT}/preferences", asked)
    assert (status, said["field"]) == (400, field)


async def test_a_reset_forgets_wishes(sandbox: Sandbox):
    await prefer(sandbox, "stop")
    await sandbox.post("/reset")
    assert (await sandbox.send_template(AN_OFFER))[0] == 200
