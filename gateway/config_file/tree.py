"""Looking into values whose shape nobody has checked yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
"""Where a value stands: keys and indices from the top."""

Tree = Any
"""Values as the file gives them."""

Problem = tuple[Place, str]


def shown(place: Place) -> str:
    """A place as people write it: ``senders[0].provider``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".") or "the file"


def part(tree: Tree, key: str) -> dict[str, Any]:
    """The mapping under this key; an empty one when there is none."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return value if isinstance(value, dict) else {}


def rows(tree: Tree, section: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The mappings that this section lists."""
    listed = tree.get(section) if isinstance(tree, dict) else None
    for index, row in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(row, dict):
            yield (section, index), row


def text(values: dict[str, Any], key: str) -> str | None:
    """The text under this key, if there is one that is not empty."""
    value = values.get(key)
    return value if isinstance(value, str) and value else None


def texts(values: dict[str, Any], key: str) -> Iterator[tuple[int, str]]:
    """The texts that are listed under this key, those that are not empty."""
    listed = values.get(key)
    for index, value in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(value, str) and value:
            yield index, value
