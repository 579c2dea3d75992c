"""Counts every request, and makes a step of a trace of those that mean something."""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.metrics import Metrics
from gateway.tracing import Tracer

_CLIENTS = ("/v1/", "/messages", "/media", "/{")
"""Where requests come from our own clients, whose traces are continued; the Cloud API's routes begin with a name."""
_TRACED = (*_CLIENTS, "/callbacks/")


def observing(metrics: Metrics, tracer: Tracer) -> Middleware:
    """The outermost middleware, which sees each answer as it leaves."""

    requested, ticks, is_tracing = metrics.requested, time.perf_counter, tracer.is_on

    async def traced(request: web.Request, handler: Handler, route: str) -> web.StreamResponse:
        parent = request.headers.get("traceparent") if route.startswith(_CLIENTS) else None
        with tracer.span(f"{request.method} {route}", kind="server", parent=parent, route=route) as span:
            response = await handler(request)
            span.note(http_status=response.status)
            return response

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = ticks()
        route = route_of(request)
        try:
            if is_tracing and route is not None and route.startswith(_TRACED):
                response = await traced(request, handler, route)
            else:
                response = await handler(request)
        except web.HTTPException as error:  # of an application that is mounted beside ours
            requested(route, error.status, ticks() - started)
            raise
        requested(route, response.status, ticks() - started)
        return response

    return observed


def route_of(request: web.Request) -> str | None:
    """The route as it is written in the code: a path may hold a secret."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical
