"""Values as the JSON that we send."""

from __future__ import annotations

import json
from typing import Any

import orjson

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def encoded(value: Any) -> bytes:
    """The value as JSON. What half a character or a very long number makes unwritable in UTF-8 goes escaped."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _ENCODER.encode(value).encode()
