from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.provider.sandbox.stage import AUTHORIZATION, CONTACT, KEY, SENDER, Sandbox, a_template, a_text, an_answer

TOO_LATE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)


def basic(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Basic {token}"}}


# --- who may ask, and how -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", [base64.b64encode(KEY.encode()).decode(), base64.b64encode(f"{KEY}:".encode()).decode(), KEY]
)
async def test_the_key_is_taken_in_each_form_in_use(sandbox: Sandbox, token: str):
    await sandbox.customer_writes()
    status, said = await sandbox.api("send-whatsapp", a_text(), **basic(token))
    assert status == 200
    assert list(said) == ["message_id"]
    assert isinstance(said["message_id"], int)


@pytest.mark.parametrize("token", ["", "wrong", base64.b64encode(b"wrong:issued-key").decode(), "\xff", KEY + "="])
async def test_a_wrong_key_is_answered_401_in_the_provider_s_shape(sandbox: Sandbox, token: str):
    status, said = await sandbox.api("send-whatsapp", a_text(), **basic(token))
    assert status == 401
    assert said == {
        "name": "Unauthorized",
        "message": "Your request was made with invalid credentials.",
        "code": 0,
        "status": 401,
    }


async def test_no_key_and_another_scheme_are_answered_401(sandbox: Sandbox):
    for headers in ({}, {"Authorization": f"Bearer {KEY}"}):
        status, _ = await sandbox.api("send-whatsapp", a_text(), headers=headers)
        assert status == 401


async def test_only_post_is_known(sandbox: Sandbox):
    async with sandbox.http.get(f"{sandbox.url}/v1/api/send-whatsapp") as answer:
        assert answer.status == 405
        assert (await answer.json())["code"] == 0


async def test_another_path_of_the_api_is_not_found_in_the_provider_s_shape(sandbox: Sandbox):
    status, said = await sandbox.api("send-viber", a_text())
    assert (status, said["status"], said["code"]) == (404, 404, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_a_bad_request(sandbox: Sandbox, body: bytes):
    url = f"{sandbox.url}/v1/api/send-whatsapp"
    async with sandbox.http.post(url, data=body, headers={"Authorization": AUTHORIZATION}) as answer:
        assert answer.status == 400
        assert (await answer.json())["name"] == "Bad Request"


# --- the window -----------------------------------------------------------------------------------------------------


async def test_free_form_to_a_customer_who_never_wrote_is_refused_with_the_provider_s_sentence(sandbox: Sandbox):
    status, said = await sandbox.send()
    assert status == said["status"] == 400
    assert said["message"] == TOO_LATE
    assert said["code"] == 7
    assert await sandbox.on_phone() == []


async def test_free_form_arrives_while_the_window_is_open(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.travel("23h59m59s")
    status, said = await sandbox.send(text="Still in time")
    assert status == 200
    assert await sandbox.on_phone() == [
        {
            "id": said["message_id"],
            "from": SENDER,
            "to": CONTACT,
            "type": "text",
            "text": "Still in time",
            "file_url": None,
            "template": None,
            "buttons": [],
            "arrived_at": "2026-03-02T11:59:59.000Z",
            "status": "delivered",
        }
    ]


async def test_the_window_is_closed_at_the_very_end_of_24_hours(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.travel("24h")
    assert (await sandbox.send())[0] == 400


async def test_each_message_of_the_customer_opens_24_hours_anew(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.travel("23h")
    await sandbox.customer_writes()
    await sandbox.travel("23h")
    assert (await sandbox.send())[0] == 200


async def test_our_own_messages_open_nothing(sandbox: Sandbox):
    assert (await sandbox.send_template(an_answer("of today")))[0] == 200
    assert (await sandbox.send())[0] == 400


async def test_a_window_belongs_to_one_sender_and_one_contact(sandbox: Sandbox):
    await sandbox.customer_writes()
    assert (await sandbox.send(source_addr="Other Company"))[0] == 400
    assert (await sandbox.send(destination_addr="380501234568"))[0] == 400
    assert (await sandbox.send())[0] == 200


async def test_a_message_that_comes_late_opens_only_what_is_left_of_its_24_hours(sandbox: Sandbox):
    await sandbox.customer_writes(ago="23h")
    assert (await sandbox.send())[0] == 200
    await sandbox.travel("1h")
    assert (await sandbox.send())[0] == 400


async def test_an_old_message_closes_nothing(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.customer_writes(ago="25h")
    assert (await sandbox.send())[0] == 200


# --- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"source_addr": ...}, "source_addr"),
        ({"source_addr": None}, "source_addr"),
        ({"source_addr": "Nobody"}, "source_addr"),
        ({"source_addr": 7}, "source_addr"),
        ({"source_addr": "x" * 21}, "source_addr"),
        ({"destination_addr": ...}, "destination_addr"),
        ({"destination_addr": "+380501234567"}, "destination_addr"),
        ({"destination_addr": "0" * 12}, "destination_addr"),
        ({"destination_addr": True}, "destination_addr"),
        ({"destination_addr": "US." + "1" * 18}, "destination_addr"),
        ({"message_type": 3}, "message_type"),
        ({"message_type": "1"}, "message_type"),
        ({"message_type": True}, "message_type"),
        ({"message_type": ...}, "message_type"),
        ({"text": ...}, "text"),
        ({"text": " "}, "text"),
        ({"text": "x" * 4097}, "text"),
        ({"callback_url": "ftp://example.com/"}, "callback_url"),
        ({"callback_url": "http://[::1"}, "callback_url"),
        ({"message_type": 2}, "file_url"),
        ({"message_type": 2, "file_url": "https://example.com/a.gif"}, "file_url"),
        ({"message_type": 2, "file_url": "a.png"}, "file_url"),
        ({"message_type": 2, "file_url": "https://example.com/a.png", "text": "x" * 1025}, "text"),
        ({"message_type": 4}, "template_name"),
        ({"message_type": 4, "template_name": "ticket_answer"}, "template_params"),
    ],
)
async def test_a_wrong_field_is_refused_by_its_name(sandbox: Sandbox, fields: dict[str, Any], field: str):
    await sandbox.customer_writes()
    status, said = await sandbox.send(**fields)
    assert (status, said["status"], said["code"]) == (400, 400, 1)
    assert said["name"] == f"Invalid Parameter: {field}"
    assert await sandbox.on_phone() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 4096},
        {"destination_addr": 380501234567},
        {"callback_url": None, "template_name": None, "unheard_of": 1},
        {"message_type": 2, "file_url": "https://example.com/a.PNG?size=1", "text": None},
        {"message_type": 2, "file_url": "https://example.com/a.jpeg", "text": "A caption"},
    ],
)
async def test_what_keeps_to_the_limits_is_taken(sandbox: Sandbox, fields: dict[str, Any]):
    await sandbox.customer_writes()
    status, said = await sandbox.send(**fields)
    assert status == 200, said
    assert len(await sandbox.on_phone()) == 1


