"""One connection to a server: a request leaves on it in one piece, and what comes back is its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from gateway.provider.answer import Answer, AnswerReader, Garbled

BUFFER = 4096


class TooLate(Exception):
    """The connection was ready only after the last moment for the first byte."""


class Cut(Exception):
    """The connection ended before its answer did."""


@dataclass(slots=True)
class Flight:
    """How far one request got: the difference between an attempt that never left and one whose answer was lost."""

    write_by: float
    monotonic: Callable[[], float]
    is_written: bool = False

    def time_left(self) -> float:
        """The seconds until the last moment for the first byte. Raises TooLate."""
        left = self.write_by - self.monotonic()
        if left <= 0:
            raise TooLate
        return left

    def write(self) -> None:
        """Called right before the bytes of the request go to the socket. Raises TooLate."""
        if self.monotonic() > self.write_by:
            raise TooLate
        self.is_written = True


class Connection(asyncio.BufferedProtocol):
    """Carries one request at a time. What comes unasked ends it, and so does whatever leaves doubt about the next."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader = AnswerReader()
        # Our own: asyncio would make one of 256 KB for every piece that comes, which takes longer than all the rest.
        self._buffer = memoryview(bytearray(BUFFER))
        self._transport: asyncio.Transport | None = None  # none as well from the moment it is not to be used any more
        self._awaited: asyncio.Future[Answer] | None = None
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self.idle_since = 0.0
        self.gone: asyncio.Future[None] = loop.create_future()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes, flight: Flight, deadline: float) -> Answer:
        """The answer to this request. Where nothing was written, it is as good as before; where no answer came, it is
        closed. Raises TooLate, Cut, Garbled, TimeoutError at the deadline, and what ended the connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Cut
        flight.write()
        awaited: asyncio.Future[Answer] = self._loop.create_future()
        self._awaited = awaited
        self._reader.begin()
        self._watch(deadline)
        transport.write(request)
        try:
            return await awaited
        except BaseException:
            self.close()  # also when cancelled: the answer may still come, and nobody's next request may get it
            raise

    def close(self) -> None:
        """At once. Whoever awaits an answer is told that it was cut."""
        self._fail(Cut())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are such only by what they do

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._awaited is None:
            self.close()
            return
        try:
            answer = self._reader.feed(self._buffer[:nbytes])
        except Garbled as trouble:
            self._fail(trouble)
            return
        if answer is not None:
            self._answered(answer, is_last=not self._reader.is_clean_end)

    def eof_received(self) -> None:
        self._ended()

    def connection_lost(self, trouble: Exception | None) -> None:
        if trouble is None:
            self._ended()
        else:
            self._fail(trouble)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self.gone.done():
            self.gone.set_result(None)

    def _ended(self) -> None:
        answer = None if self._awaited is None else self._reader.end()
        if answer is None:
            self._fail(Cut())
        else:
            self._answered(answer, is_last=True)

    def _answered(self, answer: Answer, *, is_last: bool) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_result(answer)
        if is_last:
            self._abort()

    def _fail(self, trouble: Exception) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_exception(trouble)
        self._abort()

    def _abort(self) -> None:
        # Never politely: TLS would wait for the other side's farewell, and what is unread or unsent is of no use.
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _watch(self, deadline: float) -> None:
        """One timer serves all the requests of a connection, as their deadlines only grow."""
        self._deadline = deadline
        if self._alarm is None:
            self._alarm = self._loop.call_at(deadline, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        self._alarm = None
        if self._awaited is None:
            return
        if self._loop.time() < self._deadline:
            self._watch(self._deadline)
        else:
            self._fail(TimeoutError())
