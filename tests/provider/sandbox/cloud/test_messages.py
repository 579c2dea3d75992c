from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.provider.sandbox.cloud.stage import (
    BUSINESS,
    FLAT_KEY,
    KEY,
    NUMBER,
    NUMBER_ID,
    OTHER_ID,
    OTHER_KEY,
    Cloud,
    a_message,
    a_template,
    an_interactive,
    buttons,
    explained,
    rows,
)
from tests.provider.sandbox.stage import CONTACT

LINK = {"link": "https://example.com/a.jpg"}
TAPPED = {"type": "reply", "reply": {"id": "a", "title": "A"}}


# --- the answer -----------------------------------------------------------------------------------------------------


async def test_the_answer_names_the_contact_as_it_was_written_and_as_the_platform_knows_it(cloud: Cloud):
    await cloud.customer_writes()
    status, body = await cloud.send(to="+380 50 123 45 67")
    assert status == 200
    assert body["messaging_product"] == "whatsapp"
    assert body["contacts"] == [{"input": "+380 50 123 45 67", "wa_id": CONTACT}]
    [message] = body["messages"]
    assert set(message) == {"id"}
    assert re.fullmatch(r"wamid\.HB[A-Za-z0-9+/]+={0,2}", message["id"])
    assert (await cloud.arrived())["id"] == message["id"]


async def test_a_template_is_accepted_and_needs_no_window(cloud: Cloud):
    status, body = await cloud.send(**a_template("ticket_answer", "A-17"))
    assert (status, body["messages"][0]["message_status"]) == (200, "accepted")
    assert (await cloud.arrived())["text"].startswith("We have an answer to your request A-17.")


@pytest.mark.parametrize("version", ["", "/v13.0", "/v24.0", "/v26.0"])
async def test_any_version_will_do_and_none(cloud: Cloud, version: str):
    status, _ = await cloud.post(a_message(**a_template("ticket_answer", "1")), version=version)
    assert status == 200


async def test_a_message_to_a_user_id_is_answered_with_the_user_id(cloud: Cloud):
    told = await cloud.play(f"/contacts/{CONTACT}/identity", {"hidden": False})
    await cloud.customer_writes()
    status, body = await cloud.send(to=..., recipient=told["user_id"])
    assert status == 200
    assert body["contacts"] == [{"input": told["user_id"], "user_id": told["user_id"]}]
    assert (await cloud.arrived())["text"] == "On its way"


async def test_of_two_addresses_the_number_counts(cloud: Cloud):
    await cloud.customer_writes()
    status, body = await cloud.send(recipient="US.13491208655302741918")
    assert (status, body["contacts"]) == (200, [{"input": CONTACT, "wa_id": CONTACT}])


async def test_with_360dialog_the_key_says_which_number_it_is(cloud: Cloud):
    await cloud.customer_writes(to=OTHER_ID)
    key = {"D360-API-KEY": OTHER_KEY}
    for path, body in (("/messages", a_message()), ("/v1/messages", a_message(messaging_product=...))):
        status, _ = await cloud.call("POST", path, headers=key, json=body)
        assert status == 200
        assert (await cloud.arrived())["from"] == "380440000002"


async def test_a_key_of_the_other_api_is_no_number_s(cloud: Cloud):
    status, body = await cloud.call("POST", "/messages", headers={"D360-API-KEY": FLAT_KEY}, json=a_message())
    assert (status, explained(body)[0]) == (401, 190)


async def test_one_number_is_one_sender_by_whatever_api_it_sends(cloud: Cloud):
    await cloud.customer_writes()
    body = {"source_addr": NUMBER_ID, "destination_addr": CONTACT, "message_type": 1, "text": "By the other"}
    basic = {"Authorization": f"Basic {FLAT_KEY}"}
    status, _ = await cloud.call("POST", "/v1/api/send-whatsapp", headers=basic, json=body)
    assert status == 200
    assert [each["from"] for each in (await cloud.phone())["messages"]] == [NUMBER]


# --- keys and numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "wrong", "", "keyOfTheFirs", "ключ"])
async def test_without_a_known_key_nothing_is_done(cloud: Cloud, key: str | None):
    status, body = await cloud.call("POST", f"/v24.0/{NUMBER_ID}/messages?access_token={key or ''}", key=None, json={})
    assert (status, explained(body)[0]) == (401, 190)


