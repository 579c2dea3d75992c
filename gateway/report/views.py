"""A report as JSON values, for programs, tables and the page alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.report.summing import Period, Report, Section

View = dict[str, Any]

ANSWERS = ("delivered", "taken", "refused", "failed", "unknown")
DAY_KINDS = ("inside", "downgraded", "refused")


def report_view(report: Report, *, now: datetime, kept: timedelta | None) -> View:
    """Everything that was counted; `kept` is for how long the store keeps history, where that is known."""
    sections = sorted(report.sections.values(), key=lambda section: (section.sender, section.is_observed))
    return {
        "since": rfc3339(report.period.since),
        "until": rfc3339(report.period.until),
        "made_at": rfc3339(now),
        "oldest": rfc3339_or_none(report.oldest),
        "history_days": None if kept is None else kept / timedelta(days=1),
        "is_cut": kept is not None and report.period.since < now - kept,
        "sections": [_section(section, report.period) for section in sections],
    }


def _section(section: Section, period: Period) -> View:
    free_form = {kind: section.free_form[kind] for kind in DAY_KINDS}
    return {
        "sender": section.sender,
        "mode": "observe" if section.is_observed else "enforce",
        "messages": section.messages,
        "refused_at_acceptance": section.refused_at_once,
        "free_form": {"total": sum(free_form.values()), **free_form},
        "suppressed": section.suppressed,
        "templates": {"total": sum(section.asked.values()), "unfit": section.unfit},
        "provider": _provider(section),
        "stood_in": [{"template": name, "count": count} for name, count in section.stood_in.most_common()],
        "refusals": [{"reason": reason, "count": count} for reason, count in section.refusals.most_common()],
        "passed_over": [
            {"template": name, "problem": problem, "count": count}
            for (name, problem), count in section.passed_over.most_common()
        ],
        "misfits": [
            {"template": name, "problem": problem, "path": path or None, "count": count}
            for (name, problem, path), count in section.misfits.most_common()
        ],
        "asked": [{"template": name, "count": count} for name, count in section.asked.most_common()],
        "statuses": {status.value: count for status, count in section.statuses.most_common()},
        "days": [
            {
                "day": day.isoformat(),
                **{kind: section.days[day][kind] if day in section.days else 0 for kind in DAY_KINDS},
            }
            for day in _days(section, period)
        ],
    }


def _provider(section: Section) -> View:
    held = {
        name: {answer: section.answers[is_open, answer] for answer in ANSWERS}
        for name, is_open in (("held_open", True), ("held_closed", False))
    }
    refused = held["held_open"]["refused"] + held["held_closed"]["refused"]
    taken = {name: row["delivered"] + row["taken"] for name, row in held.items()}
    return {
        **held,
        "refused": refused,
        "answered": refused + sum(taken.values()),
        "agreed": taken["held_open"] + held["held_closed"]["refused"],
    }


def _days(section: Section, period: Period) -> Iterator[date]:
    """Every day from the first on which something happened, those without anything too."""
    if not section.days:
        return
    day, last = min(section.days), max(section.days)
    first = period.since.date()
    if (last - first).days < _LONGEST:
        day, last = first, max(last, (period.until - timedelta(microseconds=1)).date())
    while day <= last:
        yield day
        day += timedelta(days=1)


_LONGEST = 400
"""A longer time begins with its first message: all of it would be mostly empty."""
