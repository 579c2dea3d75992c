"""The rows of the Cloud API's surface, with any version and with none, and of 360dialog's style of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.web.answers import JSON, PROBLEM
from gateway.web.cloud_edges import EDGES
from gateway.web.openapi import Operation, Scheme, Surface, json_answer, passed_or
from gateway.web.openapi_answers import PASSED
from gateway.web.openapi_bodies import CLOUD_BODY
from gateway.web.openapi_parameters import BODY, DECISION_HEADERS, POST_HEADERS, READING, path_parameter, query
from gateway.web.openapi_schema import TEXT, Schema, one_of, ref

View = dict[str, Any]

BEARER = Scheme(name="bearer", view={"type": "http", "scheme": "bearer", "description": "The client's key."})
D360 = Scheme(
    name="D360-API-KEY",
    view={"type": "apiKey", "in": "header", "name": "D360-API-KEY", "description": "The client's key, as 360dialog."},
)
_X_API_KEY = Scheme(
    name="X-API-Key",
    view={"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The client's key, as some resellers."},
)
_IN_QUERY = Scheme(
    name="access_token",
    view={
        "type": "apiKey",
        "in": "query",
        "name": "access_token",
        "description": "The client's key, where a header can't be set.",
    },
)
CLOUD = Surface(
    title="Cloud API",
    about="What clients of Meta's Cloud API speak, with any version in the path and with none, and 360dialog's style "
    "of it. Errors have the platform's shape and its codes.",
    schemes=(BEARER, _IN_QUERY, D360, _X_API_KEY),
    error=ref("cloud-error"),
)
SENT: View = json_answer({"anyOf": [ref("cloud-sent"), ref("cloud-done")]}, DECISION_HEADERS)
SENDING = (*BODY, *READING, 404, 409, 502)

_PASSED: View = json_answer(PASSED)
_STREAMED: View = {"content": {"*/*": {"schema": {}}}}
_DIGITS: Schema = {"type": "string", "pattern": "^[0-9]{1,20}$"}
_VERSION = path_parameter(
    "version", "A version of the platform's API.", {"pattern": "^v[0-9]{1,3}\\.[0-9]{1,3}$", **TEXT}
)
_FIELDS = query("fields", "Which fields to tell, with commas between them.", TEXT)
_OWNER = query("phone_number_id", "The number that a medium was uploaded for, or came to.", _DIGITS)
_NAME = query("name", "Of templates, those of this name.", TEXT)
_LIST: tuple[View, ...] = (
    _FIELDS,
    query("limit", "Of a list, how many at once.", {"type": "integer", "minimum": 1, "maximum": 1000}),
    query("after", "Of a list, the cursor behind which it goes on.", TEXT),
    query("summary", "Of templates, which counts to tell, with commas between them.", TEXT),
    _NAME,
    *(query(name, f"Of templates, those of this {name}.", TEXT) for name in ("status", "category", "language")),
)
_QUERIES: Mapping[str, tuple[View, ...]] = {"GET": _LIST, "POST": (), "DELETE": (_NAME,)}
"""What is asked of an edge beside the path. What a provider knows besides may be handed on, too."""
_UPLOAD: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}, "type": TEXT, "messaging_product": TEXT},
    "required": ["file"],
}
_WEBHOOK: Schema = {"type": "object", "properties": {"url": TEXT}, "required": ["url"]}
_UPLOADED: Mapping[str, Schema] = {"multipart/form-data": _UPLOAD}
_EDGE_BODIES: Mapping[str, Schema] = {JSON: {"type": "object"}, **_UPLOADED}


def _elsewhere(error: Schema) -> View:
    return {
        "description": "There is no such thing; of a path that is none of this surface in the native words.",
        "content": {JSON: {"schema": error}, PROBLEM: {"schema": ref("problem")}},
    }


_ELSEWHERE, _ELSEWHERE_OR_PASSED = _elsewhere(CLOUD.error), _elsewhere(passed_or(CLOUD.error))


def cloud_operations() -> Iterator[Operation]:
    yield Operation(
        method="POST",
        path="/messages",
        surface=CLOUD,
        id="send360dialog",
        title="Send a message, as 360dialog has it",
        about="The key says from which number. `messaging_product` may be left out.",
        parameters=POST_HEADERS,
        body=CLOUD_BODY,
        answers={200: SENT},
        errors=SENDING,
        passes=True,
    )
    yield Operation(
        method="POST",
        path="/media",
        surface=CLOUD,
        id="upload360dialog",
        title="Upload a medium, as 360dialog has it",
        bodies=_UPLOADED,
        answers={200: _PASSED},
        errors=(*BODY, *READING, 404, 502),
        passes=True,
    )
    yield Operation(
        method="GET",
        path="/media/{sealed}",
        surface=CLOUD,
        id="downloadMedium",
        title="Fetch a medium",
        about="The address is the `url` of `GET /{id}`, for a while.",
        parameters=(path_parameter("sealed", "What stands in that address."),),
        answers=dict.fromkeys((200, 206, 304, 416), _STREAMED),
        errors=(400, *READING, 404, 502),
    )
    yield Operation(
        method="GET",
        path="/{version}",
        surface=CLOUD,
        id="rootOfVersion",
        title="Whether a key is good",
        about="Nothing stands there; the error is another one when the key is not valid.",
        parameters=(_VERSION,),
        errors=(400, *READING),
    )
    yield from _configs()
    yield from _of("", "")
    yield from _of("/{version}", "OfVersion", _VERSION)


def _configs() -> Iterator[Operation]:
    at_once = {"type": "integer", "minimum": 0}
    yield Operation(
        method="GET",
        path="/v1/configs/templates",
        surface=CLOUD,
        id="templatesOf360dialog",
        title="The templates, as 360dialog lists them",
        about="The provider's own list, where it is 360dialog; else the registered ones.",
        parameters=(query("limit", "How many at once.", at_once), query("offset", "How many to pass over.", at_once)),
        answers={200: _PASSED},
        errors=(400, *READING, 502),
        passes=True,
    )
    for method, title in (("GET", "A number's profile"), ("POST", "Change a number's profile")):
        yield _passing(
            method,
            "/whatsapp_business_profile",
            f"{method.lower()}ProfileOf360dialog",
            f"{title}, as 360dialog has it",
            (_FIELDS,) if method == "GET" else (),
            {JSON: {"type": "object"}} if method == "POST" else None,
        )
    yield Operation(
        method="POST",
        path="/v1/configs/webhook",
        surface=CLOUD,
        id="webhookOf360dialog",
        title="Say where callbacks of this key go, as 360dialog has it",
        about="It is the operator's to say (`clients[].webhook.url`): any other address is refused.",
        body=_WEBHOOK,
        answers={200: json_answer(_WEBHOOK)},
        errors=(*BODY, *READING),
    )


def _of(prefix: str, suffix: str, *version: View) -> Iterator[Operation]:
    named = path_parameter("id", "The id of a number, an account or a medium.", _DIGITS)
    yield Operation(
        method="POST",
        path=f"{prefix}/{{number}}/messages",
        surface=CLOUD,
        id=f"sendMessage{suffix}",
        title="Send a message, or say that one was read",
        about="Without a `type` it is a text. What the platform does not know is ignored.",
        parameters=(*version, path_parameter("number", "The sender's `phone_number_id`.", _DIGITS), *POST_HEADERS),
        body={**CLOUD_BODY, "required": ["messaging_product"]},
        answers={200: SENT, 404: _ELSEWHERE_OR_PASSED},
        errors=SENDING,
        passes=True,
    )
    yield Operation(
        method="GET",
        path=f"{prefix}/debug_token",
        surface=CLOUD,
        id=f"debugToken{suffix}",
        title="What a key may do: the caller's own",
        parameters=(*version, query("input_token", "The key.", TEXT)),
        answers={200: json_answer({"type": "object"}), 404: _ELSEWHERE},
        errors=(400, *READING),
    )
    for method, title in (("GET", "A number, an account or a medium"), ("DELETE", "Delete a medium")):
        asked = (_FIELDS, _OWNER) if method == "GET" else (_OWNER,)
        yield _passing(method, f"{prefix}/{{id}}", f"{method.lower()}Object{suffix}", title, (*version, named, *asked))
    for method in ("GET", "POST", "DELETE"):
        edges = [edge for asked_by, edge in EDGES if asked_by == method]
        about = path_parameter("edge", "What is asked of it.", one_of(edges))
        yield _passing(
            method,
            f"{prefix}/{{id}}/{{edge}}",
            f"{method.lower()}Edge{suffix}",
            "What belongs to a number or an account: " + ", ".join(edges),
            (*version, named, about, *_QUERIES[method]),
            _EDGE_BODIES if method == "POST" else None,
        )


def _passing(
    method: str,
    path: str,
    name: str,
    title: str,
    parameters: tuple[View, ...],
    bodies: Mapping[str, Schema] | None = None,
) -> Operation:
    return Operation(
        method=method,
        path=path,
        surface=CLOUD,
        id=name,
        title=title,
        about="Handed on to the sender's provider where it has such a thing, else answered from the configuration and "
        "the registered templates, or refused.",
        parameters=parameters,
        bodies=bodies,
        answers={200: _PASSED, 404: _ELSEWHERE_OR_PASSED},
        errors=(*(BODY if method == "POST" else (400,)), *READING, 502),
        passes=True,
    )
