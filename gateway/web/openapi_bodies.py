"""What is posted to us, as schemas: made of the very documents that requests are checked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from gateway.domain.message import FreeFormType
from gateway.web.openapi_answers import Schema, ref
from gateway.web.shapes import shape

_SHIPPED = ("send-whatsapp", "send-whatsapp-bare", "receive-whatsapp", "cloud-message")
_NOT_TOLD = frozenset({"$schema", "$comment"})
_TYPES = (*get_args(FreeFormType), "template")

NATIVE_BODY: Schema = {"anyOf": [ref(f"native-{kind}") for kind in _TYPES]}
"""A message on the native surface: one schema for each type."""


def bodies() -> Mapping[str, Schema]:
    """By the names under which they stand in the description."""
    shipped = {name: _shipped(name) for name in _SHIPPED}
    natives = {f"native-{kind}": _native(kind) for kind in _TYPES}
    contents = {f"content-{kind}": shipped["cloud-message"]["properties"][kind] for kind in _TYPES}
    return {**shipped, **natives, **contents}


def _shipped(name: str) -> dict[str, Any]:
    return {key: value for key, value in shape(name).document.items() if key not in _NOT_TOLD}


def _native(kind: str) -> Schema:
    """A message object of one type, and beside it what is asked of the gateway: no field besides is taken."""
    message, beside = _shipped("cloud-message")["properties"], _shipped("native-message")["properties"]
    of_any_type = {name: part for name, part in message.items() if name not in _TYPES}
    asked = {name: part for name, part in beside.items() if kind != "template" or name != "fallback"}
    called: Schema = {"description": f'"{kind}"' + (", or nothing" if kind == "text" else ""), "const": kind}
    return {
        "title": f"A message of the type {kind}, and what is asked of the gateway beside it",
        "type": "object",
        "properties": {**of_any_type, "type": called, kind: ref(f"content-{kind}"), **asked},
        "required": ["from", kind, *([] if kind == "text" else ["type"])],
        "additionalProperties": False,
        "anyOf": [{"required": ["to"]}, {"required": ["recipient"]}],
    }
