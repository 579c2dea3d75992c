"""Tells whoever watches the sandbox that something of it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum

WATCHERS = 64


class Topic(StrEnum):
    PHONE = "phone"
    """What stands on a customer's phone."""
    DESK = "desk"
    """What an application can see of its messages."""
    TIME = "time"
    FAULTS = "faults"


class Crowded(Exception):
    """There are as many watchers as may be."""


class Watcher:
    """What changed for one who watches a contact. It only holds topics: however slowly it is read, it is small."""

    def __init__(self, contact: str) -> None:
        self._contact = contact
        self._topics: set[Topic] = set()
        self._news = asyncio.Event()
        self.ended = asyncio.Event()

    def tell(self, topics: tuple[Topic, ...], contact: str | None) -> None:
        if contact is None or contact == self._contact:
            self._topics.update(topics)
            self._news.set()

    def end(self) -> None:
        self.ended.set()
        self._news.set()

    async def heard(self, within: timedelta) -> frozenset[Topic]:
        """What changed since the last time; none when the time is up, or the watch is over."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._news.wait()
        except TimeoutError:
            return frozenset()
        self._news.clear()
        heard, self._topics = frozenset(self._topics), set()
        return heard


class News:
    def __init__(self) -> None:
        self._watchers: dict[Watcher, None] = {}
        self._is_over = False

    @contextmanager
    def watched(self, contact: str) -> Iterator[Watcher]:
        """Somebody watches what concerns this contact, for as long as the block lasts. Raises Crowded."""
        if self._is_over or len(self._watchers) >= WATCHERS:
            raise Crowded
        watcher = Watcher(contact)
        self._watchers[watcher] = None
        try:
            yield watcher
        finally:
            del self._watchers[watcher]

    def tell(self, *topics: Topic, contact: str | None = None) -> None:
        """These changed: for one contact, or for all."""
        for watcher in self._watchers:
            watcher.tell(topics, contact)

    def end(self) -> None:
        """Every watch is over, and none begins any more."""
        self._is_over = True
        for watcher in self._watchers:
            watcher.end()
