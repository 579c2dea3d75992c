"""Our own HTTP client over real sockets: what leaves, what is an answer, and which connection may serve again."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
import socket
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.provider import exchange as module
from gateway.provider.answer import LARGEST_ANSWER, Garbled
from gateway.provider.connection import Cut, Flight, TooLate
from gateway.provider.exchange import Closed, Exchange
from tests.provider.far_end import (
    Line,
    a_flight,
    deaf,
    echo,
    far_end,
    on_each_loop,
    saying,
    saying_each_time,
    silent,
    whole,
)


@asynccontextmanager
async def a_client(
    port: int, *, host: str = "127.0.0.1", in_flight: int = 4, answer_within: float = 5.0
) -> AsyncIterator[Exchange]:
    client = Exchange(
        f"http://{host}:{port}/v1/send?x=1", {"Key": "made-up"}, in_flight=in_flight, timeout=answer_within
    )
    try:
        yield client
    finally:
        await client.aclose()


# --- what leaves ----------------------------------------------------------------------------------------------------


@on_each_loop
async def test_a_request_has_its_path_its_headers_once_and_the_length_of_its_body(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with (
        far_end(saying_each_time(whole(b"ok", extra=b"Set-Cookie: a=b\r\n"))) as far,
        a_client(far.port) as client,
    ):
        for _ in range(2):
            answer = await client.post("смс".encode(), a_flight())
            assert (answer.status, answer.body) == (200, b"ok")
        first, second = far.requests
        assert first == second
        line, *headers = first.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        assert line == "POST /v1/send?x=1 HTTP/1.1"
        assert sorted(name.split(":")[0] for name in headers) == [
            "Accept-Encoding",
            "Content-Length",
            "Host",
            "Key",
            "User-Agent",
        ]
        assert {f"Host: 127.0.0.1:{far.port}", "Accept-Encoding: identity", "Content-Length: 6", "Key: made-up"} <= set(
            headers
        )


@on_each_loop
async def test_a_host_may_be_an_ipv6_address():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with far_end(echo, host="::1") as far, a_client(far.port, host="[::1]") as client:
        assert (await client.post(b"hi", a_flight())).body == b"hi"
        assert b"\r\nHost: [::1]:%d\r\n" % far.port in far.requests[0]


@on_each_loop
async def test_another_path_of_the_same_server_is_posted_to_with_the_same_headers():
    async with far_end(echo) as far, a_client(far.port) as client:
        head = client.head_of(f"http://127.0.0.1:{far.port}/v24.0/1063/messages")
        for given in (head, None, head):
            await client.post(b"hi", a_flight(), given)
        lines = [request.partition(b"\r\n")[0] for request in far.requests]
        assert lines == [b"POST /v24.0/1063/messages HTTP/1.1", b"POST /v1/send?x=1 HTTP/1.1", lines[0]]
        assert far.requests[0].partition(b"\r\n")[2] == far.requests[1].partition(b"\r\n")[2]
        with pytest.raises(ValueError, match="one server"):
            client.head_of(f"http://127.0.0.2:{far.port}/")


async def test_a_header_of_several_lines_is_refused():
    with pytest.raises(ValueError, match="one line"):
        Exchange("http://127.0.0.1:9/", {"Key": "a\r\nHost: elsewhere"}, in_flight=1, timeout=1)


# --- which connection -----------------------------------------------------------------------------------------------


@on_each_loop
async def test_the_connection_that_was_used_last_is_used_first():
    async with far_end(echo) as far, a_client(far.port) as client:
        await asyncio.gather(*(client.post(b"%d" % number, a_flight()) for number in range(3)))
        await client.post(b"again", a_flight())
        latest = next(line for line in far.lines if len(line.requests) == 2)
        for _ in range(3):
            await client.post(b"again", a_flight())
        assert len(far.lines) == 3
        assert len(latest.requests) == 5


@on_each_loop
async def test_no_more_connections_than_allowed_and_the_others_wait_in_order():
    async with far_end(echo) as far, a_client(far.port, in_flight=1) as client:
        answers = await asyncio.gather(*(client.post(b"%d" % number, a_flight()) for number in range(20)))
        assert [answer.body for answer in answers] == [b"%d" % number for number in range(20)]
        assert [request.partition(b"\r\n\r\n")[2] for request in far.requests] == [b"%d" % n for n in range(20)]
        assert len(far.lines) == 1


@on_each_loop
async def test_whoever_waits_too_long_for_a_connection_has_written_nothing_and_holds_nobody_up():
    async with far_end(silent) as far, a_client(far.port, in_flight=1) as client:
        first = asyncio.create_task(client.post(b"first", a_flight()))
        await far.next_arrival()
        flight = a_flight(within=0.05)
        with pytest.raises(TimeoutError):
            await client.post(b"second", flight)
        assert not flight.is_written
        third = asyncio.create_task(client.post(b"third", a_flight()))
        await asyncio.sleep(0)
        first.cancel()
        await far.next_arrival()
        assert [request[-5:] for request in far.requests] == [b"first", b"third"]
        third.cancel()
        await asyncio.wait({first, third})


@on_each_loop
async def test_a_turn_that_comes_to_somebody_who_is_just_cancelled_goes_to_the_next():
    async with far_end(echo) as far, a_client(far.port, in_flight=1) as client:

        async def first() -> None:
            await client.post(b"1", a_flight())
            second.cancel()  # its turn was given to it, and it did not run yet

        freed = asyncio.create_task(first())
        await asyncio.sleep(0)
        second, third = (asyncio.create_task(client.post(body, a_flight())) for body in (b"2", b"3"))
        assert (await third).body == b"3"
        await freed
        with pytest.raises(asyncio.CancelledError):
            await second
        assert [request[-1:] for request in far.requests] == [b"1", b"3"]


@on_each_loop
async def test_a_connection_that_was_idle_too_long_is_closed_and_not_used_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "IDLE_AT_MOST", 0.05)
    async with far_end(echo) as far, a_client(far.port) as client:
        await asyncio.gather(client.post(b"1", a_flight()), client.post(b"2", a_flight()))
        for line in list(far.lines):
            await line.is_closed_soon()
        await client.post(b"3", a_flight())
        assert len(far.lines) == 3


@on_each_loop
async def test_a_connection_is_too_old_by_its_age_even_where_its_timer_is_late(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "IDLE_AT_MOST", 0.05)
    async with far_end(echo) as far, a_client(far.port) as client:
        await client.post(b"1", a_flight())
        time.sleep(0.1)  # noqa: ASYNC251 - the loop is held up: no timer can run
        await client.post(b"2", a_flight())
        assert len(far.lines) == 2


@pytest.mark.parametrize("unasked", [b"", b"HTTP/1.1 408 Too slow\r\nContent-Length: 0\r\n\r\n", b"?"])
@on_each_loop
async def test_a_connection_that_the_server_closed_or_spoke_on_while_idle_is_never_used_again(unasked: bytes):
    is_idle = asyncio.Event()

    async def behave(line: Line) -> None:
        await line.say(whole(await line.request()))
        await is_idle.wait()
        await line.say(unasked)
        if unasked:
            await line.until_closed()

    async with far_end(behave) as far, a_client(far.port) as client:
        assert (await client.post(b"1", a_flight())).body == b"1"
        is_idle.set()
        await far.lines[0].is_closed_soon()
        await asyncio.sleep(0.01)  # until its end has come to us as well
        assert (await client.post(b"2", a_flight())).body == b"2"
        assert [len(line.requests) for line in far.lines] == [1, 1]


@on_each_loop
async def test_what_a_server_says_before_it_was_asked_is_no_answer():
    async def greet(line: Line) -> None:
        if len(far.lines) == 1:
            await line.say(whole(b"welcome"))
            await line.until_closed()
        else:
            await echo(line)

    async with far_end(greet) as far, a_client(far.port) as client:
        flight = Flight(write_by=50.0, monotonic=iter([0.0, 100.0]).__next__)
        with pytest.raises((TooLate, Cut)):  # the greeting may come in time to be seen before anything is written
            await client.post(b"1", flight)
        assert not flight.is_written
        await far.lines[0].is_closed_soon()
        assert (await client.post(b"2", a_flight())).body == b"2"


LAST = {
    "Connection: close": whole(b"yes", extra=b"Connection: close\r\n"),
    "HTTP/1.0": whole(b"yes").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "more than one answer": whole(b"yes") + whole(b"no"),
    "the begin of another": whole(b"yes") + b"HTT",
    "something else": whole(b"yes") + b"\0",
    "something after Connection: close": whole(b"yes", extra=b"Connection: close\r\n") + b"\0",
}


@pytest.mark.parametrize("raw", LAST.values(), ids=LAST.keys())
@on_each_loop
async def test_an_answer_that_leaves_its_connection_in_doubt_counts_and_its_connection_is_closed(raw: bytes):
    async with far_end(saying_each_time(raw)) as far, a_client(far.port) as client:
        for number in range(1, 3):
            answer = await client.post(b"x", a_flight())
            assert (answer.status, answer.body) == (200, b"yes")
            await far.lines[-1].is_closed_soon()
            assert len(far.lines) == number


# --- what is an answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
@on_each_loop
async def test_an_answer_without_a_length_lasts_until_the_connection_ends(head: bytes):
    async with far_end(saying(head, b"one ", b"two")) as far, a_client(far.port) as client:
        assert (await client.post(b"x", a_flight())).body == b"one two"


@on_each_loop
async def test_an_answer_without_a_length_is_lost_with_a_reset():
    async def behave(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\nhal")
        await asyncio.sleep(0.01)
        abort_with_reset(line)

    async with far_end(behave) as far, a_client(far.port) as client:
        with pytest.raises(ConnectionResetError):
            await client.post(b"x", a_flight())


@on_each_loop
async def test_an_answer_that_came_whole_counts_though_a_reset_follows_it():
    async def behave(line: Line) -> None:
        await line.say(whole(await line.request()))
        abort_with_reset(line)

    async with far_end(behave) as far, a_client(far.port) as client:
        assert (await client.post(b"x", a_flight())).body == b"x"


def abort_with_reset(line: Line) -> None:
    linger_not = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    line.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
    line.writer.transport.abort()


@on_each_loop
async def test_interim_answers_are_passed_over():
    hints = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with far_end(saying_each_time(hints + whole(b"yes"))) as far, a_client(far.port) as client:
        for _ in range(2):
            answer = await client.post(b"x", a_flight())
            assert (answer.status, answer.body, "link" in answer.headers) == (200, b"yes", False)
        assert len(far.lines) == 1


@on_each_loop
async def test_an_answer_may_come_in_chunks_and_in_any_pieces():
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\none\r\n4\r\n two\r\n0\r\nLast: 1\r\n\r\n"

    async def behave(line: Line) -> None:
        while True:
            await line.request()
            for at in range(len(raw)):
                await line.say(raw[at : at + 1])
                await asyncio.sleep(0)

    async with far_end(behave) as far, a_client(far.port) as client:
        for _ in range(2):
            answer = await client.post(b"x", a_flight())
            assert answer.body == b"one two"
            assert list(answer.headers) == ["transfer-encoding"]
        assert len(far.lines) == 1


@on_each_loop
async def test_headers_are_found_in_any_case_and_the_first_of_a_name_counts():
    extra = b"RETRY-after: 5\r\nRetry-After: 6\r\nX-Name: caf\xe9\r\nEmpty:\r\n"
    async with far_end(saying(whole(b"", b"429 Slow down", extra))) as far, a_client(far.port) as client:
        answer = await client.post(b"x", a_flight())
        assert (answer.status, answer.body) == (429, b"")
        assert [answer.headers.get(name) for name in ("Retry-After", "x-name", "empty", "date")] == [
            "5",
            "café",
            "",
            None,
        ]
        assert len(answer.headers) == 4


@on_each_loop
async def test_the_largest_answer_is_read_whole():
    async with far_end(saying(whole(b"x" * LARGEST_ANSWER))) as far, a_client(far.port) as client:
        assert (await client.post(b"x", a_flight())).body == b"x" * LARGEST_ANSWER


TOO_LARGE = {
    "a length": whole(b"x" * (LARGEST_ANSWER + 1)),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + b"x" * 0x20000,
    "no length": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST_ANSWER + 1),
    "trailers without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: x\r\n" * 200_000,
    "a chunk's head without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1_000_000,
}


@pytest.mark.parametrize("raw", TOO_LARGE.values(), ids=TOO_LARGE.keys())
@on_each_loop
async def test_of_an_answer_that_is_too_large_the_status_alone_counts_and_its_connection_is_closed(raw: bytes):
    async with far_end(saying_each_time(raw)) as far, a_client(far.port) as client:
        answer = await client.post(b"x", a_flight())
        assert (answer.status, answer.body) == (200, b"")
        await far.lines[0].is_closed_soon()


NO_ANSWERS = {
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "binary": b"\x15\x03\x01\x00\x02\x02\x46",
    "no number": b"HTTP/1.1 OK\r\n\r\n",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "another protocol": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\0\0",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000,
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200_000,
    "interim answers without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
}


@pytest.mark.parametrize("raw", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
@on_each_loop
async def test_what_is_no_answer_ends_the_exchange_at_once(raw: bytes):
    async def behave(line: Line) -> None:
        await line.request()
        await line.say(raw)
        await line.until_closed()

    async with far_end(behave) as far, a_client(far.port) as client:
        flight = a_flight()
        with pytest.raises(Garbled):
            await client.post(b"x", flight)
        assert flight.is_written
        await far.lines[0].is_closed_soon()


CUT = {
    "nothing": b"",
    "in its head": b"HTTP/1.1 200 OK\r\n",
    "after an interim one": b"HTTP/1.1 100 Continue\r\n\r\n",
    "in its body": whole(b"cut")[:-1],
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ncut",
    "before the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncut\r\n",
}


@pytest.mark.parametrize("raw", CUT.values(), ids=CUT.keys())
@on_each_loop
async def test_an_answer_that_is_cut_is_lost_and_nothing_is_sent_again(raw: bytes):
    async def behave(line: Line) -> None:
        await line.say(whole(await line.request()))
        await line.request()
        await line.say(raw)

    async with far_end(behave) as far, a_client(far.port) as client:
        await client.post(b"1", a_flight())
        flight = a_flight()
        with pytest.raises(Cut):
            await client.post(b"2", flight)
        assert flight.is_written
        assert len(far.requests) == 2


# --- time -----------------------------------------------------------------------------------------------------------


@on_each_loop
async def test_nothing_is_written_after_the_last_moment_and_the_connection_serves_the_next():
    async with far_end(echo) as far, a_client(far.port, in_flight=1) as client:
        for moments in ([0.0, 100.0], [0.0, 100.0], [100.0]):
            flight = Flight(write_by=50.0, monotonic=iter(moments).__next__)
            with pytest.raises(TooLate):
                await client.post(b"late", flight)
            assert not flight.is_written
        assert (await client.post(b"in time", a_flight())).body == b"in time"
        assert (len(far.lines), len(far.requests)) == (1, 1)


@on_each_loop
async def test_each_request_on_a_connection_has_the_whole_time_for_its_answer():
    async def behave(line: Line) -> None:
        await line.say(whole(await line.request()))
        await line.request()
        await asyncio.sleep(0.2)
        await line.say(whole(b"2"))
        await silent(line)

    async with far_end(behave) as far, a_client(far.port, answer_within=0.3) as client:
        await client.post(b"1", a_flight())
        await asyncio.sleep(0.2)
        assert (await client.post(b"2", a_flight())).body == b"2"
        flight, begun = a_flight(), time.monotonic()
        with pytest.raises(TimeoutError):
            await client.post(b"3", flight)
        assert 0.25 < time.monotonic() - begun < 2
        assert flight.is_written
        await far.lines[0].is_closed_soon()
        assert len(far.lines) == 1


@on_each_loop
async def test_an_answer_that_drips_does_not_outlast_the_time_for_it():
    async def drip(line: Line) -> None:
        await line.request()
        for byte in whole(b"x" * 1000):
            await line.say(bytes([byte]))
            await asyncio.sleep(0.01)

    async with far_end(drip) as far, a_client(far.port, answer_within=0.1) as client:
        with pytest.raises(TimeoutError):
            await client.post(b"x", a_flight())


# --- giving up ------------------------------------------------------------------------------------------------------


@on_each_loop
async def test_cancellation_closes_the_connection_and_frees_its_turn():
    async with far_end(silent) as far, a_client(far.port, in_flight=1) as client:
        for number in range(1, 3):
            sending = asyncio.create_task(client.post(b"x", a_flight()))
            await far.next_arrival()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await far.lines[-1].is_closed_soon()
            assert len(far.lines) == number


@on_each_loop
async def test_whoever_gives_up_at_whatever_moment_nobody_gets_the_answer_to_another():
    drawn = random.Random(7)  # noqa: S311 - any moments will do

    async def one(number: int) -> None:
        body = b"%d" % number
        await asyncio.sleep(drawn.random() / 10)
        limit = drawn.choice([None, drawn.random() / 100])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                assert (await client.post(body, a_flight())).body == body

    async with far_end(echo) as far, a_client(far.port, in_flight=8) as client:
        await asyncio.gather(*(one(number) for number in range(1000)))
        assert len(far.requests) <= 1000
        await asyncio.gather(*(one(number) for number in range(8)))


@on_each_loop
async def test_closing_ends_what_is_idle_under_way_or_waiting():
    async def behave(line: Line) -> None:
        if await line.request() == b"quick":
            await line.say(whole(b"ok"))
        await line.until_closed()

    async with far_end(behave) as far, a_client(far.port, in_flight=2) as client:
        out = asyncio.create_task(client.post(b"slow", a_flight()))
        await far.next_arrival()
        await client.post(b"quick", a_flight())
        await client.aclose()
        with pytest.raises(Cut):
            await out
        for line in far.lines:
            await line.is_closed_soon()


@on_each_loop
async def test_closing_ends_who_waits_for_a_turn_and_nothing_of_theirs_is_written():
    async with far_end(silent) as far, a_client(far.port, in_flight=1) as client:
        first = asyncio.create_task(client.post(b"first", a_flight()))
        await far.next_arrival()
        waiting = [asyncio.create_task(client.post(b"x", a_flight())) for _ in range(3)]
        await asyncio.sleep(0)
        await client.aclose()
        ends = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [Cut, *[TimeoutError] * 3]
        assert len(far.requests) == 1


@on_each_loop
async def test_closing_ends_who_is_connecting():
    async with far_end(deaf) as far:
        client = Exchange(f"https://127.0.0.1:{far.port}/", {}, in_flight=1, timeout=5)
        connecting = asyncio.create_task(client.post(b"x", a_flight()))
        while not far.lines:
            await asyncio.sleep(0.005)
        await client.aclose()
        with pytest.raises(TimeoutError):
            await connecting


@on_each_loop
async def test_a_closed_client_writes_nothing_and_may_be_closed_again():
    async with far_end(echo) as far, a_client(far.port) as client:
        await client.post(b"1", a_flight())
        await client.aclose()
        await client.aclose()
        flight = a_flight()
        with pytest.raises(Closed):
            await client.post(b"2", flight)
        assert not flight.is_written
        assert len(far.requests) == 1


@on_each_loop
async def test_one_whose_turn_comes_as_the_client_is_closed_connects_to_nobody():
    async with far_end(silent) as far, a_client(far.port, in_flight=1) as client:
        first = asyncio.create_task(client.post(b"first", a_flight()))
        await far.next_arrival()
        second = asyncio.create_task(client.post(b"second", a_flight()))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await client.aclose()
        (end,) = await asyncio.gather(second, return_exceptions=True)
        assert isinstance(end, Closed | TimeoutError)
        assert len(far.requests) == 1


# --- what something on the way has packed ----------------------------------------------------------------------------


def packed(body: bytes, coding: str = "gzip") -> bytes:
    made = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    return whole(made, extra=f"Content-Encoding: {coding}\r\n".encode())


@on_each_loop
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_packed_answer_is_read_though_nobody_asked_for_it(coding: str):
    async with far_end(saying_each_time(packed(b'{"message_id": 5}', coding))) as far, a_client(far.port) as client:
        for _ in range(2):
            assert (await client.post(b"x", a_flight())).body == b'{"message_id": 5}'
        assert len(far.lines) == 1


@on_each_loop
@pytest.mark.parametrize(
    "answer",
    [
        packed(b"0" * (LARGEST_ANSWER + 1)),
        whole(b"no gzip at all", extra=b"Content-Encoding: gzip\r\n"),
        whole(gzip.compress(b'{"message_id": 5}')[:-9], extra=b"Content-Encoding: gzip\r\n"),
    ],
    ids=["too large", "not packed", "cut"],
)
async def test_of_a_packed_answer_that_cannot_be_read_the_status_counts(answer: bytes):
    async with far_end(saying_each_time(answer)) as far, a_client(far.port) as client:
        assert (await client.post(b"x", a_flight()))[::2] == (200, b"")
