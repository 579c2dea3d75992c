"""What providers tell of templates, and refuse, is known by provider, name and language, and outlives a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from gateway.domain.callback import TemplateUpdate
from gateway.domain.delivery import AttemptStatus, Failed, Submitted
from gateway.domain.errors import ProviderError
from gateway.domain.health import Category, Coming, Health, HealthKey, Quality, TemplateNews, TemplateStatus, Told
from gateway.domain.message import TemplateMessage
from gateway.ports import Arrival, Ingested, StorePolicy
from gateway.store import template_health
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import PROVIDER, SENDER, TEMPLATE, a_report

HOUR = timedelta(hours=1)
PAUSED = TemplateNews(status=TemplateStatus.PAUSED, lasts=3 * HOUR)
APPROVED = TemplateNews(status=TemplateStatus.APPROVED)
OF_PROVIDER = StorePolicy(pace=QUICK, providers={SENDER: PROVIDER})
_numbers = count(1)


def refusal(code: int) -> Failed:
    return Failed(error=ProviderError(code=code, status=400, name="Template"))


def an_update(news: TemplateNews, at: datetime | None = None, **changes: Any) -> Arrival:
    facts = {"dedupe": f"template {next(_numbers)}", "raw": {}, "name": TEMPLATE.name, "language": "en-US"}
    return Arrival(event=TemplateUpdate(**{**facts, "news": news, "at": at, **changes}))


async def known(bench: Bench, provider: str = PROVIDER, name: str = TEMPLATE.name) -> Health | None:
    healths = {one.key: one.health for one in await bench.store.template_healths()}
    return healths.get(HealthKey(provider, name, "en_US"))


async def why(bench: Bench, **whose: str) -> str | None:
    health = await known(bench, **whose)
    unusable = None if health is None else health.unusable(bench.now)
    return None if unusable is None else str(unusable)


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(OF_PROVIDER)


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_what_is_told_of_a_template_is_known_whichever_way_its_language_is_spelled(bench: Bench) -> None:
    assert await bench.ingest(an_update(PAUSED, bench.now - HOUR)) == Ingested(applied=1)
    assert await why(bench) == "paused: until 2026-11-20T14:00:00.000Z"
    await bench.ingest(an_update(APPROVED, bench.now, language="en_US"))
    assert (await why(bench), len(await bench.store.template_healths())) == (None, 1)


async def test_what_one_provider_tells_says_nothing_of_another(bench: Bench) -> None:
    await bench.ingest(an_update(PAUSED), provider="other")
    assert (await why(bench), await why(bench, provider="other") is not None) == (None, True)


async def test_older_news_that_comes_late_undoes_nothing(bench: Bench) -> None:
    await bench.ingest(an_update(PAUSED, bench.now - HOUR))
    await bench.ingest(an_update(APPROVED, bench.now - 2 * HOUR))
    assert await why(bench) is not None


async def test_a_second_delivery_is_a_repetition(bench: Bench) -> None:
    update = an_update(PAUSED)
    assert await bench.ingest(update, update) == Ingested(applied=1, repeated=1)


async def test_a_time_that_is_yet_to_come_counts_as_arrival(bench: Bench) -> None:
    await bench.ingest(an_update(PAUSED, bench.now + 100 * HOUR))
    bench.pass_time(4 * 3600)
    assert await why(bench) is None


async def test_everything_that_is_known_outlives_a_restart(opened_file: Opener) -> None:
    bench = await opened_file(OF_PROVIDER)
    coming = Coming(Category.MARKETING, bench.now + HOUR)
    await bench.ingest(
        an_update(replace(PAUSED, is_flagged=True, quality=Quality.RED, category=Category.UTILITY), bench.now),
        an_update(TemplateNews(coming=coming, has_new_components=True), bench.now),
    )
    await bench.post(content=TEMPLATE)
    await bench.attempt(refusal(132015), TEMPLATE)
    before = await bench.store.template_healths()
    await bench.reopen()
    assert await bench.store.template_healths() == before
    health = await known(bench)
    assert health is not None
    assert (health.coming, health.components_changed_at) == (Told(coming, bench.now), bench.now)
    assert health.mark is not None


@pytest.mark.parametrize("damage", ["{", "[]", '{"mark":{}}', '{"standing":{"value":["NEW",null],"at":1}}'])
async def test_what_was_damaged_on_the_disk_is_as_if_nothing_were_known(bench: Bench, damage: str) -> None:
    await bench.ingest(an_update(PAUSED))
    await bench.change("update template_health set facts = ?", damage)
    assert await known(bench) == Health()
    await bench.ingest(an_update(PAUSED))
    assert await why(bench) is not None


async def test_only_what_has_changed_since_need_be_read_again(bench: Bench) -> None:
    await bench.ingest(an_update(PAUSED, bench.now - HOUR, name="one"), an_update(PAUSED, name="two"))
    first, second = await bench.store.template_healths()
    await bench.ingest(an_update(APPROVED, bench.now, name="one"))
    (again,) = await bench.store.template_healths(after=second.revision)
    assert (again.key, again.revision > second.revision > first.revision) == (first.key, True)
    await bench.ingest(an_update(PAUSED, bench.now - 2 * HOUR, name="one"))
    assert await bench.store.template_healths(after=again.revision) == ()


async def test_no_more_is_kept_than_so_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_health, "MOST_TEMPLATES", 3)
    for name in "abc":
        await bench.ingest(an_update(PAUSED, bench.now - HOUR, name=name))
    await bench.ingest(an_update(APPROVED, bench.now, name="a"), an_update(PAUSED, name="d"))
    assert [one.key.name for one in await bench.store.template_healths()] == ["c", "a", "d"]


# --- what is refused ------------------------------------------------------------------------------------------------


async def test_a_refusal_that_names_the_template_marks_it(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    await bench.attempt(refusal(132015), TEMPLATE)
    assert await why(bench) == "refused_recently: 132015 until 2026-11-20T15:00:00.000Z"
    bench.pass_time(60)
    await bench.ingest(an_update(APPROVED, bench.now))
    assert await why(bench) is None


async def test_a_refusal_that_is_reported_later_marks_it_as_well(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    attempt = await bench.attempt(Submitted(provider_message_id="429"), TEMPLATE)
    error = ProviderError(code=132016)
    report = a_report(AttemptStatus.FAILED, attempt=attempt.token, error=error, at=bench.now)
    await bench.ingest(report)
    assert await why(bench) == "refused_recently: 132016"


async def test_a_refusal_that_was_reported_before_the_answer_marks_it_with_the_answer(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    claim = await bench.claim()
    attempt = await bench.begun(claim, TEMPLATE)
    error = ProviderError(code=132016)
    await bench.ingest(a_report(AttemptStatus.FAILED, provider_message_id="429", error=error))
    assert await why(bench) is None
    await bench.record(claim, attempt, Submitted(provider_message_id="429"))
    assert await why(bench) == "refused_recently: 132016"


async def test_a_refusal_of_free_form_says_nothing_of_templates(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(refusal(132015))
    assert await bench.store.template_healths() == ()


async def test_a_refusal_that_does_not_name_the_template_says_nothing_of_it(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    await bench.attempt(refusal(131026), TEMPLATE)
    assert await bench.store.template_healths() == ()


async def test_refused_arguments_of_ours_mark_at_once_and_a_client_s_only_in_a_row(bench: Bench) -> None:
    own = TemplateMessage(name="parcel", language="en_US")
    await bench.post(fallback=own)
    await bench.attempt(refusal(132012), own)
    assert await why(bench, name="parcel") is None, "the request itself filled it in"
    await bench.post()
    await bench.attempt(refusal(132012), TEMPLATE)
    assert await why(bench) == "refused_recently: 132012 until 2026-11-20T12:05:00.000Z"
    for _ in range(2):
        await bench.post(content=own)
        await bench.attempt(refusal(132018), own)
    assert await why(bench, name="parcel") == "refused_recently: 132018 until 2026-11-20T12:05:00.000Z"


# --- what an operator lifts -------------------------------------------------------------------------------------------


async def test_an_operator_lifts_what_stands_against_a_template_and_newer_news_counts_as_before(bench: Bench) -> None:
    await bench.ingest(an_update(replace(PAUSED, quality=Quality.RED), bench.now))
    (cleared,) = await bench.store.clear_template(
        TEMPLATE.name, "en-US", provider=None, by="operator me", now=bench.now
    )
    assert (cleared.provider, cleared.was.partition(":")[0]) == (PROVIDER, "paused")
    assert await why(bench) is None
    health = await known(bench)
    assert health is not None
    assert health.quality == Told(Quality.RED, bench.now)
    bench.pass_time(1)
    await bench.ingest(an_update(PAUSED, bench.now))
    assert await why(bench) is not None


async def test_lifting_what_does_not_stand_there_changes_nothing_and_leaves_a_row(file_bench: Bench) -> None:
    for _ in range(2):
        lifted = await file_bench.store.clear_template("offer", "en_US", provider="dt", by="me", now=file_bench.now)
        assert lifted == ()
    assert await file_bench.store.template_healths() == ()
    assert file_bench.query("select actor, deed from operator_deed") == [("me", "clear template")] * 2
