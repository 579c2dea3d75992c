"""The templates of an account, as its provider lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.domain.health import TemplateNews
from gateway.domain.message import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTemplate:
    """One of them. `news` is what the list says of its health, `document` all else: what is registered."""

    name: str
    language: str
    """As the list spells it."""
    news: TemplateNews
    document: JsonObject


_SHAPING = ("category", "status", "parameter_format", "components")


def what_matters(listed: ListedTemplate) -> JsonObject:
    """What messages depend on, in one order. Not the examples: the addresses in them are others at each reading."""
    fields = {key: _without_examples(listed.document[key]) for key in _SHAPING if key in listed.document}
    return {"name": listed.name, "language": listed.language, **fields}


def _without_examples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_examples(value[key]) for key in sorted(value) if key != "example"}
    return [_without_examples(item) for item in value] if isinstance(value, list) else value
