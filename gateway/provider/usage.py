"""The platform's usage headers: what an app and its accounts have used of what they are allowed.

Source: Meta, platform rate limits: ``X-App-Usage`` and ``X-Business-Use-Case-Usage``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from gateway.provider.lenient import Unreadable, integral, parse, scalar

_USAGES = ("X-App-Usage", "X-Business-Use-Case-Usage")
_REGAIN = "estimated_time_to_regain_access"
_SHARES = ("call_count", "total_cputime", "total_time")
_MOST_MINUTES = 10_000


def regained_in(headers: Mapping[str, str], *, longest: timedelta) -> timedelta | None:
    """In how long more will be allowed, by the platform's own estimate, which is in minutes; None: it gives none."""
    minutes = max((_number(use, _REGAIN) for use in _uses(headers)), default=0)
    return min(timedelta(minutes=min(minutes, _MOST_MINUTES)), longest) if minutes > 0 else None


def used(headers: Mapping[str, str]) -> int:
    """The largest share, in percent, of anything that is limited."""
    return max((_number(use, share) for use in _uses(headers) for share in _SHARES), default=0)


def _uses(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The objects with numbers in them: one for the application, and several for each account."""
    for name in _USAGES:
        told = _object_in(headers.get(name, ""))
        yield told
        listed = [use for uses in told.values() if isinstance(uses, list) for use in uses]
        yield from (use for use in listed if isinstance(use, dict))


def _object_in(written: str) -> Mapping[str, Any]:
    try:
        told = parse(written.encode(errors="replace")) if written else {}
    except Unreadable:
        return {}
    return told if isinstance(told, dict) else {}


def _number(use: Mapping[str, Any], key: str) -> int:
    written = use.get(key)
    if isinstance(written, float):
        return int(written)
    text = scalar(written)
    return 0 if text is None else integral(text.partition(".")[0]) or 0
