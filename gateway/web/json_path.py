"""Places inside a JSON document, as errors name them: ``$.template.components[0].parameters[1].text``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

ROOT = "$"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST = 40


def inside(path: str, step: str | int) -> str:
    """The path of a member or an item of what stands at `path`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if _PLAIN.fullmatch(step):
        return f"{path}.{step}"
    return f"{path}[{json.dumps(step[:_LONGEST])}]"


def path_of(steps: Iterable[str | int]) -> str:
    """The path that leads from the root over these steps."""
    path = ROOT
    for step in steps:
        path = inside(path, step)
    return path
