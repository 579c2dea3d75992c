from __future__ import annotations

import errno
import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.config import CallbackHosts
from gateway.egress import Egress, NotAllowed

STRICT = Egress(CallbackHosts())
PRIVATE = Egress(CallbackHosts(allow_private=True))

LOOPBACK_SPELLINGS = [
    "127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "017700000001", "2130706433", "0177.0.0.1", "127.0.0.1.",
    "①27.0.0.1", "１２７.0.0.1", "127。0。0。1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[0:0:0:0:0:0:0:1]", "localhost", "LOCALHOST.", "a.localhost",
]  # fmt: skip
PRIVATE_ADDRESSES = ["10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.255.0.1", "::1", "fd12::1"]
NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%1", "0.0.0.0", "::", "224.0.0.1", "239.1.2.3", "ff02::1",
    "255.255.255.255", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "64:ff9b::6464:64c8", "2002:a9fe:a9fe::", "::169.254.169.254",
]  # fmt: skip
NOT_PUBLIC = [
    *PRIVATE_ADDRESSES, *NEVER, "0.1.2.3", "100.64.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "240.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:808:808::", "3fff::1", "5f00::1", "fec0::1", "::808:808",
]  # fmt: skip


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "93.184.216.34"])
def test_public_addresses_may_be_reached(address: str):
    assert STRICT.may_reach(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_all_other_addresses_may_not(address: str):
    assert not STRICT.may_reach(address)


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_allow_private_opens_the_usual_private_networks_and_loopback(address: str):
    assert PRIVATE.may_reach(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached_whatever_is_allowed(address: str):
    generous = Egress(CallbackHosts(allow=("0.0.0.0/0", "::/0", "inside.example"), allow_private=True))
    assert not generous.may_reach(address)
    assert not generous.may_reach(address, named=True)


def test_an_allowed_network_is_allowed_and_no_more():
    one = Egress(CallbackHosts(allow=("127.0.0.1/32", "10.1.2.3")))
    assert one.may_reach("127.0.0.1")
    assert one.may_reach("::ffff:127.0.0.1")
    assert one.may_reach("10.1.2.3")
    assert not one.may_reach("127.0.0.2")
    assert not one.may_reach("::1")
    assert not one.may_reach("64:ff9b::7f00:1")


def test_only_a_named_host_may_have_a_private_address():
    named = Egress(CallbackHosts(allow=("Hooks.Internal",)))
    assert named.is_named("http://hooks.internal:8080/x")
    assert named.is_named("http://HOOKS.internal./x")
    assert not named.is_named("http://hooks.internal.evil.example/x")
    assert named.may_reach("10.1.2.3", named=True)
    assert not named.may_reach("10.1.2.3")


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_a_private_address_is_seen_in_every_spelling(host: str):
    assert STRICT.problem(f"http://{host}/hook") == "must not lead to a private address"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/a?b=c",
        "http://hooks.example.com:8080/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/x",
        "https://münchen.example/",
    ],
)
def test_nothing_is_said_against_a_public_url(url: str):
    assert STRICT.problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.com", "//hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd",
        "javascript:alert(1)", "http://", "http:///x", "https://user@hooks.example.com/", "https://u:p@hooks.example.com/",
        "https://hooks.example.com/#f", "https://hooks.example.com:99999/",
        "https://hooks.example.com:0/", "https://hooks.example.com\\@evil.example/", "https://hooks.example.com/a b",
        "https://hooks.example.com/\n", "https://hooks.example.com/\x00", "https://[::1", "https://a" + "a" * 2048,
        "http://xn--/", "https://a.xn--/", "https://h..example/", "https://" + "a" * 64 + ".example/",
    ],
)  # fmt: skip
def test_a_url_of_another_form_is_refused(url: str):
    assert STRICT.problem(url) is not None


def test_https_only_refuses_http():
    only = Egress(CallbackHosts(https_only=True))
    assert only.problem("http://hooks.example.com/") == "must be an https URL"
    assert only.problem("https://hooks.example.com/") is None


def test_what_is_allowed_is_no_problem():
    allowed = Egress(CallbackHosts(allow=("127.0.0.1/32", "hooks.internal")))
    assert allowed.problem("http://127.0.0.1:9000/") is None
    assert allowed.problem("http://localhost:9000/") is None
    assert allowed.problem("http://hooks.internal/") is None
    assert allowed.problem("http://127.0.0.2/") is not None


def test_a_socket_is_only_made_for_an_address_that_may_be_reached():
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 9))
    with pytest.raises(NotAllowed) as refusal:
        STRICT.socket_factory()(info)
    assert refusal.value.errno == errno.EACCES
    with PRIVATE.socket_factory()(info) as made:
        assert not made.getblocking()


class Names(AbstractResolver):
    """A name server that answers every name with the same addresses."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None: ...


@pytest.fixture
async def listener():
    """A port on loopback that counts who connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def connections_to(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, "rebound.example"])
async def test_no_spelling_and_no_name_server_leads_inside(host: str, listener: socket.socket):
    names = Names("127.0.0.1") if host == "rebound.example" else None
    connector = STRICT.connector(resolver=names)
    timeout = aiohttp.ClientTimeout(total=1)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        with pytest.raises((aiohttp.ClientError, ValueError)):
            await session.post(f"http://{host}:{listener.getsockname()[1]}/")
    assert connections_to(listener) == 0


async def test_the_listener_would_have_seen_them(listener: socket.socket):
    port = listener.getsockname()[1]
    async with aiohttp.ClientSession(connector=PRIVATE.connector(resolver=Names("127.0.0.1"))) as session:
        posting = session.post(f"http://rebound.example:{port}/", timeout=aiohttp.ClientTimeout(total=0.1))
        with pytest.raises(TimeoutError):
            await posting
    assert connections_to(listener) == 1
