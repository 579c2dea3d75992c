"""What the parts of a configuration must be to one another, and what is not built yet.

The checks look at the values as they were read, whatever else is wrong, so that all problems are told at once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.config_file.providers import problems_of_providers
from gateway.config_file.tree import Place, Problem, Tree, part, rows, shown, text, texts
from gateway.config_file.units import duration, host_and_port
from gateway.config_file.webhooks import problems_of_webhooks
from gateway.domain.identity import parse_contact
from gateway.domain.window import LENGTH
from gateway.keys import digest

KEY_DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?")
_OFTEN = timedelta(minutes=1)
_STORE = re.compile(r"memory:|sqlite:///.+")


def problems_across(tree: Tree) -> Iterator[Problem]:
    """Every problem that one part of the configuration alone does not show."""
    for check in (
        _not_built,
        _store_url,
        _internal,
        problems_of_providers,
        _unknown_references,
        _intents,
        _repeated_names,
        _repeated_spellings,
        _keys,
        _order_of_times,
        _addresses,
        _hosts,
        _zones,
        problems_of_webhooks,
    ):
        yield from check(tree)


# --- what is not built yet ------------------------------------------------------------------------------------------


def _not_built(tree: Tree) -> Iterator[Problem]:
    if (text(part(tree, "store"), "url") or "").startswith(("postgresql:", "postgres:")):
        yield ("store", "url"), "PostgreSQL is not built yet; use sqlite:///gateway.db"
    for place, sender in rows(tree, "senders"):
        if sender.get("on_closed_window") == "hold":
            yield (*place, "on_closed_window"), "hold is not built yet; use downgrade or refuse"


# --- single values --------------------------------------------------------------------------------------------------


def _store_url(tree: Tree) -> Iterator[Problem]:
    url = text(part(tree, "store"), "url")
    if url and not url.startswith("postgres") and not _STORE.fullmatch(url):
        yield ("store", "url"), "expected memory:, sqlite:///from/this/folder.db or sqlite:////absolute/path.db"


def _internal(tree: Tree) -> Iterator[Problem]:
    server = part(tree, "server")
    written = text(server, "internal")
    if not written:
        return
    try:
        place = host_and_port(written)
    except ValueError as error:
        yield ("server", "internal"), str(error)
        return
    if place[1] and place == (server.get("host", "127.0.0.1"), server.get("port", 8080)):
        yield ("server", "internal"), "is where everybody else is served; choose another port"


def _addresses(tree: Tree) -> Iterator[Problem]:
    for place, url in _urls(tree):
        try:
            parts = urlsplit(url)
            has_user = parts.username is not None or parts.port == 0
        except ValueError:
            yield place, "is no address; check its host and port"
        else:
            if has_user or parts.hostname is None:
                yield place, "names a user, or no host and port that can be reached; write https://host/path"


def _urls(tree: Tree) -> Iterator[tuple[Place, str]]:
    candidates: list[tuple[Place, str | None]] = [
        ((section, key), text(part(tree, section), key))
        for section, key in (("server", "public_url"), ("tracing", "endpoint"))
    ]
    for place, row in rows(tree, "providers"):
        candidates.append(((*place, "base_url"), text(row, "base_url")))
        candidates.append(((*place, "templates", "base_url"), text(part(row, "templates"), "base_url")))
    yield from ((place, url) for place, url in candidates if url and url.startswith("http"))


def _hosts(tree: Tree) -> Iterator[Problem]:
    for index, allowed in texts(part(part(tree, "delivery"), "callback_hosts"), "allow"):
        if not _is_network(allowed) and not _HOST.fullmatch(allowed):
            place = ("delivery", "callback_hosts", "allow", index)
            yield place, "expected a host name, an address or a network such as 10.1.0.0/16"


def _is_network(written: str) -> bool:
    try:
        ipaddress.ip_network(written)
    except ValueError:
        return False
    return True


def _zones(tree: Tree) -> Iterator[Problem]:
    for place, provider in rows(tree, "providers"):
        zone = text(part(provider, "inbound_fields"), "zone")
        if zone and not _is_zone(zone):
            yield (*place, "inbound_fields", "zone"), "expected the name of a time zone such as Europe/Kyiv"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError when the name is well formed
        return False
    except KeyError:
        return False
    return True


# --- one part and another -------------------------------------------------------------------------------------------


def _unknown_references(tree: Tree) -> Iterator[Problem]:
    providers = [name for _, row in rows(tree, "providers") if (name := text(row, "name"))]
    senders = [name for _, row in rows(tree, "senders") if (name := text(row, "id"))]
    for place, sender in rows(tree, "senders"):
        provider = text(sender, "provider")
        if provider and provider not in providers:
            yield (*place, "provider"), f"no provider has this name; known: {', '.join(providers) or 'none'}"
    for place, client in rows(tree, "clients"):
        for index, sender_id in texts(client, "senders"):
            if sender_id not in senders:
                known = f"known: {', '.join(senders) or 'none'}"
                yield (*place, "senders", index), f"no sender has this id; {known}"


def _intents(tree: Tree) -> Iterator[Problem]:
    """Each says when it is meant, by something that there is."""
    senders = [name for _, row in rows(tree, "senders") if (name := text(row, "id"))]
    for place, intent in rows(tree, "intents"):
        if not {"name", "content", "sender"} & intent.keys():
            yield place, "says nothing of when it is meant; give it a name, a content or a sender"
        sender = text(intent, "sender")
        if sender and sender not in senders:
            yield (*place, "sender"), f"no sender has this id; known: {', '.join(senders) or 'none'}"


def _repeated_names(tree: Tree) -> Iterator[Problem]:
    for section in ("clients", "providers"):
        names = (((*place, "name"), text(row, "name")) for place, row in rows(tree, section))
        yield from _repeated(names, "give each a name of its own")
    for place, client in rows(tree, "clients"):
        senders = (((*place, "senders", index), sender) for index, sender in texts(client, "senders"))
        yield from _repeated(senders, "list each sender once")


def _repeated_spellings(tree: Tree) -> Iterator[Problem]:
    """A callback must lead to one sender, whichever of its names it uses."""
    yield from _repeated(_spellings(tree), "one name must lead to one sender")


def _spellings(tree: Tree) -> Iterator[tuple[Place, str | None]]:
    for place, sender in rows(tree, "senders"):
        for key in ("id", "phone_number_id"):
            yield (*place, key), _folded(text(sender, key))
        for index, alias in texts(sender, "aliases"):
            yield (*place, "aliases", index), _folded(alias)


def _folded(name: str | None) -> str | None:
    try:
        return parse_contact(name) if name else None
    except ValueError:
        return name


def _keys(tree: Tree) -> Iterator[Problem]:
    held: list[tuple[Place, str | None]] = []
    for place, client in rows(tree, "clients"):
        for index, key in texts(client, "keys"):
            held.append(((*place, "keys", index), digest_of(key).hex()))
            if key.startswith("sha256:") and not KEY_DIGEST.fullmatch(key):
                yield (*place, "keys", index), "sha256: takes 64 hex digits; copy the whole line of `gateway keys new`"
    yield from _repeated(held, "a key belongs to one client; make another with `gateway keys new`")


def digest_of(written: str) -> bytes:
    """The digest of a key as the configuration writes it: ``sha256:<hex>``, or the key itself."""
    if KEY_DIGEST.fullmatch(written):
        return bytes.fromhex(written.removeprefix("sha256:"))
    return digest(written)


def _order_of_times(tree: Tree) -> Iterator[Problem]:
    probe = part(part(tree, "delivery"), "probe")
    if _span(probe, "from", "1s") > _span(probe, "to", "60s"):
        yield ("delivery", "probe"), "from is longer than to; the time between probes doubles from the one to the other"
    retention = part(tree, "retention")
    if _span(retention, "content", "30d") > _span(retention, "history", "180d"):
        yield ("retention",), "content is kept longer than history; it goes with it, so make history at least as long"
    if _span(part(tree, "window"), "margin", "60s") >= LENGTH:
        yield ("window", "margin"), "leaves nothing of the 24 hours; 60s is usual"
    for place, provider in rows(tree, "providers"):
        if _span(part(provider, "templates"), "refresh", "15m") < _OFTEN:
            yield (
                (*place, "templates", "refresh"),
                "is less than a minute, and would use up what the API allows; 15m is usual",
            )


def _repeated(named: Iterable[tuple[Place, str | None]], remedy: str) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    for place, name in named:
        if name and name in seen:
            yield place, f"stands in {shown(seen[name])} already; {remedy}"
        elif name:
            seen[name] = place


def _span(values: dict[str, Any], key: str, default: str) -> timedelta:
    try:
        return duration(text(values, key) or default)
    except (ValueError, OverflowError):
        return duration(default)
