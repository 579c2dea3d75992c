"""The gateway's decisions in plain words, made of nothing but what its own answers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]

_TURN_TO_DAYS = timedelta(days=3)


def read_instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written).astimezone(UTC)


def spoken(period: timedelta) -> str:
    """A period as people say it: ``40 s``, ``5 min``, ``25 h``, ``23 h 59 min``, ``4 days``."""
    if period >= _TURN_TO_DAYS:
        return f"{period.days} days"
    minutes, seconds = divmod(int(period.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts) or (f"{seconds} s" if seconds else "a moment")


def template_name(written: str | None) -> str:
    """``name/language`` as it is said."""
    name, _, language = (written or "?").rpartition("/")
    return f"{name} ({language})" if name else language


def decision_words(decision: Json, *, customer: str, sender: str) -> str:
    """What was decided, and why, in one sentence."""
    reasons = decision["reasons"]
    if decision["action"] == "refuse":
        return f"{_cause(decision, customer, sender)}, and {_refusal(decision, reasons)}."
    if decision["action"] == "downgrade":
        name = template_name(decision["template"])
        return f"{_cause(decision, customer, sender)}, so template {name} was sent instead."
    if decision["action"] == "hold":
        return f"{_cause(decision, customer, sender)}, so it is kept until {customer} writes again."
    return _sent(decision, reasons)


def _sent(decision: Json, reasons: Sequence[str]) -> str:
    if "template_requested" in reasons:
        named = decision.get("template")
        which = f"Template {template_name(named)}" if named else "The template that you chose"
        return f"{which} was sent: a template may be sent at any time."
    if "window_open" in reasons:
        return f"Sent as you wrote it: the window was open, with {_left(decision)} left."
    return f"Sent as you wrote it ({', '.join(reasons)})."


def _cause(decision: Json, customer: str, sender: str) -> str:
    """Why it could not leave as it was written."""
    reasons = decision["reasons"]
    if "template_started" in reasons:
        return "A template was already tried for this message"
    if "window_unknown" in reasons:
        return f"{customer} has not written to {sender} yet"
    if "window_refuted" in reasons:
        return "The provider said that the window was closed"
    if "template_requested" in reasons:
        return "You chose this template"
    if "window_closed" in reasons:
        return _closed(decision)
    return f"Not as you wrote it ({', '.join(reasons)})"


def _closed(decision: Json) -> str:
    at, closes_at = read_instant(decision["evidence"]["at"]), _closes_at(decision)
    if at is None or closes_at is None:
        return "The window was closed"
    if at < closes_at:
        margin = timedelta(seconds=float(decision["evidence"].get("margin", 0)))
        return f"The window had only {spoken(closes_at - at)} left, less than the margin of {spoken(margin)}"
    return f"The window closed {spoken(at - closes_at)} ago" if at > closes_at else "The window had just closed"


def _refusal(decision: Json, reasons: Sequence[str]) -> str:
    evidence = decision["evidence"]
    words = {
        "template_unusable": "it can't be sent now, so nothing was sent",
        "no_rung": "no template may stand in, so nothing was sent",
        "downgrade_limit": f"{evidence.get('downgrades')} templates already stood in, which is the limit",
        "downgrade_off": "this sender sends no template instead, so nothing was sent",
    }
    return words.get(reasons[-1], f"nothing was sent ({reasons[-1]})")


def passed_over(decision: Json) -> Sequence[str]:
    """The templates of the ladder that could not be used, each with the gateway's reason."""
    rungs = decision["evidence"].get("rungs", ())
    return [f"{rung['name']} ({rung['language']}): {rung['problem']}" for rung in rungs if rung.get("problem")]


def _left(decision: Json) -> str:
    at, closes_at = read_instant(decision["evidence"]["at"]), _closes_at(decision)
    return "some time" if at is None or closes_at is None else spoken(closes_at - at)


def _closes_at(decision: Json) -> datetime | None:
    return read_instant(decision["evidence"]["window"]["closes_at"])
