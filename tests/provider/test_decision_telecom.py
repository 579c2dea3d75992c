"""The client over real sockets: what left, what came back, and which of the two can be told."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from gateway.domain.delivery import Cause, Outcome, Retry, Submitted, Unknown
from gateway.provider.decision_telecom import DecisionTelecomProvider
from tests.provider.factories import TEMPLATE, TEXT, a_message, a_provider

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class FarSide:
    """A server of raw bytes: it keeps what it received and does as it is told."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self.connections = 0
        self.received = b""
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.received += head + body
        self.arrived.set()
        return body


@asynccontextmanager
async def far_side(behave: Callable[[FarSide], Behaviour]) -> AsyncIterator[FarSide]:
    far = FarSide(lambda reader, writer: behave(far)(reader, writer))
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    far.port = server.sockets[0].getsockname()[1]
    try:
        yield far
    finally:
        far.released.set()
        server.close()
        await server.wait_closed()


def answering(raw: bytes) -> Callable[[FarSide], Behaviour]:
    """Read a whole request, answer these bytes, close."""

    def of(far: FarSide) -> Behaviour:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await far.read_request(reader)
            writer.write(raw)
            await writer.drain()

        return behave

    return of


def silent(far: FarSide) -> Behaviour:
    """Read a whole request and never answer."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await far.read_request(reader)
        await far.released.wait()

    return behave


def deaf(far: FarSide) -> Behaviour:
    """Accept the connection and do nothing: a TLS handshake never ends here."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await far.released.wait()

    return behave


def an_answer(body: str, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n{body}".encode()


@asynccontextmanager
async def a_client(port: int, *, scheme: str = "http", in_flight: int = 4, **options: object) -> AsyncIterator[Send]:
    config = a_provider(base_url=f"{scheme}://127.0.0.1:{port}/v1/api/", in_flight=in_flight)
    client = DecisionTelecomProvider(config, **options)
    try:
        yield Send(client)
    finally:
        await client.aclose()


class Send:
    def __init__(self, client: DecisionTelecomProvider) -> None:
        self._client = client

    async def __call__(self, *, write_within: float = 5.0, **changes: object) -> Outcome:
        options = {
            "token": "1-abcdefghijklmnop",
            "callback_url": None,
            "write_by": time.monotonic() + write_within,
            **changes,
        }
        return await self._client.send(a_message(), TEXT, **options)


def assert_not_written(outcome: Outcome) -> None:
    assert isinstance(outcome, Retry)
    assert outcome.cause is Cause.NOT_WRITTEN


async def test_a_message_is_posted_once_as_documented_and_its_id_comes_back(aiohttp_server):
    seen = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.headers.copy(), await request.json()))
        return web.json_response({"message_id": 429}, headers={"Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_post("/v1/api/send-whatsapp", take)
    server = await aiohttp_server(app)
    client = DecisionTelecomProvider(a_provider(base_url=str(server.make_url("/v1/api"))))
    by = time.monotonic() + 5
    first = await client.send(
        a_message(), TEXT, token="1-a", callback_url="https://gw.example.com/callbacks/1", write_by=by
    )
    await client.send(a_message(), TEMPLATE, token="1-b", callback_url=None, write_by=by)
    await client.aclose()

    assert first == Submitted(provider_message_id="429")
    assert [body["message_type"] for _, body in seen] == [1, 4]
    assert seen[0][1]["callback_url"] == "https://gw.example.com/callbacks/1"
    assert seen[0][0]["Authorization"] == "Basic bWFkZS11cC1rZXk="
    assert seen[0][0]["Content-Type"] == "application/json"
    assert "Cookie" not in seen[1][0]


# --- nothing was written --------------------------------------------------------------------------------------------


async def test_a_refused_connection_was_not_written():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with a_client(unused.getsockname()[1]) as send:
            assert_not_written(await send())


async def test_a_host_that_has_no_address_was_not_written():
    client = DecisionTelecomProvider(a_provider(base_url="http://nobody.invalid/v1/api"))
    assert_not_written(await Send(client)())
    await client.aclose()


async def test_a_server_that_speaks_no_tls_was_not_written():
    async with far_side(answering(an_answer("no"))) as far, a_client(far.port, scheme="https") as send:
        assert_not_written(await send(write_within=0.3))
        assert far.received == b""


async def test_a_connection_that_is_not_ready_in_time_is_withdrawn():
    async with far_side(deaf) as far, a_client(far.port, scheme="https") as send:
        started = time.monotonic()
        assert_not_written(await send(write_within=0.2))
        assert time.monotonic() - started < 2


async def test_nothing_connects_when_the_last_moment_is_over_already():
    async with far_side(answering(an_answer("{}"))) as far, a_client(far.port) as send:
        assert_not_written(await send(write_within=-0.001))
        assert far.connections == 0


async def test_a_connection_that_is_ready_a_moment_too_late_is_not_written_to():
    moments = iter([0.0, 100.0])
    async with (
        far_side(answering(an_answer('{"message_id": 1}'))) as far,
        a_client(far.port, in_flight=1, monotonic=lambda: next(moments, 0.0)) as send,
    ):
        assert_not_written(await send(write_by=50.0))
        assert far.received == b""
        assert await send(write_by=50.0) == Submitted(provider_message_id="1")  # the only slot is free again


async def test_a_reused_connection_is_not_written_to_after_the_last_moment():
    moments = iter([0.0, 0.0, 0.0, 100.0])

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await far.read_request(reader)
            writer.write(an_answer('{"message_id": 1}'))

    async with (
        far_side(lambda _: take) as far,
        a_client(far.port, in_flight=1, monotonic=lambda: next(moments, 0.0)) as send,
    ):
        await send(write_by=50.0)
        written = far.received
        assert_not_written(await send(write_by=50.0))
        assert far.received == written
        assert far.connections == 1
        assert await send(write_by=50.0) == Submitted(provider_message_id="1")


async def test_a_message_that_waits_too_long_for_a_free_slot_is_withdrawn():
    async with far_side(silent) as far, a_client(far.port, in_flight=1) as send:
        first = asyncio.create_task(send())
        await far.arrived.wait()
        far.arrived.clear()
        written = far.received
        async with asyncio.timeout(2):
            assert_not_written(await send(write_within=0.1))
        assert far.received == written
        far.released.set()
        assert isinstance(await first, Unknown)


# --- written, and the answer lost -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x00\x01garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 4\r\n\r\nnope",
        an_answer("<html>it works</html>"),
    ],
)
async def test_an_answer_that_is_cut_or_cannot_be_read_is_unknown_and_nothing_is_sent_again(raw: bytes):
    async with far_side(answering(raw)) as far, a_client(far.port) as send:
        assert isinstance(await send(), Unknown)
        assert far.connections == 1
        assert far.received.count(b"POST /v1/api/send-whatsapp ") == 1


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(status: str):
    async with far_side(answering(an_answer('{"message_id": 1}'))) as elsewhere:
        moved = an_answer("", status, f"Location: http://127.0.0.1:{elsewhere.port}/v1/api/send-whatsapp\r\n")
        async with far_side(answering(moved)) as far, a_client(far.port) as send:
            assert isinstance(await send(), Unknown)
        assert elsewhere.connections == 0


