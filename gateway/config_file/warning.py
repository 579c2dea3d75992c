"""What may be meant, but should be known: a configuration with warnings starts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from gateway.config import ClientConfig, Config, ProviderConfig, SenderConfig, ServerConfig, WebhookConfig
from gateway.domain.compliance import Mode
from gateway.domain.message import OnClosedWindow
from gateway.domain.subscription import USUAL_EVENTS, EventType
from gateway.signing import is_base64, signing_key

_SMALL_MARGIN = timedelta(seconds=10)
_SHORT_SECRET = 16
_APP_SECRET = re.compile(r"[0-9a-f]{32}")
_SHORT_SIGNING_KEY = 24
_STANDARD_PREFIX = "whsec_"
_TOO_LONG_BASE = re.compile(r"/(?:messages|send-whatsapp|[0-9]+|[0-9]+/messages)/?\Z", re.ASCII)
"""How the address of one request ends, where that of the whole API is asked for."""


def warnings(config: Config) -> list[str]:
    """Every warning on this configuration, each with its place."""
    found = [*_of_window(config), *_of_public_url(config), *_of_metrics(config.server)]
    for client in config.clients:
        found += _of_client(client)
    found += dict.fromkeys(_of_numbers(config))
    for provider in config.providers:
        found += _of_provider(provider)
    listed = {sender for client in config.clients for sender in client.senders}
    for sender in config.senders:
        found += _of_sender(sender, is_listed=sender.id in listed)
    return found


def _of_window(config: Config) -> Iterator[str]:
    if config.window.margin < _SMALL_MARGIN:
        yield "window.margin: below 10s a message may be under way when its window ends, and be refused"


def _of_public_url(config: Config) -> Iterator[str]:
    public_url = config.server.public_url
    if not public_url and any(provider.kind != "sandbox" for provider in config.providers):
        yield "server.public_url: is not set, so statuses and answers can't reach us"
    if public_url and _is_in_the_clear(public_url):
        yield "server.public_url: is http, so callbacks and the secret in their path travel in the clear"


def _of_metrics(server: ServerConfig) -> Iterator[str]:
    if server.internal is None and not _is_loopback(server.host):
        yield (
            "server.internal: is not set, so whoever reaches this port can read /metrics and the details of /readyz; "
            "127.0.0.1:9090 is usual"
        )


def _of_client(client: ClientConfig) -> Iterator[str]:
    name = f"clients ({client.name})"
    for warning in client.key_warnings:
        yield f"{name}.keys: {warning}"
    if client.webhook is None:
        yield (
            f"{name}.webhook: is not set: this client hears nothing of what customers answer, and the provider's "
            "callbacks, once pointed here, no longer go where they went before"
        )
    else:
        yield from (f"{name}.webhook.{warning}" for warning in _of_webhook(client.webhook))


def _of_webhook(webhook: WebhookConfig) -> Iterator[str]:
    if _is_in_the_clear(webhook.url):
        yield "url: is http, so customers' messages travel in the clear"
    if webhook.format.is_platform:
        yield from _of_platform_webhook(webhook)
        return
    if not is_base64(webhook.secret):
        yield "secret: is not base64, so its own characters are the key; receivers may read it in another way"
    length = len(signing_key(webhook.secret))
    if length < _SHORT_SIGNING_KEY:
        yield f"secret: comes to a key of {length} bytes; Standard Webhooks asks for at least {_SHORT_SIGNING_KEY}"


def _of_platform_webhook(webhook: WebhookConfig) -> Iterator[str]:
    if webhook.secret.startswith(_STANDARD_PREFIX):
        yield f"secret: counts as it is written, with its {_STANDARD_PREFIX}: the receiver must write it so too"
    if len(webhook.secret) < _SHORT_SECRET:
        yield f"secret: is shorter than {_SHORT_SECRET} characters, and can be guessed"
    events = webhook.events
    if EventType.DOWNGRADED in events and events != USUAL_EVENTS:
        yield "events: message.downgraded has no form in the platform's envelope, and is not told"


def _of_numbers(config: Config) -> Iterator[str]:
    """Senders that a client knows by an id that only stands in for the platform's."""
    numbers = config.numbers()
    for client in config.clients:
        if client.webhook is None or not client.webhook.format.is_platform:
            continue
        for sender in client.senders:
            if sender in numbers and not numbers[sender].is_configured:
                yield (
                    f"senders ({sender}).phone_number_id: is not set, so {numbers[sender].phone_number_id} stands in "
                    f"for it in what {client.name} receives"
                )


def _of_provider(provider: ProviderConfig) -> Iterator[str]:
    name = f"providers ({provider.name})"
    if provider.base_url and _is_in_the_clear(provider.base_url):
        yield f"{name}.base_url: is http, so messages and the key travel in the clear"
    if _TOO_LONG_BASE.search(urlsplit(provider.base_url or "").path):
        yield f"{name}.base_url: ends as the address of one request does; leave that end off, the gateway adds it"
    if provider.templates is not None and _is_in_the_clear(provider.templates.base_url):
        yield f"{name}.templates.base_url: is http, so the token travels in the clear"
    if 0 < len(provider.callback_secret) < _SHORT_SECRET:
        yield f"{name}.callback_secret: is shorter than {_SHORT_SECRET} characters, and can be guessed"
    if provider.app_secret and not _APP_SECRET.fullmatch(provider.app_secret):
        yield f"{name}.app_secret: is not 32 hex digits, as the platform gives them out; is it another secret?"


def _of_sender(sender: SenderConfig, *, is_listed: bool) -> Iterator[str]:
    name = f"senders ({sender.id})"
    if not is_listed:
        yield f"{name}: no client lists it, so nothing can be sent from it, and nobody hears what is written to it"
    if sender.on_closed_window is OnClosedWindow.DOWNGRADE and not sender.ladder:
        yield f"{name}.ladder: is empty, so only templates that a request names can stand in"
    if sender.mode is Mode.OBSERVE:
        yield (
            f"{name}.mode: observe sends free-form messages into closed windows too, and template messages whatever "
            "their arguments; decisions are only recorded, for `gateway report`"
        )


def _is_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