async def test_a_picture_stands_on_the_phone_with_its_caption(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.send(message_type=2, file_url="https://example.com/a.jpg", text="The parcel")
    [message] = await sandbox.on_phone()
    assert (message["type"], message["file_url"], message["text"]) == (
        "image",
        "https://example.com/a.jpg",
        "The parcel",
    )


async def test_a_bare_template_body_leaves_from_the_first_sender(sandbox: Sandbox):
    body = {"to": CONTACT, "type": "template", "template": an_answer("of today")}
    status, _ = await sandbox.api("send-whatsapp", body)
    assert status == 200
    [message] = await sandbox.on_phone()
    assert (message["from"], message["type"]) == (SENDER, "template")


# --- asking after a message -----------------------------------------------------------------------------------------


async def test_a_message_that_arrived_is_told_as_delivered(sandbox: Sandbox):
    _, receipt = await sandbox.send_template(an_answer("of today"))
    status, said = await sandbox.api("receive-whatsapp", receipt)
    assert (status, said) == (200, {"message_id": receipt["message_id"], "status": 1})


@pytest.mark.parametrize("message_id", [1, "1", None, True, [1], 2**70])
async def test_a_message_that_nobody_sent_is_an_invalid_parameter(sandbox: Sandbox, message_id: object):
    status, said = await sandbox.api("receive-whatsapp", {"message_id": message_id})
    assert (status, said["name"]) == (400, "Invalid Parameter: message_id")


# --- templates ------------------------------------------------------------------------------------------------------


async def test_a_template_needs_no_window_and_stands_filled_in_on_the_phone(sandbox: Sandbox):
    status, _ = await sandbox.send_template(an_answer("no. 7"))
    assert status == 200
    [message] = await sandbox.on_phone()
    assert message["template"] == {"name": "ticket_answer", "language": "en_US"}
    assert message["text"] == (
        "We have an answer to your request no. 7. Reply to read it.\nThe support team\n[Read it]"
    )
    assert message["buttons"] == [{"type": "quick_reply", "text": "Read it"}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "unheard_of"}, "not registered"),
        ({"language": {"code": "uk"}}, "not registered"),
        ({"language": {"code": "en_US", "policy": "fallback"}}, "policy"),
        ({"language": "en_US"}, "language.code"),
        ({"name": "paused_one"}, "not approved"),
        ({"name": "hologram"}, "HOLOGRAM"),
        ({"components": []}, "expected 1 parameters, not 0"),
        ({"components": "body"}, "list of objects"),
    ],
)
async def test_only_registered_and_approved_templates_leave(sandbox: Sandbox, change: dict[str, Any], words: str):
    status, said = await sandbox.send_template({**an_answer("x"), **change})
    assert (status, said["code"], said["name"]) == (400, 1, "Invalid Parameter: template_params")
    assert words in said["message"]
    assert await sandbox.on_phone() == []


FITTING = an_answer("x")


@pytest.mark.parametrize(
    "params",
    [
        "{",
        "[]",
        '{"type": "text"}',
        '{"type": "template"}',
        json.dumps({"type": "template", "template": FITTING | {"name": "another"}}),
        json.dumps({"to": "380501234568", "type": "template", "template": FITTING}),
        json.dumps({"to": CONTACT, "type": "text", "template": FITTING}),
        {"to": CONTACT, "type": "template", "template": FITTING},
    ],
)
async def test_params_are_a_string_of_json_that_agrees_with_the_outer_fields(sandbox: Sandbox, params: object):
    body = {**a_template(an_answer("x")), "template_params": params}
    status, said = await sandbox.api("send-whatsapp", body)
    assert (status, said["name"]) == (400, "Invalid Parameter: template_params")
    assert "registered" not in said["message"]
