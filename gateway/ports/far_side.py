"""What is beyond the process: its clock, the providers, and the endpoints of clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.callback import CallbackEvent
from gateway.domain.delivery import Outcome
from gateway.domain.message import Content, OutboundMessage


class Clock(Protocol):
    """Business time: windows, time to live, schedules, retention."""

    def now(self) -> datetime: ...

    async def wake(self) -> None:
        """Return when the clock has jumped; on a clock that never does, never."""


class Provider(Protocol):
    """The client of one provider's API."""

    name: str

    async def send(
        self, message: OutboundMessage, content: Content, *, token: str, callback_url: str | None, write_by: float
    ) -> Outcome:
        """Never raises but for cancellation. `token` is the attempt's own: statuses may bring it back, at
        `callback_url` or in themselves. What quotes a message names it by the provider's own id. `write_by` is on
        ``time.monotonic()``: a first byte that can't be written by then is not written at all."""

    async def aclose(self) -> None: ...


class CallbackDecoder(Protocol):
    """One provider's callbacks, from bytes to events; never raises for content."""

    def __call__(self, body: bytes, *, attempt: str | None = None) -> list[CallbackEvent]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What an endpoint answered: `status` None when there was no answer, and then `error` says why (fixed words)."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an endpoint answered to a question; `status` None: it did not, and `error` is a word for it."""

    status: int | None
    text: str = ""
    error: str | None = None


class Webhooks(Protocol):
    """The client for outgoing webhooks."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted: ...

    async def aclose(self) -> None: ...
