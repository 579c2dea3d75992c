"""Look-ups for operators: decisions and windows, page by page, whoever's they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import JsonObject
from gateway.domain.window import ServiceWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionQuery:
    """Decisions of a time, `since` included and `until` not."""

    since: datetime
    until: datetime
    sender: Sender | None = None
    contact: Contact | None = None
    client: str | None = None
    action: str | None = None
    """What was done: ``send``, ``downgrade``, ``refuse``."""
    instead: str | None = None
    """What a sender that only observes would have done: ``downgrade``, ``refuse``."""
    stage: str | None = None
    """``accept`` or ``send``."""
    after: int = 0
    """Go on behind this position, as the page before gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    at: datetime
    stage: str
    action: str
    message_id: MessageId | None
    """None: it was refused when it came, so there is no message."""
    client: str
    sender: Sender
    contact: Contact
    reasons: tuple[str, ...]
    template: str | None
    instead: JsonObject | None
    evidence: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """May be empty and not the last: what a page looks through is bounded, whatever it finds."""

    decisions: tuple[DecisionRecord, ...]
    next: int | None
    """The `after` of the next page; None: this was the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuery:
    sender: Sender | None = None
    contact: Contact | None = None
    opened_after: datetime | None = None
    """Only those that the contact opened later than that ..."""
    opened_by: datetime | None = None
    """... and no later than that."""
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    sender: Sender
    contact: Contact
    window: ServiceWindow
    also_known_as: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPage:
    """As of decisions: it may be empty, and not the last."""

    windows: tuple[WindowRecord, ...]
    next: int | None


class Lookups(Protocol):
    async def decisions(self, query: DecisionQuery) -> DecisionPage:
        """Those taken of accepted messages, in the order in which they were taken."""

    async def refusals(self, query: DecisionQuery) -> DecisionPage:
        """Those that let nothing in, in the order in which they were taken."""

    async def windows(self, query: WindowQuery) -> WindowPage:
        """In the order in which the contacts became known."""
