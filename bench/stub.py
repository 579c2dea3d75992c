"""The provider of the benchmark: as cheap as Python can be. ``python -m bench.stub PORT [MILLISECONDS]``

What is posted under ``/take`` gets a growing message id, after so many milliseconds; under ``/refuse`` the answer to
a wrong key. ``GET /count`` tells how much of each there was.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from bench import wire

_UNAUTHORIZED = b'{"name": "Unauthorized", "message": "Unauthorized", "code": 0, "status": 401}'
_TEMPLATE = b'"template_name"'


@dataclass(slots=True)
class Count:
    """What the stub was asked so far; templates are among those taken."""

    taken: int = 0
    templates: int = 0
    refused: int = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests that come together are answered together."""

    def __init__(self, count: Count, latency: float = 0) -> None:
        self._count = count
        self._latency = latency
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes
        self._transport = transport

    def data_received(self, received: bytes) -> None:
        self._buffer += received
        answers = b"".join(self._answer(head, body) for head, body in wire.requests(self._buffer))
        if answers and self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._write, answers)
        elif answers:
            self._write(answers)

    def _write(self, answers: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answers)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST /take/"):
            self._count.taken += 1
            self._count.templates += _TEMPLATE in body
            return wire.answer(b"200 OK", b'{"message_id": %d}' % self._count.taken)
        if head.startswith(b"POST /refuse/"):
            self._count.refused += 1
            return wire.answer(b"401 Unauthorized", _UNAUTHORIZED)
        if head.startswith(b"GET /count "):
            return wire.answer(b"200 OK", json.dumps(asdict(self._count)).encode())
        return wire.answer(b"404 Not Found", b"{}")


async def serve(port: int, latency: float) -> None:
    """Serve until the process is ended."""
    count = Count()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(count, latency), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0))
