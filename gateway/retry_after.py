"""The ``Retry-After`` header of an answer, whoever gave it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)
_SECONDS = re.compile(r"-?[0-9]+", re.ASCII)
_MOST_DIGITS = 9


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer asks us to wait, between nothing and an hour; None when it does not say so legibly.

    A date counts from the answer's own ``Date``, so that two clocks that disagree do no harm, and from `now` without.
    """
    written = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(written):
        seconds = int(written) if len(written) <= _MOST_DIGITS else 0 if written.startswith("-") else LONGEST.seconds
        return _clamped(timedelta(seconds=seconds))
    until = _http_date(written)
    if until is None:
        return None
    return _clamped(until - (_http_date(headers.get("Date", "")) or now))


def _clamped(wait: timedelta) -> timedelta:
    return max(timedelta(0), min(wait, LONGEST))


def _http_date(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
