"""The client over real sockets: each number at its own path, with the key in its provider's own way."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from gateway.domain.delivery import Cause, Outcome, Retry, Submitted, Unknown
from gateway.domain.identity import Sender
from gateway.provider.cloud_api import CloudApiProvider
from tests.provider.factories import TEXT, a_message, a_provider
from tests.provider.far_end import FarEnd, Line, far_end, on_each_loop, saying, saying_each_time, silent, whole

SHOP, DESK = Sender("Shop"), Sender("Desk")
NUMBERS = {SHOP: "106540352242922", DESK: "1063"}
RECEIPT = json.dumps({"messaging_product": "whatsapp", "messages": [{"id": "wamid.HBgL"}]}).encode()
taking = saying_each_time(whole(RECEIPT))


def a_client(far: FarEnd, *, kind: str = "cloud-api", timeout: float = 5.0, **config: Any) -> CloudApiProvider:
    url = f"http://127.0.0.1:{far.port}" + ("/v24.0" if kind == "cloud-api" else "")
    settings = a_provider(kind=kind, base_url=url, key="made-up-key", **config)
    numbers = NUMBERS if kind == "cloud-api" else {SHOP: None}
    now = asyncio.get_running_loop().time
    return CloudApiProvider(settings, numbers, timeout=timedelta(seconds=timeout), monotonic=now)


async def send(client: CloudApiProvider, sender: Sender = SHOP, *, within: float = 5.0) -> Outcome:
    by = asyncio.get_running_loop().time() + within
    message = replace(a_message(), sender=sender)
    return await client.send(message, TEXT, token="1-abcdefghijklmnop", callback_url=None, write_by=by)


def head_of(request: bytes) -> tuple[str, dict[str, str]]:
    head, _, _ = request.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return first, {name: value for name, _, value in (line.partition(": ") for line in lines)}


@on_each_loop
async def test_each_sender_posts_to_the_path_of_its_own_number_over_the_same_connection():
    async with far_end(taking) as far:
        client = a_client(far)
        assert [await send(client, sender) for sender in (SHOP, DESK, SHOP)] == [
            Submitted(provider_message_id="wamid.HBgL")
        ] * 3
        await client.aclose()
        paths = [head_of(request)[0] for request in far.requests]
        assert paths == [
            f"POST /v24.0/{number}/messages HTTP/1.1" for number in ("106540352242922", "1063", "106540352242922")
        ]
        assert len(far.lines) == 1
        _, headers = head_of(far.requests[0])
        assert headers["Authorization"] == "Bearer made-up-key"
        assert headers["Content-Type"] == "application/json"
        body = json.loads(far.requests[0].partition(b"\r\n\r\n")[2])
        assert (body["to"], body["biz_opaque_callback_data"]) == ("380501234567", "1-abcdefghijklmnop")


@on_each_loop
async def test_360dialog_has_one_path_and_a_header_of_its_own_for_the_key():
    async with far_end(taking) as far:
        client = a_client(far, kind="360dialog")
        await send(client)
        await client.aclose()
        first, headers = head_of(far.requests[0])
        assert first == "POST /messages HTTP/1.1"
        assert headers["D360-API-KEY"] == "made-up-key"
        assert "Authorization" not in headers


@on_each_loop
async def test_an_answer_that_is_lost_is_unknown_and_nothing_is_sent_again():
    async with far_end(saying()) as far:
        client = a_client(far)
        assert isinstance(await send(client), Unknown)
        await client.aclose()
        assert len(far.requests) == 1


@on_each_loop
async def test_a_provider_that_does_not_answer_in_time_is_unknown():
    async with far_end(silent) as far:
        client = a_client(far, timeout=0.05)
        assert isinstance(await send(client), Unknown)
        await client.aclose()


@on_each_loop
async def test_after_the_last_moment_nothing_is_written():
    async with far_end(taking) as far:
        client = a_client(far)
        outcome = await send(client, within=-1.0)
        await client.aclose()
        assert isinstance(outcome, Retry)
        assert outcome.cause is Cause.NOT_WRITTEN
        assert far.requests == []


@on_each_loop
async def test_a_refusal_under_200_or_400_is_told_by_its_code():
    async def refusing(line: Line) -> None:
        body = b'{"error": {"message": "(#130429) Rate limit hit", "code": 130429}}'
        for status in (b"200 OK", b"400 Bad Request"):
            await line.request()
            await line.say(whole(body, status, b"Retry-After: 3\r\n"))

    async with far_end(refusing) as far:
        client = a_client(far)
        for _ in range(2):
            outcome = await send(client)
            assert isinstance(outcome, Retry)
            assert (outcome.cause, outcome.retry_after) == (Cause.THROTTLED, timedelta(seconds=3))
        await client.aclose()


@on_each_loop
async def test_a_message_that_is_withheld_is_logged_without_its_words_or_its_contact():
    held = {"messages": [{"id": "wamid.HBgL", "message_status": "held_for_quality_assessment"}]}
    async with far_end(saying_each_time(whole(json.dumps(held).encode()))) as far:
        client = a_client(far)
        with capture_logs() as logs:
            assert isinstance(await send(client), Submitted)
        await client.aclose()
    (line,) = [entry for entry in logs if entry["event"] == "provider.withheld"]
    assert line["message_status"] == "held_for_quality_assessment"
    assert "Hello" not in str(logs)
    assert "380501234567" not in str(logs)


@on_each_loop
async def test_no_word_of_the_provider_s_that_is_kept_repeats_the_key_or_the_token():
    told = "Malformed access token made-up-key of 1-abcdefghijklmnop"
    refusal = {"error": {"message": told, "code": 190, "error_data": {"details": told}}}
    async with far_end(saying(whole(json.dumps(refusal).encode()))) as far:
        client = a_client(far)
        outcome = await send(client)
        await client.aclose()
    assert isinstance(outcome, Retry)
    assert "Malformed access token" in outcome.error.message
    assert "made-up-key" not in repr(outcome)
    assert "1-abcdefghijklmnop" not in repr(outcome)
