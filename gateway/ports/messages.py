"""Messages: accepting, looking up, and what an operator may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Content, Draft, Failure, Idempotency, JsonObject, OutboundMessage, Receipt, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client that posted a message is told: the receipt, or the provider's refusal if it waited for one."""

    receipt: Receipt
    refusal: ProviderError | None = None
    is_repeated: bool = False
    """Its idempotency key came before; this is what was answered then."""
    waits_for: timedelta | None = None
    """How much longer the first request of this key may wait for the provider's answer; None: it does not."""

    @property
    def is_waiting(self) -> bool:
        return self.waits_for is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    number: int
    status: AttemptStatus
    content: Content | None
    """What was sent; None once retention removed it."""
    started_at: datetime
    ended_at: datetime | None
    provider_message_id: str | None
    error: ProviderError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRecord:
    """One use of an operator's power on a message, also one that changed nothing."""

    at: datetime
    by: str
    act: str
    before: Status
    after: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """Everything that is known of one message."""

    message: OutboundMessage
    status: Status
    failure: Failure | None
    error: ProviderError | None
    """The provider's words on the attempt that decided the status, if it said any."""
    receipt: Receipt
    decisions: tuple[JsonObject, ...]
    """The decision at acceptance, then each that replaced it: ``{stage, at, action, reasons, template, evidence}``."""
    attempts: tuple[AttemptRecord, ...]
    history: tuple[StatusChange, ...]
    acts: tuple[ActRecord, ...] = ()
    """What operators did to it; only an operator is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSummary:
    id: MessageId
    client: str
    sender: Sender
    contact: Contact
    status: Status
    accepted_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery:
    client: str | None = None
    """None: of every client; only for the operator."""
    status: Status | None = None
    contact: Contact | None = None
    sender: Sender | None = None
    since: datetime | None = None
    """Accepted then or later ..."""
    until: datetime | None = None
    """... and before that."""
    cursor: str | None = None
    """As the page before gave it; InvalidRequest when it is none of ours."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    messages: tuple[MessageSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What an operator's word came to: the status before and after, and whether anything was done."""

    before: Status
    after: Status
    is_done: bool


class Messages(Protocol):
    """Accepting, looking up, and what an operator may do."""

    async def replay(self, client: str, idempotency: Idempotency, *, now: datetime) -> Answer | None:
        """What the same key answered within 24 h. Raises IdempotencyConflict for another fingerprint."""

    async def enqueue(
        self, draft: Draft, decision: Send | Downgrade, *, now: datetime, downgrades_since: datetime | None = None
    ) -> Answer | None:
        """Store the message with its decision record. Checks the idempotency key in its own transaction (a repetition
        answers the first receipt), and the limit of fallbacks since then: None when another request has used it up
        meanwhile, and the message must be decided again. Raises IdempotencyConflict, TooManyRequests."""

    async def note_refusal(self, draft: Draft, decision: Refuse, *, now: datetime) -> None:
        """Keep a refusal record: client, sender, contact, reasons, evidence; no content."""

    async def settle_wait(self, message_id: MessageId) -> ProviderError | None:
        """End a client's wait: the refusal that was recorded in time, or None, after which no later refusal counts as
        told. Ordered with ``record`` by the store, so that the two never disagree."""

    async def message(self, message_id: MessageId, *, client: str | None) -> MessageRecord:
        """Raises NotFound, also for another client's; `client` None is the operator."""

    async def messages(self, query: MessageQuery) -> MessagePage:
        """Newest first."""

    async def cancel(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        """End a message that waits to leave (queued, held), by an operator's word. One that may have arrived by an
        earlier attempt becomes ``unknown``. Raises NotFound."""

    async def resend(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        """Put an ``unknown`` message that still has its content back in line. Raises NotFound."""

    async def close(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        """End an ``unknown`` message as failed. Raises NotFound."""
