from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

import pytest

from tests.provider.sandbox.cloud.stage import (
    BUSINESS,
    FLAT_SENDER,
    NUMBER,
    NUMBER_ID,
    OTHER_ID,
    OTHER_KEY,
    OTHER_NUMBER,
    SECRET,
    VERIFY_TOKEN,
    Cloud,
    a_message,
    a_template,
    an_interactive,
    buttons,
    rows,
)
from tests.provider.sandbox.stage import CONTACT

NOON = "1772366400"
METADATA = {"display_phone_number": NUMBER, "phone_number_id": NUMBER_ID}
USER_ID = re.compile(r"UA\.[A-Za-z0-9]{1,128}")


def statuses(values: list[dict[str, Any]]) -> list[str]:
    return [status["status"] for value in values for status in value.get("statuses", ())]


async def test_what_a_customer_writes_comes_in_the_platform_s_envelope(cloud: Cloud):
    said = await cloud.customer_writes("Where is it?", name="Olena")
    assert said["callback"] == "answered"
    [(path, body)] = await cloud.application.wait_for(1)
    assert path == "/callbacks/meta"
    value = body["entry"][0]["changes"][0]["value"]
    user_id = value["contacts"][0]["user_id"]
    assert USER_ID.fullmatch(user_id)
    message = {
        "from": CONTACT,
        "from_user_id": user_id,
        "id": said["message_id"],
        "timestamp": NOON,
        "type": "text",
        "text": {"body": "Where is it?"},
    }
    contact = {"profile": {"name": "Olena"}, "wa_id": CONTACT, "user_id": user_id}
    told = {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [contact], "messages": [message]}
    change = {"value": told, "field": "messages"}
    assert body == {"object": "whatsapp_business_account", "entry": [{"id": BUSINESS, "changes": [change]}]}


async def test_a_callback_is_signed_over_its_exact_bytes_which_are_escaped(cloud: Cloud):
    await cloud.customer_writes("Привіт https://example.com/ 👋")
    await cloud.application.wait_for(1)
    [(raw, signature)] = cloud.application.raw
    assert raw.isascii()
    assert b"\\u041f" in raw
    assert b"https:\\/\\/example.com\\/" in raw
    expected = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert signature == f"sha256={expected}"


async def test_a_number_without_a_secret_signs_nothing(cloud: Cloud):
    await cloud.customer_writes(to=OTHER_ID)
    [(path, body)] = await cloud.application.wait_for(1)
    assert path == "/callbacks/dialog"
    assert body["entry"][0]["changes"][0]["value"]["metadata"]["display_phone_number"] == OTHER_NUMBER
    assert cloud.application.raw[0][1] is None


async def test_a_sender_of_the_other_api_hears_customers_in_its_own_form(cloud: Cloud):
    await cloud.customer_writes(to=FLAT_SENDER)
    [(path, body)] = await cloud.application.wait_for(1)
    assert (path, body["to"], body["text"]) == ("/callbacks/flat", FLAT_SENDER, "Hello")


async def test_a_message_is_sent_delivered_and_read_and_gives_back_what_it_carried(cloud: Cloud):
    message_id = await cloud.sent(**a_template("offer"), biz_opaque_callback_data="ref/1")
    await cloud.play(f"/contacts/{CONTACT}/reads", {"to": NUMBER_ID})
    values = await cloud.application.values(3)
    found = {each["status"]: each for value in values for each in value["statuses"]}
    assert set(found) == {"sent", "delivered", "read"}
    user_id = values[0]["contacts"][0]["user_id"]
    read = {
        "id": message_id,
        "status": "read",
        "timestamp": NOON,
        "recipient_id": CONTACT,
        "recipient_user_id": user_id,
        "biz_opaque_callback_data": "ref/1",
    }
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}
    assert found["read"] == read
    assert found["sent"] == {**read, "status": "sent", "pricing": pricing}
    assert found["delivered"] == {**read, "status": "delivered", "pricing": pricing}
    assert all(value["metadata"] == METADATA for value in values)


