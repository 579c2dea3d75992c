"""What a report is made of: counts over stretches of what is stored, each small enough to hold nobody up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain.identity import Sender
from gateway.domain.message import JsonObject, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """Where the messages and the refusals of a time stand in the store: `first` included, `end` not."""

    first_message: int
    end_message: int
    first_refusal: int
    end_refusal: int
    oldest: datetime | None
    """When the oldest message was accepted that is still kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of one of the two, of which only what came in that time counts, and only of that sender."""

    first: int
    end: int
    since: datetime
    until: datetime
    sender: Sender | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCount:
    """So many messages of a day came to the same: by the decision that holds, and by where they stand."""

    sender: Sender
    is_observed: bool
    is_free_form: bool
    day: date
    status: Status
    action: str
    reasons: tuple[str, ...]
    template: str | None
    instead: JsonObject | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RungCount:
    """So many times a template could not be taken, where that led to a refusal, or would have."""

    sender: Sender
    is_observed: bool
    is_asked: bool
    """The request itself named it; else it is one of the sender's ladder."""
    template: str
    problem: str
    path: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCount:
    """So many attempts with free-form content came to the same: by what we held of the window, and what became of
    them."""

    sender: Sender
    is_observed: bool
    held_open: bool
    status: str
    closes_window: bool
    """The provider said that the window is closed."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCount:
    """So many requests of a day were refused when they came."""

    sender: Sender
    day: date
    reasons: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    decided: tuple[DecidedCount, ...] = ()
    rungs: tuple[RungCount, ...] = ()
    answers: tuple[AnswerCount, ...] = ()
    refused: tuple[RefusedCount, ...] = ()


class Reports(Protocol):
    async def stretches(self, since: datetime, until: datetime) -> Stretches: ...

    async def tally_messages(self, stretch: Stretch) -> Tally: ...

    async def tally_refusals(self, stretch: Stretch) -> Tally: ...
