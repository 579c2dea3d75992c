"""What a client's webhook wants to hear, and in which shape."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The shape of what is posted, and of its signature."""

    STANDARD = "standard"
    """Standard Webhooks: events of ours, with the provider's object inside."""
    CLOUD_API = "cloud-api"
    """The platform's own envelope, one message or status in each."""
    DIALOG360 = "dialog360"
    """What 360dialog posts: the same envelope."""

    @property
    def is_platform(self) -> bool:
        return self is not Format.STANDARD


class EventType(StrEnum):
    """What happened, in one vocabulary for every format."""

    RECEIVED = "message.received"
    """A contact wrote, tapped or called."""
    STATUS = "message.status"
    """A message of the client's moved."""
    DOWNGRADED = "message.downgraded"
    """A template left in place of what the client asked for. The platform's envelope has no form for it."""
    CONSENT = "consent.changed"
    """A contact stopped or resumed marketing messages."""
    TEMPLATE = "template.updated"
    """The platform says something new of a template of the account, whichever client uses it."""
    ACCOUNT = "account.updated"
    """The same of the account or of one of its numbers."""


USUAL_EVENTS = frozenset({EventType.RECEIVED, EventType.STATUS, EventType.DOWNGRADED})
"""What a client hears that asks for nothing else. The rest is about the account, which clients may share, or is news
that a receiver has to know of first."""

ACCOUNT_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "account_update",
        "business_capability_update",
        "business_status_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
    }
)
"""Fields of the platform's callbacks that are about the account and name no contact. Others are kept and not handed on:
what names a person must be found again when the person is to be erased."""

TEMPLATE_FIELDS = frozenset(
    {
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "template_category_update",
        "template_correct_category_detection",
    }
)
"""The same about templates. What we can't read ourselves is handed on all the same."""


def event_of_field(field: str) -> EventType | None:
    """What a change of this field is to clients; None: it is not handed on."""
    if field in TEMPLATE_FIELDS:
        return EventType.TEMPLATE
    return EventType.ACCOUNT if field in ACCOUNT_FIELDS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one client wants."""

    format: Format = Format.STANDARD
    events: Set[EventType] = USUAL_EVENTS

    def wants(self, event: EventType) -> bool:
        """Whether it is told of such events: it asked for them, and its format has a form for them."""
        return event in self.events and not (self.format.is_platform and event is EventType.DOWNGRADED)
