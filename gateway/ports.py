"""What the verbs need from the outside, as Protocols; adapters in ``store``, ``provider`` and ``webhook`` meet them.

Each verb of the store is one transaction. Times that are arguments are business time (``Clock.now()``); leases, pace,
pauses and probes run on the store's own time and are never arguments. Any verb may raise StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.callback import CallbackEvent
from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.delivery import AttemptStatus, DeliveryPolicy, Outcome, PacePolicy, PauseCause
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Content, Draft, Failure, Idempotency, JsonObject, OutboundMessage, Receipt, Status
from gateway.domain.window import ServiceWindow


class Clock(Protocol):
    """Business time: windows, time to live, schedules, retention."""

    def now(self) -> datetime: ...

    async def wake(self) -> None:
        """Return when the clock has jumped; on a clock that never does, never."""


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


# --- messages -------------------------------------------------------------------------------------------------------


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


# --- conversations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What a decision needs to know of one sender and one contact."""

    window: ServiceWindow
    contact_name: str | None = None
    downgrades: int = 0
    pause: PauseCause | None = None
    """Why the sender is paused, if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A conversation that belongs to this worker until its lease ends, and the message at its head."""

    conversation: int
    epoch: int
    revision: int
    message: OutboundMessage
    attempts: int
    """How many there were before."""
    template_started: bool
    window: ServiceWindow
    contact_name: str | None
    downgrades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    claims: tuple[Claim, ...] = ()
    pause: PauseCause | None = None
    """Why the sender is paused, if it is."""
    pause_error: ProviderError | None = None
    again_in: timedelta | None = None
    """When there may be more to claim by the store's own time (pace, a probe, a lease); None: only after news."""
    again_at: datetime | None = None
    """When there may be more by business time (a retry, the end of a wait)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at the provider. `token` is opaque, drawn anew each time, and stands in the attempt's callback URL."""

    message_id: MessageId
    number: int
    token: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    sender: Sender
    pause: PauseCause | None
    paused_for: timedelta | None
    queued: int
    error: ProviderError | None = None
    """The provider's words that led to the pause."""


class Conversations(Protocol):
    """The queue: a conversation is claimed, its head decided, begun, and recorded."""

    async def conversation(self, sender: Sender, contact: Contact, *, downgrades_since: datetime) -> Conversation:
        """What is known now; an unknown contact has an unknown window."""

    async def claim(
        self, sender: Sender, *, limit: int, now: datetime, downgrades_since: datetime, holding: Set[int] = frozenset()
    ) -> Claims:
        """At most `limit` conversations with something due, replies into open windows first, clients in turns. Charges
        the sender's pace. A paused sender gives one at a time, when its probe is due. Never one in `holding`."""

    async def begin(self, claim: Claim, attempt: Attempt, decision: Send | Downgrade, *, now: datetime) -> bool:
        """Write ``sending``, if the conversation is still at the claim's revision and epoch; else False."""

    async def record(self, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Status:
        """Write what came of it, and what follows (domain.settlement.settle). The message's status afterwards."""

    async def refuse(self, claim: Claim, decision: Refuse, *, now: datetime) -> bool:
        """End the message by our rule: refused, or failed if the provider had refused it as too late."""

    async def release(self, claim: Claim, *, now: datetime) -> None:
        """Give it back: nothing of it was sent."""

    async def expire(self, *, now: datetime, limit: int = 256) -> int:
        """End messages in line whose time to live is over, paused senders' too. How many; call again at `limit`."""

    async def recover(self, *, now: datetime) -> int:
        """After a start: what was ``sending`` is ``unknown`` at once, leases are void. How many were sending."""

    async def sender_states(self) -> Sequence[SenderState]: ...


# --- callbacks in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event of a callback, made out: whose it is and what it does to the window."""

    event: CallbackEvent
    sender: Sender | None = None
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


class Inbox(Protocol):
    async def ingest(self, provider: str, arrivals: Sequence[Arrival], *, now: datetime) -> Ingested:
        """One transaction, each arrival in a savepoint: inbox, window, attempt status, notices."""

    async def sweep(self, *, now: datetime, limit: int = 500) -> int:
        """Retention in small steps: rows removed; call again while it is `limit`."""


# --- webhooks out ---------------------------------------------------------------------------------------------------


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


class Store(Messages, Conversations, Inbox, Outbox, Protocol):
    """All four, behind one door."""

    async def is_ready(self) -> bool:
        """Whether it takes writes now."""

    async def aclose(self) -> None: ...


# --- the far side ---------------------------------------------------------------------------------------------------


class Provider(Protocol):
    """The client of one provider's API."""

    name: str

    async def send(
        self, message: OutboundMessage, content: Content, *, callback_url: str | None, write_by: float
    ) -> Outcome:
        """Never raises but for cancellation. `write_by` is on ``time.monotonic()``: a first byte that can't be written
        by then is not written at all."""

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


class Webhooks(Protocol):
    """The client for outgoing webhooks."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted: ...

    async def aclose(self) -> None: ...
