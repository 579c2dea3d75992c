"""All routes on one screen."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from gateway.web import (
    callbacks,
    cloud_api,
    cloud_edges,
    cloud_media,
    decision_telecom,
    describing,
    dialog360,
    explaining,
    monitoring,
    native,
    templates,
    v1_messages,
)
from gateway.web.auth import Keys
from gateway.web.cloud_objects import Objects
from gateway.web.drafts import DraftRules, Senders
from gateway.web.middleware import errors
from gateway.web.monitoring import build_internal_app
from gateway.web.observing import observing
from gateway.web.parts import FRONT, PARTS, SHOWS_DETAILS, Front, Parts
from gateway.web.rate import Rates
from gateway.web.shapes import SHAPES, shape
from gateway.web.untidy_paths import UntidyPaths

__all__ = ["Parts", "build_app", "build_internal_app"]

ROUTES = (
    web.post("/v1/api/send-whatsapp", decision_telecom.send_whatsapp),
    web.post("/v1/api/receive-whatsapp", decision_telecom.receive_whatsapp),
    web.post("/v1/messages", v1_messages.post_message),
    web.post("/v1/explain", explaining.explain),
    web.get("/v1/messages", native.messages),
    web.get("/v1/messages/{id}", native.message),
    web.get("/v1/windows/{sender}/{contact}", native.window),
    web.get("/v1/templates", templates.templates),
    web.get("/v1/templates/{name}/{language}", templates.template),
    web.get("/healthz", native.healthz),
    web.get("/readyz", native.readyz),
    web.get("/openapi.json", describing.openapi),
    web.get("/docs", describing.docs),
    web.get("/callbacks/{provider}", callbacks.subscription),
    web.post("/callbacks/{provider}", callbacks.signed_callback),
    web.post("/callbacks/{provider}/{secret}", callbacks.callback),
    web.post("/callbacks/{provider}/{secret}/{attempt}", callbacks.callback),
)

_VERSION = r"/{version:v[0-9]{1,3}\.[0-9]{1,3}}"


def _cloud_routes() -> Iterator[web.RouteDef]:
    """The Cloud API's, with any version and with none, where only digits are an id; and 360dialog's style of them."""
    yield web.post("/messages", cloud_api.send_dialog360)
    yield web.post("/media", cloud_media.post_media)
    yield web.get("/media/{sealed}", cloud_media.download)
    yield web.get(_VERSION, cloud_edges.at_root)
    yield web.get("/whatsapp_business_profile", cloud_edges.profile)
    yield web.post("/whatsapp_business_profile", cloud_edges.profile)
    yield web.get("/v1/configs/templates", dialog360.templates)
    yield web.post("/v1/configs/webhook", dialog360.set_webhook)
    for prefix, id_ in (("", "[0-9]+"), (_VERSION, "[^/]+")):
        yield web.get(f"{prefix}/debug_token", cloud_edges.debug_token)
        yield web.post(f"{prefix}/{{number:{id_}}}/messages", cloud_api.send_message)
        for method in ("GET", "DELETE"):
            yield web.route(method, f"{prefix}/{{id:{id_}}}", cloud_edges.at_object)
        for method in ("GET", "POST", "DELETE"):
            yield web.route(method, f"{prefix}/{{id:{id_}}}/{{edge}}", cloud_edges.at_edge)


CLOUD_ROUTES = tuple(_cloud_routes())


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
    app.add_routes(CLOUD_ROUTES)
    clients = {resource.canonical for resource in app.router.resources()}
    if config.server.internal is None:
        app.add_routes(monitoring.ROUTES)
    app[describing.DESCRIBED] = describing.described(describing.routed(app))
    for prefix, mounted in parts.mounts:
        app.add_subapp(prefix, mounted)
    app.router.register_resource(UntidyPaths(app.router, clients))
    return app


def _front(parts: Parts) -> Front:
    config = parts.config
    senders = Senders(config.senders)
    return Front(
        parts=parts,
        keys=Keys(config.clients),
        rates=Rates(config.limits.client_per_second, parts.ticks),
        rules=DraftRules(
            senders=senders,
            may_post_to=parts.may_post_to,
            depth=config.limits.depth,
            intents=config.intent_names,
        ),
        objects=Objects(config, senders),
    )
