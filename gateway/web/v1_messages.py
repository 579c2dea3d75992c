"""``POST /v1/messages``: one path of two surfaces, told apart by the header that the key comes in."""

from __future__ import annotations

from aiohttp import web

from gateway.web import native_send
from gateway.web.auth import D360_API_KEY
from gateway.web.cloud_api import send_dialog360


async def post_message(request: web.Request) -> web.StreamResponse:
    """360dialog's style with its own header, the native form with any other or none."""
    if D360_API_KEY in request.headers:
        return await send_dialog360(request)
    return await native_send.post_message(request)
