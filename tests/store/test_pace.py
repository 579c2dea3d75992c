"""Pace, against a bucket that is filled drop by drop."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.pace import Pace

STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=30)


@given(st.integers(1, 10), st.integers(1, 5), STEPS)
def test_a_pace_lets_through_what_a_filling_bucket_would(
    interval: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    pace = Pace(interval=interval, burst=burst)
    bucket, tat, tick = Fraction(burst), 0, 1000
    for passed, wanted in steps:
        tick += passed
        bucket = min(Fraction(burst), bucket + Fraction(passed, interval))
        room = pace.room(tat, tick)
        assert room == int(bucket)
        assert (pace.free_at(tat, tick) <= tick) == (bucket >= 1)
        taken = min(room, wanted)
        tat = pace.charged(tat, tick, taken) if taken else tat
        bucket -= taken


def test_who_is_out_of_pace_may_go_when_the_next_drop_is_full() -> None:
    pace = Pace(interval=6, burst=2)
    tat = pace.charged(0, 100, 2)
    assert pace.room(tat, 100) == 0
    assert pace.free_at(tat, 100) == 106
    assert pace.room(tat, 105) == 0
    assert pace.room(tat, 106) == 1


def test_a_time_from_a_clock_that_was_set_back_means_a_full_burst_at_most() -> None:
    pace = Pace(interval=6, burst=2)
    assert pace.room(10_000, 100) == 0
    assert pace.free_at(10_000, 100) == 106
    assert pace.latest(100) == pace.charged(0, 100, 2)
