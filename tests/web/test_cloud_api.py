"""The Cloud API's surface over real HTTP: what clients of the platform post, and what they get back."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from structlog.testing import capture_logs
from yarl import URL

from gateway.domain.identity import Contact, MessageId
from gateway.domain.message import FreeForm, TemplateMessage
from gateway.domain.suppression import Scope
from gateway.domain.wamid import message_id_in, wamid
from tests.web.conftest import DESK_KEY, SHOP_KEY, House, Open, a_config, basic, bearer

CONTACT = "380501234567"
USER = "US.13491208655302741918"
TEXT = {"messaging_product": "whatsapp", "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
TEMPLATE = {
    "messaging_product": "whatsapp",
    "to": CONTACT,
    "type": "template",
    "template": {
        "name": "ticket_answer",
        "language": {"code": "en_US", "policy": "deterministic"},
        "components": [{"type": "BODY", "parameters": [{"type": "text", "text": "4711"}]}],
    },
}
NUMBER = "/v21.0/1063/messages"


async def post(
    house: House, body: Any = TEXT, path: str = NUMBER, *, key: str = DESK_KEY, **headers: str
) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.http.post(path, json=body, headers={**bearer(key), **named})


async def error_of(answer: ClientResponse) -> dict[str, Any]:
    body = await answer.json()
    assert answer.status >= 400
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert {"message", "type", "code", "error_data", "fbtrace_id"} <= set(error)
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["message"].startswith(f"(#{error['code']}) ")
    return error


async def stored(house: House, answer: ClientResponse) -> Any:
    """The message that an answer names, as the store has it."""
    assert answer.status == 200, await answer.text()
    message_id = message_id_in((await answer.json())["messages"][0]["id"])
    assert message_id is not None
    return await house.parts.store.message(message_id, client="desk")


async def count(house: House) -> int:
    page = await (await house.get("/v1/messages")).json()
    return len(page["messages"])


@pytest.mark.parametrize("path", ["/v13.0/1063/messages", "/v26.0/1063/messages", "/1063/messages"])
async def test_a_message_is_taken_with_any_version_and_with_none(house: House, path: str) -> None:
    await house.contact_writes()
    answer = await post(house, path=path)
    body = await answer.json()
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert set(body) == {"messaging_product", "contacts", "messages"}
    assert body["messaging_product"] == "whatsapp"
    assert body["contacts"] == [{"input": CONTACT, "wa_id": CONTACT}]
    assert body["messages"][0]["id"].startswith("wamid.")
    assert answer.headers["Gateway-Decision"] == "sent"
    assert "Gateway-Window-Closes-At" in answer.headers


async def test_the_id_is_that_of_the_message_on_every_surface(house: House) -> None:
    await house.contact_writes()
    record = await stored(house, await post(house))
    assert record.message.content == FreeForm(type="text", text="Hello")
    assert (record.message.client, record.message.contact) == ("desk", CONTACT)


@pytest.mark.parametrize("style", ["bearer", "query", "D360-API-KEY", "X-API-Key"])
async def test_the_key_may_stand_in_any_of_four_places(house: House, style: str) -> None:
    await house.contact_writes()
    headers = {"bearer": bearer(DESK_KEY), "query": {}}.get(style, {style: DESK_KEY})
    query = {"access_token": DESK_KEY} if style == "query" else {}
    answer = await house.http.post(NUMBER, json=TEXT, headers=headers, params=query)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"Authorization": "Bearer wrong"}, ""),
        (basic(DESK_KEY), ""),
        ({"Authorization": "Bearer wrong"}, f"?access_token={DESK_KEY}"),
        ({"D360-API-KEY": "wrong"}, ""),
        ({"X-API-Key": "wrong"}, ""),
        ({"Authorization": "Bearer wrong", "X-API-Key": DESK_KEY}, ""),
        ({"D360-API-KEY": DESK_KEY, "X-API-Key": SHOP_KEY}, ""),
        ({}, "?access_token=wrong"),
        ({}, f"?access_token={DESK_KEY}&access_token={SHOP_KEY}"),
    ],
)
async def test_without_a_good_key_there_is_one_answer(house: House, headers: dict[str, str], query: str) -> None:
    answer = await house.http.post(NUMBER + query, json=TEXT, headers=headers)
    error = await error_of(answer)
    assert (answer.status, error["code"], error["type"]) == (401, 190, "OAuthException")
    assert "key" not in error["message"]


@pytest.mark.parametrize("path", ["/v13.0/", "/v21.0"])
async def test_at_the_root_of_a_version_the_type_of_the_error_says_whether_the_key_is_good(
    house: House, path: str
) -> None:
    good = await house.http.get(path, headers=bearer(DESK_KEY))
    error = await error_of(good)
    assert (good.status, error["code"], error["type"]) == (400, 100, "GraphMethodException")
    assert (await error_of(await house.http.get(path, headers=bearer("wrong"))))["type"] == "OAuthException"


async def test_a_key_in_the_query_reaches_no_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        await house.http.post(NUMBER, json=TEXT, params={"access_token": DESK_KEY})
        await house.http.get("/v21.0/1063", params={"access_token": DESK_KEY})
        await house.http.post("/v21.0/1063/messages", data=b"{", params={"access_token": DESK_KEY})
        await house.http.get("/v21.0/nowhere/at/all", params={"access_token": DESK_KEY})
    assert DESK_KEY not in repr(logs)
    assert DESK_KEY not in caplog.text


@pytest.mark.parametrize("path", ["/messages", "/v1/messages"])
@pytest.mark.parametrize("product", [{}, {"messaging_product": "whatsapp"}])
async def test_in_360dialogs_style_the_key_says_the_number(house: House, path: str, product: dict[str, str]) -> None:
    await house.contact_writes()
    body = {**product, **{name: value for name, value in TEXT.items() if name != "messaging_product"}}
    answer = await house.http.post(path, json=body, headers={"D360-API-KEY": DESK_KEY})
    assert (await stored(house, answer)).message.sender == "Desk"


async def test_on_v1_messages_the_header_of_the_key_decides_in_whose_words_an_error_is(house: House) -> None:
    ours = await house.http.post("/v1/messages", json={}, headers={"D360-API-KEY": "wrong"})
    assert (await error_of(ours))["code"] == 190
    native = await house.http.post("/v1/messages", json={}, headers=bearer("wrong"))
    assert native.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/settings/application", "/v1/contacts"])
async def test_what_360dialog_has_and_we_do_not_is_told_its_clients_in_the_platforms_shape(
    house: House, path: str
) -> None:
    answer = await house.http.post(path, json={}, headers={"D360-API-KEY": DESK_KEY})
    assert (answer.status, (await error_of(answer))["code"]) == (404, 2500)
    native = await house.http.post(path, json={}, headers=bearer(DESK_KEY))
    assert native.content_type == "application/problem+json"
    routed = await house.http.get("/v1/windows/Desk/nobody", headers={"D360-API-KEY": "wrong"})
    assert routed.content_type == "application/problem+json"
    theirs = await house.http.post("/v1/api/unknown", json={}, headers={"D360-API-KEY": DESK_KEY})
    assert set(await theirs.json()) == {"name", "message", "code", "status"}


@pytest.mark.parametrize("path", ["/v24/1063/messages", "/v24.0/1063/messages/more"])
async def test_a_path_that_was_put_together_wrong_is_answered_with_one_that_is_right(house: House, path: str) -> None:
    error = await error_of(await post(house, path=path))
    assert error["code"] == 2500
    assert "/v24.0/106540352242922/messages" in error["message"]
    assert await count(house) == 0


@pytest.mark.parametrize("number", ["999", "1064", "380441234567"])
async def test_an_unknown_number_and_a_foreign_one_have_one_answer_and_nothing_is_stored(
    house: House, number: str
) -> None:
    answer = await post(house, path=f"/v21.0/{number}/messages", key=SHOP_KEY)
    error = await error_of(answer)
    assert (answer.status, error["code"], error["error_subcode"]) == (400, 100, 33)
    foreign = await error_of(await post(house, path=NUMBER, key=SHOP_KEY))
    assert foreign["message"].replace("1063", "") == error["message"].replace(number, "")
    assert await count(house) == 0


@pytest.mark.parametrize("number", ["Desk", "undefined", "%7Bphone_number_id%7D"])
async def test_an_id_that_is_no_digits_is_told_what_an_id_is(house: House, number: str) -> None:
    error = await error_of(await post(house, path=f"/v21.0/{number}/messages"))
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert "which is digits: the phone number id of a sender" in error["message"]
    assert number not in error["message"]


@pytest.mark.parametrize("path", ["/v21.0/1063/nothing/there", "/v21.0/1063/unknown", "/1063/unknown", "/v21.0/"])
async def test_paths_that_are_not_there_are_answered_in_the_platforms_shape(house: House, path: str) -> None:
    await error_of(await house.http.get(path, headers=bearer(DESK_KEY)))


async def test_the_routes_of_the_other_surfaces_are_not_shadowed(house: House) -> None:
    assert (await house.http.get("/healthz")).status == 200
    assert (await house.get("/v1/messages")).status == 200
    assert (await house.send()).status in (200, 400)
    assert (await house.http.get("/nowhere")).content_type == "application/problem+json"


async def test_both_ids_of_a_contact_are_read_and_the_number_wins(house: House) -> None:
    await house.contact_writes()
    both = {**TEXT, "to": f"+{CONTACT}", "recipient": USER}
    answer = await post(house, both)
    assert (await answer.json())["contacts"] == [{"input": f"+{CONTACT}", "wa_id": CONTACT}]


async def test_a_user_id_is_answered_as_one(house: House) -> None:
    await house.contact_writes(contact=USER)
    body = {name: value for name, value in TEXT.items() if name != "to"}
    answer = await post(house, {**body, "recipient": USER})
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["contacts"] == [{"input": USER, "user_id": USER}]


async def test_what_a_message_quotes_and_its_clients_word_are_kept(house: House) -> None:
    await house.contact_writes()
    said = {"context": {"message_id": "wamid.HBgL"}, "biz_opaque_callback_data": "case 7"}
    record = await stored(house, await post(house, {**TEXT, **said}, Gateway_Reference="4711"))
    assert (record.message.reply_to, record.message.opaque) == ("wamid.HBgL", "case 7")
    assert record.message.reference == "4711"


async def test_a_template_says_that_it_was_accepted_and_which_one_leaves(house: House) -> None:
    answer = await post(house, TEMPLATE)
    assert (await answer.json())["messages"][0]["message_status"] == "accepted"
    assert answer.headers["Gateway-Template"] == "ticket_answer/en_US"
    record = await stored(house, answer)
    assert isinstance(record.message.content, TemplateMessage)


async def test_outside_the_window_a_fallback_leaves_and_the_headers_say_so(house: House) -> None:
    answer = await post(house)
    assert answer.status == 200
    assert answer.headers["Gateway-Decision"] == "downgraded"
    assert answer.headers["Gateway-Template"] == "ticket_answer/en_US"


async def test_a_closed_window_with_nothing_to_stand_in_is_131047(house: House) -> None:
    for _ in range(3):
        answer = await post(house)
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (400, 131047)
    assert "24 hours" in error["error_data"]["details"]


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"messaging_product": None}, 100, "messaging_product"),
        ({"messaging_product": "sms"}, 100, "messaging_product"),
        ({"type": "fax"}, 100, "type"),
        ({"to": None}, 131008, "to"),
        ({"to": "Ann"}, 131009, "to"),
        ({"text": None}, 131008, "text"),
        ({"text": {"body": "x" * 4097}}, 131009, "text.body"),
        ({"recipient": "nobody", "to": None}, 131009, "recipient"),
        ({"biz_opaque_callback_data": "x" * 513}, 131009, "biz_opaque_callback_data"),
        ({"type": "image", "image": {"link": "http://127.0.0.1/a.png"}}, 131009, "image.link"),
        ({"type": "image", "image": {"link": "http://169.254.169.254/a.png"}}, 131009, "image.link"),
        ({"type": "video", "video": {"link": "http://localhost/a.mp4"}}, 131009, "video.link"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    house: House, change: dict[str, Any], code: int, place: str
) -> None:
    await house.contact_writes()
    answer = await post(house, {**TEXT, **change})
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (400, code)
    assert error["error_data"]["details"].startswith(f"{place}: ")
    assert await count(house) == 0


def with_parameters(*parameters: Any, **template: Any) -> dict[str, Any]:
    components = [{"type": "body", "parameters": list(parameters)}]
    return {
        **TEMPLATE,
        "template": {"name": "ticket_answer", "language": "en_US", "components": components, **template},
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (with_parameters(), 400, 132000),
        (with_parameters(*[{"type": "text", "text": "a"}] * 2), 400, 132000),
        (with_parameters({"type": "fax", "text": "a"}), 400, 132012),
        (with_parameters({"type": "text", "text": "a\nb"}), 400, 132018),
        (with_parameters({"type": "text", "text": "a"}, name="nothing_of_ours"), 404, 132001),
        (with_parameters({"type": "text", "text": "a"}, language={"code": "uk"}), 404, 132001),
    ],
)
async def test_what_is_wrong_with_a_template_has_a_number_of_its_own(
    house: House, body: dict[str, Any], status: int, code: int
) -> None:
    answer = await post(house, body)
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (status, code), error
    assert re.search(r"\btemplate\.(components|name|language)\b.*: expected ", error["error_data"]["details"]), error


async def test_a_body_that_is_no_json_is_refused_whole(house: House) -> None:
    answer = await house.http.post(NUMBER, data=b'{"to": 1,', headers=bearer(DESK_KEY))
    assert ((await error_of(answer))["code"], answer.status) == (100, 400)
    large = await house.http.post(NUMBER, data=b" " * 300_000, headers=bearer(DESK_KEY))
    assert ((await error_of(large))["code"], large.status) == (100, 413)


async def test_a_body_in_chunks_without_a_length_is_read(house: House) -> None:
    await house.contact_writes()

    async def pieces() -> Any:
        text = json.dumps(TEXT).encode()
        yield text[:20]
        yield text[20:]

    answer = await house.http.post(NUMBER, data=pieces(), headers=bearer(DESK_KEY))
    assert answer.status == 200


async def test_too_many_requests_say_when_to_come_again(open_house: Open) -> None:
    house = await open_house(limits={"client_per_second": 1})
    answers = [await post(house) for _ in range(2)]
    error = await error_of(answers[1])
    assert (answers[1].status, error["code"]) == (429, 130429)
    assert int(answers[1].headers["Retry-After"]) >= 1


async def test_an_idempotency_key_is_one_of_this_surface_and_of_its_number(house: House) -> None:
    await house.contact_writes()
    first, again = [await (await post(house, Idempotency_Key="k")).json() for _ in range(2)]
    assert first == again
    other = await post(house, {**TEXT, "text": {"body": "Other"}}, Idempotency_Key="k")
    assert (other.status, (await error_of(other))["code"]) == (409, 100)
    elsewhere = await house.send(Idempotency_Key="k")
    assert elsewhere.status == 200
    assert wamid(MessageId((await elsewhere.json())["message_id"])) != first["messages"][0]["id"]


@pytest.mark.parametrize("typing", [{}, {"typing_indicator": {"type": "text"}}])
async def test_a_read_receipt_is_no_message_and_never_an_error_where_the_provider_has_none(
    house: House, typing: dict[str, Any]
) -> None:
    said = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL", **typing}
    answer = await post(house, said)
    assert (answer.status, await answer.json()) == (200, {"success": True})
    assert answer.headers["Gateway-Reason"] == "not_carried"
    assert await count(house) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "seen"}, 131009),
        ({"message_id": None}, 131008),
        ({"typing_indicator": "yes"}, 131009),
        ({"text": {"body": "hello"}}, 131009),
        ({"template": {"name": "a"}}, 131009),
    ],
)
async def test_a_read_receipt_that_says_nothing_is_refused(house: House, change: dict[str, Any], code: int) -> None:
    said = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL", **change}
    assert (await error_of(await post(house, said)))["code"] == code


async def test_fields_that_mean_nothing_are_ignored_and_counted(house: House) -> None:
    await house.contact_writes()
    with capture_logs() as logs:
        answer = await post(house, {**TEXT, "something": 1, "else": 2})
    assert answer.status == 200
    assert [line["count"] for line in logs if line["event"] == "request.fields_ignored"] == [2]


async def test_a_fault_of_ours_shows_nothing_of_it(open_house: Open) -> None:
    async def failing(_draft: Any) -> Any:
        raise RuntimeError("inner words")

    house = await open_house(accept=failing)
    answer = await post(house)
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (500, 1)
    assert "inner words" not in json.dumps(error)


async def test_a_contact_on_the_suppression_list_is_131050_whatever_a_closed_window_comes_to(
    open_house: Open, tmp_path: Path
) -> None:
    config = a_config(tmp_path)
    clients = tuple(replace(client, closed_window="as_status") for client in config.clients)
    house = await open_house(config=replace(config, clients=clients))
    await house.contact_writes()
    contact, now = Contact(CONTACT), house.clock.now()
    await house.parts.store.suppress(contact, Scope.EVERYTHING, sender=None, note=None, by="operator", now=now)
    answer = await post(house)
    assert (answer.status, (await error_of(answer))["code"]) == (400, 131050)
    assert await count(house) == 0


SLASHES_TOO_MANY = [
    (f"/{NUMBER}", 200, ["contacts", "messages", "messaging_product"]),
    (f"{NUMBER}//", 200, ["contacts", "messages", "messaging_product"]),
    ("//1063///messages?access_token=" + DESK_KEY, 200, ["contacts", "messages", "messaging_product"]),
    ("/messages/", 200, ["contacts", "messages", "messaging_product"]),
    ("/v1/messages/", 400, ["code", "detail", "field", "path", "status", "title"]),
    ("//v1/api/send-whatsapp", 400, ["code", "message", "name", "status"]),
    ("//v1/api/unknown/", 404, ["code", "message", "name", "status"]),
    ("//v21.0/2064/messages", 400, ["error"]),
    ("/v21.0//1063/unknown/", 400, ["error"]),
    ("//", 404, ["code", "detail", "status", "title"]),
]


@pytest.mark.parametrize(("path", "status", "keys"), SLASHES_TOO_MANY)
async def test_a_slash_too_many_changes_nothing(house: House, path: str, status: int, keys: list[str]) -> None:
    url = URL(f"{house.http.make_url('')}{path}", encoded=True)
    headers = basic(DESK_KEY) if "api" in path else {} if "access_token" in path else bearer(DESK_KEY)
    async with house.http.session.post(url, json=TEXT, headers=headers) as answer:
        assert (answer.status, sorted(await answer.json(content_type=None))) == (status, keys)


@pytest.mark.parametrize("path", ["//metrics", "//healthz/more", "/v1/messages//1/2"])
async def test_what_is_no_client_s_is_found_by_its_own_path_alone(house: House, path: str) -> None:
    url = URL(f"{house.http.make_url('')}{path}", encoded=True)
    async with house.http.session.get(url, headers=bearer(DESK_KEY)) as answer:
        assert answer.status == 404
