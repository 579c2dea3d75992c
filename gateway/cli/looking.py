"""Looking into a store: its file, whoever serves it, or through the running gateway where it is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from gateway.cli.operating import ask
from gateway.clock import SystemClock
from gateway.config_file import Places
from gateway.domain.errors import GatewayError
from gateway.domain.identity import Sender
from gateway.oversight import Overseen, answer
from gateway.report import Period, report_view, summed
from gateway.store import open_for_reading

View = dict[str, Any]
Asked = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where to look, and what time it is there."""

    now: datetime
    page: Callable[[str, Asked], Awaitable[View]]
    report: Callable[[Period, timedelta, Callable[[float], None]], Awaitable[View]]

    async def rows(self, what: str, asked: Asked) -> AsyncIterator[View]:
        """All rows, page by page."""
        after: int | None = 0
        while after is not None:
            page = await self.page(what, {**asked, "after": str(after)})
            for row in page["rows"]:
                yield row
            after = page["next"]


@asynccontextmanager
async def source(places: Places) -> AsyncIterator[Source]:
    """Raises NobodyRuns for a store in memory that no gateway has, CannotStart for a file that is not there."""
    if places.store_file is None:
        page = partial(ask, places.operator, "GET")
        now = datetime.fromisoformat((await page("/clock"))["now"])
        yield Source(now=now, page=lambda what, asked: page(f"/{what}", query=asked), report=partial(_asked, page))
        return
    reader = await open_for_reading(places.store_file)
    try:
        now = await time_at(places)
        yield Source(now=now, page=partial(answer, reader, now), report=partial(_summed, reader, now))
    finally:
        await reader.aclose()


async def time_at(places: Places) -> datetime:
    """The running gateway's: beside a sandbox its clock may have travelled. Ours, when there is no gateway to ask."""
    try:
        return datetime.fromisoformat((await ask(places.operator, "GET", "/clock"))["now"])
    except GatewayError:
        return SystemClock().now()


async def _asked(
    page: Callable[..., Awaitable[View]], period: Period, kept: timedelta, progress: Callable[[float], None]
) -> View:
    asked = {"since": period.since.isoformat(), "until": period.until.isoformat()}
    sender = {} if period.sender is None else {"sender": period.sender}
    view = await page("/report", query={**asked, **sender, "kept": str(int(kept.total_seconds()))})
    progress(1)
    return view


async def _summed(
    store: Overseen, now: datetime, period: Period, kept: timedelta, progress: Callable[[float], None]
) -> View:
    return report_view(await summed(store, period, progress=progress), now=now, kept=kept)


def period_of(since: datetime, until: datetime, sender: str | None) -> Period:
    return Period(since=since, until=until, sender=None if sender is None else Sender(sender))
