"""Points in time as callbacks write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from gateway.provider.lenient import integral

_EARLIEST = 1_230_768_000
"""2009, the year WhatsApp began: a smaller number is no time in seconds."""
_FIRST_MILLISECONDS = 100_000_000_000
"""As seconds this would be the year 5138."""
_DATE_ONLY = len("2026-01-31")
_FRACTION = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")


def instant(written: Any, zone: tzinfo | None = None) -> datetime | None:
    """The instant meant by Unix seconds or milliseconds (number or string, with or without a fraction) or by RFC 3339;
    None when there is none. A time without zone is read in `zone`, and without that is none.
    """
    number = _number(written)
    if number is not None:
        return _from_unix(number)
    if isinstance(written, str):
        return _from_text(written.strip(), zone)
    return None


def _number(written: Any) -> int | float | None:
    if isinstance(written, float):
        return written
    if isinstance(written, str) and _FRACTION.fullmatch(written.strip()):
        return float(written)
    return integral(written)


def _from_unix(number: int | float) -> datetime | None:
    if number < _EARLIEST:
        return None
    try:
        return datetime.fromtimestamp(number / 1000 if number >= _FIRST_MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _from_text(text: str, zone: tzinfo | None) -> datetime | None:
    if len(text) <= _DATE_ONLY:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None and zone is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
