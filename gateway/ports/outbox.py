"""Notices out, to the webhooks of clients and the callback URLs of messages."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.subscription import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notice on its way. `event_id` is stable over retries."""

    id: int
    lane: int
    """The endpoint's queue of one conversation."""
    epoch: int
    endpoint: str
    event_id: str
    type: str
    body: bytes
    tries: int
    """How many there were before."""
    created_at: datetime
    url: str | None = None
    """Where it goes; None: the client's webhook."""
    format: Format = Format.STANDARD
    """The shape of the body, which its signature goes with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    deliveries: tuple[Delivery, ...] = ()
    again_at: datetime | None = None


class Outbox(Protocol):
    async def claim_deliveries(
        self, *, limit: int, now: datetime, lease: timedelta, excluding: Set[str] = frozenset()
    ) -> Deliveries:
        """Notices that are due, at most one per lane, endpoints in turns; none of the endpoints in `excluding`."""

    async def delivered(self, delivery: Delivery, *, now: datetime) -> None: ...

    async def deliver_again(
        self, delivery: Delivery, *, due_at: datetime, hold_until: datetime, error: str, now: datetime
    ) -> None:
        """A try failed: due again then; it holds up its lane until `hold_until`."""

    async def give_up(self, delivery: Delivery, *, error: str, now: datetime) -> None:
        """No more tries: it stays, visible, as failed."""