@pytest.mark.parametrize(("number", "key"), [("999", KEY), (OTHER_ID, KEY), (NUMBER_ID, OTHER_KEY)])
async def test_a_number_of_somebody_else_is_as_one_that_is_not_there(cloud: Cloud, number: str, key: str):
    status, body = await cloud.post(a_message(), number=number, key=key)
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 100, 33)


@pytest.mark.parametrize("body", ["", "[]", "nonsense", "[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(cloud: Cloud, body: str):
    status, told = await cloud.call("POST", f"/v24.0/{NUMBER_ID}/messages", data=body)
    assert (status, explained(told)[0]) == (400, 100)


# --- what a message may hold ----------------------------------------------------------------------------------------

GOOD = {
    "text": {"text": {"body": "x" * 4096, "preview_url": True}},
    "image": {"type": "image", "image": {**LINK, "caption": "c" * 1024}},
    "video": {"type": "video", "video": LINK},
    "audio": {"type": "audio", "audio": LINK},
    "document": {"type": "document", "document": {**LINK, "filename": "a.pdf"}},
    "sticker": {"type": "sticker", "sticker": LINK},
    "location": {"type": "location", "location": {"latitude": "50.45", "longitude": 30.52, "name": "Kyiv"}},
    "contacts": {"type": "contacts", "contacts": [{"name": {"formatted_name": "O. K.", "first_name": "O."}}]},
    "buttons": an_interactive("button", buttons("a", "b", "c"), header={"type": "image", "image": LINK}),
    "list": an_interactive("list", rows(5, 5, description="d" * 72), header={"type": "text", "text": "h" * 60}),
    "action as a string": an_interactive("button", json.dumps(buttons("a"))),
    "link": an_interactive(
        "cta_url", {"name": "cta_url", "parameters": {"display_text": "Look", "url": "https://example.com"}}
    ),
    "flow": an_interactive(
        "flow",
        {"name": "flow", "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "c" * 30}},
    ),
    "product": an_interactive("product", {"catalog_id": "1", "product_retailer_id": "2"}, body=...),
    "products": an_interactive(
        "product_list",
        {"catalog_id": "1", "sections": [{"title": "s", "product_items": [{"product_retailer_id": "2"}] * 30}]},
        header={"type": "text", "text": "h"},
    ),
    "location request": an_interactive("location_request_message", {"name": "send_location"}),
    "no type is a text": {"type": ..., "text": {"body": "x"}},
    "no context": {"context": None, "recipient_type": "individual"},
}


@pytest.mark.parametrize("fields", GOOD.values(), ids=GOOD)
async def test_a_message_within_the_limits_arrives(cloud: Cloud, fields: dict[str, Any]):
    await cloud.customer_writes()
    message_id = await cloud.sent(**fields)
    assert (await cloud.arrived())["id"] == message_id


BAD = {
    "product": ({"messaging_product": "sms"}, 100, "messaging_product"),
    "no product": ({"messaging_product": ...}, 131008, "messaging_product"),
    "nobody": ({"to": ...}, 131008, "to"),
    "no number": ({"to": "0501234567"}, 131009, "to"),
    "no user id": ({"to": ..., "recipient": CONTACT}, 131009, "recipient"),
    "itself": ({"to": NUMBER}, 131021, "sender"),
    "a group": ({"recipient_type": "group"}, 100, "recipient_type"),
    "type": ({"type": "hologram"}, 131051, "type"),
    "no text": ({"text": ...}, 131008, "text"),
    "empty text": ({"text": {"body": " "}}, 131008, "text.body"),
    "text as a string": ({"text": "x"}, 100, "text"),
    "long text": ({"text": {"body": "x" * 4097}}, 100, "text.body"),
    "misspelled": ({"text": {"body": "x", "previewurl": True}}, 100, "previewurl"),
    "opaque": ({"biz_opaque_callback_data": "x" * 513}, 100, "biz_opaque_callback_data"),
    "context": ({"context": {"message_id": "wamid.gw0123456789abcd"}}, 131009, "context.message_id"),
    "empty context": ({"context": {}}, 131008, "context.message_id"),
    "id and link": ({"type": "image", "image": {**LINK, "id": "1"}}, 131009, "image"),
    "neither": ({"type": "image", "image": {"caption": "c"}}, 131009, "image"),
    "unknown medium": ({"type": "image", "image": {"id": "1"}}, 131009, "image.id"),
    "no url": ({"type": "image", "image": {"link": "ftp://example.com/a"}}, 131009, "image.link"),
    "long caption": ({"type": "image", "image": {**LINK, "caption": "c" * 1025}}, 100, "image.caption"),
    "caption of audio": ({"type": "audio", "audio": {**LINK, "caption": "c"}}, 100, "caption"),
    "reaction to what?": ({"type": "reaction", "reaction": {"emoji": "👍"}}, 131008, "reaction.message_id"),
    "reaction to nothing": (
        {"type": "reaction", "reaction": {"emoji": "👍", "message_id": "wamid.x"}},
        131009,
        "reaction.message_id",
    ),
    "latitude": ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, "location.latitude"),
    "no longitude": ({"type": "location", "location": {"latitude": 9}}, 131008, "location.longitude"),
    "no contacts": ({"type": "contacts", "contacts": []}, 131009, "contacts"),
    "no name": ({"type": "contacts", "contacts": [{}]}, 131008, "contacts[0].name"),
    "four buttons": (an_interactive("button", buttons("a", "b", "c", "d")), 131009, "action.buttons"),
    "no buttons": (an_interactive("button", {}), 131008, "action.buttons"),
    "long title": (an_interactive("button", buttons("t" * 21)), 131009, "buttons[0].reply.title"),
    "same buttons": (an_interactive("button", buttons("a", "a")), 131009, "action.buttons"),
    "eleven rows": (an_interactive("list", rows(6, 5)), 131009, "action.sections"),
    "eleven sections": (an_interactive("list", rows(*[1] * 11)), 131009, "action.sections"),
    "long row": (an_interactive("list", rows(1, description="d" * 73)), 131009, "rows[0].description"),
    "no button": (an_interactive("list", {"sections": []}), 131008, "action.button"),
    "picture over a list": (
        an_interactive("list", rows(1), header={"type": "image", "image": LINK}),
        100,
        "header.type",
    ),
    "no body": (an_interactive("button", buttons("a"), body=...), 131008, "interactive.body"),
    "long body": (an_interactive("button", buttons("a"), body={"text": "b" * 1025}), 131009, "body.text"),
    "long footer": (an_interactive("button", buttons("a"), footer={"text": "f" * 61}), 131009, "footer.text"),
    "unknown kind": (an_interactive("hologram", {}), 100, "interactive.type"),
    "action that is no JSON": (an_interactive("button", "{"), 100, "interactive.action"),
    "31 products": (
        an_interactive(
            "product_list",
            {"catalog_id": "1", "sections": [{"title": "s", "product_items": [{"product_retailer_id": "2"}] * 31}]},
            header={"type": "text", "text": "h"},
        ),
        131009,
        "product_items",
    ),
}


@pytest.mark.parametrize(("fields", "code", "where"), BAD.values(), ids=BAD)
async def test_a_message_beyond_the_limits_is_refused_by_its_field(
    cloud: Cloud, fields: dict[str, Any], code: int, where: str
):
    await cloud.customer_writes()
    status, told, details = await cloud.refused(**fields)
    assert (status, told) == (400, code)
    assert where in details
    assert (await cloud.phone())["messages"] == []


TEMPLATES = {
    "unknown": (a_template("nobody"), "/v24.0", 404, 132001),
    "another language": (a_template("ticket_answer", "1", code="uk"), "/v24.0", 404, 132001),
    "paused": (a_template("paused_one", "1"), "/v24.0", 400, 132015),
    "too few": (a_template("ticket_answer"), "/v24.0", 400, 132018),
    "too few before v23": (a_template("ticket_answer"), "/v22.0", 400, 132000),
    "new line before v23": (a_template("ticket_answer", "a\nb"), "/v22.0", 400, 132012),
    "new line": (a_template("ticket_answer", "a\nb"), "", 400, 132018),
    "too long": (a_template("ticket_answer", "x" * 1024), "/v24.0", 400, 132005),
    "no language": (a_template("ticket_answer", language={}), "/v24.0", 400, 131008),
}


@pytest.mark.parametrize(("fields", "version", "status", "code"), TEMPLATES.values(), ids=TEMPLATES)
async def test_what_is_wrong_with_a_template_has_its_code(
    cloud: Cloud, fields: dict[str, Any], version: str, status: int, code: int
):
    answered, body = await cloud.post(a_message(**fields), version=version)
    assert (answered, explained(body)[0]) == (status, code)


async def test_a_code_to_copy_is_not_sent_to_a_user_id(cloud: Cloud):
    code = [
        {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "123456"}]},
    ]
    template = a_template("code", components=code)
    assert (await cloud.send(**template))[0] == 200
    assert (await cloud.refused(to=..., recipient="US.1", **template))[:2] == (400, 131062)


