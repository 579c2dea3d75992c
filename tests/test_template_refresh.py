"""When a provider's list is read again, whatever came of it, and what is told of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway import template_refresh
from gateway.domain.health import TemplateNews
from gateway.domain.listing import ListedTemplate
from gateway.metrics import Metrics, Names
from gateway.ports import ListFailed, ListTrouble, StorePolicy, TemplatePage
from gateway.store import SqliteStore, open_store
from gateway.template_refresh import Refresh

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class StandingClock:
    def now(self) -> datetime:
        return NOON

    async def wake(self) -> None:
        raise AssertionError("nobody sleeps here")


class Account:
    """A far side whose next readings a test decides: pages, and what goes wrong after them."""

    provider = "dt"

    def __init__(self, *readings: Any) -> None:
        self.readings = list(readings)
        self.read = 0
        self.has_been_read = asyncio.Event()

    async def pages(self) -> AsyncGenerator[TemplatePage]:
        self.read += 1
        self.has_been_read.set()
        for page in self.readings.pop(0) if self.readings else [a_page()]:
            if isinstance(page, Exception):
                raise page
            yield page

    async def aclose(self) -> None:
        return


def a_page(*names: str, rest: timedelta | None = None) -> TemplatePage:
    templates = tuple(
        ListedTemplate(name=name, language="en_US", news=TemplateNews(), document={"components": []}) for name in names
    )
    return TemplatePage(templates=templates, rest=rest)


def failing(trouble: ListTrouble, wait: timedelta | None = None, why: str = "answered HTTP 401") -> list[Any]:
    return [ListFailed(trouble, why, wait=wait)]


@pytest.fixture(autouse=True)
def every_event_is_logged() -> None:
    """Whatever a command that ran in this process before has configured."""
    structlog.reset_defaults()


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    store = await open_store("memory:", StorePolicy())
    yield store
    await store.aclose()


async def nothing() -> None:
    return


def a_refresh(store: SqliteStore, account: Account, *, draw: float = 0.5, changed: Any = nothing) -> Refresh:
    metrics, every = Metrics(Names(providers=frozenset({"dt"}))), 15 * MINUTE
    facts: dict[str, Any] = {"store": store, "clock": StandingClock(), "metrics": metrics, "changed": changed}
    return Refresh(account, every=every, draw=lambda: draw, **facts)


async def known(store: SqliteStore) -> list[str]:
    return [one.key.name for one in await store.listed_templates() if one.document is not None]


@pytest.mark.parametrize(("draw", "due"), [(0.0, 13.5), (0.5, 15), (1.0, 16.5)])
async def test_it_is_read_again_after_the_usual_time_give_or_take_a_tenth(
    store: SqliteStore, draw: float, due: float
) -> None:
    following = await a_refresh(store, Account(), draw=draw).once()
    assert (following.due, following.earliest) == (due * MINUTE, 10 * SECOND)


@pytest.mark.parametrize("reading", [failing(ListTrouble.LIMITED, HOUR), [a_page(rest=HOUR)]])
async def test_a_limit_is_kept_to_whoever_asks_sooner(store: SqliteStore, reading: Any) -> None:
    following = await a_refresh(store, Account(reading), draw=0.0).once()
    assert following.due >= following.earliest == HOUR


async def test_a_refused_token_is_told_once_and_tried_slowly(store: SqliteStore) -> None:
    refused = failing(ListTrouble.REFUSED)
    refresh = a_refresh(store, Account(refused, refused, [a_page()], refused))
    with capture_logs() as told:
        waits = [await refresh.once() for _ in range(4)]
    assert [wait.earliest for wait in waits] == [HOUR, HOUR, 10 * SECOND, HOUR]
    assert [(one["event"], one["log_level"]) for one in told] == [
        ("template_list.unread", "error"),
        ("template_list.read", "info"),
        ("template_list.unread", "error"),
    ]


async def test_trouble_is_tried_again_soon_and_then_less_and_less_often(store: SqliteStore) -> None:
    trouble = failing(ListTrouble.FAILED)
    refresh = a_refresh(store, Account(*[trouble] * 7, [a_page()], trouble))
    waits = [(await refresh.once()).due for _ in range(9)]
    assert waits == [30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, *[15 * MINUTE] * 3, 30 * SECOND]


async def test_whatever_else_goes_wrong_is_tried_again_too(store: SqliteStore) -> None:
    with capture_logs() as told:
        following = await a_refresh(store, Account([RuntimeError("odd")])).once()
    assert (following.due, [one["event"] for one in told]) == (30 * SECOND, ["template_list.failed"])


async def test_what_was_read_before_a_failure_stands_and_nothing_is_taken_for_gone(store: SqliteStore) -> None:
    seen: list[list[str]] = []

    async def changed() -> None:
        seen.append(await known(store))

    half: list[Any] = [a_page("two"), *failing(ListTrouble.FAILED)]
    refresh = a_refresh(store, Account([a_page("one")], half), changed=changed)
    await refresh.once()
    await refresh.once()
    assert seen == [["one"], ["one", "two"]]


async def test_whoever_asks_is_heard_once_the_least_time_is_over(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_refresh, "ASKED_AT_MOST_EACH", timedelta(0))
    account = Account()
    refresh = a_refresh(store, account)
    running = asyncio.create_task(refresh.run())
    async with asyncio.timeout(10):
        for reading in (1, 2, 3):
            await account.has_been_read.wait()
            account.has_been_read.clear()
            assert account.read == reading
            refresh.ask()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
