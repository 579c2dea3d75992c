"""The native surface: the registered templates, what their messages must fit, and how they stand at the providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.config import ClientConfig
from gateway.domain.drift import Drift
from gateway.domain.errors import NotFound
from gateway.domain.health import Health, Told
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.template import TemplateDefinition
from gateway.web.answers import answer
from gateway.web.parts import FRONT, Parts
from gateway.web.requests import admit_bearer

View = Mapping[str, Any]


async def templates(request: web.Request) -> web.Response:
    """``GET /v1/templates``: all that are registered"""
    front = request.app[FRONT]
    client, parts = admit_bearer(request, front), front.parts
    found = (parts.registry.definition(*key) for key in parts.registry.names())
    return answer({"templates": [_view(parts, client, one) for one in found if one is not None]})


async def template(request: web.Request) -> web.Response:
    """``GET /v1/templates/{name}/{language}``"""
    front = request.app[FRONT]
    client, parts = admit_bearer(request, front), front.parts
    name, language = request.match_info["name"], request.match_info["language"]
    definition = parts.registry.definition(name, language)
    if definition is None:
        raise NotFound("there is no such template")
    contract = parts.registry.contract(name, language)
    return answer({**_view(parts, client, definition), "definition": definition.document, "contract": contract})


def _view(parts: Parts, client: ClientConfig, definition: TemplateDefinition) -> View:
    now, key = parts.clock.now(), (definition.name, definition.language)
    return {
        "name": definition.name,
        "language": definition.language,
        "category": definition.category,
        "status": definition.status,
        "health": {
            provider: {
                **health_view(parts.health.of(provider, *key), now),
                "drift": _told(parts.drift.of(provider, *key)),
            }
            for provider in _providers(parts, client)
        },
    }


def _told(drift: Drift | None) -> str | None:
    return None if drift is None else str(drift)


def _providers(parts: Parts, client: ClientConfig) -> Iterator[str]:
    """Those of the client's senders, and nobody else's."""
    senders = {sender.id: sender.provider for sender in parts.config.senders}
    yield from dict.fromkeys(senders[sender] for sender in client.senders if sender in senders)


def health_view(health: Health, now: datetime) -> View:
    """What a provider has told of a template, and what follows for a message that would be sent at `now`."""
    unusable = health.unusable(now)
    coming = None if health.coming is None else health.coming.value
    return {
        "usable": unusable is None,
        "problem": None if unusable is None else str(unusable),
        "until": None if unusable is None else rfc3339_or_none(unusable.until),
        "status": None if health.standing is None else health.standing.value.status,
        "status_at": _at(health.standing),
        "flagged": health.is_flagged is not None and health.is_flagged.value,
        "quality": None if health.quality is None else health.quality.value,
        "category": None if health.category is None else health.category.value,
        "coming_category": None if coming is None else {"category": coming.category, "at": rfc3339_or_none(coming.at)},
        "components_changed_at": rfc3339_or_none(health.components_changed_at),
        "refused": _refused(health),
    }


def _refused(health: Health) -> View | None:
    mark = health.standing_mark
    if mark is None:
        return None
    return {"code": mark.code, "at": rfc3339(mark.at), "until": rfc3339_or_none(mark.until)}


def _at(told: Told[Any] | None) -> str | None:
    return None if told is None else rfc3339(told.at)
