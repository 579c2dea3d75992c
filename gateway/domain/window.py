"""The 24-hour customer service window of one sender and one contact."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

LENGTH = timedelta(hours=24)
"""Source: Meta, service messages (2026-05-21): each message or call of the contact starts 24 hours anew."""

OPENING = frozenset(
    [
        "text",
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "button",
        "interactive",
        "call",
    ]
)
"""Kinds of inbound items that open a window. Taps on template quick replies arrive as ``button``, other replies as
``interactive``; a call counts whether it is answered or not."""

UNDOCUMENTED = frozenset(["reaction", "edit", "revoke", "system", "unsupported", "call_permission_reply"])
"""Kinds of which the platform does not say whether they open a window. We take the safe side: they don't, unless the
operator says otherwise. Statuses, echoes, history and our own sends never do and have no switch."""


def opens_window(kind: str, also: Set[str] = frozenset()) -> bool:
    """Whether an inbound item of this kind opens the window; `also` are undocumented kinds that the operator counts."""
    return kind in OPENING or (kind in UNDOCUMENTED and kind in also)


class WindowState(StrEnum):
    """How a window stands at some instant, without our margin."""

    OPEN = "open"
    CLOSED = "closed"
    """It has run out."""
    REFUTED = "refuted"
    """The provider refused an attempt as too late, and the contact has not written since."""
    UNKNOWN = "unknown"
    """The contact has never written, as far as we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWindow:
    """Two instants and what stands behind the first.

    `anchor` is the latest of the provider's own timestamps of the contact's messages and calls; `refuted_at` the
    latest start of an attempt that the provider refused because the window was closed. So a late refusal can't close
    what the customer opened after that attempt, and a repeated old callback can't open what was refused.
    """

    anchor: datetime | None = None
    refuted_at: datetime | None = None
    opened_by: str | None = None
    """The provider's id of the message that set the anchor."""
    evidence: str | None = None
    """How we know: ``message``, ``call``, ``arrival`` (the provider gave no time) or ``imported``."""

    @property
    def is_refuted(self) -> bool:
        return self.anchor is not None and self.refuted_at is not None and self.anchor <= self.refuted_at

    @property
    def closes_at(self) -> datetime | None:
        """When the platform closes it, without our margin; None for a window that is unknown or refuted."""
        if self.anchor is None or self.is_refuted:
            return None
        return self.anchor + LENGTH

    def is_open(self, now: datetime, margin: timedelta = timedelta(0)) -> bool:
        """Whether free-form content may leave at `now`. Ties are closed: the platform says nothing of the exact end."""
        closes_at = self.closes_at
        return closes_at is not None and now < closes_at - margin

    def state(self, now: datetime) -> WindowState:
        if self.anchor is None:
            return WindowState.UNKNOWN
        if self.is_refuted:
            return WindowState.REFUTED
        return WindowState.OPEN if self.is_open(now) else WindowState.CLOSED

    def heard(self, at: datetime, *, by: str | None, evidence: str) -> ServiceWindow:
        """The window after the contact wrote at `at`; older news than the anchor changes nothing."""
        if self.anchor is not None and at <= self.anchor:
            return self
        return replace(self, anchor=at, opened_by=by, evidence=evidence)

    def refuted(self, attempt_started_at: datetime) -> ServiceWindow:
        """The window after the provider refused, as too late, an attempt that was started then."""
        if self.refuted_at is not None and attempt_started_at <= self.refuted_at:
            return self
        return replace(self, refuted_at=attempt_started_at)


UNKNOWN_WINDOW = ServiceWindow()
"""A contact of whom nothing is known: closed."""
