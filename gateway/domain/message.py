"""What applications post and what leaves: content, drafts, messages, and where a message stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, get_args

from gateway.domain.identity import Contact, MessageId, Sender

JsonObject = Mapping[str, Any]


class Status(StrEnum):
    """Where a message stands.

    queued ─► sending ─► submitted ─► sent ─► delivered ─► read
      ▲ │        │ ▲          └── failed
      │ │        │ └─ unknown (the answer was lost: proof or an operator may still move it)
      │ │        └─ back to queued: a retry, once after the provider's 24-hour refusal, once for each fallback refused
      │ └─► refused · expired · cancelled
      └─ held
    """

    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    SUBMITTED = "submitted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


OPEN = frozenset({Status.QUEUED, Status.HELD, Status.SENDING})
HANDED_OVER = frozenset({Status.SUBMITTED, Status.SENT, Status.DELIVERED, Status.READ})
ENDED = frozenset({Status.REFUSED, Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.UNKNOWN})


class OnClosedWindow(StrEnum):
    """What is done with free-form content when the window is closed."""

    DOWNGRADE = "downgrade"
    REFUSE = "refuse"
    HOLD = "hold"


FreeFormType = Literal[
    "text", "image", "video", "audio", "document", "sticker", "location", "contacts", "reaction", "interactive"
]
"""Every type of the platform's messages but ``template``. Source: Meta, service messages."""

FREE_FORM_TYPES: frozenset[str] = frozenset(get_args(FreeFormType))


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeForm:
    """Content that is allowed only inside the window."""

    type: FreeFormType
    text: str | None = None
    """What can be read of it: a text's body, a caption, the body of an interactive message."""
    file_url: str | None = None
    """The link of a medium, where it is sent by link."""
    payload: Any = None
    """What the Cloud API's message object holds under the name of the type, in JSON's terms. None where the text and
    the link say it all: a text without a word on previews, an image by link with an optional caption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """One filled-in use of a registered template. `components` are in the platform's send grammar, normalised."""

    name: str
    language: str
    components: tuple[JsonObject, ...] = ()
    namespace: str | None = None


Content = FreeForm | TemplateMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A client's idempotency key. Its scope is (client, route, key); `fingerprint` is a hash of the parsed body."""

    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message as a client asked for it, checked for form, not yet decided or stored."""

    client: str
    sender: Sender
    contact: Contact
    content: Content
    fallback: TemplateMessage | None = None
    """The template that the request itself names to stand in."""
    reference: str | None = None
    intent: str | None = None
    """What the request says that it is about: one of the names in the configuration."""
    also_known_as: tuple[Contact, ...] = ()
    """Other ids by which the request names the contact."""
    reply_to: str | None = None
    """The message that it quotes, by the id that the client knows: ours (domain.wamid), or the provider's of a message
    that the contact wrote."""
    opaque: str | None = None
    """The client's own word (``biz_opaque_callback_data``): every status gives it back."""
    on_closed_window: OnClosedWindow | None = None
    """The request's own word, before its sender's."""
    ttl: timedelta | None = None
    """How long it may wait to leave; None: as long as the configuration says."""
    tells_refusal_later: bool = False
    """A closed window is not told in the answer: the message is stored, refused, and its status says so."""
    callback_url: str | None = None
    wait: timedelta | None = None
    """How long the client waits for the provider's answer (``Prefer: wait``)."""
    idempotency: Idempotency | None = None
    traceparent: str | None = None
    """The trace that it belongs to, where traces are kept, as W3C Trace Context writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """A message that was accepted: `content` is the original, whatever leaves in its place."""

    id: MessageId
    client: str
    sender: Sender
    contact: Contact
    content: Content
    fallback: TemplateMessage | None
    reference: str | None
    callback_url: str | None
    accepted_at: datetime
    expires_at: datetime
    intent: str | None = None
    reply_to: str | None = None
    opaque: str | None = None
    on_closed_window: OnClosedWindow | None = None
    traceparent: str | None = None
    also_known_as: tuple[Contact, ...] = ()
    """The contact's other ids, by the provider's word, then those by which the request itself named it."""

    @property
    def contact_ids(self) -> tuple[Contact, ...]:
        """All ids by which the contact can be written to, the best first."""
        return (self.contact, *self.also_known_as)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What accepting a message answers, and answers again to a repetition. It says what held then."""

    message_id: MessageId
    action: Literal["sent", "downgraded", "held", "refused"]
    """``refused`` where its client is told of that by a status alone."""
    template: str | None = None
    """``name/language`` of the template that is to leave, if one is."""
    reason: str | None = None
    """Why it was downgraded, held or refused."""
    window_closes_at: datetime | None = None
    """The end of an open window, without the margin."""
    observed: Literal["downgraded", "refused", "held"] | None = None
    """What would have been done, where the sender only observes; None: nothing else."""
    repaired: str | None = None
    """Which arguments of the template were mended to fit, and how."""
    reasons: tuple[str, ...] = ()
    """The rules that fired, in order; of receipts written before these were kept, none."""


class Failure(StrEnum):
    """How a message came to have failed; the DecisionTelecom view tells the three apart."""

    REFUSED = "refused"
    """The provider refused it in its answer."""
    REPORTED = "reported"
    """A status report said so, after the provider had taken it."""
    CLOSED = "closed"
    """An operator closed it: no more tries."""
