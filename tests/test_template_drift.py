"""What differs between what providers list and our files is worked out when either changes, and outlives a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.domain.compliance import Rung
from gateway.domain.errors import StoreUnavailable
from gateway.domain.health import TemplateNews
from gateway.domain.listing import ListedTemplate
from gateway.ports import KnownListing, StorePolicy
from gateway.registry import Registry
from gateway.store import SqliteStore, open_store
from gateway.template_drift import DriftWatch
from tests.template_factories import BODY, a_document, a_message, a_registry, body

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
THREE = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} ships on {{3}} from us."}
ONLY = frozenset({"dt"})


@pytest.fixture(autouse=True)
def every_event_is_logged() -> None:
    """Whatever a command that ran in this process before has configured."""
    structlog.reset_defaults()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqliteStore]:
    store = await open_store(url, StorePolicy())
    yield store
    await store.aclose()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return a_registry(tmp_path, a_document())


async def listed(store: SqliteStore, *components: Any, after: int = 0, name: str = "order_sent") -> None:
    """What the provider lists, so many minutes after noon."""
    document = a_document(*components, name=name)
    one = ListedTemplate(name=name, language="en-US", news=TemplateNews(), document=document)
    await store.take_listed("dt", [one], at=NOON + timedelta(minutes=after))


def a_rung(*arguments: str) -> Rung:
    return Rung(name="order_sent", language="en_US", message=a_message(body(*arguments)))


def problem(watch: DriftWatch, *arguments: str, provider: str = "dt") -> str | None:
    return watch.drift.judged(a_rung(*arguments), provider).problem


async def begun(store: SqliteStore, registry: Registry) -> DriftWatch:
    return await DriftWatch.begun(store=store, registry=registry, providers=ONLY)


async def test_what_does_not_fit_there_is_passed_over_with_its_place(store: SqliteStore, registry: Registry) -> None:
    await listed(store, THREE)
    watch = await begun(store, registry)
    rung = watch.drift.judged(a_rung("Ann", "7"), "dt")
    assert rung.message is None
    assert rung.path == "$.template.components[0].parameters"
    assert str(rung.problem).startswith(f"drift: {rung.path}: expected 3 body parameters, got 2")
    assert problem(watch, "Ann", "7", "Monday") is None
    assert problem(watch, "Ann", "7", provider="other") is None


async def test_no_argument_stands_in_what_is_told(store: SqliteStore, registry: Registry) -> None:
    await listed(store, THREE)
    watch = await begun(store, registry)
    assert "private words" not in str(problem(watch, "private words", "private words"))


async def test_what_was_passed_over_before_stays_so(store: SqliteStore, registry: Registry) -> None:
    await listed(store, THREE)
    rung = Rung(name="order_sent", language="en_US", problem="paused")
    assert (await begun(store, registry)).drift.judged(rung, "dt") is rung


async def test_a_drift_is_known_after_a_restart(url: str, registry: Registry) -> None:
    store = await open_store(url, StorePolicy())
    await listed(store, THREE)
    await store.aclose()
    store = await open_store(url, StorePolicy())
    watch = await begun(store, registry)
    await store.aclose()
    assert problem(watch, "Ann", "7") is not None


async def test_each_change_is_told_once_and_its_end_too(store: SqliteStore, registry: Registry) -> None:
    watch = await begun(store, registry)
    with capture_logs() as told:
        for minute, text in enumerate((THREE, THREE, {**THREE, "text": THREE["text"] + " Bye"}, BODY, BODY)):
            await listed(store, text, after=minute)
            await watch()
    assert [event["event"] for event in told] == ["template.drifted", "template.drifted", "template.drift_ended"]
    assert watch.drift.counts() == {}


async def test_what_is_no_longer_listed_drifts_no_more(store: SqliteStore, registry: Registry) -> None:
    await listed(store, THREE)
    watch = await begun(store, registry)
    assert watch.drift.counts() == {"dt": 1}
    await store.end_list("dt", at=NOON + timedelta(minutes=1))
    await watch()
    assert watch.drift.counts() == {}


async def test_a_template_without_a_file_is_none_of_ours_until_it_has_one(
    store: SqliteStore, registry: Registry, tmp_path: Path
) -> None:
    await listed(store, THREE, name="other")
    watch = await begun(store, registry)
    assert watch.drift.counts() == {}
    registry.take_over(a_registry(tmp_path, a_document(name="other")))
    await watch()
    assert watch.drift.counts() == {"dt": 1}


async def test_a_store_that_is_not_available_leaves_what_is_known(store: SqliteStore, registry: Registry) -> None:
    await listed(store, THREE)
    watch = await begun(store, registry)

    class Away:
        async def listed_templates(self, *, after: int = 0) -> list[KnownListing]:
            raise StoreUnavailable

    watch._store = Away()  # type: ignore[assignment]
    await watch()
    assert watch.drift.counts() == {"dt": 1}
