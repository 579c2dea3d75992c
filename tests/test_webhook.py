"""The webhook client over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from gateway.config import CallbackHosts
from gateway.egress import Egress
from gateway.ports import Answered, Posted
from gateway.webhook import WebhookClient

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HERE = CallbackHosts(allow=("127.0.0.1/32",))


@pytest.fixture
async def client() -> AsyncIterator[WebhookClient]:
    client = WebhookClient(Egress(HERE))
    yield client
    await client.aclose()


@asynccontextmanager
async def an_endpoint(behave: Behaviour) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        await server.wait_closed()


def answering(raw: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return behave


async def test_the_body_goes_as_it_is_with_its_headers_and_nothing_is_remembered(aiohttp_server, client: WebhookClient):
    seen = []

    async def take(request: web.Request) -> web.Response:
        seen.append((await request.read(), request.headers.copy()))
        return web.Response(status=204, headers={"Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_post("/hook", take)
    url = str((await aiohttp_server(app)).make_url("/hook"))
    for _ in range(2):
        assert await client.post(url, b'{"a": "\\u20ac"}', {"webhook-id": "e1"}) == Posted(status=204)
    for body, headers in seen:
        assert body == b'{"a": "\\u20ac"}'
        assert headers["Content-Type"] == "application/json"
        assert headers["webhook-id"] == "e1"
        assert "Cookie" not in headers


async def test_a_redirect_is_not_followed(client: WebhookClient):
    visits = []

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(1)

    async with an_endpoint(visited) as other:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n".encode()
        async with an_endpoint(answering(moved)) as url:
            assert await client.post(url, b"{}", {}) == Posted(status=307)
    assert not visits


async def test_retry_after_is_told(client: WebhookClient):
    async with an_endpoint(answering(b"HTTP/1.1 429 Slow\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n")) as url:
        assert await client.post(url, b"{}", {}) == Posted(status=429, retry_after=timedelta(seconds=90))


async def test_the_environments_proxy_is_not_used(client: WebhookClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with an_endpoint(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url:
        assert (await client.post(url, b"{}", {})).status == 200


async def test_a_status_counts_even_when_its_body_breaks_off(client: WebhookClient):
    async with an_endpoint(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")) as url:
        assert await client.post(url, b"{}", {}) == Posted(status=200)


async def test_of_a_long_answer_only_the_beginning_is_read(client: WebhookClient):
    cut = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            cut.set()

    async with an_endpoint(flood) as url:
        assert await client.post(url, b"{}", {}) == Posted(status=200)
        await cut.wait()


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200", b"nonsense\r\n\r\n"])
async def test_an_answer_without_a_status_is_a_reset(client: WebhookClient, raw: bytes):
    async with an_endpoint(answering(raw)) as url:
        assert await client.post(url, b"{}", {}) == Posted(status=None, error="reset")


async def test_a_refused_connection_and_an_unknown_name_are_the_same_word(client: WebhookClient):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = await client.post(f"http://127.0.0.1:{unused.getsockname()[1]}/", b"{}", {})
    assert refused == await client.post("http://nobody.invalid/", b"{}", {}) == Posted(status=None, error="connect")


async def test_an_endpoint_that_does_not_answer_is_a_timeout():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    client = WebhookClient(Egress(HERE), answer_within=0.1)
    async with an_endpoint(silent) as url:
        assert await client.post(url, b"{}", {}) == Posted(status=None, error="timeout")
        await client.aclose()


@pytest.mark.parametrize("url", ["http://127.0.0.2:9/", "http://[::1]:9/", "http://169.254.169.254/latest"])
async def test_an_address_that_is_not_allowed_is_not_connected_to(client: WebhookClient, url: str):
    assert await client.post(url, b"{}", {}) == Posted(status=None, error="not_allowed")


@pytest.mark.parametrize("url", ["", "nowhere", "http://", "http://h:99999/", "http://a b/"])
async def test_what_is_no_url_is_said_to_be_none(client: WebhookClient, url: str):
    assert await client.post(url, b"{}", {}) == Posted(status=None, error="bad_url")


async def test_a_name_that_is_not_allowed_may_not_lead_inside_and_one_that_is_may():
    async with an_endpoint(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url:
        by_name = url.replace("127.0.0.1", "localhost")
        strict = WebhookClient(Egress(CallbackHosts()))
        assert (await strict.post(by_name, b"{}", {})).error == "not_allowed"
        await strict.aclose()
        named = WebhookClient(Egress(CallbackHosts(allow=("localhost",))))
        assert (await named.post(by_name, b"{}", {})).status == 200
        assert (await named.post(url, b"{}", {})).error == "not_allowed"
        await named.aclose()


async def test_cancellation_goes_through(client: WebhookClient):
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with an_endpoint(silent) as url:
        posting = asyncio.create_task(client.post(url, b"{}", {}))
        await arrived.wait()
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting


# --- asking ---------------------------------------------------------------------------------------------------------


async def test_a_question_goes_through_the_same_guard_and_follows_no_redirect(aiohttp_server):
    asked = []

    async def take(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        return web.Response(status=302, headers={"Location": "/elsewhere"}, text="moved")

    app = web.Application()
    app.router.add_get("/{path}", take)
    url = str((await aiohttp_server(app)).make_url("/hook?a=1"))
    for hosts, found in ((HERE, Answered(status=302, text="moved")), (CallbackHosts(), None)):
        client = WebhookClient(Egress(hosts))
        answered = await client.ask(url, {"hub.challenge": "17"})
        await client.aclose()
        assert answered == (found or Answered(status=None, error="not_allowed"))
    assert asked == [{"a": "1", "hub.challenge": "17"}]
