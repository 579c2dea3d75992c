"""How instants are written for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instant import rfc3339

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES | st.just(UTC))


@given(INSTANTS)
def test_an_instant_is_written_in_utc_with_milliseconds(at: datetime) -> None:
    written = rfc3339(at)
    assert len(written) == len("2026-03-01T12:00:00.000Z")
    assert timedelta() <= at - datetime.fromisoformat(written) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00.000Z"),
        (datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC), "2026-03-01T12:00:00.000Z"),
        (datetime(2026, 3, 1, 1, 30, 0, 51_999, tzinfo=timezone(timedelta(hours=2))), "2026-02-28T23:30:00.051Z"),
    ],
)
def test_what_is_less_than_a_millisecond_is_cut(at: datetime, written: str) -> None:
    assert rfc3339(at) == written
