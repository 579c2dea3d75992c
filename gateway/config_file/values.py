"""How a part of the written configuration becomes arguments of a dataclass, whose defaults stay its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]


def given(values: Values, **converters: Callable[[Any], Any]) -> dict[str, Any]:
    """What was written, converted; what was not is left to the dataclass."""
    return {key: convert(values[key]) for key, convert in converters.items() if key in values}


def without_slash(url: str) -> str:
    return url.rstrip("/")
