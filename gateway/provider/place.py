"""Where a server is: the addresses of its host, and a connection to one of them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import partial

from aiohappyeyeballs import AddrInfoType, start_connection

from gateway.provider.connection import Connection

KNOWN_FOR = 10.0
"""Seconds for which the addresses of a host are not asked for again."""
_NEXT_ADDRESS_AFTER = 0.25


class Place:
    """One host and port, by name or literal address. A name is looked up once for all who ask at the same time: a
    resolver that hangs holds one thread, not all of them."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._loop = loop
        self._literal = _literal(host, port)
        self._known: Sequence[AddrInfoType] = ()
        self._known_until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def addresses(self) -> Sequence[AddrInfoType]:
        """Raises OSError for a name without any."""
        if self._literal:
            return self._literal
        if self._loop.time() >= self._known_until:
            await self._ask()
        return self._known

    async def connect(self, addresses: Sequence[AddrInfoType]) -> Connection:
        """A new connection to the first of these addresses that takes one, its TLS agreed upon. Raises OSError."""
        made = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER, loop=self._loop)
        _, connection = await self._loop.create_connection(
            partial(Connection, self._loop),
            sock=made,
            ssl=self._tls,
            server_hostname=None if self._tls is None else self._host.rstrip("."),
        )
        return connection

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _ask(self) -> None:
        if self._asking is None:
            self._asking = self._loop.create_task(self._look_up())
            self._asking.add_done_callback(_seen)
        asking = self._asking
        await asyncio.wait({asking})  # one who gives up doesn't take the answer from the others
        asking.result()

    async def _look_up(self) -> None:
        try:
            self._known = await self._loop.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
            self._known_until = self._loop.time() + KNOWN_FOR
        finally:
            self._asking = None


def _seen(asked: asyncio.Task[None]) -> None:
    """Whoever still waits hears of its trouble; where nobody does, it is no news."""
    if not asked.cancelled():
        asked.exception()


def _literal(host: str, port: int) -> Sequence[AddrInfoType]:
    """The address that a host is, without asking anybody; none if it is a name."""
    try:
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    except OSError:
        return ()
