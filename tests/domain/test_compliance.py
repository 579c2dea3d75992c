"""The decision: every combination of circumstances against the sentences of the house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    observed,
)
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.suppression import Scope, Source, Suppression, widest
from gateway.domain.window import UNKNOWN_WINDOW, ServiceWindow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARGIN = timedelta(seconds=60)
TEXT = FreeForm(type="text", text="Your parcel is here.")
IMAGE = FreeForm(type="image", file_url="https://example.com/parcel.png")
WANTED = TemplateMessage(name="order_ready", language="en_US")

CONTENTS: list[Content] = [TEXT, IMAGE, WANTED]
WINDOWS = {
    "unknown": UNKNOWN_WINDOW,
    "open": ServiceWindow(anchor=NOW - HOUR, refuted_at=NOW - 2 * HOUR),
    "in the margin": ServiceWindow(anchor=NOW - 24 * HOUR + MARGIN),
    "closed": ServiceWindow(anchor=NOW - 24 * HOUR),
    "refuted": ServiceWindow(anchor=NOW - 2 * HOUR, refuted_at=NOW - HOUR),
    "refuted, never heard": ServiceWindow(refuted_at=NOW - HOUR),
}
WHY_CLOSED = {
    "unknown": ["window_closed", "window_unknown"],
    "in the margin": ["window_closed"],
    "closed": ["window_closed"],
    "refuted": ["window_closed", "window_refuted"],
    "refuted, never heard": ["window_closed", "window_unknown"],
}


def usable(name: str, category: str = "UTILITY") -> Rung:
    message = TemplateMessage(name=name, language="en_US")
    return Rung(name=name, language="en_US", message=message, category=category)


def unusable(name: str) -> Rung:
    return Rung(name=name, language="en_US", problem="not_approved")


LADDERS = {
    "empty": [],
    "no rung fits": [unusable("first"), unusable("second")],
    "the second fits": [unusable("first"), usable("second"), usable("third")],
    "marketing first": [usable("offer", "MARKETING"), usable("second")],
    "only marketing": [unusable("first"), usable("offer", "MARKETING")],
}
SUPPRESSIONS = {
    "none": None,
    **{
        scope: Suppression(scope=Scope(scope), source=Source.OPERATOR, since=NOW - 30 * 24 * HOUR)
        for scope in ("marketing", "templates", "everything")
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    content: Content
    window: str
    policy: str
    template_started: bool
    downgrades: int
    limit: int | None
    ladder: str
    suppression: str

    @property
    def circumstances(self) -> Circumstances:
        return Circumstances(
            now=NOW,
            window=WINDOWS[self.window],
            margin=MARGIN,
            on_closed_window=OnClosedWindow(self.policy),
            downgrades=self.downgrades,
            downgrade_limit=self.limit,
            template_started=self.template_started,
            suppression=SUPPRESSIONS[self.suppression],
        )

    def decided(self) -> Decision:
        return decide(self.content, iter(LADDERS[self.ladder]), self.circumstances)


CASES = [
    Case(
        content=content,
        window=window,
        policy=policy,
        template_started=started,
        downgrades=downgrades,
        limit=limit,
        ladder=ladder,
        suppression=suppression,
    )
    for content, window, policy, started, (downgrades, limit), ladder, suppression in product(
        CONTENTS,
        WINDOWS,
        ["downgrade", "refuse", "hold"],
        [False, True],
        [(0, None), (7, None), (1, 2), (2, 2), (3, 2), (0, 0)],
        LADDERS,
        SUPPRESSIONS,
    )
]


def expected(case: Case) -> tuple[type, str | None, list[str]]:
    """What must come out: the kind, the name of the template that leaves (if one does), the reasons."""
    if case.content is WANTED:
        return expected_of_template(case)
    if case.suppression == "everything":
        return Refuse, None, ["suppressed"]
    if case.template_started:
        return stands_in(case, "template_started")
    if case.window == "open":
        return Send, None, ["window_open"]
    why = WHY_CLOSED[case.window]
    if case.policy == "refuse":
        return Refuse, None, [*why, "downgrade_off"]
    if case.policy == "hold":
        return Hold, None, why
    return expected_stand_in(case, why)


def expected_of_template(case: Case) -> tuple[type, str | None, list[str]]:
    if leaving(case):
        return Send, leaving(case), ["template_requested"]
    is_stopped = stops_templates(case) or is_passed_over(case)
    return Refuse, None, ["template_requested", "suppressed" if is_stopped else "template_unusable"]


def expected_stand_in(case: Case, why: list[str]) -> tuple[type, str | None, list[str]]:
    is_used_up = case.limit is not None and case.limit <= case.downgrades
    if is_used_up and not stops_templates(case):
        return Refuse, None, [*why, "downgrade_limit"]
    return stands_in(case, *why)


def stops_templates(case: Case) -> bool:
    return case.suppression in ("templates", "everything")


def is_passed_over(case: Case) -> bool:
    return case.suppression == "marketing" and case.ladder in ("marketing first", "only marketing")


def leaving(case: Case) -> str | None:
    return None if stops_templates(case) else LEAVES[case.ladder, case.suppression == "marketing"]


LEAVES = {
    ("empty", False): None,
    ("empty", True): None,
    ("no rung fits", False): None,
    ("no rung fits", True): None,
    ("the second fits", False): "second",
    ("the second fits", True): "second",
    ("marketing first", False): "offer",
    ("marketing first", True): "second",
    ("only marketing", False): "offer",
    ("only marketing", True): None,
}
"""Which template of a ladder leaves, without and with a stop of marketing."""


def stands_in(case: Case, *why: str) -> tuple[type, str | None, list[str]]:
    if leaving(case):
        return Downgrade, leaving(case), [*why, "fallback"]
    if stops_templates(case):
        return Refuse, None, [*why, "suppressed"]
    return Refuse, None, [*why, *(["suppressed"] if is_passed_over(case) else []), "no_rung"]


def content_of(decision: Decision) -> Content | None:
    return decision.content if isinstance(decision, Send | Downgrade) else None


def leaves_as(decision: Decision) -> str | None:
    content = content_of(decision)
    return content.name if isinstance(content, TemplateMessage) else None


def test_every_combination_of_circumstances_is_decided_as_the_rules_say() -> None:
    for case in CASES:
        decision = case.decided()
        assert (type(decision), leaves_as(decision), [str(reason) for reason in decision.reasons]) == expected(case), (
            case
        )


def test_free_form_content_never_leaves_but_into_an_open_window() -> None:
    left = [case for case in CASES if isinstance(content_of(case.decided()), FreeForm)]
    assert {case.window for case in left} == {"open"}
    assert not any(case.template_started for case in left)


def test_nothing_stands_in_for_free_form_content_in_an_open_window_unless_a_template_was_started() -> None:
    downgraded_in_the_open = [case for case in CASES if case.window == "open" and isinstance(case.decided(), Downgrade)]
    assert downgraded_in_the_open
    assert all(case.template_started for case in downgraded_in_the_open)


def test_what_leaves_as_asked_is_what_was_asked() -> None:
    for case in CASES:
        decision = case.decided()
        if isinstance(decision, Send) and isinstance(case.content, FreeForm):
            assert decision.content is case.content


def test_a_suppressed_contact_is_sent_nothing_that_its_scope_stops() -> None:
    for case in CASES:
        content = content_of(case.decided())
        if case.suppression == "everything":
            assert content is None, case
        if case.suppression == "templates":
            assert not isinstance(content, TemplateMessage), case
        if case.suppression == "marketing":
            assert leaves_as(case.decided()) != "offer", case


def test_a_stop_of_templates_or_marketing_holds_up_no_free_form_content() -> None:
    for case in CASES:
        is_free = case.content is not WANTED and case.window == "open" and not case.template_started
        if is_free and case.suppression != "everything":
            assert content_of(case.decided()) is case.content, case


def test_a_rung_that_is_passed_over_says_why_and_the_decision_says_by_whose_word() -> None:
    stop = Suppression(scope=Scope.MARKETING, source=Source.PROVIDER, since=NOW - HOUR)
    circumstances = Circumstances(now=NOW, window=WINDOWS["closed"], suppression=stop)
    decision = decide(TEXT, [usable("offer", "MARKETING"), usable("second")], circumstances)
    assert [(rung.name, rung.problem) for rung in decision.evidence.rungs] == [
        ("offer", "suppressed"),
        ("second", None),
    ]
    assert decision.evidence.suppression == stop


def test_of_several_suppressions_the_widest_counts_and_an_operator_s_before_a_provider_s() -> None:
    def entry(scope: str, source: str, hours: int) -> Suppression:
        return Suppression(scope=Scope(scope), source=Source(source), since=NOW - hours * HOUR)

    marketing, reported = entry("marketing", "operator", 1), entry("marketing", "provider", 9)
    templates, earlier = entry("templates", "operator", 2), entry("templates", "operator", 5)
    assert widest([]) is None
    assert widest([reported, marketing]) is marketing
    assert widest([marketing, templates, reported]) is templates
    assert widest([templates, earlier]) is earlier


def test_every_decision_keeps_what_it_was_taken_on() -> None:
    for case in CASES:
        evidence = case.decided().evidence
        assert (evidence.at, evidence.window, evidence.margin) == (NOW, WINDOWS[case.window], MARGIN)
        assert (evidence.downgrades, evidence.downgrade_limit) == (case.downgrades, case.limit)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_given_by_some_decision(reason: Reason) -> None:
    decided = (case.decided() for case in CASES)
    assert any(reason in (*decision.reasons, *observed(TEXT, decision).reasons) for decision in decided)


class Ladder:
    """Rungs that count how many of them were looked at."""

    def __init__(self, rungs: list[Rung]) -> None:
        self.rungs = rungs
        self.looked_at = 0

    def __iter__(self) -> Iterator[Rung]:
        for rung in self.rungs:
            self.looked_at += 1
            yield rung


RUNGS = st.lists(st.sampled_from([usable("a"), usable("b"), unusable("c"), unusable("d")]), max_size=6)
CLOSED = Circumstances(now=NOW, window=WINDOWS["closed"])


@given(RUNGS)
def test_the_first_usable_rung_is_taken_and_none_behind_it_is_looked_at(rungs: list[Rung]) -> None:
    ladder = Ladder(rungs)
    decision = decide(TEXT, ladder, CLOSED)
    best = next((place for place, rung in enumerate(rungs) if rung.message is not None), None)
    assert ladder.looked_at == (len(rungs) if best is None else best + 1)
    assert decision.evidence.rungs == tuple(rungs[: ladder.looked_at])
    assert content_of(decision) == (None if best is None else rungs[best].message)


@pytest.mark.parametrize(
    "circumstances",
    [
        Circumstances(now=NOW, window=WINDOWS["open"]),
        Circumstances(now=NOW, window=WINDOWS["closed"], on_closed_window=OnClosedWindow.REFUSE),
        Circumstances(now=NOW, window=WINDOWS["closed"], on_closed_window=OnClosedWindow.HOLD),
        Circumstances(now=NOW, window=WINDOWS["closed"], downgrades=2, downgrade_limit=2),
    ],
    ids=["open", "refuse", "hold", "limit"],
)
def test_no_rung_is_looked_at_where_none_is_needed(circumstances: Circumstances) -> None:
    ladder = Ladder([usable("a")])
    assert decide(TEXT, ladder, circumstances).evidence.rungs == ()
    assert ladder.looked_at == 0


def test_a_reply_to_a_contact_that_wrote_an_hour_ago_is_sent() -> None:
    decision = decide(TEXT, [usable("a")], Circumstances(now=NOW, window=WINDOWS["open"]))
    assert isinstance(decision, Send)
    assert decision.content == TEXT


def test_the_same_reply_25_hours_later_becomes_the_fallback() -> None:
    decision = decide(TEXT, [usable("a")], Circumstances(now=NOW + 25 * HOUR, window=WINDOWS["open"]))
    assert isinstance(decision, Downgrade)
    assert decision.content.name == "a"


def test_a_message_whose_template_was_started_does_not_go_back_to_free_form_when_the_contact_writes() -> None:
    circumstances = Circumstances(now=NOW, window=WINDOWS["open"], template_started=True)
    decision = decide(TEXT, [usable("a")], circumstances)
    assert isinstance(decision, Downgrade)
    assert decision.reasons[0] is Reason.TEMPLATE_STARTED


def test_the_limit_does_not_stop_a_fallback_that_was_already_started() -> None:
    circumstances = Circumstances(
        now=NOW, window=WINDOWS["closed"], downgrades=5, downgrade_limit=2, template_started=True
    )
    assert isinstance(decide(TEXT, [usable("a")], circumstances), Downgrade)


def test_a_requested_template_leaves_whatever_the_window_the_limit_and_the_policy() -> None:
    circumstances = Circumstances(
        now=NOW,
        window=UNKNOWN_WINDOW,
        on_closed_window=OnClosedWindow.REFUSE,
        downgrades=9,
        downgrade_limit=2,
    )
    assert isinstance(decide(WANTED, [Rung(name="order_ready", language="en_US", message=WANTED)], circumstances), Send)
