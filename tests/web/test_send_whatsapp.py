"""POST /v1/api/send-whatsapp: what was decided stands in headers, the body is one integer."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.identity import MessageId
from gateway.domain.message import TemplateMessage
from gateway.ports import MessageQuery
from tests.web.conftest import DESK_KEY, SDK_KEY, SHOP_KEY, TEXT, House, basic

PARAMS = {
    "template": {
        "language": {"code": "en_US", "policy": "deterministic"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "42"}]}],
    }
}
TEMPLATE = {**TEXT, "message_type": 4, "text": None, "template_name": "ticket_answer", "template_params": PARAMS}


def decision(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("Gateway-")}


async def test_a_text_into_an_open_window_is_sent_as_it_is(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=1))
    answer = await house.send()
    assert answer.status == 200
    assert list((await answer.json()).items()) == [("message_id", (await answer.json())["message_id"])]
    assert decision(answer.headers) == {
        "Gateway-Decision": "sent",
        "Gateway-Window-Closes-At": "2026-03-03T11:00:00.000Z",
    }


async def test_a_text_into_a_closed_window_is_downgraded(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=25))
    answer = await house.send()
    assert answer.status == 200
    assert decision(answer.headers) == {
        "Gateway-Decision": "downgraded",
        "Gateway-Template": "ticket_answer/en_US",
        "Gateway-Reason": "window_closed",
    }


async def test_within_the_margin_a_text_is_downgraded_and_the_window_still_told(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=24) - timedelta(seconds=30))
    answer = await house.send()
    assert answer.headers["Gateway-Decision"] == "downgraded"
    assert answer.headers["Gateway-Window-Closes-At"] == "2026-03-02T12:00:30.000Z"


async def test_a_template_is_sent_whatever_the_window(house: House) -> None:
    answer = await house.send(TEMPLATE)
    assert answer.status == 200
    assert decision(answer.headers) == {"Gateway-Decision": "sent", "Gateway-Template": "ticket_answer/en_US"}


@pytest.mark.parametrize("written", [PARAMS, json.dumps(PARAMS)])
async def test_the_template_that_a_text_names_stands_in_for_it(house: House, written: Any) -> None:
    message_id = await house.sent({**TEXT, "template_name": "ticket_answer", "template_params": written})
    record = await house.parts.store.message(MessageId(message_id), client="desk")
    assert isinstance(record.message.fallback, TemplateMessage)
    assert record.message.fallback.components[0]["parameters"][0]["text"] == "42"
    assert record.receipt.action == "downgraded"


async def test_the_reference_is_kept(house: House) -> None:
    answer = await house.send(Gateway_Reference="order 7")
    record = await house.parts.store.message((await answer.json())["message_id"], client="desk")
    assert record.message.reference == "order 7"


@pytest.mark.parametrize("written", ["+380 50 123 45 67", "00380501234567", 380501234567])
async def test_one_contact_has_one_window_whatever_the_spelling(house: House, written: Any) -> None:
    await house.contact_writes()
    answer = await house.send({**TEXT, "destination_addr": written})
    assert answer.headers["Gateway-Decision"] == "sent"


async def test_the_content_type_is_not_insisted_on(house: House) -> None:
    headers = {**basic(DESK_KEY), "Content-Type": "application/x-www-form-urlencoded"}
    answer = await house.http.post("/v1/api/send-whatsapp", data=json.dumps(TEXT).encode(), headers=headers)
    assert answer.status == 200


async def test_a_body_may_come_in_chunks_without_a_length(house: House) -> None:
    async def chunks() -> Any:
        for character in json.dumps(TEXT):
            yield character.encode()

    answer = await house.http.post("/v1/api/send-whatsapp", data=chunks(), headers=basic(DESK_KEY))
    assert answer.status == 200


async def test_a_private_callback_url_is_refused(house: House) -> None:
    answer = await house.send({**TEXT, "callback_url": "http://192.168.0.1/status"})
    assert answer.status == 400
    assert (await answer.json())["name"] == "Invalid Parameter: callback_url"


# --- idempotency ------------------------------------------------------------------------------------------------------


async def test_a_repetition_answers_the_first_receipt_headers_and_all(house: House) -> None:
    first = await house.send(Idempotency_Key="k")
    await house.contact_writes()
    second = await house.send(dict(reversed(TEXT.items())), Idempotency_Key="k")
    assert await second.json() == await first.json()
    assert decision(second.headers) == decision(first.headers)
    assert second.headers["Gateway-Decision"] == "downgraded"


async def test_concurrent_repetitions_are_one_message(house: House) -> None:
    answers = await asyncio.gather(*(house.send(Idempotency_Key="k") for _ in range(8)))
    assert len({(await answer.json())["message_id"] for answer in answers}) == 1
    page = await house.parts.store.messages(MessageQuery(client="desk"))
    assert len(page.messages) == 1


async def test_a_key_used_for_another_body_is_a_conflict(house: House) -> None:
    await house.send(Idempotency_Key="k")
    answer = await house.send({**TEXT, "text": "Other"}, Idempotency_Key="k")
    assert answer.status == 409
    assert (await answer.json())["name"] == "Invalid Parameter: Idempotency-Key"


async def test_the_same_key_of_another_client_is_another_key(house: House) -> None:
    first = await (await house.send(Idempotency_Key="k")).json()
    second = await (await house.send(key=SDK_KEY, Idempotency_Key="k")).json()
    assert first["message_id"] != second["message_id"]


# --- receive-whatsapp -------------------------------------------------------------------------------------------------


async def test_a_messages_status_is_told_in_the_numbers_of_this_surface(house: House) -> None:
    message_id = await house.sent()
    for written in (message_id, str(message_id)):
        answer = await house.receive(written)
        assert answer.status == 200
        assert await answer.json() == {"message_id": message_id, "status": 5}


async def test_an_unknown_and_a_foreign_message_are_told_in_the_same_words(house: House) -> None:
    foreign = await house.sent()
    answers = [await house.receive(written, key=SHOP_KEY) for written in (foreign, 1, "9" * 16)]
    assert {answer.status for answer in answers} == {404}
    assert len({await answer.text() for answer in answers}) == 1


@pytest.mark.parametrize("written", [None, True, -1, 1.5, "", "12a", "1" * 17, [1], {}])
async def test_what_is_no_message_id_is_refused(house: House, written: Any) -> None:
    answer = await house.receive(written)
    assert answer.status == 400
    assert (await answer.json())["name"] == "Invalid Parameter: message_id"
