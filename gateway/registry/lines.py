"""Where a place of a document stands in its file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from gateway.domain.template import Place

_TOLD_LINE = re.compile(r"line ([0-9]+): ")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Both count from 1."""

    line: int
    column: int


def position_of(root: Node | None, place: Place) -> Position | None:
    """Where the place begins, its key if it has one; of what is not there, where the part around it begins."""
    if root is None:
        return None
    found = root
    mark = found.start_mark
    for step in place:
        match _inner(found, step):
            case None:
                break
            case key, value:
                found, mark = value, key.start_mark
    return Position(mark.line + 1, mark.column + 1)


def nodes_of(text: str) -> Node | None:
    """The nodes of a file of YAML or JSON; None if it is neither, or holds nothing."""
    try:
        node: Node | None = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    return node


def told_position(problem: str) -> Position | None:
    """The line that a sentence about broken YAML names itself."""
    match = _TOLD_LINE.match(problem)
    return None if match is None else Position(int(match[1]), 1)


def _inner(node: Node, step: str | int) -> tuple[Node, Node] | None:
    """The key and the value at this step; an item is its own key. The place of a button in a fill is a number."""
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item
    return None
