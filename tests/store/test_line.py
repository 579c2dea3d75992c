"""The rule of the line, against a reading of it that looks at every moment."""

from __future__ import annotations

from itertools import chain, count

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.line import Waiting, soonest, walk

HORIZON = 12


@st.composite
def waiting(draw: st.DrawFn) -> tuple[int, int, bool]:
    due_at = draw(st.integers(0, HORIZON))
    return due_at, draw(st.integers(0, due_at)), draw(st.booleans())


LINES = st.lists(waiting(), max_size=6)


def a_line(facts: list[tuple[int, int, bool]]) -> list[Waiting[int]]:
    return [
        Waiting(subject=place, due_at=due_at, holds_until=holds_until, leaves=leaves)
        for place, (due_at, holds_until, leaves) in enumerate(facts)
    ]


def head_at(facts: list[tuple[int, int, bool]], now: int) -> int | None:
    """The first that may go, where everybody before it has either left or no longer holds."""
    for place, (due_at, _, leaves) in enumerate(facts):
        is_free = all(earlier[1] <= now for earlier in facts[:place])
        if due_at <= now and not leaves and is_free:
            return place
    return None


@given(LINES, st.integers(0, HORIZON))
def test_a_walk_finds_the_first_that_may_go(facts: list[tuple[int, int, bool]], now: int) -> None:
    assert walk(a_line(facts), now).head == head_at(facts, now)


@given(LINES, st.integers(0, HORIZON))
def test_those_that_left_are_before_the_head_and_their_time_is_over(
    facts: list[tuple[int, int, bool]], now: int
) -> None:
    found = walk(a_line(facts), now)
    assert all(facts[place][2] and facts[place][0] <= now for place in found.left)
    assert all(found.head is None or place < found.head for place in found.left)


@given(LINES)
def test_the_soonest_is_the_first_moment_at_which_a_walk_finds_a_head(facts: list[tuple[int, int, bool]]) -> None:
    moments = [(now, head_at(facts, now)) for now in range(HORIZON + 1)]
    assert soonest(a_line(facts)) == next(((now, head) for now, head in moments if head is not None), None)


def test_a_line_is_read_no_further_than_its_head() -> None:
    endless = (Waiting(subject=place, due_at=1, holds_until=1) for place in count())
    assert soonest(endless) == (1, 0)
    assert walk(endless, 5).head is not None


def test_behind_a_block_a_line_is_read_no_further_than_the_first_that_may_pass() -> None:
    blocked = Waiting(subject=-1, due_at=100, holds_until=50)
    endless = (Waiting(subject=place, due_at=1, holds_until=1) for place in count())

    assert soonest(chain([blocked], endless)) == (50, 0)
