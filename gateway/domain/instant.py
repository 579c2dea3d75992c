"""How instants are written for others."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson


def rfc3339(at: datetime) -> str:
    """An instant as RFC 3339 has it, in UTC, with milliseconds and a Z."""
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    # orjson writes six digits of a second, or none if it is whole; isoformat takes three times as long.
    quoted = orjson.dumps(in_utc, option=orjson.OPT_UTC_Z).decode()
    return f"{quoted[1:24]}Z" if "." in quoted else f"{quoted[1:20]}.000Z"


def rfc3339_or_none(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
