"""Callbacks in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.domain.callback import CallbackEvent
from gateway.domain.identity import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event of a callback, made out: whose it is and what it does to the window."""

    event: CallbackEvent
    sender: Sender | None = None
    """None for a change of ids, which is one for all senders of the provider, and where no number of ours is named."""
    problem: str | None = None
    """Why it can only be kept: ``unattributed``, ``unrecognized``."""
    opened_at: datetime | None = None
    """The anchor that it sets, clamped to arrival; None: it opens nothing."""
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a batch; the sum is its length."""

    applied: int = 0
    repeated: int = 0
    kept: int = 0
    """Not understood, not attributed, or waiting for the message they are about."""
    failed: int = 0
    """Kept with the error that applying them raised."""
    fates: tuple[str, ...] = field(default=(), compare=False)
    """Of each arrival, in order: ``applied``, ``repeated``, ``kept``, ``waiting`` (kept until its message is known),
    ``failed``."""


class Inbox(Protocol):
    async def ingest(self, provider: str, arrivals: Sequence[Arrival], *, now: datetime) -> Ingested:
        """One transaction, each arrival in a savepoint: inbox, window, attempt status, notices."""

    async def sweep(self, *, now: datetime, limit: int = 500) -> int:
        """Retention in small steps: rows removed; call again while it is `limit`."""
