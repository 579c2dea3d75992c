"""What surrounds the store in the state machine: the configured sender, the contacts, and the values of a step."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateway.domain.compliance import Circumstances, Decision, Rung, decide
from gateway.domain.delivery import Cause, Failed, Outcome, PacePolicy, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Content, Draft, FreeForm, TemplateMessage
from gateway.ports import Attempt, Claim, Conversation
from tests.model.posted import Posted, Try

T = TypeVar("T")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENDER = Sender("Custom Company")
CONTACTS = [Contact("380501234567"), Contact("380671234567")]
USER_IDS = {CONTACTS[0]: Contact("UA.1"), CONTACTS[1]: Contact("UA.2")}
IDS = [*CONTACTS, *USER_IDS.values()]
"""Two people, each with a number and a user id; whose the latter is turns out, or does not."""
MARGIN = timedelta(seconds=60)
LIMIT, PER = 2, timedelta(hours=24)
BOUNDLESS = PacePolicy(sender_per_second=1000, contact_interval=timedelta(milliseconds=1), contact_burst=1000)

TEXT = FreeForm(type="text", text="Your parcel is here.")
FALLBACK = TemplateMessage(name="ticket_answer", language="en_US")
SECOND = TemplateMessage(name="parcel", language="en_US")
FALLBACKS = (FALLBACK, SECOND)
WANTED = TemplateMessage(name="order_ready", language="en_US")
UNFIT = ProviderError(code=132015, status=400, name="Template paused")
WORDS = ProviderError(code=2, status=500, name="Internal server error")


@dataclass(slots=True, kw_only=True)
class InHand:
    """A claim, what was known when it was taken, and the attempt that was begun on it."""

    claim: Claim
    posted: Posted
    stirred: int
    age: int
    since: float
    """The ticks at which the claim was given."""
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An attempt of which the provider may have news."""

    posted: Posted
    attempt: Try
    token: str

    @property
    def provider_message_id(self) -> str:
        return f"wamid.{self.token}"


def pick(items: Sequence[T], place: int) -> T:
    return items[place % len(items)]


def a_draft(contact: Contact, content: Content, *, wait: timedelta | None = None) -> Draft:
    return Draft(
        client="desk",
        sender=SENDER,
        contact=contact,
        content=content,
        callback_url="https://desk.example.com/status",
        wait=wait,
    )


def decided(
    content: Content,
    known: Conversation | Claim,
    now: datetime,
    *,
    usable: bool,
    started: bool = False,
    refused: Set[str | None] = frozenset(),
) -> Decision:
    circumstances = Circumstances(
        now=now,
        window=known.window,
        margin=MARGIN,
        downgrades=known.downgrades,
        downgrade_limit=LIMIT,
        template_started=started,
        suppression=known.suppression,
    )
    ladder = [_rung(message, usable=usable and message.name not in refused) for message in FALLBACKS]
    return decide(content, [_rung(WANTED)] if content == WANTED else ladder, circumstances)


def _rung(message: TemplateMessage, *, usable: bool = True) -> Rung:
    category = "MARKETING" if message == WANTED else "UTILITY"
    if usable:
        return Rung(name=message.name, language=message.language, message=message, category=category)
    return Rung(name=message.name, language=message.language, problem="not_approved")


def outcome_of(word: str, provider_message_id: str) -> Outcome:
    match word:
        case "submitted":
            return Submitted(provider_message_id=provider_message_id)
        case "failed":
            return Failed(error=WORDS)
        case "unfit":
            return Failed(error=UNFIT)
        case "window_closed":
            return WindowWasClosed(error=WORDS)
        case "unknown":
            return Unknown(error=WORDS)
        case cause:
            return Retry(cause=Cause(cause), error=WORDS)
