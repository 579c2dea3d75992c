"""What several routes take and answer alike: parameters, headers, and statuses of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.web.openapi_schema import INSTANT, TEXT, Schema, one_of

View = dict[str, Any]


def path_parameter(name: str, about: str, schema: Schema = TEXT) -> View:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"minLength": 1, **schema}}


def query(name: str, about: str, schema: Schema) -> View:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def header(name: str, about: str, schema: Schema) -> View:
    return {"name": name, "in": "header", "description": about, "schema": schema}


_PRINTABLE: Schema = {"type": "string", "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$"}
SEND_HEADERS = (
    header("Gateway-Reference", "What a fill knows as `message.reference`.", _PRINTABLE),
    header("Gateway-Intent", "What it is about: a name under `intents` in the configuration.", _PRINTABLE),
)
POST_HEADERS = (
    *SEND_HEADERS,
    header(
        "Idempotency-Key",
        "The same key and body are answered the same receipt for 24 hours.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    ),
    header(
        "Prefer",
        "`wait=N`: wait up to N seconds, 30 at most, for the provider's answer.",
        {"type": "string", "pattern": "^wait=[0-9]{1,2}$"},
    ),
)
DECISION_HEADERS: Mapping[str, View] = {
    "Gateway-Decision": {
        "description": "What was decided; refused only where the client is told of it later, by a failed status.",
        "schema": one_of(("sent", "downgraded", "held", "refused")),
    },
    "Gateway-Template": {"description": "`name/language`, when a template leaves.", "schema": TEXT},
    "Gateway-Reason": {"description": "Why it was downgraded or held.", "schema": TEXT},
    "Gateway-Observed": {
        "description": "What would have been done, where the sender only observes.",
        "schema": one_of(("downgraded", "refused", "held")),
    },
    "Gateway-Repaired": {"description": "Which arguments were mended to fit.", "schema": TEXT},
    "Gateway-Window-Closes-At": {"description": "While the window is open.", "schema": INSTANT},
}

READING = (401, 429, 500, 503)
BODY = (400, 408, 413, 415)
SENDING = (*BODY, *READING, 402, 409, 422)
