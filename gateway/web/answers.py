"""How answers are written: JSON that no cache keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

JSON = "application/json"
PROBLEM = "application/problem+json"


def answer(
    body: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> web.Response:
    """An answer with a JSON body."""
    return written(_ENCODER.encode(body).encode(), status=status, headers=headers, content_type=content_type)


def written(
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> web.Response:
    """An answer with a body that is JSON already."""
    return web.Response(
        body=body,
        status=status,
        headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store", **(headers or {})},
    )


_ENCODER = json.JSONEncoder(separators=(",", ":"))
