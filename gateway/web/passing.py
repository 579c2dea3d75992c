"""Handing on what clients ask of a provider beside messages, and handing back what it says.

The client's key stays here, and so does the provider's: neither stands in what is handed on, whichever way it goes.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from gateway.config import ProviderConfig
from gateway.ports import PassedAnswer, PassingFailed
from gateway.retry_after import retry_after
from gateway.web.answers import JSON, answer
from gateway.web.auth import ACCESS_TOKEN
from gateway.web.parts import CLIENT, Front
from gateway.web.wire_errors import BodyBroken, BodyTooLarge, BodyTooSlow, PassedOn

log = structlog.get_logger()

LARGEST_ANSWER = 8 * 1024 * 1024
"""Of what is read whole, because there are addresses in it."""
_PAGES = ("fields", "limit", "after", "before", "summary", "sort", "since", "until")
_TEMPLATES = ("name", "status", "category", "language", "quality_score", "content", "name_or_content", "hsm_id")
_MEDIA = ("type", "messaging_product", "phone_number_id")
_SETTINGS = ("is_cart_visible", "is_catalog_visible", "prefilled_message", "generate_qr_image", "code")
QUERY = frozenset({*_PAGES, *_TEMPLATES, *_MEDIA, *_SETTINGS})
"""What is handed on of a query. The platform knows others that make another request of it, such as ``method``."""
_NOT_IN_BODIES = frozenset({ACCESS_TOKEN, "method", "fields", "batch", "include_headers", "relative_url"})
"""A key, and what may make another request of it: the platform takes parameters from bodies as well."""
_PLAIN_LIST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,. ")
"""Fields by name alone: those that reach on into other objects would pass by what a key may see."""
_NOT_OURS = frozenset({0, 102, 190})
"""Codes by which the platform refuses the key, which is the provider's and not the client's."""
_STRANGE = "The provider's answer is not one of its API"
_DEEPEST = 100
"""Of what is handed back; the platform's own answers stay far below."""
QUIET_FOR = 30.0
"""Seconds without a byte of a body."""

Change = Callable[[Any], Any]


def query_of(request: web.Request) -> dict[str, str]:
    """What may be handed on of a query."""
    kept = {name: value for name, value in request.query.items() if name in QUERY}
    if not set(kept.get("fields", "")) <= _PLAIN_LIST:
        kept.pop("fields")
    return kept


def only_fields(query: Mapping[str, str], allowed: frozenset[str]) -> dict[str, str]:
    """The query with those fields alone that are the object's own: by a name the platform also reaches others."""
    wanted = [name for name in map(str.strip, query.get("fields", "").split(",")) if name in allowed]
    return {**{name: value for name, value in query.items() if name != "fields"}, "fields": ",".join(wanted or ["id"])}


async def passed_json(
    request: web.Request,
    front: Front,
    provider: ProviderConfig,
    asked: AbstractAsyncContextManager[PassedAnswer],
    *,
    change: Change = lambda body: body,
) -> web.Response:
    """An answer that is JSON, without what is not the client's; whatever form ``Retry-After`` had, in seconds. Raises
    PassedOn."""
    with front.shares.room(request[CLIENT].name):
        status, headers, body = await whole(asked)
    found = await _parsed(body)
    _check(provider, status, found)
    cleaned = _cleaned(found, _Rewriting(request, front, provider))
    wait = retry_after(headers, front.parts.clock.now())
    kept = {} if wait is None else {str(hdrs.RETRY_AFTER): str(math.ceil(wait.total_seconds()))}
    return answer(change(cleaned) if status < 300 else cleaned, status=status, headers=kept)


async def whole(asked: AbstractAsyncContextManager[PassedAnswer]) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and all of the body. Raises PassedOn."""
    body = bytearray()
    try:
        async with asked as found:
            async for piece in found.chunks:
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise PassedOn("The provider said more than is handed back")
            return found.status, found.headers, bytes(body)
    except PassingFailed as trouble:
        raise PassedOn(str(trouble)) from None


async def _parsed(body: bytes) -> Any:
    try:
        return await asyncio.to_thread(json.loads, body) if len(body) > 65_536 else json.loads(body)
    except (ValueError, RecursionError):
        raise PassedOn(_STRANGE) from None


def _check(provider: ProviderConfig, status: int, body: Any) -> None:
    """A refusal of the provider's key would pass for one of the client's."""
    if not isinstance(body, dict | list) or not (200 <= status < 300 or 400 <= status < 600):
        raise PassedOn(_STRANGE)
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if status == 401 or (status >= 400 and isinstance(code, int) and code in _NOT_OURS):
        log.warning("passing.unauthorized", provider=provider.name)
        raise PassedOn("The provider does not take the gateway's credentials now", 503)


async def upload(request: web.Request, limit: int) -> AsyncIterator[bytes]:
    """The body of a request, as it comes. Raises BodyTooLarge, BodyTooSlow, BodyBroken."""
    total = 0
    try:
        while True:
            async with asyncio.timeout(QUIET_FOR):
                piece = await request.content.readany()
            if not piece:
                return
            total += len(piece)
            if total > limit:
                raise BodyTooLarge(limit)
            yield piece
    except TimeoutError:
        raise BodyTooSlow(QUIET_FOR) from None
    except (OSError, HttpProcessingError, web.RequestPayloadError):
        raise BodyBroken from None


# --- what is not the client's ---------------------------------------------------------------------------------------


class _Rewriting:
    """What stands in an answer of the provider's that is only for us."""

    def __init__(self, request: web.Request, front: Front, provider: ProviderConfig) -> None:
        self._key = request.query.get(ACCESS_TOKEN)
        self._base = front.base_url + _version(request)
        self._api = URL(provider.base_url)
        self._secrets = [text for text in {provider.key, quote(provider.key, safe="")} if text]

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "...")
        return text

    def address(self, written: str) -> str:
        """The next page, where the client can get it: here, and with the key where it put the key itself."""
        try:
            named = URL(written)
        except ValueError:
            return ""
        path = named.raw_path.removeprefix(self._api.raw_path.rstrip("/"))
        query = {name: value for name, value in named.query.items() if name in QUERY}
        if self._key is not None:
            query[ACCESS_TOKEN] = self._key
        return str(URL(self._base + path, encoded=True).with_query(query))


def _version(request: web.Request) -> str:
    version = request.match_info.get("version")
    return f"/{version}" if version else ""


def _cleaned(value: Any, rewriting: _Rewriting, within: str = "", left: int = _DEEPEST) -> Any:
    """Raises PassedOn for what can't be written as JSON again."""
    match value:
        case dict() | list() if not left:
            raise PassedOn(_STRANGE)
        case dict():
            return {
                rewriting.text(name): _cleaned_member(name, one, rewriting, within, left - 1)
                for name, one in value.items()
            }
        case list():
            return [_cleaned(one, rewriting, left=left - 1) for one in value]
        case str():
            return rewriting.text(value)
        case float() if not math.isfinite(value):
            raise PassedOn(_STRANGE)
        case _:
            return value


def _cleaned_member(name: str, value: Any, rewriting: _Rewriting, within: str, left: int) -> Any:
    if within == "paging" and name in ("next", "previous") and isinstance(value, str):
        return rewriting.address(value)
    return _cleaned(value, rewriting, name, left)


def as_json(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body that is handed on as it was understood."""
    said = {name: value for name, value in body.items() if name not in _NOT_IN_BODIES}
    return {"headers": {hdrs.CONTENT_TYPE: JSON}, "body": json.dumps(said).encode()}
