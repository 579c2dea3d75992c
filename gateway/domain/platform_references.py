"""Where the platform's message objects name other messages, and naming those by other ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLACES = (("context", "id"), ("reaction", "message_id"))
"""What may be a message of ours. An edit and a revocation name what the contact wrote itself."""


def references(message: Any) -> frozenset[str]:
    """The ids by which a message object names other messages."""
    return frozenset(named for part, key in _PLACES if (named := _at(message, part, key)) is not None)


def with_references(message: Mapping[str, Any], ids: Mapping[str, str]) -> Mapping[str, Any]:
    """The object with these ids replaced; all else as it was."""
    changed: dict[str, Any] = {}
    for part, key in _PLACES:
        named = _at(message, part, key)
        if named is not None and named in ids:
            changed[part] = {**message[part], key: ids[named]}
    return {**message, **changed} if changed else message


def _at(message: Any, part: str, key: str) -> str | None:
    inside = message.get(part) if isinstance(message, Mapping) else None
    named = inside.get(key) if isinstance(inside, Mapping) else None
    return named if isinstance(named, str) else None
