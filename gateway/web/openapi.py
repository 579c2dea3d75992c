"""The description of every route, in OpenAPI 3.1: made once at start from a table beside the routes.

A route is a row of ``openapi_routes``. What its surface always has stands here once: how a key is shown, and how errors
are worded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway import __version__
from gateway.web.answers import JSON
from gateway.web.openapi_answers import ANSWERS, PASSED
from gateway.web.openapi_bodies import bodies
from gateway.web.openapi_schema import Schema

View = dict[str, Any]

_REFERENCE = re.compile(r"#/components/schemas/([\w.-]+)")

TITLES: Mapping[int, str] = {
    200: "It is done.",
    202: "It is accepted: it is on disk.",
    206: "The part of it that was asked for.",
    304: "It is as the ETag says.",
    400: "The request is wrong; the answer names the field and what was expected.",
    401: "The key is missing or not valid.",
    402: "The balance at the provider is empty; only a waiting request is told.",
    403: "It is not ours.",
    404: "There is no such thing, or it is another client's.",
    408: "The body did not arrive in time.",
    409: "It can't be now: the window is closed, the contact is suppressed, or the idempotency key had another body.",
    413: "The body is over the limit.",
    415: "The body is compressed.",
    416: "It has no such part.",
    422: "The template or its arguments can't be sent, or the provider refused the message.",
    429: "Too many requests, or too many messages in line.",
    500: "An internal error.",
    502: "The provider gave no answer that could be handed back.",
    503: "The store is not available, or the gateway is stopping.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A way to show a key."""

    name: str
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What all routes of one API have in common."""

    title: str
    about: str
    schemes: tuple[Scheme, ...] = ()
    """Any one of them will do; none: there is no key."""
    error: Schema
    error_type: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route."""

    method: str
    path: str
    surface: Surface
    id: str
    title: str
    about: str = ""
    parameters: tuple[View, ...] = ()
    body: Schema | None = None
    example: Mapping[str, Any] | None = None
    """A body that a demonstration takes."""
    bodies: Mapping[str, Schema] | None = None
    """Where there are others than JSON, by their type."""
    answers: Mapping[int, View] = field(default_factory=dict)
    """What a success is answered with."""
    errors: Sequence[int] = ()
    """Which statuses an error of the surface may come with."""
    schemes: tuple[Scheme, ...] | None = None
    """Where they are not those of the surface."""
    also: Surface | None = None
    """Another surface that shares the path, and words its errors too."""
    passes: bool = False
    """Whether a provider's own answer may be handed back, whatever its status."""


def json_answer(schema: Schema, headers: Mapping[str, View] | None = None) -> View:
    return {"content": {JSON: {"schema": schema}}, **({"headers": dict(headers)} if headers else {})}


def passed_or(error: Schema) -> Schema:
    """An error of ours, or a provider's own, whose form is its own too."""
    return {"anyOf": [error, PASSED]}


def document(operations: Iterable[Operation]) -> View:
    """The whole description."""
    rows = list(operations)
    paths = _paths(rows)
    surfaces = list({row.surface.title: row.surface for row in rows}.values())
    schemes = {scheme.name: scheme.view for row in rows for scheme in _schemes(row)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "WhatsApp session gateway",
            "version": __version__,
            "summary": "Messages that keep to the 24-hour service window and its templates.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": surface.title, "description": surface.about} for surface in surfaces],
        "paths": paths,
        "components": {"schemas": _reached(paths), "securitySchemes": schemes},
    }


def _paths(rows: Iterable[Operation]) -> View:
    paths: View = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return paths


def _operation(row: Operation) -> View:
    bodies = row.bodies or ({} if row.body is None else {JSON: row.body})
    example = {} if row.example is None else {"example": row.example}
    content = {kind: {"schema": schema, **example} for kind, schema in bodies.items()}
    body = {"requestBody": {"required": True, "content": content}} if bodies else {}
    return {
        "operationId": row.id,
        "tags": [row.surface.title],
        "summary": row.title,
        **({"description": row.about} if row.about else {}),
        "security": [{scheme.name: []} for scheme in _schemes(row)],
        **({"parameters": list(row.parameters)} if row.parameters else {}),
        **body,
        "responses": dict(sorted(_answers(row).items())),
    }


def _schemes(row: Operation) -> tuple[Scheme, ...]:
    return row.surface.schemes if row.schemes is None else row.schemes


def _answers(row: Operation) -> dict[str, View]:
    told = {str(status): {"description": TITLES[status], **answer} for status, answer in row.answers.items()}
    errors = {str(status): _error(row, status) for status in row.errors}
    passed: View = {"default": {"description": "What the provider answers, handed back.", **json_answer(PASSED)}}
    return {**(passed if row.passes else {}), **errors, **told}


def _error(row: Operation, status: int) -> View:
    surfaces = [row.surface, *([] if row.also is None else [row.also])]
    words = {surface.error_type: surface.error for surface in surfaces}
    if row.passes and status != _NEVER_THE_PROVIDERS:
        words[JSON] = passed_or(words[JSON])
    headers = {name: view for name, (statuses, view) in _ERROR_HEADERS.items() if status in statuses}
    told: View = {
        "description": TITLES[status],
        "content": {kind: {"schema": schema} for kind, schema in words.items()},
    }
    return {**told, **({"headers": headers} if headers else {})}


_NEVER_THE_PROVIDERS = 401
"""It would pass for a word on the client's key."""
_ERROR_HEADERS: Mapping[str, tuple[frozenset[int], View]] = {
    "Retry-After": (
        frozenset({429, 503}),
        {"description": "After how many seconds to come again.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    ),
    "WWW-Authenticate": (
        frozenset({401}),
        {"description": "How to show a key.", "schema": {"type": "string"}},
    ),
}


# --- schemas: those that requests are checked with, and those of answers ---------------------------------------------


def _reached(paths: View) -> View:
    """Those that the routes lead to."""
    every = {**bodies(), **ANSWERS}
    found: dict[str, Schema] = {}
    waiting = [paths]
    while waiting:
        names = dict.fromkeys(_REFERENCE.findall(json.dumps(waiting.pop())))
        fresh = {name: every[name] for name in names if name not in found}
        found |= fresh
        waiting += [dict(schema) for schema in fresh.values()]
    return {name: schema for name, schema in every.items() if name in found}
