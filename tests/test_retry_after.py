from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.retry_after import retry_after

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("0", timedelta(0)),
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("-7", timedelta(0)),
        ("-" + "9" * 5000, timedelta(0)),
        ("3601", HOUR),
        ("9" * 5000, HOUR),
        ("Sat, 31 Jan 2026 12:00:40 GMT", timedelta(seconds=40)),
        ("Sat, 31 Jan 2026 11:00:00 GMT", timedelta(0)),
        ("Sat, 31 Jan 2037 12:00:00 GMT", HOUR),
    ],
)
def test_seconds_and_dates_lie_between_nothing_and_an_hour(written: str, wait: timedelta):
    assert retry_after({"Retry-After": written}, NOW) == wait


@pytest.mark.parametrize("written", ["", "soon", "1.5", "１２", "Sat, 99 Foo 2026", "nan", "\x00"])
def test_what_is_not_legible_is_nothing(written: str):
    assert retry_after({"Retry-After": written}, NOW) is None
    assert retry_after({}, NOW) is None


def test_a_date_counts_from_the_answers_own_date():
    headers = {"Retry-After": "Sat, 31 Jan 2026 12:00:40 GMT", "Date": "Sat, 31 Jan 2026 12:00:30 GMT"}
    assert retry_after(headers, NOW - timedelta(days=3)) == timedelta(seconds=10)
