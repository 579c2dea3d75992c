"""The service window: two instants, whatever the order of the news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.window import OPENING, UNDOCUMENTED, UNKNOWN_WINDOW, ServiceWindow, WindowState, opens_window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MINUTES = st.integers(0, 60 * 50)
News = tuple[str, int]
NEWS = st.tuples(st.sampled_from(["wrote", "refused"]), MINUTES)


def minute(number: int) -> datetime:
    return NOON + number * timedelta(minutes=1)


def heard(window: ServiceWindow, at: datetime) -> ServiceWindow:
    return window.heard(at, by=f"wamid.{at:%d%H%M}", evidence="message")


def after(news: list[News]) -> ServiceWindow:
    window = UNKNOWN_WINDOW
    for kind, number in news:
        window = heard(window, minute(number)) if kind == "wrote" else window.refuted(minute(number))
    return window


def should_be_open(news: list[News], now: int, margin: int) -> bool:
    """The rule in minutes: something written after every refused attempt is less than a day old, less the margin."""
    refused = [number for kind, number in news if kind == "refused"]
    return any(
        all(number > start for start in refused) and now < number + 24 * 60 - margin
        for kind, number in news
        if kind == "wrote"
    )


@given(st.lists(NEWS, max_size=8), MINUTES, st.integers(0, 120))
def test_open_means_written_after_every_refusal_and_less_than_a_day_ago(
    news: list[News], now: int, margin: int
) -> None:
    window = after(news)
    assert window.is_open(minute(now), timedelta(minutes=margin)) == should_be_open(news, now, margin)


@given(st.lists(NEWS, max_size=8), MINUTES)
def test_the_state_of_a_window_says_which_of_four_things_it_is(news: list[News], now: int) -> None:
    wrote = [number for kind, number in news if kind == "wrote"]
    refused = [number for kind, number in news if kind == "refused"]
    state = after(news).state(minute(now))
    if not wrote:
        assert state is WindowState.UNKNOWN
    elif refused and max(wrote) <= max(refused):
        assert state is WindowState.REFUTED
    else:
        assert state is (WindowState.OPEN if now < max(wrote) + 24 * 60 else WindowState.CLOSED)


@given(st.lists(NEWS, max_size=8).flatmap(lambda news: st.tuples(st.just(news), st.permutations(news + news[:3]))))
def test_neither_the_order_of_news_nor_its_repetition_matters(told: tuple[list[News], list[News]]) -> None:
    in_order, shuffled = told
    assert after(shuffled) == after(in_order)


@given(st.lists(NEWS, max_size=8), NEWS)
def test_news_moves_both_instants_forward_only(news: list[News], more: News) -> None:
    before, then = after(news), after([*news, more])
    assert before.anchor is None or (then.anchor is not None and then.anchor >= before.anchor)
    assert before.refuted_at is None or (then.refuted_at is not None and then.refuted_at >= before.refuted_at)


@given(st.lists(NEWS, max_size=8), MINUTES, st.integers(0, 120), st.integers(0, 120))
def test_a_longer_margin_never_opens_a_window(news: list[News], now: int, one: int, other: int) -> None:
    short, long = sorted([timedelta(minutes=one), timedelta(minutes=other)])
    window = after(news)
    assert window.is_open(minute(now), short) or not window.is_open(minute(now), long)


@given(st.lists(NEWS, max_size=8), MINUTES)
def test_a_window_has_an_end_exactly_when_it_can_be_open(news: list[News], now: int) -> None:
    window = after(news)
    assert window.is_open(minute(now)) == (window.closes_at is not None and minute(now) < window.closes_at)
    assert (window.closes_at is None) == (window.anchor is None or window.is_refuted)


def test_a_contact_of_whom_nothing_is_known_is_closed() -> None:
    assert not UNKNOWN_WINDOW.is_open(NOON)
    assert UNKNOWN_WINDOW.closes_at is None


def test_it_is_open_for_24_hours_and_a_tie_is_closed() -> None:
    window = heard(UNKNOWN_WINDOW, NOON)
    assert window.is_open(NOON)
    assert window.is_open(NOON + 24 * HOUR - SECOND)
    assert not window.is_open(NOON + 24 * HOUR)


def test_the_margin_closes_it_early_and_does_not_move_its_end() -> None:
    window = heard(UNKNOWN_WINDOW, NOON)
    margin = timedelta(seconds=60)
    assert window.is_open(NOON + 24 * HOUR - margin - SECOND, margin)
    assert not window.is_open(NOON + 24 * HOUR - margin, margin)
    assert window.closes_at == NOON + 24 * HOUR


def test_a_late_refusal_cannot_close_what_was_opened_after_that_attempt() -> None:
    window = heard(UNKNOWN_WINDOW, NOON).refuted(NOON - HOUR)
    assert window.is_open(NOON)
    assert not window.is_refuted


def test_a_repeated_old_callback_cannot_open_what_was_refused() -> None:
    window = heard(heard(UNKNOWN_WINDOW, NOON).refuted(NOON + HOUR), NOON)
    assert not window.is_open(NOON + HOUR)


def test_writing_in_the_instant_of_the_refused_attempt_stays_closed() -> None:
    assert not heard(UNKNOWN_WINDOW, NOON).refuted(NOON).is_open(NOON)


def test_the_contact_opens_again_what_was_refused() -> None:
    window = heard(heard(UNKNOWN_WINDOW, NOON).refuted(NOON + HOUR), NOON + 2 * HOUR)
    assert window.is_open(NOON + 2 * HOUR)
    assert window.closes_at == NOON + 26 * HOUR


def test_the_evidence_is_that_of_the_latest_message() -> None:
    news = [(NOON, "old", "message"), (NOON + 2 * HOUR, "new", "call"), (NOON + HOUR, "middle", "arrival")]
    for order in permutations(news):
        window = UNKNOWN_WINDOW
        for at, by, evidence in order:
            window = window.heard(at, by=by, evidence=evidence)
        assert (window.opened_by, window.evidence) == ("new", "call")


def test_news_as_old_as_what_is_known_changes_nothing() -> None:
    window = heard(UNKNOWN_WINDOW, NOON)
    assert window.heard(NOON, by="another", evidence="imported") == window


WRITING = ["text", "image", "video", "audio", "voice", "document", "sticker", "location", "contacts", "order"]
TAPS_AND_CALLS = ["button", "interactive", "call"]
NEITHER_SAID_NOR_DENIED = ["reaction", "edit", "revoke", "system", "unsupported", "call_permission_reply"]
NEVER = ["status", "statuses", "echo", "smb_message_echoes", "history", "template", "errors", "user_preferences", ""]


@pytest.mark.parametrize("kind", WRITING + TAPS_AND_CALLS)
def test_messages_taps_and_calls_open_it(kind: str) -> None:
    assert opens_window(kind)


@pytest.mark.parametrize("kind", NEITHER_SAID_NOR_DENIED)
def test_the_undocumented_kinds_open_it_only_when_the_operator_says_so(kind: str) -> None:
    assert not opens_window(kind)
    assert not opens_window(kind, {other for other in NEITHER_SAID_NOR_DENIED if other != kind})
    assert opens_window(kind, {kind})


@pytest.mark.parametrize("kind", NEVER)
def test_statuses_echoes_history_and_our_own_sends_open_nothing_whatever_the_operator_says(kind: str) -> None:
    assert not opens_window(kind, frozenset(NEVER + NEITHER_SAID_NOR_DENIED))


def test_every_kind_is_documented_or_not_but_never_both() -> None:
    assert sorted(OPENING) == sorted(WRITING + TAPS_AND_CALLS)
    assert sorted(UNDOCUMENTED) == sorted(NEITHER_SAID_NOR_DENIED)
