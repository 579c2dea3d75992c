"""How answers are written: JSON that no cache keeps, and instants in RFC 3339."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
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
    return web.Response(
        body=json.dumps(body, separators=(",", ":")).encode(),
        status=status,
        headers={hdrs.CACHE_CONTROL: "no-store", **(headers or {})},
        content_type=content_type,
    )


def instant(at: datetime) -> str:
    """An instant in UTC, with a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