async def test_free_form_is_priced_as_service(cloud: Cloud):
    await cloud.customer_writes()
    await cloud.sent()
    values = await cloud.application.values(2)
    assert values[1]["statuses"][0]["pricing"]["category"] == "service"


async def test_of_a_reaction_it_is_only_told_that_it_was_sent(cloud: Cloud):
    inbound = (await cloud.customer_writes())["message_id"]
    await cloud.sent(type="reaction", reaction={"message_id": inbound, "emoji": "👍"})
    await cloud.play(f"/contacts/{CONTACT}/reads", {"to": NUMBER_ID})
    await cloud.customer_writes("Last")
    assert statuses(await cloud.application.values(3)) == ["sent"]


async def test_a_late_refusal_is_a_status_that_says_why_and_names_no_contact(cloud: Cloud):
    await cloud.fault(late_refusals=1)
    message_id = await cloud.sent(biz_opaque_callback_data="ref")
    [value] = await cloud.application.values(1)
    assert "contacts" not in value
    [status] = value["statuses"]
    error = status.pop("errors")[0]
    expected = {"status": "failed", "timestamp": NOON, "recipient_id": CONTACT, "biz_opaque_callback_data": "ref"}
    assert status == {"id": message_id, **expected}
    assert error["code"] == 131047
    assert error["title"] == error["message"] == "Re-engagement message"
    assert "more than 24 hours have passed" in error["error_data"]["details"]
    assert (await cloud.phone())["messages"] == []


async def test_a_late_refusal_of_a_message_to_a_user_id_names_the_user_id(cloud: Cloud):
    await cloud.fault(late_refusals=1)
    await cloud.sent(to=..., recipient="US.13491208655302741918")
    [value] = await cloud.application.values(1)
    [status] = value["statuses"]
    assert status["recipient_user_id"] == "US.13491208655302741918"
    assert "recipient_id" not in status


async def test_who_hides_the_phone_number_is_known_by_the_user_id_alone(cloud: Cloud):
    user_id = (await cloud.play(f"/contacts/{CONTACT}/identity", {"hidden": True}))["user_id"]
    await cloud.customer_writes()
    await cloud.sent(to=..., recipient=user_id)
    values = await cloud.application.values(3)
    assert CONTACT not in json.dumps(values)
    assert values[0]["messages"][0]["from_user_id"] == user_id
    assert "from" not in values[0]["messages"][0]
    assert all(value["contacts"][0]["user_id"] == user_id for value in values)
    assert all("wa_id" not in value["contacts"][0] for value in values)
    assert all("recipient_id" not in value["statuses"][0] for value in values[1:])
    await cloud.play(f"/contacts/{CONTACT}/identity", {"hidden": False})
    await cloud.customer_writes()
    shown = (await cloud.application.values(5))[3:]
    assert all(value["contacts"][0]["wa_id"] == CONTACT for value in shown)


async def test_a_user_id_is_one_customer_with_the_number(cloud: Cloud):
    user_id = (await cloud.play(f"/contacts/{CONTACT}/identity", {"hidden": False}))["user_id"]
    await cloud.customer_writes(contact=user_id)
    await cloud.sent()
    assert (await cloud.phone(user_id))["messages"] == (await cloud.phone())["messages"] != []


# --- what customers do ----------------------------------------------------------------------------------------------


async def inbound(cloud: Cloud) -> dict[str, Any]:
    """What the customer said last, as it was told."""
    return [message for value in await cloud.application.values(1) for message in value.get("messages", ())][-1]


async def test_a_tap_on_a_template_s_quick_reply_is_a_button(cloud: Cloud):
    sent = await cloud.sent(**a_template("ticket_answer", "1"))
    await cloud.play(f"/contacts/{CONTACT}/taps", {"to": NUMBER_ID, "button": "Read it"})
    told = await inbound(cloud)
    assert (told["type"], told["button"]) == ("button", {"text": "Read it", "payload": "Read it"})
    assert told["context"] == {"from": NUMBER, "id": sent}
    await cloud.sent()


