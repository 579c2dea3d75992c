"""One message as different clients write it: types in any case, an index as a number or as digits, in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.platform.changes import Components

_WORDS = ("type", "sub_type")
_INDICES = ("index", "card_index")
_DEFINED_WORDS = ("type", "format", "parameter_format", "category", "otp_type")


def _rewritten(value: Any, rewrite: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, list):
        return [_rewritten(item, rewrite) for item in value]
    if isinstance(value, Mapping):
        return {key: rewrite(key, _rewritten(item, rewrite)) for key, item in value.items()}
    return value


def _in_capitals(key: str, value: Any) -> Any:
    return value.upper() if key in _WORDS else value


def _capitalised(key: str, value: Any) -> Any:
    return value.title() if key in _WORDS else value


def _counted(key: str, value: Any) -> Any:
    return int(value) if key in _INDICES else value


def _in_digits(key: str, value: Any) -> Any:
    return str(value) if key in _INDICES else value


def _turned(key: str, value: Any) -> Any:
    return value[::-1] if key == "components" else value


WRITTEN: dict[str, Callable[[Components], Components]] = {
    "in capitals": lambda components: _rewritten(components, _in_capitals),
    "capitalised": lambda components: _rewritten(components, _capitalised),
    "indices as numbers": lambda components: _rewritten(components, _counted),
    "indices as digits": lambda components: _rewritten(components, _in_digits),
    "backwards": lambda components: _rewritten(components, _turned)[::-1],
}


def in_lower_case(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition as documents on creating one write it."""
    return dict(_rewritten(definition, lambda key, value: value.lower() if key in _DEFINED_WORDS else value))
