"""What every handler does first: see whose request it is, and read its body."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.config import ClientConfig
from gateway.web.parts import CLIENT, KEYS, PARTS, RATES
from gateway.web.strict_json import parse_body
from gateway.web.wire_errors import BodyBroken, BodyEncoded, BodyTooLarge, BodyTooSlow


def admit_basic(request: web.Request) -> ClientConfig:
    """The client of a request of DecisionTelecom's surface. Raises Unauthenticated, TooManyRequests."""
    return _admit(request, request.app[KEYS].of_basic(request.headers))


def admit_bearer(request: web.Request) -> ClientConfig:
    """The client of a request of the native surface. Raises Unauthenticated, TooManyRequests."""
    return _admit(request, request.app[KEYS].of_bearer(request.headers))


def _admit(request: web.Request, client: ClientConfig) -> ClientConfig:
    request[CLIENT] = client
    request.app[RATES].take(client.name)
    return client


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object that a client posted. Raises UnreadableBody."""
    limits = request.app[PARTS].config.limits
    return parse_body(await read_body(request, limits.body), depth=limits.depth)


async def read_body(request: web.Request, limit: int) -> bytes:
    """A body of at most `limit` bytes. Raises BodyTooLarge, BodyTooSlow, BodyBroken, BodyEncoded."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() not in ("", "identity"):
        raise BodyEncoded
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(limit)
    seconds = request.app[PARTS].body_timeout
    try:
        if request.content.is_eof():  # as with most requests, it came along with the headers
            return _checked(request.content.read_nowait(), limit)
        async with asyncio.timeout(seconds):
            return await _read(request, limit)
    except TimeoutError:
        raise BodyTooSlow(seconds) from None
    except (OSError, HttpProcessingError, web.RequestPayloadError):
        raise BodyBroken from None


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


async def _read(request: web.Request, limit: int) -> bytes:
    # aiohttp's own limit is one for all routes, and it has none on time.
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(limit)
    return bytes(body)
