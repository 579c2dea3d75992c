from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.provider.sandbox.page.choice import one_line
from gateway.provider.sandbox.page.words import decision_words, passed_over, spoken


def a_decision(
    action: str, *reasons: str, at: str = "13:00", closes: str | None = "12:00", **more: Any
) -> dict[str, Any]:
    window = {"closes_at": closes and f"2026-03-02T{closes}:00.000Z"}
    evidence = {"at": f"2026-03-02T{at}:00.000Z", "window": window, "margin": 60.0, "downgrades": 2, "rungs": []}
    template = "ticket_answer/en_US" if action == "downgrade" else None
    return {"action": action, "reasons": list(reasons), "template": template, "evidence": {**evidence, **more}}


def said(decision: dict[str, Any]) -> str:
    return decision_words(decision, customer="Olena", sender="Shop")


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (
            a_decision("downgrade", "window_closed", "fallback"),
            "The window closed 1 h ago, so template ticket_answer (en_US) was sent instead.",
        ),
        (
            a_decision("downgrade", "window_closed", "window_unknown", "fallback", closes=None),
            "Olena has not written to Shop yet, so template ticket_answer (en_US) was sent instead.",
        ),
        (
            a_decision("downgrade", "window_closed", "window_refuted", "fallback", closes=None),
            "The provider said that the window was closed, so template ticket_answer (en_US) was sent instead.",
        ),
        (
            a_decision("downgrade", "window_closed", "fallback", at="11:59"),
            "The window had only 1 min left, less than the margin of 1 min, so template ticket_answer (en_US)"
            " was sent instead.",
        ),
        (
            a_decision("downgrade", "template_started", "fallback"),
            "A template was already tried for this message, so template ticket_answer (en_US) was sent instead.",
        ),
        (a_decision("send", "window_open", at="11:30"), "Sent as you wrote it: the window was open, with 30 min left."),
        (
            a_decision("send", "template_requested"),
            "The template that you chose was sent: a template may be sent at any time.",
        ),
        (
            a_decision("refuse", "window_closed", "no_rung"),
            "The window closed 1 h ago, and no template may stand in, so nothing was sent.",
        ),
        (
            a_decision("refuse", "window_closed", "downgrade_limit"),
            "The window closed 1 h ago, and 2 templates already stood in, which is the limit.",
        ),
        (
            a_decision("refuse", "template_requested", "template_unusable"),
            "You chose this template, and it can't be sent now, so nothing was sent.",
        ),
        (
            a_decision("hold", "window_closed"),
            "The window closed 1 h ago, so it is kept until Olena writes again.",
        ),
        (a_decision("refuse", "suppressed"), "Not as you wrote it (suppressed), and nothing was sent (suppressed)."),
        (a_decision("send", "observed"), "Sent as you wrote it (observed)."),
    ],
    ids=lambda value: "-".join(value["reasons"]) if isinstance(value, dict) else "",
)
def test_a_decision_is_said_in_words_that_are_also_those_of_reasons_it_never_heard_of(
    decision: dict[str, Any], words: str
) -> None:
    assert said(decision) == words


def test_templates_that_were_passed_over_are_named_with_the_reason() -> None:
    rungs = [
        {"name": "photo", "language": "en", "problem": "fill_failed: no picture"},
        {"name": "ticket", "language": "en", "problem": None},
    ]
    assert passed_over(a_decision("downgrade", "window_closed", rungs=rungs)) == ["photo (en): fill_failed: no picture"]


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (timedelta(milliseconds=3), "a moment"),
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=5, seconds=3), "5 min"),
        (timedelta(hours=25), "25 h"),
        (timedelta(hours=23, minutes=59, seconds=59), "23 h 59 min"),
        (timedelta(days=4, hours=3), "4 days"),
    ],
)
def test_periods_are_said_as_people_say_them(period: timedelta, words: str) -> None:
    assert spoken(period) == words


def test_a_name_within_a_sentence_is_one_line_and_turns_nothing_around() -> None:
    assert one_line(" Ol\u202eena\n\x00 Koval\u2066 ") == "Olena Koval"
    assert len(one_line("x" * 500)) == 40