# --- the window, and what the two have said -------------------------------------------------------------------------


async def test_free_form_is_refused_from_the_very_end_of_the_window(cloud: Cloud):
    assert (await cloud.refused())[:2] == (400, 131047)
    await cloud.customer_writes(ago="23h59m59s")
    await cloud.sent()
    await cloud.play("/clock", {"advance": "1s"})
    assert (await cloud.refused())[:2] == (400, 131047)


async def test_the_window_is_the_one_number_s_alone(cloud: Cloud):
    await cloud.customer_writes()
    status, body = await cloud.post(a_message(), number=OTHER_ID, key=OTHER_KEY)
    assert (status, body["error"]["code"]) == (400, 131047)


async def test_marketing_that_was_stopped_is_refused(cloud: Cloud):
    await cloud.play(f"/contacts/{CONTACT}/preferences", {"to": NUMBER_ID, "marketing": "stop"})
    assert (await cloud.refused(**a_template("offer")))[:2] == (400, 131050)
    await cloud.sent(**a_template("ticket_answer", "1"))


async def test_what_was_said_can_be_quoted_and_reacted_to(cloud: Cloud):
    inbound = (await cloud.customer_writes())["message_id"]
    ours = await cloud.sent(context={"message_id": inbound})
    assert (await cloud.arrived())["reply_to"] == inbound
    for quoted in (inbound, ours):
        await cloud.sent(type="reaction", reaction={"message_id": quoted, "emoji": "👍"})
    await cloud.sent(type="reaction", reaction={"message_id": ours, "emoji": ""})
    assert [each["text"] for each in (await cloud.phone())["messages"]][1:] == ["👍", "👍", "<reaction taken back>"]


