"""Messages: accepting, looking up, and what an operator may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.compliance import Decision, Downgrade, Refuse, Send
from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Content, Draft, Failure, Idempotency, JsonObject, OutboundMessage, Receipt, Status
from gateway.ports.conversations import Attempt, Claim, Conversation

Decide = Callable[[Conversation], Decision]
"""Decides on what is known of a conversation. It is called on the store's own thread, within the transaction."""


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
class Accepted:
    """What became of a draft that was not refused."""

    answer: Answer
    decision: Send | Downgrade | None = None
    """None: its idempotency key came before, and nothing was decided."""
    refused: Refuse | None = None
    """It was stored as refused, and its client is told by a status."""
    begun: tuple[Claim, Attempt] | None = None
    """It leaves at once: its first attempt stands as ``sending``, and its conversation belongs to whoever asked."""


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
    decided: Decision | None = None
    """The last of the decisions as a value, as far as it is kept; None where it is damaged."""
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
        self,
        draft: Draft,
        decide: Decide,
        *,
        now: datetime,
        downgrades_since: datetime | None,
        may_begin: bool = False,
    ) -> Accepted | Refuse:
        """Decide on what is known in this very transaction, and store the message with its decision record; or keep a
        refusal record (client, sender, contact, reasons, evidence; no content). A repeated idempotency key answers the
        first receipt.

        Where it `may_begin` the first attempt begins in the same transaction, if nothing and nobody is waited for: no
        other message to this contact, no pause, and pace enough. Asking so is for a sender of whom nothing due stands
        in line; then it is the same as being claimed at once, decided again on what is still the same, and begun.

        Raises IdempotencyConflict, TooManyRequests, and BalanceEmpty for a client that waits for the answer.
        """

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
