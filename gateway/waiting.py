"""Requests that wait for the provider's answer (``Prefer: wait``), woken when there is news of their message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from gateway.domain.identity import MessageId, Sender


class Waiting:
    """Who waits for which message. Bounded: a request for which there is no room does not wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._news: dict[MessageId, tuple[Sender, asyncio.Event, int]] = {}

    @contextmanager
    def room(self) -> Iterator[bool]:
        """Whether there is room for one more, kept for as long as the block lasts."""
        if self._taken >= self._limit:
            yield False
            return
        self._taken += 1
        try:
            yield True
        finally:
            self._taken -= 1

    @asynccontextmanager
    async def _listening(self, message_id: MessageId, sender: Sender) -> AsyncIterator[asyncio.Event]:
        _, news, listeners = self._news.get(message_id, (sender, asyncio.Event(), 0))
        self._news[message_id] = (sender, news, listeners + 1)
        try:
            yield news
        finally:
            _, _, listeners = self._news.pop(message_id)
            if listeners > 1:
                self._news[message_id] = (sender, news, listeners - 1)

    async def until(
        self, message_id: MessageId, sender: Sender, is_over: Callable[[], Awaitable[bool]], limit: timedelta
    ) -> None:
        """Return when `is_over` says so, asked at once and after each news of the message, or when the time is up."""
        async with self._listening(message_id, sender) as news:
            try:
                async with asyncio.timeout(limit.total_seconds()):
                    while not await is_over():
                        await news.wait()
                        news.clear()
            except TimeoutError:
                return

    def tell(self, message_id: MessageId) -> None:
        """There is news of this message."""
        if waiting := self._news.get(message_id):
            waiting[1].set()

    def tell_all(self, sender: Sender) -> None:
        """There is news that may end the wait of any message of this sender."""
        for whose, news, _ in self._news.values():
            if whose == sender:
                news.set()
