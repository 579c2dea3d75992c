"""Posts statuses and customers' messages to whoever waits for them, a bounded number of times."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import structlog

from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.faults import Faults, Kind

RETRY_SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 60, 60))
"""Waits between tries, by the sandbox's clock; after the last one a callback is given up."""

TIMEOUT = aiohttp.ClientTimeout(total=10)
PENDING = 10_000

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]
Address = str | Callable[[str], str | None] | None
"""A URL, or what gives one for a sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    sender: str
    body: Body
    url: str | None = None
    """Its own address; None: the one that takes everything else."""
    is_escaped: bool = False
    """Whether it is written as the platform writes: slashes escaped, too."""
    signed_with: str | None = field(default=None, repr=False)
    """The secret for the platform's signature; None: it is not signed."""

    def payload(self) -> bytes:
        """The bytes that are posted, plain ASCII."""
        written = json.dumps(self.body)
        return (written.replace("/", "\\/") if self.is_escaped else written).encode()

    def headers(self, payload: bytes) -> Mapping[str, str]:
        plain = {"Content-Type": "application/json"}
        if self.signed_with is None:
            return plain
        signature = hmac.digest(self.signed_with.encode(), payload, hashlib.sha256).hex()
        return {**plain, "X-Hub-Signature-256": f"sha256={signature}"}


class Callbacks:
    """Posts in the background. Only what is given together is posted in order."""

    def __init__(self, *, clock: TravelClock, faults: Faults, default: Address) -> None:
        self._clock = clock
        self._faults = faults
        self._default = default
        self._posting: dict[asyncio.Task[None], None] = {}
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Callbacks are posted within; what is still waiting at the end is dropped."""
        cookies = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=cookies, trust_env=False) as self._http:
            try:
                yield
            finally:
                await self.drop()

    def post(self, callbacks: Sequence[Callback]) -> asyncio.Future[str]:
        """Post these in order. Tells early what became of the first try of the first one: ``answered``, ``pending`` (it
        is tried again, or late) or ``dropped`` (nobody waits for it, or it is lost)."""
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if len(self._posting) >= PENDING:
            next(iter(self._posting)).cancel()
        task = asyncio.create_task(self._post_all(callbacks, first))
        self._posting[task] = None
        task.add_done_callback(lambda done: self._posting.pop(done, None))
        task.add_done_callback(lambda _: _tell(first, "dropped"))
        return first

    async def drop(self) -> None:
        """Forget all that still wait."""
        waiting = list(self._posting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def ask(self, url: str, query: Mapping[str, str]) -> str | None:
        """What a GET of this address answers under 200, as far as it is short; None for anything else."""
        if self._http is None:
            raise RuntimeError("callbacks are posted only while the sandbox runs")
        try:
            async with self._http.get(url, params=query, allow_redirects=False) as answer:
                return (await answer.content.read(1_000)).decode("latin-1") if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def _post_all(self, callbacks: Sequence[Callback], first: asyncio.Future[str]) -> None:
        for callback in callbacks:
            if late := self._faults.take(Kind.LATE_CALLBACKS, callback.sender):
                _tell(first, "pending")
                await self._clock.sleep(late.period)
            if url := self._address(callback):
                await self._post_copies(callback, url, first)

    def _address(self, callback: Callback) -> str | None:
        """Where it goes; None for one that goes nowhere, or is lost."""
        if self._faults.take(Kind.LOST_CALLBACKS, callback.sender):
            return None
        return callback.url if callback.url is not None else self.address_of(callback.sender)

    def address_of(self, sender: str) -> str | None:
        """Where everything goes that has no address of its own."""
        return self._default(sender) if callable(self._default) else self._default

    async def _post_copies(self, callback: Callback, url: str, first: asyncio.Future[str]) -> None:
        duplicate = self._faults.take(Kind.DUPLICATE_CALLBACKS, callback.sender)
        for _ in range(1 + (duplicate.number if duplicate else 0)):
            await self._post_until_answered(url, callback, first)

    async def _post_until_answered(self, url: str, callback: Callback, first: asyncio.Future[str]) -> None:
        for wait in (*RETRY_SCHEDULE, None):
            status = await self._try(url, callback)
            _tell(first, "answered" if status == 200 else "pending")
            if status == 200:
                return
            log.info("sandbox.callback_not_taken", status=status, is_last=wait is None)
            if wait is not None:
                await self._clock.sleep(wait)

    async def _try(self, url: str, callback: Callback) -> int | None:
        """The HTTP status that one POST was answered with; None without an answer."""
        if self._http is None:
            raise RuntimeError("callbacks are posted only while the sandbox runs")
        payload = callback.payload()
        headers = callback.headers(payload)
        try:
            async with self._http.post(url, data=payload, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None


def _tell(first: asyncio.Future[str], what: str) -> None:
    if not first.done():
        first.set_result(what)
