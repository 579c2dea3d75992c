"""What is known of a template follows from what was told and when, not from the order in which it came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import ProviderError
from gateway.domain.health import (
    FIRST_PAUSE,
    REASONS,
    SECOND_PAUSE,
    UNKNOWN_HEALTH,
    Category,
    Coming,
    Health,
    HealthKey,
    Quality,
    TemplateNews,
    TemplateStatus,
    after_news,
    after_refusal,
)
from gateway.domain.template_refusal import MEANINGS, STRIKES, STRIKES_WITHIN, template_code

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

times = st.integers(0, 6).map(lambda hours: NOON + timedelta(hours=hours))
told = st.builds(
    TemplateNews,
    status=st.none() | st.sampled_from(TemplateStatus),
    lasts=st.none() | st.sampled_from([FIRST_PAUSE, SECOND_PAUSE]),
    is_flagged=st.none() | st.booleans(),
    quality=st.none() | st.sampled_from(Quality),
    category=st.none() | st.sampled_from(Category),
    coming=st.none() | st.builds(Coming, st.sampled_from(Category), st.none() | times),
    is_category_settled=st.booleans(),
    has_new_components=st.booleans(),
)
stories = st.lists(st.tuples(told, times), max_size=6)


def heard(*said: tuple[TemplateNews, datetime]) -> Health:
    health = UNKNOWN_HEALTH
    for news, at in said:
        health = after_news(health, news, at)
    return health


def is_(status: TemplateStatus, lasts: timedelta | None = None) -> TemplateNews:
    return TemplateNews(status=status, lasts=lasts)


def refused(*codes: tuple[int, datetime], ours: bool = True, before: Health = UNKNOWN_HEALTH) -> Health:
    for code, at in codes:
        before = after_refusal(before, code, at, is_filled_by_us=ours)
    return before


def why(health: Health, now: datetime = NOON) -> str | None:
    unusable = health.unusable(now)
    return None if unusable is None else str(unusable)


# --- news -----------------------------------------------------------------------------------------------------------


@given(stories, st.data())
def test_the_order_in_which_news_comes_makes_no_difference(
    story: list[tuple[TemplateNews, datetime]], data: st.DataObject
) -> None:
    assert heard(*data.draw(st.permutations(story))) == heard(*story)


@given(stories, st.data())
def test_news_that_comes_again_changes_nothing(story: list[tuple[TemplateNews, datetime]], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(story), max_size=4)) if story else []
    assert heard(*story, *again) == heard(*story)


@given(stories, told, times)
def test_older_news_undoes_no_newer(story: list[tuple[TemplateNews, datetime]], news: TemplateNews, at: datetime):
    health = heard(*story)
    late = after_news(health, news, at)
    if health.standing is not None and health.standing.at > at:
        assert late.standing == health.standing
    if health.quality is not None and health.quality.at > at:
        assert late.quality == health.quality


def test_nothing_known_stands_against_nothing() -> None:
    assert why(UNKNOWN_HEALTH) is None
    assert UNKNOWN_HEALTH.category_over("UTILITY") == "UTILITY"


@pytest.mark.parametrize("status", [status for status in TemplateStatus if status is not TemplateStatus.APPROVED])
def test_only_an_approved_template_is_sendable(status: TemplateStatus) -> None:
    health = heard((is_(status), NOON))
    assert why(health, NOON + 1000 * DAY) == status.lower()
    assert status.lower() in REASONS
    assert why(heard((is_(status), NOON), (is_(TemplateStatus.APPROVED), NOON + HOUR))) is None


def test_a_pause_that_the_platform_ends_by_itself_is_over_then_also_without_news() -> None:
    health = heard((is_(TemplateStatus.PAUSED, FIRST_PAUSE), NOON))
    assert why(health, NOON + 3 * HOUR - MINUTE) == "paused: until 2026-03-02T15:00:00.000Z"
    assert why(health, NOON + 3 * HOUR) is None


def test_a_warning_and_a_bad_quality_stop_nothing() -> None:
    health = heard((TemplateNews(is_flagged=True, quality=Quality.RED), NOON))
    assert (health.is_flagged and health.is_flagged.value, why(health)) == (True, None)


def test_a_language_has_one_spelling() -> None:
    assert HealthKey.of("dt", "t", "en-US") == HealthKey.of("dt", "t", "en_US")


# --- the category ---------------------------------------------------------------------------------------------------


def test_marketing_that_is_announced_counts_at_once() -> None:
    health = heard((TemplateNews(category=Category.UTILITY, coming=Coming(Category.MARKETING, NOON + DAY)), NOON))
    assert health.category_over("UTILITY") == "MARKETING"


def test_an_announcement_that_was_taken_back_counts_no_more() -> None:
    announced = (TemplateNews(category=Category.UTILITY, coming=Coming(Category.MARKETING, NOON + DAY)), NOON)
    settled = (TemplateNews(category=Category.UTILITY, is_category_settled=True), NOON + HOUR)
    assert heard(settled, announced).category_over("UTILITY") == "UTILITY"


def test_what_the_file_calls_marketing_stays_marketing() -> None:
    assert heard((TemplateNews(category=Category.UTILITY), NOON)).category_over("MARKETING") == "MARKETING"
    assert heard((TemplateNews(category=Category.UTILITY), NOON)).category_over(None) == "UTILITY"


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "lasts"),
    [
        (132001, DAY),
        (132015, 3 * HOUR),
        (132007, HOUR),
        (132000, 5 * MINUTE),
        (132005, 5 * MINUTE),
        (132008, 5 * MINUTE),
        (132012, 5 * MINUTE),
        (132018, 5 * MINUTE),
        (2000, 5 * MINUTE),
        (2003, 5 * MINUTE),
        (132068, DAY),
        (132069, HOUR),
    ],
)
def test_a_refusal_counts_for_as_long_as_its_code_says(code: int, lasts: timedelta) -> None:
    health = refused((code, NOON))
    text = why(health, NOON + lasts - timedelta(seconds=1))
    assert text is not None
    assert text.startswith(f"refused_recently: {code} until 2026-03-0")
    assert why(health, NOON + lasts) is None


def test_a_disabled_template_stays_so_until_news() -> None:
    health = refused((132016, NOON))
    assert why(health, NOON + 1000 * DAY) == "refused_recently: 132016"
    assert why(after_news(health, is_(TemplateStatus.APPROVED), NOON + HOUR)) is None


def test_news_older_than_the_refusal_does_not_lift_it() -> None:
    health = after_news(refused((132015, NOON)), is_(TemplateStatus.APPROVED), NOON - MINUTE)
    assert why(health) is not None


def test_a_second_pause_lasts_longer() -> None:
    again = NOON + 3 * HOUR + MINUTE
    health = refused((132015, NOON), (132015, again))
    assert why(health, again + 6 * HOUR - MINUTE) is not None
    assert why(health, again + 6 * HOUR) is None


def test_refusals_of_what_was_under_way_lengthen_nothing() -> None:
    health = refused((132015, NOON))
    assert refused((132015, NOON + MINUTE), (132012, NOON + MINUTE), before=health) == health


def test_a_refusal_that_says_more_replaces_one_in_force() -> None:
    health = refused((132012, NOON), (132016, NOON + MINUTE))
    assert why(health, NOON + DAY) == "refused_recently: 132016"


def test_one_client_s_wrong_arguments_stop_nobody_else() -> None:
    health = refused((132012, NOON), (132012, NOON + MINUTE), ours=False)
    assert why(health, NOON + MINUTE) is None


def test_arguments_that_are_refused_again_and_again_say_that_it_is_the_template() -> None:
    strikes = [(132012, NOON + number * MINUTE) for number in range(STRIKES)]
    last = strikes[-1][1]
    assert why(refused(*strikes, ours=False), last) is not None
    assert why(refused(*strikes[:-1], (132012, last + STRIKES_WITHIN), ours=False), last + STRIKES_WITHIN) is None


@given(st.lists(st.tuples(st.sampled_from(sorted(MEANINGS)), times, st.booleans()), max_size=6))
def test_a_refusal_that_comes_again_changes_nothing(story: list[tuple[int, datetime, bool]]) -> None:
    health = UNKNOWN_HEALTH
    for code, at, ours in sorted(story, key=lambda one: one[1]):
        health = after_refusal(health, code, at, is_filled_by_us=ours)
    if health.mark is not None and health.mark.is_in_force(health.mark.at):
        assert after_refusal(health, health.mark.code, health.mark.at, is_filled_by_us=True) == health


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderError(code=132015), 132015),
        (ProviderError(code=1, message="(#132001) Template name does not exist"), 132001),
        (ProviderError(code=1, message="order 9132001"), None),
        (ProviderError(code=1, message="2000 letters"), None),
        (ProviderError(code=131047), None),
        (None, None),
    ],
)
def test_a_template_is_named_by_the_code_or_by_an_unmistakable_number_in_the_words(
    error: ProviderError | None, code: int | None
) -> None:
    assert template_code(error) == code
