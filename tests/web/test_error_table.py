"""DecisionTelecom's surface: each row of its error table over real HTTP, with the HTTP status that the body says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientResponse
from structlog.testing import capture_logs

from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    ProviderError,
    ProviderRefused,
    Stopping,
    StoreUnavailable,
    TemplateRefused,
    TooManyRequests,
    WindowClosed,
)
from gateway.domain.identity import MessageId
from gateway.domain.message import Draft, Receipt
from gateway.ports import Answer
from tests.web.conftest import DESK_KEY, SDK_KEY, TEXT, House, Open, basic

SENTENCE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)
UNEXPECTED = "The server encountered an unexpected condition which prevented it from fulfilling the request"


@dataclass(frozen=True, slots=True)
class Raising:
    """The verb as it is when it says no."""

    error: Exception

    async def __call__(self, _draft: Draft) -> Answer:
        raise self.error


@dataclass(frozen=True, slots=True)
class Row:
    code: int
    status: int
    name: str
    message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


async def assert_said(answer: ClientResponse, row: Row, *, http_status: int | None = None) -> None:
    body = await answer.json()
    assert answer.status == (http_status or row.status)
    assert set(body) == {"name", "message", "code", "status"}
    assert (body["code"], body["status"], body["name"]) == (row.code, row.status, row.name)
    assert row.message in (None, body["message"])
    assert answer.content_type == "application/json"
    for name, value in row.headers.items():
        assert answer.headers[name] == value


def provider_said(**words: Any) -> ProviderRefused:
    return ProviderRefused(ProviderError(**words))


RAISED = [
    pytest.param(
        WindowClosed("closed", ["window_closed", "no_rung"]),
        Row(7, 400, "Only template messages are allowed", SENTENCE),
        id="window closed",
    ),
    pytest.param(
        ContactSuppressed("the contact is on the suppression list, for everything", ["suppressed"]),
        Row(
            1,
            400,
            "Invalid Parameter: destination_addr",
            "the contact is on the suppression list, for everything",
        ),
        id="contact suppressed",
    ),
    pytest.param(
        TemplateRefused("template_unknown", "expected a registered template", field="template_name"),
        Row(1, 400, "Invalid Parameter: template_name", "expected a registered template"),
        id="template unknown",
    ),
    pytest.param(
        TemplateRefused("template_arguments", "expected 2 parameters", path="$.template.components[0].parameters"),
        Row(
            1,
            400,
            "Invalid Parameter: template_params",
            "$.template.components[0].parameters: expected 2 parameters",
        ),
        id="template arguments",
    ),
    pytest.param(
        InvalidRequest("source_addr", "expected a sender of this key"),
        Row(1, 400, "Invalid Parameter: source_addr", "expected a sender of this key"),
        id="invalid field",
    ),
    pytest.param(
        IdempotencyConflict("other body"), Row(1, 409, "Invalid Parameter: Idempotency-Key"), id="idempotency conflict"
    ),
    pytest.param(
        TooManyRequests("Too many messages are queued", retry_after=30),
        Row(0, 429, "Too Many Requests", "Too many messages are queued", {"Retry-After": "30"}),
        id="too many queued",
    ),
    pytest.param(NotFound("no such thing"), Row(0, 404, "Not Found"), id="not found"),
    pytest.param(
        BalanceEmpty("empty"), Row(3, 402, "Topup balance is required", "User balance is empty"), id="balance empty"
    ),
    pytest.param(
        StoreUnavailable("disk full", retry_after=7),
        Row(2, 503, "Internal server error", UNEXPECTED, {"Retry-After": "7"}),
        id="store not available",
    ),
    pytest.param(
        Stopping(), Row(2, 503, "Internal server error", UNEXPECTED, {"Retry-After": "5"}), id="store closing"
    ),
    pytest.param(GatewayError("?"), Row(2, 500, "Internal server error", UNEXPECTED), id="an error without a row"),
    pytest.param(
        provider_said(code=1, status=400, name="Invalid Parameter: text", message="Too long"),
        Row(1, 400, "Invalid Parameter: text", "Too long"),
        id="provider: invalid parameter",
    ),
    pytest.param(
        provider_said(code=131026, status=422, name="Undeliverable", message="Not on WhatsApp"),
        Row(131026, 422, "Undeliverable", "Not on WhatsApp"),
        id="provider: its own number",
    ),
    pytest.param(
        provider_said(code=3, status=402, name="Topup balance is required", message="User balance is empty"),
        Row(3, 402, "Topup balance is required", "User balance is empty"),
        id="provider: balance",
    ),
    pytest.param(
        provider_said(status=402), Row(3, 402, "Topup balance is required"), id="provider: balance by status only"
    ),
    pytest.param(
        provider_said(code=9999, closes_window=True),
        Row(7, 400, "Only template messages are allowed", SENTENCE),
        id="provider: 24 hours, whatever its number",
    ),
    pytest.param(
        provider_said(), Row(1, 400, "Invalid Parameter", "The provider refused the message"), id="provider: no words"
    ),
    pytest.param(
        provider_said(code=9, status=404, name="Not Found", message="Gone"),
        Row(9, 400, "Not Found", "Gone"),
        id="provider: a status that would mean something else here",
    ),
]


@pytest.mark.parametrize(("error", "row"), RAISED)
async def test_what_the_verb_raises_is_said_in_this_surfaces_numbers(
    open_house: Open, error: GatewayError, row: Row
) -> None:
    house = await open_house(accept=Raising(error))
    await assert_said(await house.send(), row)


@pytest.mark.parametrize(("error", "row"), RAISED)
async def test_a_client_built_on_the_vendors_sdk_reads_the_same_under_200(
    open_house: Open, error: GatewayError, row: Row
) -> None:
    house = await open_house(accept=Raising(error))
    await assert_said(await house.send(key=SDK_KEY), row, http_status=200)


async def test_a_refusal_that_a_repetition_repeats_is_said_again(open_house: Open) -> None:
    refusal = ProviderError(code=1, status=400, name="Invalid Parameter: text", message="Too long")

    async def told_before(_draft: Draft) -> Answer:
        return Answer(receipt=Receipt(message_id=MessageId(5), action="sent"), refusal=refusal)

    house = await open_house(accept=told_before)
    await assert_said(await house.send(), Row(1, 400, "Invalid Parameter: text", "Too long"))


# --- keys -------------------------------------------------------------------------------------------------------------

UNAUTHORIZED = Row(
    0,
    401,
    "Unauthorized",
    "Your request was made with invalid credentials.",
    {"WWW-Authenticate": 'Basic realm="gateway"'},
)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic"}, basic("wrong"), {"Authorization": f"Bearer {DESK_KEY}"}, basic("")]
)
@pytest.mark.parametrize("path", ["/v1/api/send-whatsapp", "/v1/api/receive-whatsapp"])
async def test_a_missing_and_a_wrong_key_are_told_in_the_same_words(
    house: House, path: str, headers: dict[str, str]
) -> None:
    answer = await house.http.post(path, data=b"not even JSON", headers=headers)
    await assert_said(answer, UNAUTHORIZED)


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_another_method_is_told_which_one_is_right(house: House, method: str) -> None:
    answer = await house.http.request(method, "/v1/api/send-whatsapp", headers=basic(SDK_KEY))
    row = Row(
        0,
        405,
        "Method Not Allowed",
        "Method Not Allowed. This URL can only handle the following request methods: POST.",
        {"Allow": "POST"},
    )
    await assert_said(answer, row)


async def test_an_unknown_path_is_not_found(house: House) -> None:
    for path in ("/v1/api/send-viber", "/v1/api/", "/v1/api/send-whatsapp/x"):
        await assert_said(await house.http.post(path, headers=basic(DESK_KEY)), Row(0, 404, "Not Found"))


# --- bodies -----------------------------------------------------------------------------------------------------------


async def posted(house: House, body: Any, **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.http.post("/v1/api/send-whatsapp", data=body, headers={**basic(DESK_KEY), **named})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"text": NaN}', b'{"a": 1, "a": 2}', b'{"text": "\\ud800"}', b"\xff", b"[" * 9999],
)
async def test_a_body_that_is_no_strict_json_object_is_a_bad_request(house: House, body: bytes) -> None:
    await assert_said(await posted(house, body), Row(0, 400, "Bad Request"))


async def test_the_place_of_what_is_wrong_in_the_body_is_named(house: House) -> None:
    answer = await posted(house, json.dumps({**TEXT, "text": float("nan")}).encode())
    assert (await answer.json())["message"] == "$.text: expected a finite number"


async def test_what_is_wrong_in_a_string_of_parameters_is_an_invalid_parameter(house: House) -> None:
    body = {**TEXT, "message_type": 4, "template_name": "t", "template_params": '{"template": {"name": NaN}}'}
    row = Row(1, 400, "Invalid Parameter: template_params", "$.template.name: expected a finite number")
    await assert_said(await house.send(body), row)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(open_house: Open, chunked: bool) -> None:
    written = json.dumps(TEXT).encode()

    async def chunks(body: bytes) -> Any:
        yield body[:10]
        yield body[10:]

    def shaped(body: bytes) -> Any:
        return chunks(body) if chunked else body

    house = await open_house(limits={"body": len(written)})
    assert (await posted(house, shaped(written))).status == 200
    answer = await posted(house, shaped(written + b" "))
    await assert_said(answer, Row(0, 413, "Bad Request", f"expected a body of at most {len(written)} bytes"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_an_encoded_body_is_refused(house: House, encoding: str) -> None:
    answer = await posted(house, b"\x1f\x8b", Content_Encoding=encoding)
    await assert_said(answer, Row(0, 400, "Bad Request", "expected a body without Content-Encoding"))


async def test_identity_is_no_encoding(house: House) -> None:
    assert (await posted(house, json.dumps(TEXT).encode(), Content_Encoding="identity")).status == 200


def request_head(*headers: str) -> bytes:
    lines = ("POST /v1/api/send-whatsapp HTTP/1.1", "Host: gateway", f"Authorization: Basic {DESK_KEY}", *headers)
    return "\r\n".join((*lines, "", "")).encode()


@asynccontextmanager
async def connection(house: House) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(house.http.host, house.http.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def said_before_closing(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    """The answer on a bare socket that the server closes after it."""
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def test_a_body_that_does_not_arrive_in_time_is_refused_and_the_connection_closed(open_house: Open) -> None:
    house = await open_house(body_timeout=0.05)
    async with connection(house) as (reader, writer):
        writer.write(request_head("Content-Length: 100") + b'{"source')
        status, body = await said_before_closing(reader)
    assert (status, body["code"], body["status"]) == (400, 0, 400)
    assert body["message"] == "expected the whole body within 0.05 seconds"


async def test_chunks_that_make_no_sense_are_a_bad_request(open_house: Open) -> None:
    house = await open_house(body_timeout=0.05)
    async with connection(house) as (reader, writer):
        with capture_logs() as logs:
            writer.write(request_head("Transfer-Encoding: chunked", "Expect: 100-continue"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"zz\r\n")
            status, body = await said_before_closing(reader)
    assert (status, body["code"], body["name"]) == (400, 0, "Bad Request")
    assert logs == []


async def test_a_client_that_goes_away_within_its_body_disturbs_nobody(house: House) -> None:
    with capture_logs() as logs:
        async with connection(house) as (reader, writer):
            writer.write(request_head("Content-Length: 100", "Expect: 100-continue"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b'{"source')
        assert (await house.receive(1)).status == 404
    assert logs == []


# --- limits, stopping, the unexpected ---------------------------------------------------------------------------------


async def test_a_client_over_its_rate_is_told_when_to_come_again(open_house: Open) -> None:
    house = await open_house(limits={"client_per_second": 2})
    assert [(await house.receive(1)).status for _ in range(3)] == [404, 404, 429]
    await assert_said(await house.send(), Row(0, 429, "Too Many Requests", "Rate limit exceeded", {"Retry-After": "1"}))
    house.ticks.now += 0.5
    assert (await house.receive(1)).status == 404


async def test_a_stopping_gateway_takes_no_message_but_still_answers_for_those_it_took(open_house: Open) -> None:
    house = await open_house(is_stopping=lambda: True)
    await assert_said(await house.send(), Row(2, 503, "Internal server error", UNEXPECTED, {"Retry-After": "5"}))
    assert (await house.receive(1)).status == 404


async def test_an_unexpected_error_is_logged_and_says_nothing_of_itself(open_house: Open) -> None:
    house = await open_house(accept=Raising(RuntimeError("secret words")))
    with capture_logs() as logs:
        answer = await house.send()
    await assert_said(answer, Row(2, 500, "Internal server error", UNEXPECTED))
    failures = [entry for entry in logs if entry["event"] == "request.failed"]
    assert [(entry["route"], entry["error"], entry["exc_info"]) for entry in failures] == [
        ("/v1/api/send-whatsapp", "RuntimeError", True)
    ]


async def test_no_text_and_no_unknown_field_reaches_the_log(house: House) -> None:
    with capture_logs() as logs:
        await house.send({**TEXT, "text": ["secret words"], "x_number": "380671112233"})
        await house.send({**TEXT, "text": "secret words", "x_number": "380671112233", "x_other": 1})
    told = json.dumps(logs, default=str)
    assert "secret words" not in told
    assert "380671112233" not in told
    assert [entry["count"] for entry in logs if entry["event"] == "request.fields_ignored"] == [2]


@pytest.mark.parametrize("line", [b"OPTIONS * HTTP/1.1", b"CONNECT elsewhere:80 HTTP/1.1"])
async def test_a_target_that_is_no_path_is_not_found(open_house: Open, line: bytes) -> None:
    house = await open_house()
    async with connection(house) as (reader, writer):
        writer.write(line + b"\r\nHost: gateway\r\nConnection: close\r\n\r\n")
        status, body = await said_before_closing(reader)
    assert (status, body["code"]) == (404, "not_found")
