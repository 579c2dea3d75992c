"""Notices out, to the webhooks of clients and the callback URLs of messages."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.identity import Contact, Sender
from gateway.domain.subscription import Format

NOTICE_STATES = ("waiting", "delivered", "failed")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeQuery:
    """Notices that were made in a time, `since` included and `until` not."""

    since: datetime
    until: datetime
    client: str | None = None
    state: str | None = None
    """One of NOTICE_STATES."""
    after: int = 0
    """Go on behind this position, as the page before gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord:
    """How the delivery of a notice stands."""

    event_id: str
    type: str
    endpoint: str
    state: str
    created_at: datetime
    tries: int
    sender: Sender | None
    """None, and no contact: it is about the account."""
    contact: Contact | None
    due_at: datetime | None
    """Of one that waits: when it goes out next."""
    ended_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePage:
    """May be empty and not the last: what a page looks through is bounded, whatever it finds."""

    notices: tuple[NoticeRecord, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is to be posted again: a client's notices of a time that have ended as failed, or however they ended."""

    run: str
    client: str
    since: datetime
    until: datetime
    failed_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How far a replay has come: what was done up to now, by kind."""

    counts: Mapping[str, int]
    is_done: bool


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

    async def notices(self, query: NoticeQuery) -> NoticePage:
        """In the order in which they were made."""

    async def post_again(self, replay: Replay, *, by: str, now: datetime, limit: int = 100) -> Replayed:
        """One step of a replay: what has ended waits again, under the same id and with all its tries. Each notice is
        looked at once in a run, however often a step is asked for. What an erasure emptied is only counted."""
