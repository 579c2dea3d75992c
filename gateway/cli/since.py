"""Times as people type them: how long ago, a day, or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_SPAN = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=36_500)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything that a store can hold."""

Moment = datetime | timedelta
"""An instant, or how long before now it is."""


class SpanType(click.ParamType[timedelta]):
    """``90s``, ``30m``, ``24h``, ``7d``"""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        span = span_of(str(value))
        return span if span is not None else self.fail("expected a time such as 30m, 24h or 7d", param, ctx)


class MomentType(click.ParamType[Moment]):
    """``7d`` (so long ago), ``2026-11-01`` (its first instant in UTC), ``2026-11-01T08:00Z``, ``...+02:00``"""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        if isinstance(value, datetime | timedelta):
            return value
        written = str(value)
        span = span_of(written)
        return span if span is not None else self._instant(written, param, ctx)

    def _instant(self, written: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            self.fail("expected 7d, a day such as 2026-11-01, or an instant such as 2026-11-01T08:00Z", param, ctx)
        if at.tzinfo is None and not _DAY.fullmatch(written):
            self.fail(f"its zone is missing; write {written}Z for UTC, or {written}+02:00", param, ctx)
        return self._in_range(at if at.tzinfo else at.replace(tzinfo=UTC), param, ctx)

    def _in_range(self, at: datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return max(at.astimezone(UTC), LONG_AGO)
        except OverflowError:
            self.fail("expected an instant of our time", param, ctx)


def span_of(written: str) -> timedelta | None:
    """The time that is meant; None if it is none, or longer than anybody means."""
    match = _SPAN.fullmatch(written)
    span = int(match[1]) * _UNITS[match[2]] if match else None
    return span if span is not None and span <= _LONGEST else None


def between(since: Moment, until: Moment | None, now: datetime) -> tuple[datetime, datetime]:
    """The two instants. Raises BadParameter when nothing is between them."""
    start, end = _at(since, now), now if until is None else _at(until, now)
    if start >= end:
        remedy = "or give --until a later time" if until is not None else "the time that counts is the gateway's"
        raise click.BadParameter(
            f"nothing lies between it and {end:%Y-%m-%d %H:%M:%SZ}; {remedy}", param_hint="--since"
        )
    return start, end


def _at(moment: Moment, now: datetime) -> datetime:
    return moment if isinstance(moment, datetime) else max(now - moment, LONG_AGO)