async def test_what_others_said_can_not_be_quoted(cloud: Cloud):
    stranger = (await cloud.customer_writes(contact="380671234567"))["message_id"]
    elsewhere = (await cloud.customer_writes(to=OTHER_ID))["message_id"]
    await cloud.customer_writes()
    for foreign in (stranger, elsewhere):
        assert (await cloud.refused(context={"message_id": foreign}))[:2] == (400, 131009)


async def test_reading_and_typing_are_seen_on_the_phone_and_are_no_messages(cloud: Cloud):
    first = (await cloud.customer_writes("First", ago="5m"))["message_id"]
    second = (await cloud.customer_writes("Second"))["message_id"]
    read = {"messaging_product": "whatsapp", "status": "read"}
    assert await cloud.post({**read, "message_id": first}) == (200, {"success": True})
    assert [each["read"] for each in (await cloud.phone())["said"]] == [True, False]
    typing = {**read, "message_id": second, "typing_indicator": {"type": "text"}}
    assert await cloud.post(typing) == (200, {"success": True})
    said = (await cloud.phone())["said"]
    assert [(each["id"], each["read"], each["typing"]) for each in said] == [(first, True, False), (second, True, True)]
    assert (await cloud.phone())["messages"] == []


@pytest.mark.parametrize("fields", [{"status": "read"}, {"status": "read", "message_id": "wamid.x"}, {"status": "x"}])
async def test_what_nobody_wrote_can_not_be_read(cloud: Cloud, fields: dict[str, Any]):
    status, body = await cloud.post({"messaging_product": "whatsapp", **fields})
    assert status == 400
    explained(body)


async def test_an_unknown_path_is_answered_in_the_platform_s_shape(cloud: Cloud):
    status, body = await cloud.call("GET", f"/v24.0/{BUSINESS}/holograms")
    assert (status, explained(body)[0]) == (400, 2500)
