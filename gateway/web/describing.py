"""The description of the API: for programs, and as a page for people. It is the same for everybody, and no secret."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache

from aiohttp import hdrs, web

from gateway.web.answers import JSON
from gateway.web.docs_page import page
from gateway.web.openapi import document
from gateway.web.openapi_routes import OPERATIONS

Route = tuple[str, str]
"""A method, and a path as the server writes it."""

_CACHED = "public, max-age=300"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A body that stays as it is."""

    body: bytes
    type: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


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
        openapi=Kept(body=json.dumps(whole, separators=(",", ":")).encode(), type=JSON),
        docs=Kept(body=html, type="text/html", headers=(("Content-Security-Policy", _policy(style)), *_GUARDS)),
    )


async def openapi(request: web.Request) -> web.Response:
    """``GET /openapi.json``"""
    return _answer(request, request.app[DESCRIBED].openapi)


async def docs(request: web.Request) -> web.Response:
    """``GET /docs``"""
    return _answer(request, request.app[DESCRIBED].docs)


def _answer(request: web.Request, kept: Kept) -> web.Response:
    headers = {hdrs.ETAG: kept.etag, hdrs.CACHE_CONTROL: _CACHED, **dict(kept.headers)}
    if kept.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=headers)
    charset = None if kept.type == JSON else "utf-8"
    response = web.Response(body=kept.body, content_type=kept.type, charset=charset, headers=headers)
    response.enable_compression()
    return response


_GUARDS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))


def _policy(style: str) -> str:
    """The page has one style of its own, runs nothing and asks nobody."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = (f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'", "form-action 'none'")
    return "; ".join(("default-src 'none'", *parts, "frame-ancestors 'none'"))