async def test_a_reset_after_the_request_is_unknown():
    def resetting(far: FarSide) -> Behaviour:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await far.read_request(reader)
            writer.transport.abort()

        return behave

    async with far_side(resetting) as far, a_client(far.port) as send:
        assert isinstance(await send(), Unknown)


async def test_no_answer_within_the_timeout_is_unknown():
    async with far_side(silent) as far, a_client(far.port, timeout=timedelta(seconds=0.2)) as send:
        assert isinstance(await send(), Unknown)
        assert json.loads(far.received.split(b"\r\n\r\n")[1])["text"] == "Hello"


async def test_an_answer_larger_than_any_real_one_is_read_no_further_and_counts_by_its_status():
    huge = b"HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b" " * 65_536 + b"\r\n"

    def flooding(status: bytes) -> Callable[[FarSide], Behaviour]:
        return answering(huge.replace(b"%s", status) + b"10000\r\n" + b" " * 65_536 + b"\r\n")

    async with far_side(flooding(b"200 OK")) as far, a_client(far.port) as send:
        assert isinstance(await send(), Unknown)
    async with far_side(flooding(b"429 Slow down")) as far, a_client(far.port) as send:
        outcome = await send()
        assert isinstance(outcome, Retry)
        assert outcome.cause is Cause.THROTTLED


async def test_cancellation_goes_through_and_frees_the_slot():
    async with far_side(silent) as far, a_client(far.port, in_flight=1) as send:
        sending = asyncio.create_task(send())
        await far.arrived.wait()
        far.arrived.clear()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        again = asyncio.create_task(send())
        await far.arrived.wait()
        far.released.set()
        assert isinstance(await again, Unknown)


async def test_a_closed_client_says_not_written():
    client = DecisionTelecomProvider(a_provider())
    await client.aclose()
    assert_not_written(await Send(client)())
