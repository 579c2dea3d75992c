"""Where a provider is: its certificate, its name, its addresses."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.provider.exchange import Exchange
from tests.provider.far_end import Line, a_flight, deaf, echo, far_end, on_each_loop, saying

HOST = "provider.example"


@asynccontextmanager
async def a_client(url: str, *, in_flight: int = 4) -> AsyncIterator[Exchange]:
    client = Exchange(url, {}, in_flight=in_flight, timeout=5)
    try:
        yield client
    finally:
        await client.aclose()


async def fails(client: Exchange, expected: type[Exception], within: float = 2.0) -> None:
    """It is refused so, with nothing written."""
    flight = a_flight(within)
    with pytest.raises(expected):
        await client.post(b"x", flight)
    assert not flight.is_written


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed by itself, for a made-up host and for 127.0.0.1; its key stands in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    asked = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    names = ["-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(["openssl", "req", "-x509", *asked, *names, *files], check=True, capture_output=True)  # noqa: S607 - found on the path
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    return certificate


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name is this machine's; the list holds those that were looked up."""
    return looked_up_as(monkeypatch, "127.0.0.1")


def looked_up_as(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if options.get("flags", 0) & socket.AI_NUMERICHOST or host == "127.0.0.1":
            return real(host, port, *rest, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def server_side(certificate: Path, asked: list[str | None] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if asked is not None:
        context.sni_callback = lambda _socket, name, _context: asked.append(name)
    return context


@on_each_loop
async def test_tls_is_spoken_with_an_address_and_its_connection_is_kept(trusted: Path):
    async with (
        far_end(echo, tls=server_side(trusted)) as far,
        a_client(f"https://127.0.0.1:{far.port}/") as client,
    ):
        for size in (1, 50_000, 2):  # several records, and several times our buffer
            assert (await client.post(b"x" * size, a_flight())).body == b"x" * size
        assert len(far.lines) == 1


@on_each_loop
async def test_an_answer_without_a_length_ends_with_its_tls(trusted: Path):
    behave = saying(b"HTTP/1.1 200 OK\r\n\r\n", b"one ", b"two")
    async with far_end(behave, tls=server_side(trusted)) as far, a_client(f"https://127.0.0.1:{far.port}/") as client:
        assert (await client.post(b"x", a_flight())).body == b"one two"


@on_each_loop
async def test_a_tls_connection_that_the_server_closed_while_idle_is_not_used_again(trusted: Path):
    async def once(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with far_end(once, tls=server_side(trusted)) as far, a_client(f"https://127.0.0.1:{far.port}/") as client:
        for _ in range(2):
            assert (await client.post(b"x", a_flight())).body == b"ok"
            await far.lines[-1].is_closed_soon()
            await asyncio.sleep(0.02)  # until its end has come to us as well
        assert len(far.lines) == 2


async def test_the_server_is_told_which_name_is_meant(trusted: Path, named: list[str]):
    meant: list[str | None] = []
    async with (
        far_end(echo, tls=server_side(trusted, meant)) as far,
        a_client(f"https://{HOST}.:{far.port}/") as client,
    ):
        assert (await client.post(b"x", a_flight())).body == b"x"
    assert meant == [HOST]


async def test_a_certificate_for_another_name_is_refused(trusted: Path, named: list[str]):
    async with (
        far_end(echo, tls=server_side(trusted)) as far,
        a_client(f"https://other.example:{far.port}/") as client,
    ):
        await fails(client, ssl.SSLCertVerificationError)
        assert far.requests == []


@on_each_loop
async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path):
    async with (
        far_end(echo, tls=server_side(certificate)) as far,
        a_client(f"https://127.0.0.1:{far.port}/") as client,
    ):
        await fails(client, ssl.SSLCertVerificationError)
        assert far.requests == []


@on_each_loop
async def test_a_handshake_that_never_ends_is_given_up_and_frees_its_turn():
    async with far_end(deaf) as far, a_client(f"https://127.0.0.1:{far.port}/", in_flight=1) as client:
        for number in range(1, 3):
            await fails(client, TimeoutError, within=0.1)
            await far.lines[-1].is_closed_soon()
            assert len(far.lines) == number


# --- names and addresses --------------------------------------------------------------------------------------------


async def test_a_name_is_looked_up_once_for_all_and_not_again_for_a_while(named: list[str]):
    async with far_end(echo) as far, a_client(f"http://{HOST}:{far.port}/") as client:
        await asyncio.gather(*(client.post(b"x", a_flight()) for _ in range(4)))
        assert len(far.lines) == 4
        assert named == [HOST]


async def test_a_name_is_looked_up_again_when_its_time_is_over(named: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.provider.place.KNOWN_FOR", 0.0)

    async def once(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.0 200 OK\r\n\r\n")

    async with far_end(once) as far, a_client(f"http://{HOST}:{far.port}/") as client:
        await client.post(b"x", a_flight())
        await client.post(b"x", a_flight())
        assert named == [HOST, HOST]


async def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch):
    asked = looked_up_as(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with far_end(echo) as far, a_client(f"http://{HOST}:{far.port}/") as client:
        assert (await client.post(b"x", a_flight())).body == b"x"
        assert (len(asked), len(far.lines)) == (1, 1)


async def test_a_refusal_by_all_addresses_has_written_nothing(monkeypatch: pytest.MonkeyPatch):
    looked_up_as(monkeypatch, "127.0.0.2", "127.0.0.3")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with a_client(f"http://{HOST}:{taken.getsockname()[1]}/") as client:
            await fails(client, OSError)


@on_each_loop
async def test_a_name_without_addresses_has_written_nothing_and_is_asked_for_again():
    async with a_client("http://nobody.invalid/") as client:
        await fails(client, socket.gaierror)
        await fails(client, socket.gaierror)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], threading.Event]]:
    """A name server that knows nothing, and says so only when it is let."""
    asked: list[str] = []
    may_answer = threading.Event()
    real = socket.getaddrinfo

    def hang(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if options.get("flags", 0) & socket.AI_NUMERICHOST:
            return real(host, port, *rest, **options)
        asked.append(host)
        may_answer.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked, may_answer
    may_answer.set()


async def test_a_name_server_that_hangs_holds_one_thread_and_nobody_beyond_their_time(hanging):
    asked, may_answer = hanging
    async with asyncio.timeout(2), a_client(f"http://{HOST}/") as client:
        await asyncio.gather(*(fails(client, TimeoutError, within=0.1) for _ in range(4)))
        assert asked == [HOST]
    may_answer.set()  # only now: closing doesn't wait for it


async def test_a_name_server_that_fails_when_everybody_gave_up_is_no_news(hanging):
    asked, may_answer = hanging
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    async with a_client(f"http://{HOST}/") as client:
        await fails(client, TimeoutError, within=0.05)
        may_answer.set()
        await asyncio.sleep(0.05)  # nobody may wait for it
        gc.collect()
        assert complaints == []
        await fails(client, socket.gaierror)
        assert asked == [HOST, HOST]
