"""What a provider's callback tells us, decoded: a list of events, none of which can be half-understood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import ProviderError
from gateway.domain.health import TemplateNews
from gateway.domain.identity import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A contact wrote, tapped or called.

    `sender_names` are the names by which the callback calls our number, best first; empty when it names none.
    `at` is the provider's own time, None when it gave none that is usable. `dedupe` tells a repetition.
    `contact` is the id that it was written from, `also_known_as` the others by which the callback names the contact.
    `now_known_as` are those that it has from now on in the place of others, where it tells of such a change.
    """

    contact: Contact
    kind: str
    dedupe: str
    raw: Any
    sender_names: tuple[str, ...] = ()
    provider_message_id: str | None = None
    at: datetime | None = None
    text: str | None = None
    name: str | None = None
    in_reply_to: str | None = None
    """The provider's id of the message of ours that it answers."""
    also_known_as: tuple[Contact, ...] = ()
    now_known_as: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """News of an attempt: by its own token (the path it was posted to), or by the provider's message id.

    `status` is None for a report that changes nothing (still pending, or a word we don't know). `contacts` are all the
    ids by which it names the one whom the message was for, `sender_names` the names by which it calls our number.
    """

    dedupe: str
    raw: Any
    status: AttemptStatus | None
    attempt: str | None = None
    provider_message_id: str | None = None
    at: datetime | None = None
    error: ProviderError | None = None
    contacts: tuple[Contact, ...] = ()
    sender_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUpdate:
    """The platform changed a template's status, quality, category or components."""

    dedupe: str
    raw: Any
    name: str
    language: str
    news: TemplateNews
    at: datetime | None = None
    """When it did, by the provider's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """A contact stopped or resumed marketing messages from one of our numbers.

    `contacts` are all the ids by which the callback names it, `sender_names` the names by which it calls our number.
    """

    dedupe: str
    raw: Any
    contacts: tuple[Contact, ...]
    is_stop: bool
    sender_names: tuple[str, ...] = ()
    at: datetime | None = None
    """When the contact chose so, by the provider's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """A contact has other ids than before. `previous` are those by which it was known, `current` those by which it is:
    each stands in the place of one of its own kind."""

    dedupe: str
    raw: Any
    previous: tuple[Contact, ...]
    current: tuple[Contact, ...]
    sender_names: tuple[str, ...] = ()
    at: datetime | None = None
    """When it changed, by the provider's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecognized:
    """Kept as it came, with the reason why it was not understood."""

    dedupe: str
    raw: Any
    why: str


CallbackEvent = InboundMessage | StatusReport | TemplateUpdate | ConsentChange | IdentityChange | Unrecognized
