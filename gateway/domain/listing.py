"""The templates of an account, as its provider lists them."""

from __future__ import annotations

from dataclasses import dataclass

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
