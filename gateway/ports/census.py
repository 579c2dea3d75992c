"""How things stand, for whoever watches: counts and ages, and nothing that is anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.delivery import PauseCause
from gateway.domain.identity import Sender
from gateway.domain.notice import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCounts:
    """The contacts of a sender by the state of their window, without the margin of a decision."""

    open: int = 0
    closed: int = 0
    refuted: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCensus:
    sender: Sender
    open: int = 0
    """Messages that are queued, held or sending."""
    oldest: datetime | None = None
    """When the oldest of them was accepted."""
    windows: WindowCounts = field(default_factory=WindowCounts)
    pause: PauseCause | None = None
    paused_for: timedelta | None = None
    silent_from: datetime | None = None
    """When it was last heard, or from when on it sends and was never heard; None: it has done neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCensus:
    """What waits for the endpoints of one kind (a client's webhook, the callback URLs of its messages)."""

    kind: Kind
    client: str
    waiting: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    at: datetime
    senders: tuple[SenderCensus, ...] = ()
    endpoints: tuple[EndpointCensus, ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    """Clients and how many of their messages are ``unknown``."""
    file_bytes: int | None = None
    """The store's file, what it has not yet taken over from its log, and the room on its disk; None in memory."""
    wal_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """When a sender was last heard, and when it last tried to send something."""

    sender: Sender
    silent_from: datetime | None
    tried_at: datetime | None


class Watched(Protocol):
    """What is worth watching. Nobody on the way of a message waits for it."""

    async def census(self, *, now: datetime) -> Census: ...

    async def listen(self) -> Sequence[Hearing]:
        """Work out who was heard and who tried to send since the last time, and keep it; how every sender stands."""
