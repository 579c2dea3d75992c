"""Summing up what the store counts, stretch by stretch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from gateway.domain.compliance import Reason
from gateway.domain.delivery import AttemptStatus
from gateway.domain.identity import Sender
from gateway.domain.message import Status
from gateway.ports import AnswerCount, DecidedCount, RefusedCount, Reports, RungCount, Stretch, Tally

K = TypeVar("K")

PAGE = 2000
"""So many rows are counted at once: a look-up of some hundredths of a second."""
_KINDS = 500
"""So many different templates or places are told apart; a client may name any."""
OTHERS = "(others)"

FREE_FORM = {"send": "inside", "downgrade": "downgraded", "refuse": "refused"}
"""What became of free-form content, or would have, by the decision that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What to report on: `since` included, `until` not; of one sender, or of all."""

    since: datetime
    until: datetime
    sender: Sender | None = None


@dataclass(slots=True, kw_only=True)
class Section:
    """One sender in one mode."""

    sender: Sender
    is_observed: bool
    messages: int = 0
    refused_at_once: int = 0
    free_form: Counter[str] = field(default_factory=Counter)
    unfit: int = 0
    """Template messages that were refused, or would have been."""
    suppressed: int = 0
    """Refused, or would have been, as the contact is on the suppression list: that says nothing of windows."""
    asked: Counter[str] = field(default_factory=Counter)
    stood_in: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    """Of free-form content, by the reason to name."""
    passed_over: Counter[tuple[str, str]] = field(default_factory=Counter)
    misfits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[bool, str]] = field(default_factory=Counter)
    """Of the provider to free-form content, by whether we held the window to be open."""
    statuses: Counter[Status] = field(default_factory=Counter)
    days: dict[date, Counter[str]] = field(default_factory=dict)

    def count_day(self, day: date, kind: str, count: int) -> None:
        self.days.setdefault(day, Counter())[kind] += count


@dataclass(slots=True, kw_only=True)
class Report:
    period: Period
    oldest: datetime | None
    """When the oldest message was accepted that is still kept."""
    sections: dict[tuple[Sender, bool], Section] = field(default_factory=dict)

    def section(self, sender: Sender, *, is_observed: bool) -> Section:
        key = (sender, is_observed)
        return self.sections.setdefault(key, Section(sender=sender, is_observed=is_observed))

    def add(self, tally: Tally) -> None:
        for decided in tally.decided:
            _add_decided(self.section(decided.sender, is_observed=decided.is_observed), decided)
        for refused in tally.refused:
            _add_refused(self.section(refused.sender, is_observed=False), refused)
        for rung in tally.rungs:
            _add_rung(self.section(rung.sender, is_observed=rung.is_observed), rung)
        for answer in tally.answers:
            _add_answer(self.section(answer.sender, is_observed=answer.is_observed), answer)


async def summed(store: Reports, period: Period, *, progress: Callable[[float], None] = lambda share: None) -> Report:
    """Everything that is known of the period. `progress` is told which share of it has been counted."""
    bounds = await store.stretches(period.since, period.until)
    report = Report(period=period, oldest=bounds.oldest)
    messages = _stretches(period, bounds.first_message, bounds.end_message)
    refusals = _stretches(period, bounds.first_refusal, bounds.end_refusal)
    whole = bounds.end_message - bounds.first_message + bounds.end_refusal - bounds.first_refusal
    counted = 0
    for tally, stretches in ((store.tally_messages, messages), (store.tally_refusals, refusals)):
        for stretch in stretches:
            report.add(await tally(stretch))
            counted += stretch.end - stretch.first
            progress(counted / whole)
    return report


def _stretches(period: Period, first: int, end: int) -> Iterator[Stretch]:
    for start in range(first, end, PAGE):
        stop = min(start + PAGE, end)
        yield Stretch(first=start, end=stop, since=period.since, until=period.until, sender=period.sender)


def _add_decided(section: Section, decided: DecidedCount) -> None:
    counts: Mapping[str, object] = decided.instead or {
        "action": decided.action,
        "reasons": decided.reasons,
        "template": decided.template,
    }
    action, template = str(counts.get("action")), counts.get("template")
    section.messages += decided.count
    section.statuses[decided.status] += decided.count
    if action == "refuse" and _to_name(counts.get("reasons")) == Reason.SUPPRESSED:
        section.suppressed += decided.count
        return
    if not decided.is_free_form:
        _bounded(section.asked, str(template or OTHERS), decided.count, OTHERS)
        section.unfit += decided.count if action == "refuse" else 0
        return
    _add_free_form(section, decided.day, FREE_FORM.get(action, action), decided.count)
    if action == "downgrade":
        _bounded(section.stood_in, str(template or OTHERS), decided.count, OTHERS)
    elif action == "refuse":
        section.refusals[_to_name(counts.get("reasons"))] += decided.count


def _add_free_form(section: Section, day: date, kind: str, count: int) -> None:
    section.free_form[kind] += count
    section.count_day(day, kind, count)


def _add_refused(section: Section, refused: RefusedCount) -> None:
    section.refused_at_once += refused.count
    if _to_name(refused.reasons) == Reason.SUPPRESSED:
        section.suppressed += refused.count
        return
    if "template_requested" in refused.reasons:
        section.unfit += refused.count
        return
    _add_free_form(section, refused.day, "refused", refused.count)
    section.refusals[_to_name(refused.reasons)] += refused.count


def _to_name(reasons: object) -> str:
    """The last reason is the one to name."""
    return str(reasons[-1]) if isinstance(reasons, list | tuple) and reasons else OTHERS


def _add_rung(section: Section, rung: RungCount) -> None:
    if rung.is_asked:
        key = (rung.template, rung.problem, rung.path or "")
        _bounded(section.misfits, key, rung.count, (OTHERS, "", ""))
    else:
        _bounded(section.passed_over, (rung.template, rung.problem), rung.count, (OTHERS, ""))


_ANSWERS = {
    AttemptStatus.SUBMITTED: "taken",
    AttemptStatus.SENT: "taken",
    AttemptStatus.DELIVERED: "delivered",
    AttemptStatus.READ: "delivered",
    AttemptStatus.UNKNOWN: "unknown",
    AttemptStatus.FAILED: "failed",
    AttemptStatus.WINDOW_CLOSED: "refused",
}
"""What is left out says nothing of the window: it is under way, or was put off."""


def _add_answer(section: Section, answer: AnswerCount) -> None:
    said = "refused" if answer.closes_window else _ANSWERS.get(AttemptStatus(answer.status))
    if said is not None:
        section.answers[answer.held_open, said] += answer.count


def _bounded(counter: Counter[K], key: K, count: int, others: K) -> None:
    """Count it by its own name as long as there are not too many names."""
    counter[key if key in counter or len(counter) < _KINDS else others] += count
