"""POST /callbacks/...: a wrong secret is nobody's, content is never refused, and 200 means durable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.callback import CallbackEvent, StatusReport
from gateway.domain.errors import StoreUnavailable
from gateway.ports import Ingested
from tests.web.conftest import SECRET, House, Open

PATH = f"/callbacks/dt/{SECRET}"


class Recording:
    """The verb as a listener, to see what reaches it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[tuple[str, Sequence[CallbackEvent]]] = []
        self._error = error

    async def __call__(self, provider: str, events: Sequence[CallbackEvent]) -> Ingested:
        if self._error is not None:
            raise self._error
        self.batches.append((provider, events))
        return Ingested(applied=len(events))


async def test_what_a_contact_writes_opens_the_window(house: House) -> None:
    await house.contact_writes(ago=timedelta(minutes=5))
    window = await (await house.get("/v1/windows/Desk/380501234567")).json()
    assert window["open"] is True


async def test_a_callback_is_answered_200_and_that_is_all(house: House) -> None:
    answer = await house.callback({"message_id": 1, "status": 1})
    assert (answer.status, await answer.json()) == (200, {"ok": True})


async def test_a_status_at_an_attempts_own_url_belongs_to_that_attempt(open_house: Open) -> None:
    ingest = Recording()
    house = await open_house(ingest=ingest)
    await house.callback({"message_id": 7, "status": 1}, path=f"{PATH}/token-of-the-attempt")
    [(provider, [event])] = ingest.batches
    assert provider == "dt"
    assert isinstance(event, StatusReport)
    assert event.attempt == "token-of-the-attempt"


async def test_a_batch_is_taken_in_whole(open_house: Open) -> None:
    ingest = Recording()
    house = await open_house(ingest=ingest)
    await house.callback([{"message_id": number, "status": 0} for number in range(5)])
    [(_, events)] = ingest.batches
    assert len(events) == 5


@pytest.mark.parametrize(
    "path",
    [
        "/callbacks/dt/wrong",
        "/callbacks/dt/callback-secret-of-other",
        f"/callbacks/other/{SECRET}",
        f"/callbacks/nobody/{SECRET}",
        f"/callbacks/dt/{SECRET[:-1]}",
        f"/callbacks/dt/{SECRET}x",
        "/callbacks/dt/%ff%fe",
        f"/callbacks/dt/wrong/{SECRET}",
        "/callbacks/dt",
        f"/callbacks/dt/{SECRET}/a/b",
    ],
)
async def test_an_unknown_provider_and_a_wrong_secret_are_not_found_in_the_same_words(
    open_house: Open, path: str
) -> None:
    ingest = Recording()
    house = await open_house(ingest=ingest)
    answer = await house.callback({"message_id": 1, "status": 1}, path=path)
    assert (answer.status, await answer.text()) == (404, '{"ok":false,"code":"not_found"}')
    assert ingest.batches == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b'{"a": NaN, "a": 1}',
        b'{"from": "\\u0000\\ud800", "text": "\\u0000"}',
        b'{"message_id": ' + b"9" * 5000 + b', "status": 1}',
        b"null",
        b"[]",
        b"[[], 5, null, {}]",
    ],
)
async def test_content_is_never_refused(house: House, body: bytes) -> None:
    answer = await house.http.post(PATH, data=body)
    assert (answer.status, await answer.json()) == (200, {"ok": True})


async def test_a_second_delivery_is_answered_as_the_first(house: House) -> None:
    body = {"from": "380501234567", "to": "380441234567", "message_id": "in-1", "timestamp": 1772452800, "text": "Hi"}
    first, second = [await house.callback(body) for _ in range(2)]
    assert (first.status, await first.text()) == (second.status, await second.text()) == (200, '{"ok":true}')


async def test_while_the_store_takes_nothing_the_provider_is_asked_to_come_again(open_house: Open) -> None:
    house = await open_house(ingest=Recording(StoreUnavailable("disk full", retry_after=9)))
    answer = await house.callback({"message_id": 1, "status": 1})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "9")
    assert await answer.json() == {"ok": False, "code": "store_unavailable"}


async def test_a_body_over_the_limit_is_refused(open_house: Open) -> None:
    house = await open_house(limits={"callback_body": 100})
    assert (await house.callback({"text": "x" * 80})).status == 200
    assert (await house.callback({"text": "x" * 100})).status == 413


async def test_a_callback_may_be_longer_than_a_clients_body(house: House) -> None:
    padded = {"message_id": 1, "status": 1, "padding": "x" * 1_000_000}
    assert (await house.callback(padded)).status == 200


async def test_an_encoded_body_is_refused_politely(house: House) -> None:
    answer = await house.http.post(PATH, data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (answer.status, await answer.json()) == (415, {"ok": False, "code": "body_encoded"})


async def test_another_method_is_told_which_one_is_right(house: House) -> None:
    answer = await house.http.get(PATH)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_an_unexpected_error_is_answered_500_and_its_log_holds_no_secret(open_house: Open) -> None:
    house = await open_house(ingest=Recording(RuntimeError("broken")))
    with capture_logs() as logs:
        answer = await house.callback({"message_id": 1, "status": 1}, path=f"{PATH}/a-token")
    assert (answer.status, await answer.json()) == (500, {"ok": False, "code": "internal_error"})
    [failure] = [entry for entry in logs if entry["event"] == "request.failed"]
    assert failure["route"] == "/callbacks/{provider}/{secret}/{attempt}"
    assert SECRET not in json.dumps(logs, default=str)


async def test_a_stopping_gateway_still_takes_callbacks(open_house: Open) -> None:
    house = await open_house(is_stopping=lambda: True)
    body: dict[str, Any] = {"message_id": 1, "status": 1}
    assert (await house.callback(body)).status == 200
