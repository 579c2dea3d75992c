"""Definitions, files and components of templates for tests; what a test doesn't name is a plain default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gateway.domain.definition import define
from gateway.domain.message import TemplateMessage
from gateway.domain.template import TemplateDefinition
from gateway.registry import Registry

BODY = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."}
IMAGE_HEADER = {"type": "HEADER", "format": "IMAGE"}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Thanks"},
        {"type": "URL", "text": "Track", "url": "https://shop.example/track/{{1}}"},
    ],
}


def a_document(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "name": "order_sent",
        "language": "en_US",
        "category": "MARKETING",
        "status": "APPROVED",
        "components": list(components) or [BODY],
        **fields,
    }


def a_definition(*components: dict[str, Any], **fields: Any) -> TemplateDefinition:
    return define(a_document(*components, **fields))


def write_template(folder: Path, document: dict[str, Any], name: str | None = None) -> Path:
    path = folder / (name or f"{document['name']}.{document['language']}.yaml")
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def a_registry(folder: Path, *documents: dict[str, Any], schemas: Path | None = None) -> Registry:
    for document in documents:
        write_template(folder, document)
    return Registry.load(folder, schemas)


def text(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def body(*values: Any) -> dict[str, Any]:
    return {"type": "body", "parameters": [text(value) for value in values]}


def header(**media: Any) -> dict[str, Any]:
    return {"type": "header", "parameters": [{"type": kind, kind: value} for kind, value in media.items()]}


def button(index: Any, sub_type: str, **parameter: Any) -> dict[str, Any]:
    parameters = [{"type": kind, kind: value} for kind, value in parameter.items()]
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": parameters}


def a_message(*components: Any, **fields: Any) -> TemplateMessage:
    return TemplateMessage(**{"name": "order_sent", "language": "en_US", "components": components, **fields})
