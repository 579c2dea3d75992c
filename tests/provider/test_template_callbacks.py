"""What the platform tells about templates, in its own shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.callback import CallbackEvent, TemplateUpdate, Unrecognized
from gateway.domain.health import Category, Coming, Quality, TemplateNews, TemplateStatus
from gateway.provider.callback_decoder import callback_decoder
from tests.provider.factories import a_provider

DECODE = callback_decoder(a_provider())
FIELDS = [
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
]
STATUS, QUALITY, COMPONENTS, CATEGORY = FIELDS
AT = datetime(2025, 6, 30, 1, 39, 8, tzinfo=UTC)


def a_body(field: str, *, time: Any = 1751247548, **value: Any) -> dict[str, Any]:
    named = {"message_template_id": 1689556908129832, "message_template_name": "order_confirmation"}
    value = {**named, "message_template_language": "en-US", **value}
    entry = {"id": "102290129340398", "time": time, "changes": [{"value": value, "field": field}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def decoded(body: Any) -> CallbackEvent:
    (event,) = DECODE(json.dumps(body).encode())
    return event


def update(field: str, **value: Any) -> TemplateUpdate:
    event = decoded(a_body(field, **value))
    assert isinstance(event, TemplateUpdate)
    return event


def test_an_update_names_its_template_and_carries_the_provider_s_time() -> None:
    body = a_body(STATUS, event="APPROVED", reason="NONE", message_template_category="UTILITY")
    event = decoded(body)
    assert isinstance(event, TemplateUpdate)
    assert (event.name, event.language, event.at) == ("order_confirmation", "en-US", AT)
    assert event.news == TemplateNews(status=TemplateStatus.APPROVED, is_flagged=False, category=Category.UTILITY)
    assert event.raw == body["entry"][0]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        *[(status.value, status) for status in TemplateStatus],
        *[(word, TemplateStatus.APPROVED) for word in ("REINSTATED", "UNARCHIVED", "UNPAUSE", "approved")],
        ("FLAGGED", None),
    ],
)
def test_each_event_says_how_the_template_stands(event: str, status: TemplateStatus | None) -> None:
    assert update(STATUS, event=event).news.status is status


@pytest.mark.parametrize(
    ("title", "status", "hours"),
    [
        ("FIRST_PAUSE", TemplateStatus.PAUSED, 3),
        ("SECOND_PAUSE", TemplateStatus.PAUSED, 6),
        ("RATE_LIMITING_PAUSE", TemplateStatus.PAUSED, 6),
        ("DISABLED", TemplateStatus.DISABLED, None),
        ("UNPAUSE", TemplateStatus.APPROVED, None),
        (None, TemplateStatus.PAUSED, 6),
    ],
)
def test_a_pause_says_which_one_it_is(title: str | None, status: TemplateStatus, hours: int | None) -> None:
    news = update(STATUS, event="PAUSED", other_info={"title": title, "description": "x"}).news
    assert (news.status, news.lasts) == (status, None if hours is None else timedelta(hours=hours))


def test_a_quality_score() -> None:
    news = update(QUALITY, previous_quality_score="GREEN", new_quality_score="YELLOW").news
    assert news == TemplateNews(quality=Quality.YELLOW)


def test_new_components() -> None:
    news = update(COMPONENTS, message_template_element="Thank you, {{1}}!").news
    assert news == TemplateNews(has_new_components=True)


def test_an_announced_category_stands_in_correct_category_and_the_current_one_in_new_category() -> None:
    news = update(
        CATEGORY, new_category="UTILITY", correct_category="MARKETING", category_update_timestamp=1746169200
    ).news
    coming = Coming(Category.MARKETING, datetime(2025, 5, 2, 7, tzinfo=UTC))
    assert news == TemplateNews(category=Category.UTILITY, coming=coming)


def test_a_category_that_has_changed_is_settled() -> None:
    news = update(CATEGORY, previous_category="UTILITY", new_category="MARKETING").news
    assert news == TemplateNews(category=Category.MARKETING, is_category_settled=True)


def test_a_repetition_has_the_same_key_and_a_later_one_another() -> None:
    first, again = (update(STATUS, event="PAUSED") for _ in range(2))
    later = decoded(a_body(STATUS, event="PAUSED", time=1751247549))
    assert first.dedupe == again.dedupe != later.dedupe


def test_without_a_time_it_is_news_all_the_same() -> None:
    event = decoded(a_body(STATUS, event="PAUSED", time=None))
    assert isinstance(event, TemplateUpdate)
    assert event.at is None


def test_a_category_that_nobody_knows_does_not_cost_the_status() -> None:
    assert update(STATUS, event="PAUSED", message_template_category="SERVICE").news.status is TemplateStatus.PAUSED


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (a_body(STATUS, event="BRAND_NEW"), "template_event"),
        (a_body(STATUS), "template_event"),
        (a_body(STATUS, event=["PAUSED"]), "template_event"),
        (a_body(STATUS, event="PAUSED", message_template_name=None), "template_name"),
        (a_body(STATUS, event="PAUSED", message_template_name="n" * 513), "template_name"),
        (a_body(STATUS, event="PAUSED", message_template_language={"code": "en"}), "template_name"),
        (a_body(QUALITY, new_quality_score="PURPLE"), "template_quality"),
        (a_body(CATEGORY, new_category="SERVICE"), "template_category"),
        (a_body(CATEGORY, new_category="UTILITY", correct_category=7), "template_category"),
    ],
)
def test_what_is_not_understood_is_kept_as_it_came(body: dict[str, Any], why: str) -> None:
    event = decoded(body)
    assert isinstance(event, Unrecognized)
    assert (event.why, event.raw) == (why, body["entry"][0])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(FIELDS),
    st.dictionaries(
        st.sampled_from(
            [
                "event",
                "other_info",
                "message_template_name",
                "message_template_language",
                "message_template_category",
                "new_category",
                "correct_category",
                "category_update_timestamp",
                "new_quality_score",
            ]
        ),
        json_values | st.sampled_from(["PAUSED", "UTILITY", "RED"]),
    ),
    json_values,
)
def test_whatever_stands_in_it_nothing_is_raised(field: str, value: dict[str, Any], time: Any) -> None:
    assert isinstance(decoded(a_body(field, time=time, **value)), TemplateUpdate | Unrecognized)
