"""What would change a decision: each claim is the same rules asked again, with one thing other than it is.

Only what comes to another form is claimed: something else leaves, or nothing. Two things that would have to change
together are not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from gateway.domain.compliance import (
    Circumstances,
    Decision,
    Downgrade,
    Hold,
    Reason,
    Refuse,
    Rung,
    Send,
    decide,
)
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage

Ladder = tuple[Rung, ...]


class What(StrEnum):
    """Stable codes of what would have to happen."""

    CUSTOMER_WRITES = "customer_writes"
    WINDOW_CLOSES = "window_closes"
    """By itself, unless the customer writes before."""
    TEMPLATE_USABLE = "template_usable"
    ARGUMENTS_CORRECTED = "arguments_corrected"
    CONTACT_ALLOWED = "contact_allowed"
    DOWNGRADE_LIMIT_FREES = "downgrade_limit_frees"
    DOWNGRADING_ON = "downgrading_on"
    ENFORCING_ON = "enforcing_on"


Action = Literal["send", "downgrade", "hold", "refuse"]
_ACTIONS: dict[type, Action] = {Send: "send", Downgrade: "downgrade", Hold: "hold", Refuse: "refuse"}


def would_be_of(decision: Decision) -> Decision:
    """What is decided, or where the sender only observes what would have been."""
    return (isinstance(decision, Send) and decision.instead_of) or decision


@dataclass(frozen=True, slots=True)
class Form:
    """What a decision comes to for the contact: as what it leaves, if it does."""

    action: Action
    template: str | None = None
    """``name/language``"""


def form_of(decision: Decision) -> Form:
    content = decision.content if isinstance(decision, Send | Downgrade) else None
    template = f"{content.name}/{content.language}" if isinstance(content, TemplateMessage) else None
    return Form(_ACTIONS[type(decision)], template)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    what: What
    then: Form | None
    """What would be decided then; None: more is not known."""
    at: datetime | None = None
    """When it happens by itself; None: it is somebody's to do."""
    template: str | None = None
    paths: tuple[str, ...] = ()
    """Where in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """A rung that is passed over, as it would be without what speaks against it."""

    place: int
    rung: Rung
    what: What
    at: datetime | None = None
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A decision, and what it might have come to."""

    content: Content
    decision: Decision
    circumstances: Circumstances
    ladder: Ladder = ()
    """Every rung, as far as it is known."""
    ladder_at: Callable[[datetime], Ladder] | None = None
    """What the ladder is at another time; None: nobody knows more than the decision's own evidence tells."""
    is_unfit: bool = False
    """What the request itself names does not fit, whatever else holds."""
    amended: tuple[Amended, ...] = ()
    limit_frees_at: datetime | None = None

    @property
    def would_be(self) -> Decision:
        return would_be_of(self.decision)


def as_recorded(content: Content, decision: Decision) -> Considered:
    """A decision of which no more is known than its own evidence: the rungs that were not tried are not."""
    evidence, reasons = decision.evidence, would_be_of(decision).reasons
    circumstances = Circumstances(
        now=evidence.at,
        window=evidence.window,
        margin=evidence.margin,
        on_closed_window=OnClosedWindow.REFUSE if Reason.DOWNGRADE_OFF in reasons else OnClosedWindow.DOWNGRADE,
        downgrades=evidence.downgrades,
        downgrade_limit=evidence.downgrade_limit,
        template_started=Reason.TEMPLATE_STARTED in reasons,
        suppression=evidence.suppression,
    )
    return Considered(
        content=content,
        decision=decision,
        circumstances=circumstances,
        ladder=evidence.rungs,
        is_unfit=Reason.TEMPLATE_UNUSABLE in reasons,
    )


def changes_of(considered: Considered) -> tuple[Change, ...]:
    """What would change it, what happens by itself among it."""
    before = form_of(considered.would_be)
    found = [change for change in _possible(considered) if change.then != before]
    if considered.would_be is not considered.decision:
        found.append(Change(what=What.ENFORCING_ON, then=before))
    return tuple(found)


def _possible(considered: Considered) -> Iterator[Change]:
    if not considered.is_unfit:
        yield from _by_circumstances(considered)
    for amended in considered.amended:
        if considered.is_unfit and amended.what is not What.ARGUMENTS_CORRECTED:
            continue
        ladder = list(considered.ladder)
        ladder[amended.place] = amended.rung
        then = form_of(decide(considered.content, ladder, considered.circumstances))
        template = f"{amended.rung.name}/{amended.rung.language}"
        yield Change(what=amended.what, then=then, at=amended.at, template=template, paths=amended.paths)


def _by_circumstances(considered: Considered) -> Iterator[Change]:
    now = considered.circumstances
    if isinstance(considered.content, FreeForm):
        heard = now.window.heard(now.now, by=None, evidence="message")
        yield _if(considered, What.CUSTOMER_WRITES, replace(now, window=heard))
        yield from _as_window_closes(considered)
    if now.suppression is not None and _knows_more(considered):
        yield _if(considered, What.CONTACT_ALLOWED, replace(now, suppression=None))
    if Reason.DOWNGRADE_OFF in considered.would_be.reasons and considered.ladder_at is not None:
        yield _if(considered, What.DOWNGRADING_ON, replace(now, on_closed_window=OnClosedWindow.DOWNGRADE))
    if Reason.DOWNGRADE_LIMIT in considered.would_be.reasons and considered.limit_frees_at is not None:
        yield _later(considered, What.DOWNGRADE_LIMIT_FREES, considered.limit_frees_at)


def _knows_more(considered: Considered) -> bool:
    """Whether the ladder is known, or not needed for what would follow."""
    now = considered.circumstances
    return considered.ladder_at is not None or now.window.is_open(now.now, now.margin)


def _as_window_closes(considered: Considered) -> Iterator[Change]:
    now = considered.circumstances
    closes_at = now.window.closes_at
    if closes_at is None or not now.window.is_open(now.now, now.margin):
        return
    if considered.ladder_at is not None:
        yield _later(considered, What.WINDOW_CLOSES, closes_at - now.margin)
    elif isinstance(considered.would_be, Send):
        yield Change(what=What.WINDOW_CLOSES, then=None, at=closes_at - now.margin)


def _later(considered: Considered, what: What, at: datetime) -> Change:
    """The same at another time, by which templates may be usable again and the limit may be free."""
    now, frees_at = considered.circumstances, considered.limit_frees_at
    is_free = frees_at is not None and at >= frees_at and now.downgrade_limit is not None
    downgrades = min(now.downgrades, (now.downgrade_limit or 1) - 1) if is_free else now.downgrades
    ladder = considered.ladder if considered.ladder_at is None else considered.ladder_at(at)
    then = decide(considered.content, ladder, replace(now, now=at, downgrades=downgrades))
    return Change(what=what, then=form_of(then), at=at)


def _if(considered: Considered, what: What, circumstances: Circumstances) -> Change:
    return Change(what=what, then=form_of(decide(considered.content, considered.ladder, circumstances)))
