"""The store: its ports behind one door, and what it must know of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from gateway.domain.business_number import BusinessNumber
from gateway.domain.delivery import DeliveryPolicy, PacePolicy
from gateway.domain.identity import Sender
from gateway.domain.subscription import Subscription
from gateway.ports.census import Watched
from gateway.ports.contacts import Contacts
from gateway.ports.conversations import Conversations
from gateway.ports.inbox import Inbox
from gateway.ports.lookups import Lookups
from gateway.ports.messages import Messages
from gateway.ports.outbox import Outbox
from gateway.ports.reports import Reports
from gateway.ports.templates import TemplateHealths, TemplateListings
from gateway.ports.traces import Traces


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """What the store must know of the configuration to keep its promises in its own transactions."""

    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    pace: PacePolicy = field(default_factory=PacePolicy)
    listeners: Mapping[Sender, tuple[str, ...]] = field(default_factory=dict)
    """For each sender the clients that list it and have a webhook."""
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    """What each of those clients wants to hear, and in which shape; one without an entry, what is usual."""
    numbers: Mapping[Sender, BusinessNumber] = field(default_factory=dict)
    """How the platform's envelopes name each sender; one without an entry, by what its id alone gives."""
    providers: Mapping[Sender, str] = field(default_factory=dict)
    """For each sender the name of its provider, whose message ids mean nothing to another."""
    observing: Set[Sender] = frozenset()
    """The senders that send everything as it was asked for."""
    spellings: bool = True
    """Whether all spellings of a phone number are one contact (domain.spellings)."""
    client_queued: int = 100_000
    keep_content: timedelta = timedelta(days=30)
    keep_history: timedelta = timedelta(days=180)


class StoreObserver(Protocol):
    """Is told of every commit, on the event loop; it must be quick."""

    def committed(self, units: int, seconds: float) -> None:
        """A group of so many units of work is durable, so long after it was handed over."""

    def commit_failed(self) -> None: ...


class Store(
    Messages,
    Conversations,
    Inbox,
    Outbox,
    Contacts,
    Lookups,
    Reports,
    Watched,
    Traces,
    TemplateHealths,
    TemplateListings,
    Protocol,
):
    """All of them, behind one door."""

    async def is_ready(self) -> bool:
        """Whether it takes writes now."""

    async def aclose(self) -> None: ...
