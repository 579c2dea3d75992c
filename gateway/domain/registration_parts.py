"""Looking into a definition that nobody has checked yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.template import Place

Broken = tuple[str, Place, str]
"""A rule that is broken: its code, the place, and a sentence."""


def word(part: Any, key: str) -> str:
    """A word of the platform in upper case; empty where there is none."""
    value = part.get(key) if isinstance(part, Mapping) else None
    return value.upper() if isinstance(value, str) else ""


def text_at(part: Any, key: str) -> str:
    """The text there; empty where there is none."""
    value = part.get(key) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else ""


def listed(part: Any, key: str) -> list[tuple[Place, JsonObject]]:
    """The objects that are listed there, each with its place."""
    return [((key, index), item) for index, item in enumerate(items(part, key)) if isinstance(item, Mapping)]


def items(part: Any, key: str) -> list[Any]:
    value = part.get(key) if isinstance(part, Mapping) else None
    return list(value) if isinstance(value, list | tuple) else []
