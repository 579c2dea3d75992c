"""The guard on what we post to: judged by its address at the one place that every connection passes.

A check of the URL alone would be late or blind: names resolve to something else the second time, and literal
addresses never reach a resolver. So the URL is judged for what can be said at once, and each socket by its address.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import unicodedata
from collections.abc import Callable
from typing import Any

import aiohttp
from yarl import URL

from gateway.config import CallbackHosts

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
SocketFactory = Callable[[Any], socket.socket]

LONGEST_URL = 2048
LONGEST_LABEL = 63


def _networks(*written: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(network) for network in written)


NEVER = _networks(
    "0.0.0.0/32",  # unspecified
    "::/128",
    "255.255.255.255/32",  # broadcast
    "169.254.0.0/16",  # link-local, with the metadata service of most clouds
    "fe80::/10",
    "224.0.0.0/4",  # multicast
    "ff00::/8",
    "fd00:ec2::/32",  # metadata services elsewhere: Amazon by IPv6,
    "100.100.100.200/32",  # Alibaba,
    "192.0.0.192/32",  # Oracle,
    "168.63.129.16/32",  # Azure
)
"""Refused whatever the configuration says."""

NOT_PUBLIC = _networks(
    "0.0.0.0/8",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "240.0.0.0/4",
    "64:ff9b::/96",  # these five carry an IPv4 address inside
    "64:ff9b:1::/48",
    "2001::/32",
    "2002::/16",
    "::/96",
    "100::/64",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fec0::/10",
)
"""Refused unless allowed; ``is_global`` does not know all of these in every Python."""

USUAL_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
_LOOPBACK = _networks("127.0.0.1/32", "::1/128")
_LAST_32_BITS = _networks("64:ff9b::/96", "64:ff9b:1::/48", "::/96")


class NotAllowed(PermissionError):
    """The address is not one that we post to."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "not allowed")


class Egress:
    """Which URLs and addresses outgoing webhooks may reach: public ones, and what the operator allowed."""

    def __init__(self, hosts: CallbackHosts) -> None:
        allowed = [_as_network(entry) for entry in hosts.allow]
        self._networks = tuple(network for network in allowed if network is not None)
        if hosts.allow_private:
            self._networks += USUAL_PRIVATE
        self._names = frozenset(_plain_host(entry) for entry in hosts.allow if _as_network(entry) is None)
        self._https_only = hosts.https_only

    def problem(self, url: str) -> str | None:
        """Why we would not post to this URL, for the client that named it; None when nothing can be said against it
        yet. Asks no name server, so it tells nothing of any."""
        if len(url) > LONGEST_URL:
            return f"must be at most {LONGEST_URL} characters long"
        target = _parsed(url)
        if target is None:
            return "must be a valid URL"
        return self._problem_of_form(target) or self._problem_of_host(target)

    def is_named(self, url: str) -> bool:
        """Whether its host is allowed by name, and so may have a private address."""
        target = _parsed(url)
        return target is not None and _plain_host(target.host or "") in self._names

    def may_reach(self, address: str, *, named: bool = False) -> bool:
        """Whether a connection to this literal address is allowed; `named` when a name led there that is allowed."""
        faces = _faces(ipaddress.ip_address(address.partition("%")[0]))
        if any(_in(face, NEVER) for face in faces):
            return False
        return named or any(_in(face, self._networks) for face in faces[:1]) or all(map(_is_public, faces))

    def socket_factory(self, *, named: bool = False) -> SocketFactory:
        """Makes sockets only for addresses that may be reached; raises NotAllowed for others."""

        def make(info: Any) -> socket.socket:
            family, kind, protocol, _, address = info
            if not self.may_reach(address[0], named=named):
                raise NotAllowed
            made = socket.socket(family, kind, protocol)
            made.setblocking(False)
            return made

        return make

    def connector(self, *, named: bool = False, **limits: Any) -> aiohttp.TCPConnector:
        """A connector behind the guard. Connections are pooled, so hosts that are named need one of their own."""
        return aiohttp.TCPConnector(socket_factory=self.socket_factory(named=named), **limits)

    def _problem_of_form(self, target: URL) -> str | None:
        schemes = ("https",) if self._https_only else ("http", "https")
        if target.scheme not in schemes:
            return f"must be an {' or '.join(schemes)} URL"
        if not target.host or not target.port:
            return "must name a host"
        if target.user is not None or target.password is not None:
            return "must not hold a user name or a password"
        return "must not hold a fragment" if target.raw_fragment else None

    def _problem_of_host(self, target: URL) -> str | None:
        host = _plain_host(target.host or "")
        if host in self._names:
            return None
        if host == "localhost" or host.endswith(".localhost"):
            is_refused = not any(self.may_reach(str(network.network_address)) for network in _LOOPBACK)
        else:
            literal = _literal(host)
            is_refused = literal is not None and not self.may_reach(str(literal))
        return "must not lead to a private address" if is_refused else None


def is_url(url: str) -> bool:
    """Whether it can be read as a URL that names a host at all, allowed or not."""
    target = _parsed(url)
    return target is not None and bool(target.host)


def _as_network(entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(entry.strip(), strict=False)
    except ValueError:
        return None


def _parsed(url: str) -> URL | None:
    if any(character <= " " or character in "\\\x7f" for character in url):
        return None
    try:
        target = URL(url)
        host = target.host  # decoded only now, which may fail as well
    except ValueError:
        return None
    return target if _can_be_named(host or "") else None


def _can_be_named(host: str) -> bool:
    """Whether a name server could know it: no empty part, and none that is longer than the protocol allows."""
    return not host or ":" in host or all(0 < len(part) <= LONGEST_LABEL for part in host.rstrip(".").split("."))


def _plain_host(host: str) -> str:
    return unicodedata.normalize("NFKC", host).strip("[] ").rstrip(".").casefold()


def _literal(host: str) -> IPAddress | None:
    """The address that a host is, in any spelling that the system's resolver takes: hex, octal, fewer than four."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _faces(ip: IPAddress) -> tuple[IPAddress, ...]:
    """The address as it counts, and the IPv4 addresses that are hidden in it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return (ip,)
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    hidden: list[IPAddress] = list(ip.teredo or ())
    if ip.sixtofour is not None:
        hidden.append(ip.sixtofour)
    if _in(ip, _LAST_32_BITS) and int(ip) > 1:
        hidden.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return (ip, *hidden)


def _in(ip: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)


def _is_public(ip: IPAddress) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not _in(ip, NOT_PUBLIC)
