"""What is posted to us, as schemas: made of the very documents that requests are checked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from gateway.domain.message import FreeFormType
from gateway.web.openapi_schema import Schema, ref
from gateway.web.shapes import shape

_SHIPPED = ("send-whatsapp", "send-whatsapp-bare", "receive-whatsapp")
_NOT_TOLD = frozenset({"$schema", "$comment"})
_TYPES = (*get_args(FreeFormType), "template")

NATIVE_BODY: Schema = {"anyOf": [ref(f"native-{kind}") for kind in _TYPES]}
"""A message on the native surface: one schema for each type."""
CLOUD_BODY: Schema = {"anyOf": [*(ref(f"cloud-{kind}") for kind in _TYPES), ref("cloud-read")]}
"""A message on the Cloud API's surface, or the word that one was read."""
_READ: Schema = {
    "title": "A message was read, and perhaps an answer is being typed",
    "type": "object",
    "properties": {
        "messaging_product": {"const": "whatsapp"},
        "status": {"const": "read"},
        "message_id": {"type": "string", "minLength": 1, "maxLength": 512},
        "typing_indicator": {"type": "object", "properties": {"type": {"const": "text"}}, "required": ["type"]},
    },
    "required": ["status", "message_id"],
}


def bodies() -> Mapping[str, Schema]:
    """By the names under which they stand in the description."""
    parts = _shipped("cloud-message")["properties"]
    return {
        **{name: _shipped(name) for name in _SHIPPED},
        **{f"native-{kind}": _native(kind) for kind in _TYPES},
        **{f"cloud-{kind}": _cloud(kind) for kind in _TYPES},
        "cloud-read": _READ,
        **{f"content-{kind}": parts[kind] for kind in _TYPES},
    }


def _shipped(name: str) -> dict[str, Any]:
    return {key: value for key, value in shape(name).document.items() if key not in _NOT_TOLD}


def _cloud(kind: str) -> dict[str, Any]:
    """A message object of one type."""
    parts = _shipped("cloud-message")["properties"]
    of_any_type = {name: part for name, part in parts.items() if name not in _TYPES}
    called: Schema = {"description": f'"{kind}"' + (", or nothing" if kind == "text" else ""), "const": kind}
    return {
        "title": f"A message of the type {kind}",
        "type": "object",
        "properties": {**of_any_type, "type": called, kind: ref(f"content-{kind}")},
        "required": [kind, *([] if kind == "text" else ["type"])],
        "anyOf": [{"required": ["to"]}, {"required": ["recipient"]}],
    }


def _native(kind: str) -> Schema:
    """The same, and beside it what is asked of the gateway: no field besides is taken."""
    message, beside = _cloud(kind), _shipped("native-message")["properties"]
    asked = {name: part for name, part in beside.items() if kind != "template" or name != "fallback"}
    return {
        **message,
        "title": f"{message['title']}, and what is asked of the gateway beside it",
        "properties": {**message["properties"], **asked},
        "required": ["from", *message["required"]],
        "additionalProperties": False,
    }
