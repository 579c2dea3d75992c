"""What monitoring asks: metrics, and how the gateway is."""

from __future__ import annotations

from aiohttp import hdrs, web

from gateway.web import native
from gateway.web.middleware import errors
from gateway.web.parts import PARTS, SHOWS_DETAILS, Parts


async def metrics(request: web.Request) -> web.Response:
    """``GET /metrics``: for Prometheus, in the format that it asks for"""
    exposition = await request.app[PARTS].scrape(",".join(request.headers.getall(hdrs.ACCEPT, [])))
    headers = {hdrs.CONTENT_TYPE: exposition.content_type, hdrs.CACHE_CONTROL: "no-store"}
    response = web.Response(body=exposition.body, headers=headers)
    response.enable_compression()
    return response


ROUTES = (web.get("/metrics", metrics),)


def build_internal_app(parts: Parts) -> web.Application:
    """The application to serve on ``server.internal``: what is nobody else's business."""
    app = web.Application(middlewares=[errors])
    app[PARTS] = parts
    app[SHOWS_DETAILS] = True
    app.add_routes([*ROUTES, web.get("/healthz", native.healthz), web.get("/readyz", native.readyz)])
    return app
