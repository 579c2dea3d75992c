"""Why a message leaves as it does: one value for what is asked beforehand and for what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.compliance import Downgrade, Evidence, Reason, Rung, Send, heeding
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import Misfit
from gateway.domain.message import JsonObject, TemplateMessage
from gateway.domain.window import ServiceWindow
from gateway.domain.would_change import Change, Considered, Form, changes_of, form_of


class Verdict(StrEnum):
    """What became of a rung."""

    TAKEN = "taken"
    PASSED_OVER = "passed_over"
    NOT_NEEDED = "not_needed"
    """It was not come to; its problem is what would have been found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRung:
    rung: Rung
    verdict: Verdict

    @property
    def code(self) -> str | None:
        """The stable code of its problem."""
        return None if self.rung.problem is None else self.rung.problem.partition(":")[0]

    @property
    def detail(self) -> str | None:
        return None if self.rung.problem is None else self.rung.problem.partition(":")[2].strip() or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWindow:
    window: ServiceWindow
    margin: timedelta
    at: datetime

    @property
    def is_open(self) -> bool:
        """Whether free-form content may leave: the margin is counted."""
        return self.window.is_open(self.at, self.margin)

    @property
    def left(self) -> timedelta:
        """For how long it may still leave."""
        closes_at = self.window.closes_at
        return timedelta(0) if closes_at is None else max(timedelta(0), closes_at - self.margin - self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPace:
    """What would keep it from leaving at once, whatever is decided."""

    contact_wait: timedelta = timedelta(0)
    sender_wait: timedelta = timedelta(0)
    ahead: int = 0
    paused: PauseCause | None = None
    paused_for: timedelta | None = None

    @property
    def delay(self) -> timedelta:
        return max(self.contact_wait, self.sender_wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldBe:
    """What a sender that only observes would have done."""

    form: Form
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    at: datetime
    form: Form
    reasons: tuple[Reason, ...]
    window: ExplainedWindow
    rungs: tuple[ExplainedRung, ...]
    would_change: tuple[Change, ...]
    would_be: WouldBe | None = None
    misfits: tuple[Misfit, ...] = ()
    """Arguments of the request that don't fit."""
    rendered: JsonObject | None = None
    """What the contact will read; None: nothing leaves, or what left is not kept."""
    pace: ExplainedPace | None = None
    """None: it was decided before, and nobody knows what the pace was then."""


def explain(
    considered: Considered,
    *,
    rendered: JsonObject | None = None,
    misfits: Sequence[Misfit] = (),
    pace: ExplainedPace | None = None,
) -> Explanation:
    decision, would_be = considered.decision, considered.would_be
    evidence = decision.evidence
    return Explanation(
        at=evidence.at,
        form=form_of(decision),
        reasons=decision.reasons,
        window=ExplainedWindow(window=evidence.window, margin=evidence.margin, at=evidence.at),
        rungs=_rungs(considered, evidence),
        would_change=changes_of(considered),
        would_be=None if would_be is decision else WouldBe(form=form_of(would_be), reasons=would_be.reasons),
        misfits=tuple(misfits),
        rendered=rendered,
        pace=pace,
    )


def _rungs(considered: Considered, evidence: Evidence) -> tuple[ExplainedRung, ...]:
    tried = evidence.rungs
    is_taken = isinstance(considered.would_be, Send | Downgrade) and isinstance(
        considered.would_be.content, TemplateMessage
    )
    last = len(tried) - 1
    verdicts = (Verdict.TAKEN if is_taken and place == last else Verdict.PASSED_OVER for place in range(len(tried)))
    rest = (heeding(rung, evidence.suppression) for rung in considered.ladder[len(tried) :])
    return (
        *(ExplainedRung(rung=rung, verdict=verdict) for rung, verdict in zip(tried, verdicts, strict=True)),
        *(ExplainedRung(rung=rung, verdict=Verdict.NOT_NEEDED) for rung in rest),
    )
