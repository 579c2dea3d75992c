"""What schemas are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
TRUTH: Schema = {"type": "boolean"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object"}
ID: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def a(members: Mapping[str, Schema], *, maybe: Mapping[str, Schema] | None = None) -> Schema:
    """An object with all of these; `maybe` are those that may be missing."""
    properties = {**members, **(maybe or {})}
    return {"type": "object", "properties": properties, "required": list(members), "additionalProperties": False}


def some(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def one_of(words: Iterable[Any]) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
