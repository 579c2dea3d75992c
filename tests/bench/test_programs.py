"""The programs beside which the gateway is measured: as small as promised, and right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench import body, wire
from bench.socket_server import Whole
from bench.stub import Connection, Count

PROXY = Path(__file__).resolve().parents[2] / "bench" / "proxy.py"
POST = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"


@asynccontextmanager
async def a_stub(latency: float = 0) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    count = Count()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(count, latency), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, object]]:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


def post(path: bytes, content: bytes = b"{}") -> bytes:
    return POST % (path, len(content), content)


def test_the_proxy_has_at_most_thirty_lines() -> None:
    assert len(PROXY.read_text().splitlines()) <= 30


async def test_the_stub_answers_growing_ids_on_one_connection() -> None:
    async with a_stub() as (reader, writer):
        for number in (1, 2, 3):
            writer.write(post(b"/take/send-whatsapp"))
            assert await answer(reader) == (200, {"message_id": number})


async def test_the_stub_answers_requests_that_come_together_and_one_that_comes_in_pieces() -> None:
    async with a_stub() as (reader, writer):
        together = post(b"/take/x") * 2 + post(b"/take/x", b'{"text": "in two pieces"}')
        writer.write(together[:-10])
        assert [await answer(reader) for _ in range(2)] == [(200, {"message_id": 1}), (200, {"message_id": 2})]
        writer.write(together[-10:])
        assert await answer(reader) == (200, {"message_id": 3})


async def test_the_stub_counts_what_it_took_templates_among_them_and_what_it_refused() -> None:
    async with a_stub() as (reader, writer):
        writer.write(post(b"/take/x") + post(b"/take/x", b'{"template_name": "t"}') + post(b"/refuse/x"))
        assert [(await answer(reader))[0] for _ in range(3)] == [200, 200, 401]
        writer.write(b"GET /count HTTP/1.1\r\n\r\n")
        assert await answer(reader) == (200, {"taken": 2, "templates": 1, "refused": 1})


async def test_the_stub_can_take_its_time() -> None:
    async with a_stub(latency=0.05) as (reader, writer):
        start = asyncio.get_running_loop().time()
        writer.write(post(b"/take/x"))
        assert (await answer(reader))[0] == 200
        assert asyncio.get_running_loop().time() - start >= 0.05


def test_requests_are_read_whatever_the_case_and_place_of_their_length() -> None:
    buffer = bytearray(b"POST / HTTP/1.1\r\nCONTENT-LENGTH: 2\r\nHost: x\r\n\r\nabGET / HTTP/1.1\r\n\r\nPOST")
    assert [content for _, content in wire.requests(buffer)] == [b"ab", b""]
    assert buffer == b"POST"


def test_the_socket_server_counts_requests_however_they_are_cut() -> None:
    request = post(b"/", body.body(body.contact(7)))
    stream = request * 5
    for step in (1, 7, len(request) - 1, len(request), len(request) + 1, len(stream)):
        whole = Whole()
        assert sum(whole.count(stream[at : at + step]) for at in range(0, len(stream), step)) == 5
