"""What outside systems send, read with patience: what can be kept is kept, in a form that every store takes."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

DEPTH = 64
"""What nests deeper is cut there: no callback that means something comes near it."""
_LONGEST_NUMBER = 64
_TOO_DEEP = "(nested too deeply)"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Unreadable(ValueError):
    """The bytes are not JSON."""


def parse(body: bytes) -> Any:
    """The JSON value in `body`, cleaned. Bytes that are not UTF-8 are replaced; a number that Python or JSON can't
    hold stays as it was written, a string. Raises Unreadable."""
    text = body.decode("utf-8-sig", errors="replace")
    try:
        value = json.loads(text, parse_int=_int, parse_float=_float, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    return cleaned(value)


def _int(written: str) -> int | str:
    return int(written) if len(written) <= _LONGEST_NUMBER else written


def _float(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written


def cleaned(value: Any, depth: int = DEPTH) -> Any:
    """The value with NUL and lone surrogates replaced by U+FFFD, keys included, and cut where it nests too deeply."""
    if isinstance(value, str):
        return clean(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return _TOO_DEEP
    if isinstance(value, dict):
        return {clean(key): cleaned(item, depth - 1) for key, item in value.items()}
    return [cleaned(item, depth - 1) for item in value]


def clean(text: str, limit: int | None = None) -> str:
    """The text with NUL and lone surrogates replaced, and cut at `limit` characters."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])


def integral(value: Any) -> int | None:
    """The integer meant by a JSON integer, a whole float or a string of digits; a boolean is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER:
        return int(value)
    return None


def scalar(value: Any) -> str | None:
    """A string or number as text, without white space around it; None for anything else and for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    number = integral(value)
    return None if number is None else str(number)


def fingerprint(*parts: Any) -> str:
    """SHA-256 of the parts, the same for the same JSON whatever the order of its keys."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
