"""Requests that wait for the provider's answer (``Prefer: wait``), woken when there is news of their message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from gateway.domain.identity import MessageId, Sender


class Waiting:
    """Who waits for which message. Bounded: a request for which there is no room does not wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._listeners: dict[MessageId, dict[asyncio.Event, Sender]] = {}

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

    @contextmanager
    def _listening(self, message_id: MessageId, sender: Sender) -> Iterator[asyncio.Event]:
        """Each listener has an event of its own, so that none clears away what another has yet to ask about."""
        news = asyncio.Event()
        listeners = self._listeners.setdefault(message_id, {})
        listeners[news] = sender
        try:
            yield news
        finally:
            del listeners[news]
            if not listeners:
                del self._listeners[message_id]

    async def until(
        self, message_id: MessageId, sender: Sender, is_over: Callable[[], Awaitable[bool]], limit: timedelta
    ) -> None:
        """Return when `is_over` says so, asked at once and after each news of the message, or when the time is up."""
        with self._listening(message_id, sender) as news:
            try:
                async with asyncio.timeout(limit.total_seconds()):
                    while not await is_over():
                        await news.wait()
                        news.clear()
            except TimeoutError:
                return

    def tell(self, message_id: MessageId) -> None:
        """There is news of this message."""
        for news in self._listeners.get(message_id, ()):
            news.set()

    def tell_all(self, sender: Sender) -> None:
        """There is news that may end the wait of any message of this sender."""
        for listeners in self._listeners.values():
            for news, whose in listeners.items():
                if whose == sender:
                    news.set()