async def test_a_tap_on_a_reply_button_names_its_id(cloud: Cloud):
    await cloud.customer_writes()
    sent = await cloud.sent(**an_interactive("button", buttons("Yes", "No")))
    await cloud.play(f"/contacts/{CONTACT}/taps", {"to": NUMBER_ID, "button": 1})
    told = await inbound(cloud)
    assert told["interactive"] == {"type": "button_reply", "button_reply": {"id": "id-No", "title": "No"}}
    assert (told["type"], told["context"]["id"]) == ("interactive", sent)


async def test_a_tap_on_a_row_names_its_id_and_description(cloud: Cloud):
    await cloud.customer_writes()
    await cloud.sent(**an_interactive("list", rows(1, 2, description="Slow")))
    await cloud.play(f"/contacts/{CONTACT}/taps", {"to": NUMBER_ID, "button": "Row 1-1"})
    chosen = {"id": "1-1", "title": "Row 1-1", "description": "Slow"}
    assert (await inbound(cloud))["interactive"] == {"type": "list_reply", "list_reply": chosen}


@pytest.mark.parametrize(("kind", "always"), [("audio", {"voice": False}), ("sticker", {"animated": False})])
async def test_a_medium_is_told_with_what_the_platform_always_says_of_its_kind(
    cloud: Cloud, kind: str, always: dict[str, bool]
):
    await cloud.customer_writes("Listen", media=kind)
    told = await inbound(cloud)
    assert always.items() <= told[kind].items()


async def test_a_picture_of_a_customer_can_be_downloaded(cloud: Cloud):
    await cloud.customer_writes("My parcel", media="image")
    told = await inbound(cloud)
    assert (told["type"], told["image"]["caption"], told["image"]["mime_type"]) == ("image", "My parcel", "image/png")
    status, medium = await cloud.call("GET", f"/v24.0/{told['image']['id']}")
    assert (status, medium["mime_type"]) == (200, "image/png")
    await cloud.sent()


async def test_a_reaction_of_a_customer_names_the_message_and_opens_no_window(cloud: Cloud):
    sent = await cloud.sent(**a_template("ticket_answer", "1"))
    await cloud.play(f"/contacts/{CONTACT}/reactions", {"to": NUMBER_ID, "emoji": "🙏"})
    told = await inbound(cloud)
    assert (told["type"], told["reaction"]) == ("reaction", {"message_id": sent, "emoji": "🙏"})
    assert (await cloud.refused())[1] == 131047


async def test_a_wish_about_marketing_is_told_in_its_own_field(cloud: Cloud):
    await cloud.play(f"/contacts/{CONTACT}/preferences", {"to": NUMBER_ID, "marketing": "stop"})
    [body] = await cloud.application.bodies(1)
    [change] = body["entry"][0]["changes"]
    [wish] = change["value"]["user_preferences"]
    assert change["field"] == "user_preferences"
    assert (wish["wa_id"], wish["value"], wish["timestamp"]) == (CONTACT, "stop", int(NOON))
    assert USER_ID.fullmatch(wish["user_id"])
    assert cloud.application.raw[0][1] is not None


# --- several at once, and again -------------------------------------------------------------------------------------


async def test_callbacks_may_come_in_one_envelope_each_number_under_its_own(cloud: Cloud):
    await cloud.customer_writes()
    await cloud.application.wait_for(1)
    await cloud.fault(batch_callbacks=4)
    for text in ("One", "Two"):
        await cloud.sent(text={"body": text})
    value = (await cloud.application.values(2))[-1]
    assert statuses([value]) == ["sent", "delivered", "sent", "delivered"]
    assert len(value["contacts"]) == 1


