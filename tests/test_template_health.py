"""The view of templates that decisions ask is brought up to date from the store, and what is new in it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.health import (
    UNKNOWN_HEALTH,
    Health,
    HealthKey,
    TemplateNews,
    TemplateStatus,
    after_news,
    after_refusal,
)
from gateway.metrics import Metrics, Names
from gateway.ports import KnownHealth
from gateway.template_health import HealthWatch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = HealthKey.of("dt", "ticket_answer", "en_US")
PAUSED = after_news(UNKNOWN_HEALTH, TemplateNews(status=TemplateStatus.PAUSED), NOON)
REFUSED = after_refusal(PAUSED, 132015, NOON + timedelta(minutes=1), is_filled_by_us=True)


class StandingClock:
    def now(self) -> datetime:
        return NOON

    async def wake(self) -> None:
        raise AssertionError("nobody sleeps here")


class Changes:
    """A store of healths that a test fills."""

    def __init__(self, *healths: Health) -> None:
        self.known = [KnownHealth(key=KEY, health=one, revision=place) for place, one in enumerate(healths, start=1)]
        self.is_down = False

    async def template_healths(self, *, after: int = 0) -> Sequence[KnownHealth]:
        if self.is_down:
            raise StoreUnavailable
        return [one for one in self.known if one.revision > after]

    def change(self, health: Health) -> None:
        self.known.append(KnownHealth(key=KEY, health=health, revision=len(self.known) + 1))


async def watching(store: Changes) -> tuple[HealthWatch, Metrics]:
    metrics = Metrics(Names(providers=frozenset({"dt"})))
    return await HealthWatch.begun(store=store, clock=StandingClock(), metrics=metrics), metrics


async def told(watch: HealthWatch) -> list[dict[str, Any]]:
    with structlog.testing.capture_logs() as events:
        await watch()
    return [dict(event) for event in events]


def refusals(metrics: Metrics) -> float | None:
    labels = {"provider": "dt", "code": "132015"}
    return metrics.registry.get_sample_value("gateway_template_refusals_total", labels)


async def test_what_was_known_at_the_start_is_no_news() -> None:
    watch, metrics = await watching(Changes(PAUSED, REFUSED))
    assert watch.health.of(*KEY) == REFUSED
    assert (await told(watch), refusals(metrics)) == ([], 0)


async def test_what_a_callback_told_is_told_in_the_log() -> None:
    store = Changes()
    watch, _ = await watching(store)
    store.change(PAUSED)
    assert await told(watch) == [
        {
            "event": "template.updated",
            "log_level": "warning",
            "provider": "dt",
            "template": "ticket_answer/en_US",
            "unusable": "paused",
        }
    ]
    assert await told(watch) == []


async def test_a_mark_is_told_and_counted_once() -> None:
    store = Changes(PAUSED)
    watch, metrics = await watching(store)
    store.change(REFUSED)
    (event,) = await told(watch)
    assert (event["event"], event["code"], event["until"]) == ("template.marked", 132015, "2026-03-02T15:01:00.000Z")
    store.change(after_news(REFUSED, TemplateNews(is_flagged=True), NOON))
    assert [event["event"] for event in await told(watch)] == ["template.updated"]
    assert refusals(metrics) == 1


async def test_what_can_not_be_read_now_is_read_the_next_time() -> None:
    store = Changes()
    watch, _ = await watching(store)
    store.change(PAUSED)
    store.is_down = True
    assert [event["event"] for event in await told(watch)] == ["template.health_postponed"]
    assert watch.health.of(*KEY) == UNKNOWN_HEALTH
    store.is_down = False
    await told(watch)
    assert watch.health.of(*KEY) == PAUSED


@pytest.mark.parametrize("language", ["en-US", "en_US"])
async def test_a_language_is_found_whichever_way_it_is_spelled(language: str) -> None:
    watch, _ = await watching(Changes(PAUSED))
    assert watch.health.of("dt", "ticket_answer", language) == PAUSED
