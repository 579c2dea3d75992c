"""The store: its five ports behind one door, and what it must know of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from gateway.domain.delivery import DeliveryPolicy, PacePolicy
from gateway.domain.identity import Sender
from gateway.ports.contacts import Contacts
from gateway.ports.conversations import Conversations
from gateway.ports.inbox import Inbox
from gateway.ports.messages import Messages
from gateway.ports.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """What the store must know of the configuration to keep its promises in its own transactions."""

    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    pace: PacePolicy = field(default_factory=PacePolicy)
    listeners: Mapping[Sender, tuple[str, ...]] = field(default_factory=dict)
    """For each sender the clients that list it and have a webhook."""
    providers: Mapping[Sender, str] = field(default_factory=dict)
    """For each sender the name of its provider, whose message ids mean nothing to another."""
    client_queued: int = 100_000
    keep_content: timedelta = timedelta(days=30)
    keep_history: timedelta = timedelta(days=180)


class Store(Messages, Conversations, Inbox, Outbox, Contacts, Protocol):
    """All five, behind one door."""

    async def is_ready(self) -> bool:
        """Whether it takes writes now."""

    async def aclose(self) -> None: ...
