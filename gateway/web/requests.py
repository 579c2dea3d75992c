"""What every handler does first: see whose request it is, and read its body."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.config import ClientConfig
from gateway.web.parts import CLIENT, Front, Parts
from gateway.web.strict_json import parse_body
from gateway.web.wire_errors import BodyBroken, BodyEncoded, BodyTooLarge, BodyTooSlow


def admit_basic(request: web.Request, front: Front) -> ClientConfig:
    """The client of a request of DecisionTelecom's surface. Raises Unauthenticated, TooManyRequests."""
    return _admit(request, front, front.keys.of_basic(request.headers))


def admit_bearer(request: web.Request, front: Front) -> ClientConfig:
    """The client of a request of the native surface. Raises Unauthenticated, TooManyRequests."""
    return _admit(request, front, front.keys.of_bearer(request.headers))


def admit_cloud_api(request: web.Request, front: Front) -> ClientConfig:
    """The client of a request of the Cloud API's surface. Raises Unauthenticated, TooManyRequests."""
    return _admit(request, front, front.keys.of_cloud_api(request.headers, request.query))


def _admit(request: web.Request, front: Front, client: ClientConfig) -> ClientConfig:
    request[CLIENT] = client
    front.rates.take(client.name)
    return client


async def read_object(request: web.Request, parts: Parts) -> dict[str, Any]:
    """The JSON object that a client posted. Raises UnreadableBody."""
    limits = parts.config.limits
    return parse_body(await read_body(request, limits.body, parts.body_timeout), depth=limits.depth)


async def read_object_or_none(request: web.Request, parts: Parts) -> dict[str, Any] | None:
    """The same, or None where there is no body at all: parameters may stand in the query. Raises UnreadableBody."""
    limits = parts.config.limits
    body = await read_body(request, limits.body, parts.body_timeout)
    return parse_body(body, depth=limits.depth) if body else None


async def read_body(request: web.Request, limit: int, seconds: float) -> bytes:
    """A body of at most `limit` bytes, within so many seconds. Raises BodyTooLarge, BodyTooSlow, BodyBroken,
    BodyEncoded."""
    encoding = request.headers.get(hdrs.CONTENT_ENCODING)
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise BodyEncoded
    content = request.content
    try:
        if content.is_eof():  # as with most requests, it came along with the headers
            return _checked(content.read_nowait(), limit)
        if (request.content_length or 0) > limit:
            raise BodyTooLarge(limit)
        async with asyncio.timeout(seconds):
            return await _read(content, limit)
    except TimeoutError:
        raise BodyTooSlow(seconds) from None
    except (OSError, HttpProcessingError, web.RequestPayloadError):
        raise BodyBroken from None


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


async def _read(content: StreamReader, limit: int) -> bytes:
    # aiohttp's own limit is one for all routes, and it has none on time.
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(limit)
    return bytes(body)
