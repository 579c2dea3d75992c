"""Turns what a handler raises into an answer in the shape of its surface."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from gateway.domain.errors import GatewayError, NotFound
from gateway.web.answers import JSON, PROBLEM, answer
from gateway.web.auth import D360_API_KEY
from gateway.web.cloud_errors import CLOUD_API
from gateway.web.errors import CALLBACKS, DECISION_TELECOM, NATIVE, Said, Table, said
from gateway.web.observing import route_of
from gateway.web.parts import CLIENT, PARTS
from gateway.web.untidy_paths import tidied
from gateway.web.wire_errors import BodyBroken, BodyTooLarge, BodyTooSlow, WrongMethod

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A part of the URL space that words its errors in its own way."""

    name: str
    prefix: str
    table: Table
    content_type: str = JSON


_CLOUD_API = re.compile(
    r"/(?:v(?!1(?:/|$))[0-9]{1,4}(?:\.[0-9]{1,4})?|v1/configs|[0-9]+|messages|media|whatsapp_business_profile|debug_token)(?:/|$)",
    re.ASCII,
)
"""Where the Cloud API's paths begin: with a version or an id of an object; and 360dialog's, which have neither."""

_DIALOG360 = "/v1/messages"
"""The path that is 360dialog's when its header comes with it."""

_SURFACES = (
    Surface(name="decision-telecom", prefix="/v1/api/", table=DECISION_TELECOM),
    Surface(name="callbacks", prefix="/callbacks/", table=CALLBACKS),
    Surface(name="native", prefix="", table=NATIVE, content_type=PROBLEM),
)


_CLOUD = Surface(name="cloud-api", prefix="/", table=CLOUD_API)


def _surface_of(request: web.Request) -> Surface:
    path = tidied(request.path)
    if _CLOUD_API.match(path) or (D360_API_KEY in request.headers and _is_dialog360s(request, path)):
        return _CLOUD
    return next(surface for surface in _SURFACES if f"{path}/".startswith(surface.prefix))


def _is_dialog360s(request: web.Request, path: str) -> bool:
    """Of a path of 360dialog's that is not here, its clients are told so in the words that they know."""
    is_routed = request.match_info.http_exception is None
    return path == _DIALOG360 or (not is_routed and not path.startswith(("/v1/api/", "/callbacks/")))


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is raised below; applications that are mounted beside ours speak for themselves."""
    try:
        return await handler(request)
    except Exception as error:
        if len(request.match_info.apps) > 1:
            raise
        return _answer(request, _ours(request, error))


def _answer(request: web.Request, error: GatewayError) -> web.Response:
    client = request.get(CLIENT)
    request.app[PARTS].metrics.refused(None if client is None else client.name, error)
    surface = _surface_of(request)
    words = said(surface.table, error)
    response = answer(
        words.body, status=_status(request, surface, words), headers=words.headers, content_type=surface.content_type
    )
    if isinstance(error, BodyTooLarge | BodyTooSlow | BodyBroken):
        response.force_close()
    return response


def _status(request: web.Request, surface: Surface, words: Said) -> int:
    """Clients built on the vendor's SDKs read an error only under HTTP 200."""
    client = request.get(CLIENT)
    if surface.table is DECISION_TELECOM and client is not None and client.errors_as_200:
        return 200
    return words.status


def _ours(request: web.Request, error: Exception) -> GatewayError:
    match error:
        case GatewayError():
            return error
        case web.HTTPNotFound():
            return NotFound("there is no such resource")
        case web.HTTPMethodNotAllowed():
            return WrongMethod(error.allowed_methods)
        case web.HTTPException():
            raise error
        case _:
            log.exception("request.failed", method=request.method, route=route_of(request), error=type(error).__name__)
            return GatewayError()
