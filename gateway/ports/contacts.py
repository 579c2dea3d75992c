"""People: windows taken over, what a contact may not be sent, and erasing all about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.identity import Contact, Sender
from gateway.domain.message import JsonObject
from gateway.domain.suppression import Scope, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardElsewhere:
    """When a contact last wrote to a sender, as another system knows it."""

    sender: Sender
    contact: Contact
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of windows that were handed over; the sum is how many there were."""

    opened: int = 0
    known: int = 0
    """As much or more was known of them."""
    closed: int = 0
    """Longer ago than a window lasts: nothing of them is kept."""

    def __add__(self, other: Imported) -> Imported:
        return Imported(
            opened=self.opened + other.opened, known=self.known + other.known, closed=self.closed + other.closed
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of the suppression list."""

    contact: Contact | None
    """None: it was erased, and is only known again when it is named."""
    sender: Sender | None
    """None: all of them."""
    scope: Scope
    source: Source
    since: datetime
    by: str | None = None
    note: str | None = None
    evidence: JsonObject | None = None
    """What the provider said, where it was the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    sender: Sender | None = None
    """What holds for this sender; None: every entry."""
    cursor: str | None = None
    """As the page before gave it; InvalidRequest when it is none of ours."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    entries: tuple[Listed, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The entries that were lifted, and those that still hold for the contact."""

    lifted: tuple[Listed, ...]
    left: tuple[Listed, ...]


class Scrubbed(StrEnum):
    """What became of the files after an erasure."""

    CLEAN = "clean"
    """The file was written anew, and the log is empty."""
    KEPT = "kept"
    """The log is empty; the file is too large to be written anew now, or there was no room for it."""
    BUSY = "busy"
    """Somebody was reading: try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """How far an erasure has come: what was erased up to now, by kind."""

    run: str
    counts: Mapping[str, int]
    is_done: bool
    files: Scrubbed | None = None
    """None: nothing was done about them."""


class Contacts(Protocol):
    """Each use of these leaves a row: who, when, what, and how much of it. `run` tells one use in several steps."""

    async def import_windows(self, windows: Sequence[HeardElsewhere], *, run: str, by: str, now: datetime) -> Imported:
        """Take over windows with the evidence ``imported``. An anchor only moves forwards, so that a repetition changes
        nothing; a conversation whose window opens is decided again. A time later than `now` counts as `now`."""

    async def suppress(
        self, contact: Contact, scope: Scope, *, sender: Sender | None, note: str | None, by: str, now: datetime
    ) -> bool:
        """Put a contact on the list, for one sender or for all; whether that changed anything. What was decided before
        is decided again."""

    async def allow(self, contact: Contact, *, sender: Sender | None, by: str, now: datetime) -> Allowed:
        """Lift what stands on the list: for one sender, or without one everything, opt-outs that the provider reported
        included. A later report of the provider brings an opt-out back, an older one does not."""

    async def suppressions(self, query: ListQuery) -> ListPage:
        """The list, newest entries first."""

    async def erase(self, contact: Contact, *, run: str, by: str, now: datetime) -> Erasing:
        """Begin to erase a person. From here on its conversations name nobody and nothing waits to leave; its next
        message is that of a new contact."""

    async def erase_on(self, run: str | None, *, now: datetime, limit: int = 200) -> Erasing | None:
        """One more step of an erasure, or of any that is not through; None: there is none."""

    async def scrub(self, *, largest: int | None) -> Scrubbed:
        """Overwrite what may be left of the erased in unused corners of the file, and empty the log. Nothing is written
        meanwhile, so a file of more than `largest` bytes is only rewritten when that is None."""
