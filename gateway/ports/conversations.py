"""The queue: conversations are claimed, their heads decided, begun, and recorded."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.delivery import Outcome, PauseCause
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Content, OutboundMessage, Status
from gateway.domain.suppression import Suppression
from gateway.domain.window import ServiceWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What a decision needs to know of one sender and one contact."""

    window: ServiceWindow
    contact_name: str | None = None
    downgrades: int = 0
    pause: PauseCause | None = None
    """Why the sender is paused, if it is."""
    suppression: Suppression | None = None
    """What the contact may not be sent."""
    contact_ids: tuple[Contact, ...] = ()
    """By which the contact is known, the first one first; none: it is not known at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a message would meet if it were posted now."""

    known: Conversation
    ahead: int = 0
    """How many messages to this contact wait before it, or are being sent."""
    contact_wait: timedelta = timedelta(0)
    """For how long the contact's pace would keep it, those before it included."""
    sender_wait: timedelta = timedelta(0)
    """The same of the sender's pace, as things are."""
    paused_for: timedelta | None = None
    """How long the sender has been paused by now, if it is."""
    downgraded_at: tuple[datetime, ...] = ()
    """When the fallbacks that count were decided on, the oldest first."""


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
    suppression: Suppression | None = None
    refused_templates: Set[tuple[str, str]] = frozenset()
    """The fallbacks, by name and language, that the provider would not send for this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    claims: tuple[Claim, ...] = ()
    pause: PauseCause | None = None
    """Why the sender is paused, if it is."""
    pause_error: ProviderError | None = None
    is_more: bool = False
    """There is more that is due than was given out: room or pace did not allow it."""
    again_in: timedelta | None = None
    """When there may be more to claim by the store's own time (pace, a probe, a lease); None: only after news."""
    again_at: datetime | None = None
    """When there may be more by business time (a retry, the end of a wait)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at the provider. `token` stands in the attempt's callback URL, opaque to the provider. It is drawn anew
    each time (``identity.draw_token``): a store finds the attempt by the message's id that it begins with."""

    message_id: MessageId
    number: int
    token: str
    content: Content


class Recorded(NamedTuple):
    """What an attempt came to."""

    status: Status
    has_more: bool
    """The conversation still has something in line, due now or later."""


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

    async def conversation(
        self, sender: Sender, contact: Contact, *, downgrades_since: datetime | None, client: str = ""
    ) -> Conversation:
        """What is known now, to a client or by the provider's word alone; an unknown contact has an unknown window."""

    async def outlook(
        self,
        sender: Sender,
        contact: Contact,
        *,
        downgrades_since: datetime | None,
        also: tuple[Contact, ...] = (),
        client: str = "",
    ) -> Outlook:
        """The same for a request with these ids, with what stands before the next message and what its pace would be.
        Nothing is written."""

    async def claim(
        self,
        sender: Sender,
        *,
        limit: int,
        now: datetime,
        downgrades_since: datetime | None,
        holding: Set[int] = frozenset(),
    ) -> Claims:
        """At most `limit` conversations with something due, replies into open windows first, clients in turns. Charges
        the sender's pace. A paused sender gives one at a time, when its probe is due. Never one in `holding`."""

    async def begin(self, claim: Claim, attempt: Attempt, decision: Send | Downgrade, *, now: datetime) -> bool:
        """Write ``sending``, if the conversation is still at the claim's revision and epoch; else False."""

    async def record(self, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Recorded:
        """Write what came of it, and what follows (domain.settlement.settle)."""

    async def refuse(self, claim: Claim, decision: Refuse, *, now: datetime) -> bool:
        """End the message by our rule: refused, failed if the provider had refused the form it had before, or unknown
        if it may have arrived. False, and nothing done, where `begin` would not begin."""

    async def release(self, claim: Claim, *, now: datetime) -> None:
        """Give it back: nothing of it was sent."""

    async def expire(self, *, now: datetime, limit: int = 256) -> int:
        """End messages in line whose time to live is over, paused senders' too: as expired, or as unknown if they may
        have arrived. How many; call again at `limit`."""

    async def recover(self, *, now: datetime) -> int:
        """After a start: what was ``sending`` is ``unknown`` at once, leases are void. How many were sending."""

    async def sender_states(self) -> Sequence[SenderState]: ...

    async def provider_id_of(self, message_id: MessageId, *, client: str, sender: Sender) -> str | None:
        """By which id the sender's provider knows a message of this client and sender, if it ever took it."""
