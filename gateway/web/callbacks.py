"""What providers post to us: known by a signature or by a secret in the path, answered 200 only when it is durable."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Sequence
from functools import partial

import structlog
from aiohttp import web

from gateway.config import ProviderConfig
from gateway.domain.errors import NotFound, SignatureMismatch
from gateway.web.answers import answer
from gateway.web.parts import PARTS, Parts
from gateway.web.requests import read_body
from gateway.web.wire_errors import SubscriptionRefused

log = structlog.get_logger()

_SIGNATURE = "X-Hub-Signature-256"
_LARGE = 128 * 1024
"""Bytes that take milliseconds to decode; from here on others are served meanwhile."""
_CHALLENGE = re.compile(r"[!-~]{1,256}", re.ASCII)


async def callback(request: web.Request) -> web.Response:
    """``POST /callbacks/{provider}/{secret}`` and ``.../{attempt}``, the URL of one attempt"""
    parts = request.app[PARTS]
    provider = _by_secret(request, parts)
    return await _taken(request, parts, provider, await _body(request, parts))


async def signed_callback(request: web.Request) -> web.Response:
    """``POST /callbacks/{provider}`` of a provider that signs"""
    parts = request.app[PARTS]
    provider = _signing(request, parts)
    if provider is None:
        raise _refused(request, parts, NotFound("there is no such resource"))
    body = await _body(request, parts)
    if not _is_signed(request.headers.get(_SIGNATURE, ""), body, provider.app_secret):
        raise _refused(request, parts, SignatureMismatch("the signature is wrong"))
    return await _taken(request, parts, provider, body)


async def subscription(request: web.Request) -> web.Response:
    """``GET /callbacks/{provider}``: the platform asks whether it was we who wanted its callbacks here"""
    parts, asked = request.app[PARTS], request.query
    provider, challenge = _signing(request, parts), asked.get("hub.challenge", "")
    is_ours = provider is not None and _are_equal(asked.get("hub.verify_token", ""), provider.verify_token)
    if not (is_ours and asked.get("hub.mode") == "subscribe" and _CHALLENGE.fullmatch(challenge)):
        raise _refused(request, parts, SubscriptionRefused("the subscription is not ours"))
    return web.Response(text=challenge, headers={"X-Content-Type-Options": "nosniff"})


async def _body(request: web.Request, parts: Parts) -> bytes:
    return await read_body(request, parts.config.limits.callback_body, parts.body_timeout)


async def _taken(request: web.Request, parts: Parts, provider: ProviderConfig, body: bytes) -> web.Response:
    decode = partial(parts.decoders[provider.name], body, attempt=request.match_info.get("attempt"))
    events = decode() if len(body) < _LARGE else await asyncio.to_thread(decode)
    await parts.ingest(provider.name, events)
    return answer({"ok": True})


# --- whose it is ----------------------------------------------------------------------------------------------------


def _by_secret(request: web.Request, parts: Parts) -> ProviderConfig:
    """The provider that knows the secret. Raises NotFound, the same whichever of the two is wrong."""
    secret = request.match_info["secret"]
    for provider in parts.config.providers:
        is_known = _are_equal(secret, provider.callback_secret)
        if is_known and provider.name == request.match_info["provider"] and not provider.signs_callbacks:
            return provider
    raise _refused(request, parts, NotFound("there is no such resource"))


def _signing(request: web.Request, parts: Parts) -> ProviderConfig | None:
    """The provider of the path, if it is one that signs."""
    name = request.match_info["provider"]
    named = (provider for provider in parts.config.providers if provider.name == name and provider.signs_callbacks)
    return next(named, None)


def _is_signed(written: str, body: bytes, secret: str) -> bool:
    """By the bytes as they came: the platform signs what it sent, escapes and all."""
    expected = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    return bool(secret) and _are_equal(written, expected)


def _are_equal(written: str, expected: str) -> bool:
    return hmac.compare_digest(written.encode(errors="surrogateescape"), expected.encode())


Raised = NotFound | SignatureMismatch | SubscriptionRefused


def _refused(request: web.Request, parts: Parts, error: Raised) -> Raised:
    """Counted and told: often it is a mistyped URL or secret at the provider, whose customers' messages then open no
    window."""
    meant = _known(request.match_info["provider"], parts.config.providers)
    parts.metrics.callback_refused(meant)
    log.warning("callback.refused", provider=meant, why=error.code)
    return error


def _known(name: str, providers: Sequence[ProviderConfig]) -> str | None:
    return name if any(provider.name == name for provider in providers) else None
