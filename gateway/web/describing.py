"""The description of the API: for programs, and as a page for people. It is the same for everybody, and no secret."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import hdrs, web

from gateway.web.answers import JSON
from gateway.web.docs_page import page
from gateway.web.openapi import document
from gateway.web.openapi_routes import OPERATIONS

Route = tuple[str, str]
"""A method, and a path as the server writes it."""

_CACHED = "public, max-age=300"
_BY_PACKING = "Accept-Encoding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A body that stays as it is, and is packed once."""

    body: bytes
    packed: bytes
    etag: str
    headers: Mapping[str, str]


def kept(body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> Kept:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    always = {hdrs.CONTENT_TYPE: content_type, hdrs.ETAG: etag, hdrs.CACHE_CONTROL: _CACHED, hdrs.VARY: _BY_PACKING}
    return Kept(
        body=body, packed=gzip.compress(body, mtime=0), etag=etag, headers={**_named(always), **(headers or {})}
    )


def _named(headers: Mapping[Any, str]) -> dict[str, str]:
    return {str(name): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    openapi: Kept
    docs: Kept


DESCRIBED = web.AppKey("described", Described)


def routed(app: web.Application) -> frozenset[Route]:
    """What an application answers itself."""
    return frozenset(
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    )


@cache
def described(routes: frozenset[Route]) -> Described:
    """The description of these routes, and the page of it."""
    whole = document(row for row in OPERATIONS if (row.method, row.path) in routes)
    html, style = page(whole)
    return Described(
        openapi=kept(json.dumps(whole, separators=(",", ":")).encode(), JSON),
        docs=kept(html, "text/html; charset=utf-8", {"Content-Security-Policy": _policy(style), **_GUARDS}),
    )


async def openapi(request: web.Request) -> web.Response:
    """``GET /openapi.json``"""
    return _answer(request, request.app[DESCRIBED].openapi)


async def docs(request: web.Request) -> web.Response:
    """``GET /docs``"""
    return _answer(request, request.app[DESCRIBED].docs)


def _answer(request: web.Request, kept: Kept) -> web.Response:
    if kept.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=kept.headers)
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return web.Response(body=kept.body, headers=kept.headers)
    return web.Response(body=kept.packed, headers={**kept.headers, hdrs.CONTENT_ENCODING: "gzip"})


_GUARDS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def _policy(style: str) -> str:
    """The page has one style of its own, runs nothing and asks nobody."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = (f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'", "form-action 'none'")
    return "; ".join(("default-src 'none'", *parts, "frame-ancestors 'none'"))
