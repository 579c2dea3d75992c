"""How instants are written for others."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """An instant as RFC 3339 has it, in UTC, with milliseconds and a Z."""
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return in_utc.isoformat("T", "milliseconds").removesuffix("+00:00") + "Z"


def rfc3339_or_none(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