async def test_what_waits_for_company_comes_when_that_is_no_longer_asked_for(cloud: Cloud):
    await cloud.fault(batch_callbacks=10)
    assert (await cloud.customer_writes("First"))["callback"] == "pending"
    assert (await cloud.customer_writes("Second"))["callback"] == "pending"
    assert cloud.application.taken == []
    await cloud.fault(clear=True)
    [value] = await cloud.application.values(1)
    assert [message["text"]["body"] for message in value["messages"]] == ["First", "Second"]


async def test_the_last_one_of_a_counted_batch_does_not_wait_for_ever(cloud: Cloud):
    await cloud.fault(batch_callbacks=10, count=2)
    await cloud.customer_writes("First")
    await cloud.customer_writes("Second")
    [value] = await cloud.application.values(1)
    assert [message["text"]["body"] for message in value["messages"]] == ["First", "Second"]


async def test_callbacks_come_late_again_and_until_they_are_taken(cloud: Cloud):
    await cloud.fault(duplicate_callbacks=1, count=1)
    cloud.application.answers = [500]
    await cloud.customer_writes()
    while len(cloud.application.taken) < 3:
        await cloud.play("/clock", {"advance": "1m"})
    assert len({raw for raw, _ in cloud.application.raw}) == 1


# --- addresses ------------------------------------------------------------------------------------------------------


async def test_the_sandbox_asks_an_address_whether_it_wants_callbacks(cloud: Cloud):
    asked = {"to": NUMBER_ID, "verify_token": VERIFY_TOKEN}
    assert await cloud.play("/challenges", asked) == {"verified": True}
    assert await cloud.play("/challenges", {**asked, "verify_token": "wrong"}) == {"verified": False}


async def test_a_business_may_name_an_address_of_its_own_which_must_answer_the_challenge(cloud: Cloud):
    apps, url = f"/v24.0/{BUSINESS}/subscribed_apps", f"{cloud.application.url}/own"
    wrong = {"override_callback_uri": url, "verify_token": "wrong"}
    status, body = await cloud.call("POST", apps, json=wrong)
    assert (status, body["error"]["code"]) == (400, 2200)
    right = {**wrong, "verify_token": VERIFY_TOKEN}
    assert await cloud.call("POST", apps, json=right) == (200, {"success": True})
    _, listed = await cloud.call("GET", apps)
    assert listed["data"][0]["override_callback_uri"] == url
    await cloud.customer_writes()
    assert await cloud.call("DELETE", apps) == (200, {"success": True})
    assert (await cloud.call("GET", apps))[1] == {"data": []}
    await cloud.customer_writes()
    assert [path for path, _ in await cloud.application.wait_for(2)] == ["/callbacks/own", "/callbacks/meta"]


async def test_360dialog_s_own_way_to_name_an_address(cloud: Cloud):
    key, url = {"D360-API-KEY": OTHER_KEY}, f"{cloud.application.url}/moved"
    told = {"url": url, "headers": {}}
    assert await cloud.call("POST", "/v1/configs/webhook", headers=key, json={"url": url}) == (200, told)
    assert await cloud.call("GET", "/v1/configs/webhook", headers=key) == (200, told)
    await cloud.customer_writes(to=OTHER_ID)
    await cloud.customer_writes(to=NUMBER_ID)
    assert [path for path, _ in await cloud.application.wait_for(2)] == ["/callbacks/moved", "/callbacks/meta"]


@pytest.mark.parametrize("url", [None, 7, "ftp://example.com", "http://["])
async def test_an_address_that_is_none_is_refused(cloud: Cloud, url: object):
    status, body = await cloud.call("POST", "/v1/configs/webhook", json={"url": url})
    assert (status, body["error"]["code"]) == (400, 100)


async def test_a_message_of_the_other_number_is_told_to_the_other_s_address(cloud: Cloud):
    await cloud.post(a_message(**a_template("ticket_answer", "1")), number=OTHER_ID, key=OTHER_KEY)
    assert {path for path, _ in await cloud.application.wait_for(2)} == {"/callbacks/dialog"}
