"""A server of raw bytes over real sockets, and running a test on each event loop that a gateway may run on."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from gateway.provider.connection import Flight

Rule = Callable[..., Awaitable[None]]


def on_each_loop(rule: Rule) -> Callable[..., None]:
    """The test, once on asyncio's own event loop and once on uvloop's; neither may have anything to complain of."""

    def test(run: Callable[[Any], None], **given: Any) -> None:
        run(_without_complaint(rule, given))

    functools.update_wrapper(test, rule)
    del test.__wrapped__
    asked = list(inspect.signature(rule).parameters.values())
    own = inspect.Parameter("run", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    test.__signature__ = inspect.Signature([own, *asked])
    return pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])(test)


async def _without_complaint(rule: Rule, given: dict[str, Any]) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    async with asyncio.timeout(10):
        await rule(**given)
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


class Line:
    """One connection as the server sees it."""

    def __init__(self, far: FarEnd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._far = far
        self._reader = reader
        self.writer = writer
        self.requests: list[bytes] = []
        self.is_over = asyncio.Event()

    async def request(self) -> bytes:
        """The next request, whole. Raises IncompleteReadError when there is none any more."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        self.requests.append(head + body)
        self._far.arrived.set()
        return body

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def is_closed_soon(self) -> None:
        """Without waiting for the end of an idle connection's time."""
        async with asyncio.timeout(2):
            await self.is_over.wait()

    async def until_closed(self) -> None:
        while await self._reader.read(65_536):
            pass


Behaviour = Callable[[Line], Awaitable[None]]


class FarEnd:
    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self.lines: list[Line] = []
        self.arrived = asyncio.Event()
        self.port = 0

    @property
    def requests(self) -> list[bytes]:
        return [request for line in self.lines for request in line.requests]

    async def next_arrival(self) -> None:
        await self.arrived.wait()
        self.arrived.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(self, reader, writer)
        self.lines.append(line)
        try:
            await self._behave(line)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            line.is_over.set()


@asynccontextmanager
async def far_end(
    behave: Behaviour, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[FarEnd]:
    far = FarEnd(behave)
    server = await asyncio.start_server(far.serve, host, 0, ssl=tls)
    far.port = server.sockets[0].getsockname()[1]
    try:
        yield far
    finally:
        server.close()
        for line in far.lines:
            await line.is_over.wait()


def whole(body: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), extra, body)


async def echo(line: Line) -> None:
    """Answers each request with its own body."""
    while True:
        await line.say(whole(await line.request()))


async def silent(line: Line) -> None:
    """Takes one request, and waits for the other side to give up."""
    await line.request()
    await line.until_closed()


async def deaf(line: Line) -> None:
    """Takes a connection and nothing more; no handshake ends here."""
    await line.until_closed()


def saying(*pieces: bytes) -> Behaviour:
    """Reads one request, answers these bytes, and closes."""

    async def behave(line: Line) -> None:
        await line.request()
        for piece in pieces:
            await line.say(piece)
            await asyncio.sleep(0.005)  # or they would come as one

    return behave


def saying_each_time(raw: bytes) -> Behaviour:
    """Answers every request with these bytes, and leaves the closing to the other side."""

    async def behave(line: Line) -> None:
        while True:
            await line.request()
            await line.say(raw)

    return behave


def a_flight(within: float = 5.0) -> Flight:
    now = asyncio.get_running_loop().time
    return Flight(write_by=now() + within, monotonic=now)
