"""All routes on one screen."""

from __future__ import annotations

from aiohttp import web

from gateway.web import callbacks, decision_telecom, describing, explaining, monitoring, native, native_send, templates
from gateway.web.auth import Keys
from gateway.web.drafts import DraftRules, Senders
from gateway.web.middleware import errors
from gateway.web.monitoring import build_internal_app
from gateway.web.observing import observing
from gateway.web.parts import FRONT, PARTS, SHOWS_DETAILS, Front, Parts
from gateway.web.rate import Rates
from gateway.web.shapes import SHAPES, shape

__all__ = ["Parts", "build_app", "build_internal_app"]

ROUTES = (
    web.post("/v1/api/send-whatsapp", decision_telecom.send_whatsapp),
    web.post("/v1/api/receive-whatsapp", decision_telecom.receive_whatsapp),
    web.post("/v1/explain", explaining.explain),
    web.post("/v1/messages", native_send.post_message),
    web.get("/v1/messages", native.messages),
    web.get("/v1/messages/{id}", native.message),
    web.get("/v1/windows/{sender}/{contact}", native.window),
    web.get("/v1/templates", templates.templates),
    web.get("/v1/templates/{name}/{language}", templates.template),
    web.get("/healthz", native.healthz),
    web.get("/readyz", native.readyz),
    web.get("/openapi.json", describing.openapi),
    web.get("/docs", describing.docs),
    web.post("/callbacks/{provider}/{secret}", callbacks.callback),
    web.post("/callbacks/{provider}/{secret}/{attempt}", callbacks.callback),
)


def build_app(parts: Parts) -> web.Application:
    """The application that serves every surface. Serve it without auto-decompression and without an access log: a
    callback's path holds a secret."""
    for name in SHAPES:
        shape(name)  # a broken installation shows at start, not at the first message
    config = parts.config
    observed = observing(parts.metrics, parts.tracer)
    app = web.Application(middlewares=[observed, errors], client_max_size=config.limits.callback_body)
    app[PARTS] = parts
    app[SHOWS_DETAILS] = config.server.internal is None
    app[FRONT] = _front(parts)
    app.add_routes(ROUTES)
    if config.server.internal is None:
        app.add_routes(monitoring.ROUTES)
    app[describing.DESCRIBED] = describing.described(describing.routed(app))
    for prefix, mounted in parts.mounts:
        app.add_subapp(prefix, mounted)
    return app


def _front(parts: Parts) -> Front:
    config = parts.config
    return Front(
        parts=parts,
        keys=Keys(config.clients),
        rates=Rates(config.limits.client_per_second, parts.ticks),
        rules=DraftRules(
            senders=Senders(config.senders),
            may_post_to=parts.may_post_to,
            depth=config.limits.depth,
            intents=config.intent_names,
        ),
    )
