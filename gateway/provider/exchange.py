"""A lean HTTP client of one server: what delivery needs of one, and nothing else.

It posts bytes over a few connections that are kept. It follows no redirect, keeps no cookie, knows no proxy, and never
tries a second time by itself; and of every request it can tell whether anything of it was written.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from yarl import URL

from gateway import __version__
from gateway.provider.answer import Answer
from gateway.provider.connection import Connection, Flight
from gateway.provider.place import Place

CONNECT_WITHIN = 5.0
IDLE_AT_MOST = 4.0
"""Servers commonly close a connection after five idle seconds: one that is as old may die under a request."""


class Closed(Exception):
    """The client was closed."""


class Exchange:
    """Requests to one URL, or to others on the same server, and their answers, at most `in_flight` at once; the others
    wait in order. Make it inside the running loop."""

    def __init__(self, url: str, headers: Mapping[str, str], *, in_flight: int, timeout: float) -> None:
        target = URL(url)
        self._origin = target.origin()
        self._headers = dict(headers)
        self._head = _head(target, headers)
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._place = Place(
            target.raw_host or "", target.port or 0, tls=_tls() if target.scheme == "https" else None, loop=self._loop
        )
        self._in_flight = self._free = in_flight
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._limits: set[asyncio.Timeout] = set()
        self._connections: set[Connection] = set()
        self._idle: deque[Connection] = deque()  # the newest last
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    def head_of(self, url: str) -> bytes:
        """What `post` is given to post to another URL of the same server: made once, not for each request."""
        target = URL(url)
        if target.origin() != self._origin:
            raise ValueError("a client posts to one server")
        return _head(target, self._headers)

    async def post(self, body: bytes, flight: Flight, head: bytes | None = None) -> Answer:
        """The answer, of the client's own URL or of the one whose `head_of` is given. `flight` tells, whatever is
        raised, whether the request was written; nothing is after its last moment."""
        begun = self._loop.time()
        write_by = begun + min(flight.time_left(), self._timeout)
        if self._is_closed:
            raise Closed
        if not self._takes_turn():
            async with self._limited(write_by):
                await self._wait_for_turn()
        try:
            if self._is_closed:
                raise Closed
            connection = self._newest() or await self._connected(write_by)
            try:
                request = b"%b%d\r\n\r\n%b" % (head or self._head, len(body), body)
                return await connection.exchange(request, flight, begun + self._timeout)
            finally:
                self._rest(connection)
        finally:
            self._give_back()

    async def aclose(self) -> None:
        """Ends all that is under way; when it returns, no connection is left."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(self._loop.time())
        for connection in list(self._connections):
            connection.close()
        for _ in range(self._in_flight):  # whoever has a turn is about to give it back
            await self._wait_for_turn()
        if self._connections:
            await asyncio.wait([connection.gone for connection in self._connections])
        await self._place.aclose()

    # --- turns: as many as connections are allowed, so whoever has one may take an idle connection or make one ---

    def _takes_turn(self) -> bool:
        """Whether there was one at once."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def _wait_for_turn(self) -> None:
        if self._takes_turn():
            return
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just come
                self._give_back()
            raise

    def _give_back(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    # --- connections ---

    def _newest(self) -> Connection | None:
        """The idle connection that was used last, if one may still be used."""
        oldest = self._loop.time() - IDLE_AT_MOST
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    def _rest(self, connection: Connection) -> None:
        if not connection.is_open:
            return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(IDLE_AT_MOST, self._close_idle)

    def _close_idle(self) -> None:
        """Closes what nobody used for long enough: one timer for all, and none where nothing is idle."""
        self._sweep = None
        oldest = self._loop.time() - IDLE_AT_MOST
        while self._idle and (self._idle[0].idle_since <= oldest or not self._idle[0].is_open):
            self._idle.popleft().close()
        if self._idle:
            self._sweep = self._loop.call_at(self._idle[0].idle_since + IDLE_AT_MOST, self._close_idle)

    async def _connected(self, until: float) -> Connection:
        async with self._limited(until):
            addresses = await self._place.addresses()
            async with asyncio.timeout(CONNECT_WITHIN):
                connection = await self._place.connect(addresses)
        self._connections.add(connection)
        connection.gone.add_done_callback(lambda _: self._connections.discard(connection))
        if self._is_closed:
            connection.close()
            raise Closed
        return connection

    @asynccontextmanager
    async def _limited(self, until: float) -> AsyncIterator[None]:
        """Raises TimeoutError when the time is over, or when the client is closed."""
        async with asyncio.timeout_at(until) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)


def _head(target: URL, headers: Mapping[str, str]) -> bytes:
    """All of a request that is the same for each, up to the length of its body."""
    lines = {
        "Host": target.host_port_subcomponent or "",
        "User-Agent": f"whatsapp-session-gateway/{__version__}",
        "Accept-Encoding": "identity",
        **headers,
    }
    if any(character in text for line in lines.items() for text in line for character in "\r\n\0"):
        raise ValueError("a header must be one line")
    fixed = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {target.raw_path_qs} HTTP/1.1\r\n{fixed}Content-Length: ".encode()


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
