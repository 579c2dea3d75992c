from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.provider.sandbox import TravelClock
from gateway.provider.sandbox.clock import read_duration, written

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_clock() -> TravelClock:
    return TravelClock(lambda: NOON)


def test_it_starts_at_real_time_and_keeps_its_offset():
    clock = a_clock()
    assert clock.now() == NOON
    assert clock.advance(timedelta(hours=25)) == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    clock.advance(timedelta(minutes=1))
    assert clock.now() == datetime(2026, 3, 2, 13, 1, tzinfo=UTC)
    assert clock.real_now() == NOON


def test_it_runs_with_real_time_unless_told_otherwise():
    before = datetime.now(UTC)
    assert before <= TravelClock().now() <= datetime.now(UTC)


@pytest.mark.parametrize("period", [timedelta(0), timedelta(seconds=-1), timedelta(days=3661)])
def test_it_goes_neither_backwards_nor_too_far(period: timedelta):
    clock = a_clock()
    with pytest.raises(ValueError, match="clock"):
        clock.advance(period)
    assert clock.now() == NOON


async def test_a_jump_wakes_everybody_who_waits_and_nobody_afterwards():
    clock = a_clock()
    waiting = [asyncio.create_task(clock.wake()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    clock.advance(timedelta(seconds=1))
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    later = asyncio.create_task(clock.wake())
    await asyncio.sleep(0)
    assert not later.done()
    later.cancel()


async def test_a_sleeper_sleeps_on_after_a_jump_that_is_too_short():
    clock = a_clock()
    asleep = asyncio.create_task(clock.sleep(timedelta(hours=1)))
    await asyncio.sleep(0)
    clock.advance(timedelta(minutes=59))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not asleep.done()
    clock.advance(timedelta(minutes=1))
    await asyncio.wait_for(asleep, 5)


async def test_a_sleeper_needs_no_jump_when_real_time_passes():
    await asyncio.wait_for(TravelClock().sleep(timedelta(milliseconds=2)), 5)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("25h", timedelta(hours=25)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("200ms", timedelta(milliseconds=200)),
        ("0.5d", timedelta(hours=12)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, period: timedelta):
    assert read_duration(text) == period


@pytest.mark.parametrize(
    "text", ["", "25", "h", "-1h", "1 h", "1h,", "1w", "٣h", "1e3s", "99999999999999999d", "1s" * 11]
)
def test_anything_else_is_no_duration(text: str):
    with pytest.raises(ValueError, match="expected a"):
        read_duration(text)


@given(st.text(max_size=30))
def test_reading_a_duration_never_fails_in_another_way(text: str):
    with suppress(ValueError):
        assert read_duration(text) >= timedelta(0)


def test_an_instant_is_shown_in_utc_with_milliseconds():
    assert written(NOON + timedelta(microseconds=1500)) == "2026-03-01T12:00:00.001Z"
