"""Whether a client's webhook can be signed and posted to, by the rules that are asked again at each post."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from gateway.config import CallbackHosts
from gateway.config_file.tree import Problem, Tree, part, rows, text, texts
from gateway.domain.subscription import Format
from gateway.egress import Egress
from gateway.signing import signing_key


def problems_of_webhooks(tree: Tree) -> Iterator[Problem]:
    """Every webhook that would never get an event."""
    hosts = _callback_hosts(tree)
    for place, client in rows(tree, "clients"):
        webhook = part(client, "webhook")
        secret, url = text(webhook, "secret"), text(webhook, "url")
        is_standard = webhook.get("format", Format.STANDARD) == Format.STANDARD
        if secret and is_standard and not _has_key(secret):
            yield (*place, "webhook", "secret"), "holds no key; write whsec_ and the base64 of 24 or more random bytes"
        if is_standard and "verify_token" in webhook:
            yield (*place, "webhook", "verify_token"), "counts only with format cloud-api or dialog360; delete it"
        if url and url.startswith("http") and (problem := _problem_of_url(url, hosts)):
            yield (*place, "webhook", "url"), problem


def _callback_hosts(tree: Tree) -> CallbackHosts:
    values = part(part(tree, "delivery"), "callback_hosts")
    return CallbackHosts(
        allow=tuple(entry for _, entry in texts(values, "allow")),
        allow_private=values.get("allow_private") is True,
        https_only=values.get("https_only") is True,
    )


def _has_key(secret: str) -> bool:
    try:
        return bool(signing_key(secret))
    except ValueError:
        return False


def _problem_of_url(url: str, hosts: CallbackHosts) -> str | None:
    """Why nothing would be posted there; with the host to allow, if that is all it takes."""
    problem = Egress(hosts).problem(url)
    if problem is None:
        return None
    host = _host_of(url)
    is_cured = host and Egress(replace(hosts, allow=(*hosts.allow, host))).problem(url) is None
    return f"{problem}; if it is meant, add {host} to delivery.callback_hosts.allow" if is_cured else problem


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
