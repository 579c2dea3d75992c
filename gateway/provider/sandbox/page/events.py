"""Tells an open page, by server-sent events, which of its parts are to be asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiohttp import hdrs, web

from gateway.provider.sandbox.news import Crowded, News, Topic, Watcher
from gateway.provider.sandbox.page.guard import HEADERS

HEARTBEAT = timedelta(seconds=15)
QUICK, SLOW = timedelta(seconds=0.25), timedelta(seconds=2)
"""How often the gateway is asked whether a message moved: for a while after news, and otherwise."""
QUICK_ROUNDS = 40
COME_BACK = "retry: 1000\n\n"

Marks = Callable[[], Awaitable[Hashable]]
"""Gives a value that differs when the gateway has something new for this desk."""


async def stream(request: web.Request, news: News, contact: str, marks: Marks) -> web.StreamResponse:
    """Serve events until the page goes or the sandbox ends. Everything is told once at the beginning: what happened
    before, or while the page was cut off, is not missed."""
    try:
        with news.watched(contact) as watcher:
            response = web.StreamResponse(headers={**HEADERS, hdrs.CACHE_CONTROL: "no-store"})
            response.content_type = "text/event-stream"
            await response.prepare(request)
            with suppress(ConnectionError):
                await response.write(COME_BACK.encode() + _events(Topic))
                await _unless_ended(watcher, _tell(request, response, watcher, marks))
                await response.write_eof()
            return response
    except Crowded:
        return web.Response(status=503, text="Too many pages are open.\n", headers={hdrs.RETRY_AFTER: "5", **HEADERS})


async def _tell(request: web.Request, response: web.StreamResponse, watcher: Watcher, marks: Marks) -> None:
    silent_for = timedelta(0)
    async for topics, waited in _news(watcher, marks):
        if request.transport is None or request.transport.is_closing():
            return
        silent_for += waited
        if topics:
            await response.write(_events(topics))
        elif silent_for >= HEARTBEAT:
            await response.write(b": still here\n\n")
        if topics or silent_for >= HEARTBEAT:
            silent_for = timedelta(0)


async def _news(watcher: Watcher, marks: Marks) -> AsyncIterator[tuple[frozenset[Topic], timedelta]]:
    """What the sandbox tells and what asking the gateway brings, round by round, with how long a round is at most."""
    quick, before = QUICK_ROUNDS, await marks()
    while True:
        wait = QUICK if quick else SLOW
        topics = await watcher.heard(wait)
        now = await marks()
        if now != before:
            topics |= {Topic.DESK}
        quick, before = (QUICK_ROUNDS if topics else max(quick - 1, 0)), now
        yield topics, wait


def _events(topics: Iterable[Topic]) -> bytes:
    return "".join(f"event: {topic}\ndata:\n\n" for topic in topics).encode()


async def _unless_ended(watcher: Watcher, job: Coroutine[Any, Any, None]) -> None:
    """Do this, but no longer than the watch lasts."""
    doing, ended = asyncio.ensure_future(job), asyncio.ensure_future(watcher.ended.wait())
    try:
        await asyncio.wait((doing, ended), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        doing.cancel()
        ended.cancel()
        await asyncio.gather(doing, ended, return_exceptions=True)
