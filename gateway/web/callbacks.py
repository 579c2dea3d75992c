"""What providers post to us: authenticated by a secret in the path, answered 200 only when it is durable."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import structlog
from aiohttp import web

from gateway.config import ProviderConfig
from gateway.domain.errors import NotFound
from gateway.web.answers import answer
from gateway.web.parts import PARTS, Parts
from gateway.web.requests import read_body

log = structlog.get_logger()


async def callback(request: web.Request) -> web.Response:
    """``POST /callbacks/{provider}/{secret}`` and ``.../{attempt}``, the URL of one attempt"""
    parts = request.app[PARTS]
    provider = _provider(request, parts)
    body = await read_body(request, parts.config.limits.callback_body, parts.body_timeout)
    events = parts.decoders[provider.name](body, attempt=request.match_info.get("attempt"))
    await parts.ingest(provider.name, events)
    return answer({"ok": True})


def _provider(request: web.Request, parts: Parts) -> ProviderConfig:
    """The provider that knows the secret. Raises NotFound, the same whichever of the two is wrong."""
    secret = request.match_info["secret"].encode(errors="surrogateescape")
    for provider in parts.config.providers:
        expected = provider.callback_secret.encode()
        if hmac.compare_digest(secret, expected) and provider.name == request.match_info["provider"]:
            return provider
    # Often a mistyped URL at the provider, whose customers' messages then open no window.
    meant = _known(request.match_info["provider"], parts.config.providers)
    parts.metrics.callback_refused(meant)
    log.warning("callback.refused", provider=meant)
    raise NotFound("there is no such resource")


def _known(name: str, providers: Sequence[ProviderConfig]) -> str | None:
    return name if any(provider.name == name for provider in providers) else None
