"""POST /v1/api/send-whatsapp: what was decided stands in headers, the body is one integer."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted
from gateway.domain.errors import ProviderError
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


@pytest.mark.parametrize(
    ("name", "components", "message"),
    [
        pytest.param("ticket_answer", [], "$.template.components", id="a component is missing"),
        pytest.param(
            "ticket_answer",
            [{"type": "body", "parameters": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]}],
            "$.template.components[0].parameters",
            id="one argument too many",
        ),
        pytest.param(
            "ticket_answer",
            [{"type": "body", "parameters": [{"type": "text", "text": 42}]}],
            "$.template.components[0].parameters[0].text",
            id="an argument of the wrong type",
        ),
        pytest.param("nothing_like_it", [], "", id="an unknown template"),
    ],
)
@pytest.mark.parametrize("message_type", [1, 4])
async def test_arguments_that_do_not_fit_are_refused_by_their_path_also_as_a_fallback_in_an_open_window(
    house: House, message_type: int, name: str, components: Any, message: str
) -> None:
    await house.contact_writes()
    params = {"template": {"language": "en_US", "components": components}}
    body = {**TEXT, "message_type": message_type, "template_name": name, "template_params": params}
    answer = await house.send(body)
    said = await answer.json()
    assert (answer.status, said["code"]) == (400, 1)
    assert said["name"] in ("Invalid Parameter: template_params", "Invalid Parameter: template_name")
    assert said["message"].startswith(message)
    assert not house.accepted.is_set()


async def test_without_anything_to_stand_in_a_text_into_a_closed_window_is_the_24_hour_refusal(house: House) -> None:
    answer = await house.send({**TEXT, "source_addr": "Shop"}, key=SHOP_KEY)
    assert answer.status == 400
    assert (await answer.json())["code"] == 7
    assert decision(answer.headers) == {}


# --- waiting for the provider -----------------------------------------------------------------------------------------


async def answered(house: House, outcome: Outcome, **headers: str) -> ClientResponse:
    """What a client is told that waits while the one attempt at its message ends so."""
    asking = asyncio.create_task(house.send(Prefer="wait=30", **headers))
    await house.accepted.wait()
    message_id = await house.attempt(outcome)
    house.waiting.tell(message_id)
    return await asking


async def test_a_waiting_client_is_told_the_providers_refusal_in_this_surfaces_shape(house: House) -> None:
    words = ProviderError(code=1, status=400, name="Invalid Parameter: text", message="Not today")
    answer = await answered(house, Failed(error=words))
    assert answer.status == 400
    assert await answer.json() == {
        "name": "Invalid Parameter: text",
        "message": "Not today",
        "code": 1,
        "status": 400,
    }


async def test_a_waiting_client_is_answered_as_soon_as_the_provider_took_it(house: House) -> None:
    answer = await answered(house, Submitted(provider_message_id="p-1"))
    assert answer.status == 200
    assert (await house.receive((await answer.json())["message_id"])).status == 200


async def test_a_repetition_of_a_wait_is_told_the_same_refusal(house: House) -> None:
    words = ProviderError(code=1, status=400, name="Invalid Parameter: text", message="Not today")
    first = await answered(house, Failed(error=words), Idempotency_Key="k")
    second = await house.send(Idempotency_Key="k")
    assert (second.status, await second.json()) == (first.status, await first.json())


async def test_while_the_balance_is_empty_only_a_waiting_client_is_refused(house: House) -> None:
    await house.sent()
    await house.attempt(Retry(cause=Cause.BALANCE, error=ProviderError(code=3, status=402)))
    waiting = await house.send(Prefer="wait=30")
    assert (waiting.status, (await waiting.json())["code"]) == (402, 3)
    assert (await house.send()).status == 200


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
