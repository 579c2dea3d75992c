"""What providers list is news of health and what is registered there; both outlive a restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.health import HealthKey, TemplateNews, TemplateStatus
from gateway.domain.listing import ListedTemplate
from gateway.store import listings
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import PROVIDER

HOUR = timedelta(hours=1)
APPROVED = TemplateNews(status=TemplateStatus.APPROVED)
PAUSED = TemplateNews(status=TemplateStatus.PAUSED, lasts=6 * HOUR)
BODY = {"type": "BODY", "text": "Hello {{1}}!", "example": {"body_text": [["Ann"]]}}


def listed(name: str = "offer", news: TemplateNews = APPROVED, **fields: Any) -> ListedTemplate:
    document = {"id": "1", "name": name, "language": "en-US", "components": [BODY], "new_in_v99": 1, **fields}
    return ListedTemplate(name=name, language="en-US", news=news, document=document)


async def take(bench: Bench, *templates: ListedTemplate, ago: timedelta = timedelta(0)) -> None:
    await bench.store.take_listed(PROVIDER, templates, at=bench.now - ago)


async def known(bench: Bench) -> dict[str, Any]:
    return {one.key.name: one.document for one in await bench.store.listed_templates()}


async def why(bench: Bench, name: str = "offer") -> str | None:
    healths = {one.key: one.health for one in await bench.store.template_healths()}
    unusable = healths[HealthKey(PROVIDER, name, "en_US")].unusable(bench.now)
    return None if unusable is None else str(unusable)


async def test_what_is_registered_there_is_kept_without_what_no_message_depends_on(opened_file: Opener) -> None:
    bench = await opened_file()
    await take(bench, listed(category="UTILITY"))
    await bench.reopen()
    assert await known(bench) == {
        "offer": {
            "name": "offer",
            "language": "en-US",
            "category": "UTILITY",
            "components": [{"text": "Hello {{1}}!", "type": "BODY"}],
        }
    }


async def test_only_what_has_changed_need_be_read_again(bench: Bench) -> None:
    await take(bench, listed("one"), listed("two"))
    first, second = await bench.store.listed_templates()
    await take(bench, listed("one", components=[{**BODY, "example": {"body_text": [["Bob"]]}}]), listed("two"))
    assert await bench.store.listed_templates(after=second.revision) == ()
    await take(bench, listed("one", components=[{**BODY, "text": "Bye {{1}}!"}]))
    (again,) = await bench.store.listed_templates(after=second.revision)
    assert (again.key, again.revision > second.revision > first.revision) == (first.key, True)


async def test_what_no_longer_stands_in_a_list_that_was_read_to_its_end_is_not_listed(bench: Bench) -> None:
    await take(bench, listed("one"), listed("two"), ago=HOUR)
    await take(bench, listed("two"))
    assert await bench.store.end_list("other", at=bench.now) == 0
    assert await bench.store.end_list(PROVIDER, at=bench.now) == 1
    assert {name: document is not None for name, document in (await known(bench)).items()} == {
        "one": False,
        "two": True,
    }
    assert await bench.store.end_list(PROVIDER, at=bench.now) == 0
    assert await why(bench, "one") is None


async def test_what_the_list_says_of_a_template_s_health_is_news_of_that_time(bench: Bench) -> None:
    await take(bench, listed(news=PAUSED), ago=HOUR)
    assert await why(bench) == "paused: until 2026-11-20T17:00:00.000Z"
    await take(bench, listed(), ago=2 * HOUR)
    assert await why(bench) is not None
    await take(bench, listed())
    assert await why(bench) is None


async def test_a_list_that_says_again_that_a_template_is_paused_does_not_put_off_the_end(bench: Bench) -> None:
    await take(bench, listed(news=PAUSED), ago=3 * HOUR)
    await take(bench, listed(news=PAUSED))
    assert await why(bench) == "paused: until 2026-11-20T15:00:00.000Z"
    bench.pass_time(3 * 3600)
    await take(bench, listed(news=PAUSED))
    assert await why(bench) == "paused: until 2026-11-20T21:00:00.000Z"


async def test_a_definition_that_is_far_too_large_is_not_kept_and_its_news_is(bench: Bench) -> None:
    await take(bench, listed(news=PAUSED, components=[{"type": "BODY", "text": "x" * listings.LARGEST}]))
    assert await known(bench) == {"offer": None}
    assert await why(bench) is not None


async def test_no_more_is_kept_than_so_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MOST", 3)
    await take(bench, *map(listed, "abcd"))
    assert list(await known(bench)) == ["b", "c", "d"]


@pytest.mark.parametrize("damage", ["{", "[]", "7"])
async def test_what_was_damaged_on_the_disk_is_as_if_it_were_not_listed(file_bench: Bench, damage: str) -> None:
    await take(file_bench, listed())
    await file_bench.change("update listed_template set document = ?", damage)
    assert await known(file_bench) == {"offer": None}
    await take(file_bench, listed())
    assert (await known(file_bench))["offer"] is not None
