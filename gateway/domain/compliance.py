"""The decision: may this content leave now, does a template stand in, or is it refused, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.suppression import Suppression
from gateway.domain.window import ServiceWindow


class Mode(StrEnum):
    """Whether a sender's decisions are followed, or only recorded."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Reason(StrEnum):
    """Stable codes of the rules that fired, in the order in which they did."""

    WINDOW_OPEN = "window_open"
    WINDOW_CLOSED = "window_closed"
    """Free-form content may not leave now. Alone: the window has run out, or is within the margin of its end."""
    WINDOW_UNKNOWN = "window_unknown"
    """With ``window_closed``: the contact has never written, as far as we know."""
    WINDOW_REFUTED = "window_refuted"
    """With ``window_closed``: the provider refused an attempt as too late, and the contact has not written since."""
    TEMPLATE_REQUESTED = "template_requested"
    TEMPLATE_STARTED = "template_started"
    """A template attempt was started for this message: it never goes back to free-form."""
    TEMPLATE_UNUSABLE = "template_unusable"
    """The requested template can't be sent now, or the one that the request names to stand in does not fit."""
    FALLBACK = "fallback"
    NO_RUNG = "no_rung"
    """No template of the ladder may stand in."""
    DOWNGRADE_LIMIT = "downgrade_limit"
    DOWNGRADE_OFF = "downgrade_off"
    """The sender refuses free-form content outside the window."""
    OBSERVED = "observed"
    """The sender only observes: the content left as it was asked for, whatever would have been decided."""
    SUPPRESSED = "suppressed"
    """The contact is on the suppression list; before ``no_rung``: that is why a rung was passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One template of the ladder, tried for one message: filled in and fit for its contract, or passed over."""

    name: str
    language: str
    message: TemplateMessage | None = None
    problem: str | None = None
    """Why it was passed over: ``unknown``, ``not_approved``, ``no_fill``, ``fill_failed: ...``, ``contract: ...``,
    ``drift: ...`` (it fits our file, but not what the provider has registered), ``suppressed``, ``refused: ...`` (the
    provider would not send it for this message), or what the provider has told of it: ``paused: until ...``,
    ``disabled``, ``refused_recently: 132015 until ...`` and others (domain.health.REASONS).
    """
    path: str | None = None
    """With ``contract`` and ``drift``: where in the request its arguments don't fit."""
    category: str | None = None
    """That of the registered template, where there is one."""
    repairs: tuple[str, ...] = ()
    """Which of its arguments were mended to fit, and how."""
    definition: str | None = None
    """Of which wording the registered template was: a fingerprint, to know it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision depends on, besides the content and the ladder."""

    now: datetime
    window: ServiceWindow
    margin: timedelta = timedelta(0)
    on_closed_window: OnClosedWindow = OnClosedWindow.DOWNGRADE
    downgrades: int = 0
    """Fallbacks that this contact was given within the limit's period, this message not counted."""
    downgrade_limit: int | None = None
    template_started: bool = False
    suppression: Suppression | None = None
    """What the contact may not be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the decision was taken on, kept with it."""

    at: datetime
    window: ServiceWindow
    margin: timedelta
    downgrades: int
    downgrade_limit: int | None
    rungs: tuple[Rung, ...] = ()
    """Those tried, in order; the last one is the one taken, if any was."""
    suppression: Suppression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """The content leaves as it was asked for."""

    content: Content
    reasons: tuple[Reason, ...]
    evidence: Evidence
    instead_of: Downgrade | Hold | Refuse | None = None
    """What a sender that only observes would have done, if that is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downgrade:
    """A fallback leaves in place of the free-form content."""

    content: TemplateMessage
    reasons: tuple[Reason, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The original is kept until the contact writes again."""

    reasons: tuple[Reason, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Nothing is sent. The last reason is the one to name."""

    reasons: tuple[Reason, ...]
    evidence: Evidence


Decision = Send | Downgrade | Hold | Refuse


def decide(content: Content, ladder: Iterable[Rung], circumstances: Circumstances) -> Decision:
    """Decide on one message at one instant.

    For a template message the ladder is the one rung that judges the template itself. For free-form content it is the
    request's own template, then the sender's fallbacks; it is only consumed as far as it is needed, so it may be lazy.
    """
    match content:
        case TemplateMessage():
            return _requested_template(ladder, circumstances)
        case FreeForm():
            return _free_form(content, ladder, circumstances)


def observed(content: Content, decision: Decision) -> Send:
    """What a sender that only observes does: the content leaves as it was asked for, and the decision is kept."""
    if isinstance(decision, Send):
        return Send(content=content, reasons=(*decision.reasons, Reason.OBSERVED), evidence=decision.evidence)
    return Send(content=content, reasons=(Reason.OBSERVED,), evidence=decision.evidence, instead_of=decision)


def is_of_window(refusal: Refuse, content: Content) -> bool:
    """Whether it is refused because the window is closed and nothing may stand in, and not for the contact's sake."""
    return isinstance(content, FreeForm) and refusal.reasons[-1] is not Reason.SUPPRESSED


def is_observed(decision: Decision) -> bool:
    return Reason.OBSERVED in decision.reasons


def fallback_of(decision: Decision) -> Downgrade | None:
    """The downgrade that is decided, or would have been."""
    would_be = decision.instead_of if isinstance(decision, Send) else decision
    return would_be if isinstance(would_be, Downgrade) else None


def repairs_of(decision: Decision) -> tuple[str, ...]:
    """What was mended in the arguments of the template that leaves."""
    rungs = () if is_observed(decision) else decision.evidence.rungs
    return rungs[-1].repairs if rungs else ()


def refuse_unfit(content: Content, rung: Rung, circumstances: Circumstances) -> Refuse:
    """What the request itself names does not fit: the template that it asks for, or that it names to stand in."""
    if isinstance(content, FreeForm):
        return refuse_fallback(rung, circumstances)
    reasons = (Reason.TEMPLATE_REQUESTED, Reason.TEMPLATE_UNUSABLE)
    return Refuse(reasons=reasons, evidence=_evidence(circumstances, (rung,)))


def refuse_fallback(rung: Rung, circumstances: Circumstances) -> Refuse:
    """The template that a request itself names to stand in does not fit: refused, whether it is needed or not."""
    is_open = circumstances.window.is_open(circumstances.now, circumstances.margin)
    window = (Reason.WINDOW_OPEN,) if is_open else why_closed(circumstances.window)
    return Refuse(reasons=(*window, Reason.TEMPLATE_UNUSABLE), evidence=_evidence(circumstances, (rung,)))


def _requested_template(ladder: Iterable[Rung], circumstances: Circumstances) -> Send | Refuse:
    suppression = circumstances.suppression
    if suppression is not None and suppression.stops_templates:
        return Refuse(reasons=(Reason.TEMPLATE_REQUESTED, Reason.SUPPRESSED), evidence=_evidence(circumstances))
    taken, tried = _first_usable(ladder, suppression)
    evidence = _evidence(circumstances, tried)
    if taken is None:
        why = Reason.SUPPRESSED if _is_passed_over(tried) else Reason.TEMPLATE_UNUSABLE
        return Refuse(reasons=(Reason.TEMPLATE_REQUESTED, why), evidence=evidence)
    return Send(content=taken, reasons=(Reason.TEMPLATE_REQUESTED,), evidence=evidence)


def _free_form(content: FreeForm, ladder: Iterable[Rung], circumstances: Circumstances) -> Decision:
    if circumstances.suppression is not None and circumstances.suppression.stops_everything:
        return Refuse(reasons=(Reason.SUPPRESSED,), evidence=_evidence(circumstances))
    if circumstances.template_started:
        return _stand_in(ladder, circumstances, because=(Reason.TEMPLATE_STARTED,))
    if circumstances.window.is_open(circumstances.now, circumstances.margin):
        return Send(content=content, reasons=(Reason.WINDOW_OPEN,), evidence=_evidence(circumstances))
    closed = why_closed(circumstances.window)
    match circumstances.on_closed_window:
        case OnClosedWindow.DOWNGRADE:
            return _within_limit(ladder, circumstances, because=closed)
        case OnClosedWindow.HOLD:
            return Hold(reasons=closed, evidence=_evidence(circumstances))
        case OnClosedWindow.REFUSE:
            return Refuse(reasons=(*closed, Reason.DOWNGRADE_OFF), evidence=_evidence(circumstances))


def why_closed(window: ServiceWindow) -> tuple[Reason, ...]:
    """Closed, and in which of three ways: never known to be open, refuted by the provider, or just run out."""
    if window.anchor is None:
        return (Reason.WINDOW_CLOSED, Reason.WINDOW_UNKNOWN)
    return (Reason.WINDOW_CLOSED, Reason.WINDOW_REFUTED) if window.is_refuted else (Reason.WINDOW_CLOSED,)


def _within_limit(
    ladder: Iterable[Rung], circumstances: Circumstances, *, because: tuple[Reason, ...]
) -> Downgrade | Refuse:
    limit, suppression = circumstances.downgrade_limit, circumstances.suppression
    is_stopped = suppression is not None and suppression.stops_templates
    if not is_stopped and limit is not None and circumstances.downgrades >= limit:
        return Refuse(reasons=(*because, Reason.DOWNGRADE_LIMIT), evidence=_evidence(circumstances))
    return _stand_in(ladder, circumstances, because=because)


def _stand_in(
    ladder: Iterable[Rung], circumstances: Circumstances, *, because: tuple[Reason, ...]
) -> Downgrade | Refuse:
    suppression = circumstances.suppression
    if suppression is not None and suppression.stops_templates:
        return Refuse(reasons=(*because, Reason.SUPPRESSED), evidence=_evidence(circumstances))
    taken, tried = _first_usable(ladder, suppression)
    evidence = _evidence(circumstances, tried)
    if taken is None:
        passed_over = (Reason.SUPPRESSED,) if _is_passed_over(tried) else ()
        return Refuse(reasons=(*because, *passed_over, Reason.NO_RUNG), evidence=evidence)
    return Downgrade(content=taken, reasons=(*because, Reason.FALLBACK), evidence=evidence)


PASSED_OVER = "suppressed"
"""The problem of a rung that the contact's suppression stops, and nothing else."""


def _first_usable(
    ladder: Iterable[Rung], suppression: Suppression | None
) -> tuple[TemplateMessage | None, tuple[Rung, ...]]:
    tried: list[Rung] = []
    for rung in ladder:
        tried.append(heeding(rung, suppression))
        if tried[-1].message is not None:
            return rung.message, tuple(tried)
    return None, tuple(tried)


def heeding(rung: Rung, suppression: Suppression | None) -> Rung:
    """The rung, passed over if the contact may not be sent it."""
    is_stopped = rung.message is not None and suppression is not None and suppression.stops(rung.category)
    return replace(rung, message=None, problem=PASSED_OVER) if is_stopped else rung


def _is_passed_over(tried: Iterable[Rung]) -> bool:
    return any(rung.problem == PASSED_OVER for rung in tried)


def _evidence(circumstances: Circumstances, rungs: tuple[Rung, ...] = ()) -> Evidence:
    return Evidence(
        at=circumstances.now,
        window=circumstances.window,
        margin=circumstances.margin,
        downgrades=circumstances.downgrades,
        downgrade_limit=circumstances.downgrade_limit,
        rungs=rungs,
        suppression=circumstances.suppression,
    )
