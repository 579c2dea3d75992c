"""A page of the platform's list of templates: what was asked for, where it begins, and where the next one is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.cloud.entrance import shown_key
from gateway.provider.sandbox.templates import Definition

PAGE = 25
LARGEST_PAGE = 100
LIMIT = 250
_FILTERS = ("status", "category", "language", "quality_score")
_UNASKED = ("name", "parameter_format", "components", "language", "status", "category")

Body = Mapping[str, Any]


def template_page(request: web.Request, written: Sequence[Definition]) -> Body:
    """The answer to the request, of all that is registered."""
    found = [
        (str(number), whole) for number, whole in enumerate(map(_whole, written)) if _is_asked(whole, request.query)
    ]
    begin, size = _place(request.query.get("after", "")), _size(request.query.get("limit", ""))
    wanted = [field for field in request.query.get("fields", "").split(",") if field] or _UNASKED
    page = [_entry(whole, number, wanted) for number, whole in found[begin:][:size]]
    cursors = {"before": _cursor(begin), "after": _cursor(begin + len(page))}
    following = {} if begin + size >= len(found) else {"next": _next(request, cursors["after"])}
    return {"data": page, "paging": {"cursors": cursors, **following}, **_summary(request, len(found), len(written))}


def _whole(definition: Definition) -> Definition:
    return {"status": "APPROVED", "category": "UTILITY", "parameter_format": "POSITIONAL", **definition}


def _is_asked(definition: Definition, query: Mapping[str, str]) -> bool:
    """Names are found by any part of them, as the platform does."""
    if query.get("name", "") not in str(definition.get("name")):
        return False
    return all(
        str(definition.get(field, "")).casefold() in query[field].casefold().split(",")
        for field in _FILTERS
        if query.get(field)
    )


def _entry(whole: Definition, number: str, wanted: Sequence[str]) -> Body:
    """With the fields that were asked for, as far as there are any."""
    return {**{key: value for key, value in whole.items() if key in wanted}, "id": str(whole.get("id") or number)}


def _next(request: web.Request, after: str) -> str:
    """Whole, with the key: that is how the platform's clients follow it."""
    return str(request.url.update_query({"access_token": shown_key(request), "after": after}))


def _summary(request: web.Request, found: int, registered: int) -> Body:
    asked = request.query.get("summary", "")
    if not asked and "summary" not in request.query.get("fields", "").split(","):
        return {}
    counts = {"total_count": found, "message_template_count": registered, "message_template_limit": LIMIT}
    return {"summary": {**counts, "are_translations_complete": True}}


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str) -> int:
    try:
        written = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        return 0
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0


def _size(limit: str) -> int:
    is_number = limit.isascii() and limit.isdigit() and len(limit) < 6
    return max(1, min(int(limit), LARGEST_PAGE)) if is_number else PAGE
