"""What would change a decision: each claim is made true, and decided again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import DowngradeLimit, SenderConfig
from gateway.considering import Considering
from gateway.decision import Decider
from gateway.domain.compliance import Mode, Reason
from gateway.domain.delivery import PauseCause
from gateway.domain.explanation import ExplainedRung, Verdict, explain
from gateway.domain.explanation_words import PAUSES, PROBLEMS, REASONS, sentence_of_change, sentence_of_problem
from gateway.domain.health import (
    REASONS as HEALTH_REASONS,
)
from gateway.domain.health import (
    UNKNOWN_HEALTH,
    HealthKey,
    TemplateNews,
    TemplateStatus,
    Unusable,
    after_news,
    after_refusal,
    until_told,
)
from gateway.domain.identity import Sender
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.domain.window import ServiceWindow
from gateway.domain.would_change import Change, Considered, Form, What, changes_of, form_of
from gateway.ports import KnownHealth
from gateway.registry import Registry
from gateway.template_health import TemplateHealth

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
SHOP = Sender("Shop")
LIMIT = DowngradeLimit(count=2, per=timedelta(hours=24))
TEXT = FreeForm(type="text", text="Your parcel is here")

FILES = {
    "plain": ("UTILITY", "APPROVED", "Hello from the shop", "fill: {body: []}"),
    "promo": ("MARKETING", "APPROVED", "Hello from the shop", "fill: {body: []}"),
    "draft": ("UTILITY", "PENDING", "Hello from the shop", "fill: {body: []}"),
    "answer": ("UTILITY", "APPROVED", "To your request {{1}} we say yes", 'fill: {body: ["{{ message.reference }}"]}'),
    "dumb": ("UTILITY", "APPROVED", "To {{1}} we say yes", ""),
}


GERMAN = {"plain", "draft", "dumb"}
"""Those that are registered in that language too."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    content: Content
    fallback: TemplateMessage | None = None
    reference: str | None = None
    intent: str | None = None
    on_closed_window: OnClosedWindow | None = None
    sender: Sender = SHOP


@dataclass(frozen=True, kw_only=True)
class Known:
    window: ServiceWindow
    contact_name: str | None = None
    downgrades: int = 0
    suppression: Suppression | None = None


def a_registry(folder: Path, *, approved: bool) -> Registry:
    folder.mkdir()
    for name, (category, status, text, fill) in FILES.items():
        told = "APPROVED" if approved else status
        head = f"name: {name}\nlanguage: en_US\ncategory: {category}\nstatus: {told}\n"
        body = f'components: [{{type: BODY, text: "{text}"}}]\n'
        for language in ("en_US", "de") if name in GERMAN else ("en_US",):
            text = f"{head}{body}{fill}\n".replace("en_US", language)
            (folder / f"{name}.{language}.yaml").write_text(text, encoding="utf-8")
    return Registry.load(folder)


@dataclass(frozen=True, kw_only=True)
class Registries:
    as_they_are: Registry
    all_approved: Registry


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Registries:
    folder = tmp_path_factory.mktemp("considering")
    return Registries(
        as_they_are=a_registry(folder / "as", approved=False), all_approved=a_registry(folder / "all", approved=True)
    )


def a_template(name: str, *arguments: str) -> TemplateMessage:
    parameters = [{"type": "text", "text": argument} for argument in arguments]
    body = ({"type": "body", "parameters": parameters},) if arguments else ()
    return TemplateMessage(name=name, language="en_US", components=body)


def a_good(template: TemplateMessage) -> TemplateMessage:
    return a_template(template.name, "7") if "{{1}}" in FILES[template.name][2] else a_template(template.name)


def healths_of(told: dict[str, str]) -> TemplateHealth:
    health = TemplateHealth()
    for number, (named, what) in enumerate(told.items(), start=1):
        name, _, language = named.partition("/")
        at = NOW - timedelta(hours=1)
        if what == "refused":
            known = after_refusal(UNKNOWN_HEALTH, 132015, at, is_filled_by_us=True)
        else:
            lasts = timedelta(hours=3) if what == "PAUSED" else None
            known = after_news(UNKNOWN_HEALTH, TemplateNews(status=TemplateStatus(what), lasts=lasts), at)
        health.take([KnownHealth(key=HealthKey.of("dt", name, language), health=known, revision=number)])
    return health


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message, what is known, and the sender's settings; what may be made other than it is."""

    asked: Asked
    known: Known
    sender: SenderConfig
    told: dict[str, str]
    approved: bool = False
    now: datetime = NOW
    limit_frees_at: datetime | None = None

    def considered(self, registries: Registries) -> Considered:
        registry = registries.all_approved if self.approved else registries.as_they_are
        health = healths_of(self.told)
        decider = Decider(registry, {SHOP: self.sender}, timedelta(seconds=60), health)
        considering = Considering(self.sender, decider, registry, health)
        return considering(self.asked, self.known, now=self.now, limit_frees_at=self.limit_frees_at)


names = st.sampled_from(sorted(FILES))
keys = st.sampled_from(sorted([f"{name}/en_US" for name in FILES] + [f"{name}/de" for name in GERMAN]))
templates = st.builds(lambda name, arguments: a_template(name, *arguments), names, st.lists(st.just("7"), max_size=1))
asked = st.one_of(
    st.builds(Asked, content=st.just(TEXT), fallback=st.none() | templates, reference=st.none() | st.just("A1")),
    st.builds(Asked, content=templates),
)
windows = st.builds(
    ServiceWindow,
    anchor=st.none() | st.sampled_from([0, 1, 23, 30]).map(lambda hours: NOW - timedelta(hours=hours)),
    refuted_at=st.none() | st.just(NOW - timedelta(minutes=30)),
)
suppressions = st.none() | st.builds(
    Suppression, scope=st.sampled_from(Scope), source=st.just(Source.OPERATOR), since=st.just(NOW)
)
senders = st.builds(
    SenderConfig,
    id=st.just(SHOP),
    provider=st.just("dt"),
    mode=st.sampled_from(Mode),
    on_closed_window=st.sampled_from([OnClosedWindow.DOWNGRADE, OnClosedWindow.REFUSE]),
    ladder=st.lists(names, max_size=3, unique=True).map(tuple),
    downgrade_limit=st.none() | st.just(LIMIT),
    alternates=st.sampled_from([(), ("de",)]),
)
cases = st.builds(
    Case,
    asked=asked,
    known=st.builds(Known, window=windows, downgrades=st.integers(0, 3), suppression=suppressions),
    sender=senders,
    told=st.dictionaries(keys, st.sampled_from(["PAUSED", "DISABLED", "refused"]), max_size=3),
).map(lambda case: replace(case, limit_frees_at=LATER if case.known.downgrades >= LIMIT.count else None))


def made(case: Case, change: Change) -> Case:
    """The case after the change has come about."""
    return MADE[change.what](case, change)


def _written(case: Case, _: Change) -> Case:
    heard = case.known.window.heard(NOW, by="wamid.new", evidence="message")
    return replace(case, known=replace(case.known, window=heard))


def _closed(case: Case, change: Change) -> Case:
    assert change.at is not None
    is_free = case.limit_frees_at is not None and change.at >= case.limit_frees_at
    downgrades = LIMIT.count - 1 if is_free else case.known.downgrades
    return replace(case, now=change.at, known=replace(case.known, downgrades=downgrades))


def _usable(case: Case, change: Change) -> Case:
    """Nothing stands against it any more; the others are as they were."""
    told = {one: what for one, what in case.told.items() if one != change.template}
    for draft in {"draft/en_US", "draft/de"} - {change.template}:
        told.setdefault(draft, "DISABLED")
    return replace(case, approved=True, told=told)


def _corrected(case: Case, _: Change) -> Case:
    content, fallback = case.asked.content, case.asked.fallback
    asked = replace(
        case.asked,
        content=a_good(content) if isinstance(content, TemplateMessage) else content,
        fallback=None if fallback is None else a_good(fallback),
    )
    return replace(case, asked=asked)


def _freed(case: Case, change: Change) -> Case:
    assert change.at is not None
    return replace(case, now=change.at, known=replace(case.known, downgrades=LIMIT.count - 1))


MADE: dict[What, Callable[[Case, Change], Case]] = {
    What.CUSTOMER_WRITES: _written,
    What.WINDOW_CLOSES: _closed,
    What.TEMPLATE_USABLE: _usable,
    What.ARGUMENTS_CORRECTED: _corrected,
    What.CONTACT_ALLOWED: lambda case, _: replace(case, known=replace(case.known, suppression=None)),
    What.DOWNGRADE_LIMIT_FREES: _freed,
    What.DOWNGRADING_ON: lambda case, _: replace(
        case, sender=replace(case.sender, on_closed_window=OnClosedWindow.DOWNGRADE)
    ),
    What.ENFORCING_ON: lambda case, _: replace(case, sender=replace(case.sender, mode=Mode.ENFORCE)),
}


@settings(max_examples=600, deadline=None)
@given(cases)
def test_what_is_claimed_to_change_a_decision_changes_it_to_what_is_claimed(registries: Registries, case: Case) -> None:
    considered = case.considered(registries)
    before = form_of(considered.would_be)
    for change in changes_of(considered):
        after = form_of(made(case, change).considered(registries).would_be)
        assert after == change.then, (change, considered.decision)
        assert (after != before) or change.what is What.ENFORCING_ON


@settings(max_examples=300, deadline=None)
@given(cases, st.sampled_from([What.CUSTOMER_WRITES, What.CONTACT_ALLOWED, What.DOWNGRADING_ON]))
def test_what_changes_a_decision_is_claimed(registries: Registries, case: Case, what: What) -> None:
    considered = case.considered(registries)
    after = form_of(made(case, Change(what=what, then=None)).considered(registries).would_be)
    claims = [change for change in changes_of(considered) if change.what is what]
    assert bool(claims) == (after != form_of(considered.would_be))


@settings(max_examples=300, deadline=None)
@given(cases)
def test_the_decision_is_the_decider_s_own_and_no_rung_is_left_out(registries: Registries, case: Case) -> None:
    considered = case.considered(registries)
    explanation = explain(considered)
    evidence = considered.decision.evidence
    assert tuple(one.rung for one in explanation.rungs)[: len(evidence.rungs)] == evidence.rungs
    own = case.asked.content if isinstance(case.asked.content, TemplateMessage) else case.asked.fallback
    listed = [] if isinstance(case.asked.content, TemplateMessage) else list(case.sender.ladder)
    languages = ["en_US", *(case.sender.alternates if isinstance(case.asked.content, FreeForm) else ())]
    ladder = [
        f"{name}/{language}"
        for name in [*([] if own is None else [own.name]), *listed]
        for language in languages
        if language == "en_US" or name in GERMAN
    ]
    assert [f"{one.rung.name}/{one.rung.language}" for one in explanation.rungs] == ladder
    taken = [one.rung for one in explanation.rungs if one.verdict is Verdict.TAKEN]
    template = form_of(considered.would_be).template
    assert [f"{rung.name}/{rung.language}" for rung in taken] == ([] if template is None else [template])
    if not considered.is_unfit:
        decider = Decider(registries.as_they_are, {SHOP: case.sender}, timedelta(seconds=60), healths_of(case.told))
        assert considered.decision == decider(case.asked, case.known, now=NOW)


# --- one by one -----------------------------------------------------------------------------------------------------


def a_case(**changes: Any) -> Case:
    sender = SenderConfig(id=SHOP, provider="dt", ladder=("plain", "promo"), downgrade_limit=LIMIT)
    case = Case(asked=Asked(content=TEXT), known=Known(window=ServiceWindow()), sender=sender, told={})
    return replace(case, **changes)


def claims(case: Case, registries: Registries) -> dict[What, Change]:
    return {change.what: change for change in changes_of(case.considered(registries))}


def test_an_open_window_tells_what_follows_when_it_closes(registries: Registries) -> None:
    window = ServiceWindow(anchor=NOW - timedelta(hours=23))
    found = claims(a_case(known=Known(window=window)), registries)
    closes_at = NOW + timedelta(hours=1) - timedelta(seconds=60)
    assert found == {
        What.WINDOW_CLOSES: Change(what=What.WINDOW_CLOSES, then=Form("downgrade", "plain/en_US"), at=closes_at)
    }
    (change,) = found.values()
    before, after = sentence_of_change(change).split(", ")
    assert before == "Unless the customer writes before 2026-03-02T12:59:00.000Z"
    assert after == "from then on it leaves as the template plain/en_US."


def test_a_paused_rung_says_until_when(registries: Registries) -> None:
    found = claims(a_case(told={"plain/en_US": "PAUSED"}), registries)
    usable = found[What.TEMPLATE_USABLE]
    assert (usable.template, usable.at) == ("plain/en_US", NOW + timedelta(hours=2))
    assert usable.then == Form("downgrade", "plain/en_US")
    assert sentence_of_change(usable).startswith("If the template plain/en_US may be sent again (2026-03-02T14:00")


def test_a_template_that_is_asked_for_and_does_not_fit_says_where(registries: Registries) -> None:
    found = claims(a_case(asked=Asked(content=a_template("dumb"))), registries)
    corrected = found[What.ARGUMENTS_CORRECTED]
    assert (corrected.then, corrected.paths) == (Form("send", "dumb/en_US"), ("$.template.components",))


def test_arguments_that_don_t_fit_are_told_before_all_else(registries: Registries) -> None:
    everything = Suppression(scope=Scope.EVERYTHING, source=Source.OPERATOR, since=NOW)
    case = a_case(asked=Asked(content=a_template("dumb")), known=Known(window=ServiceWindow(), suppression=everything))
    considered = case.considered(registries)
    assert considered.decision.reasons == (Reason.TEMPLATE_REQUESTED, Reason.TEMPLATE_UNUSABLE)
    assert changes_of(considered) == ()


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_reason_and_every_change_has_a_sentence() -> None:
    assert (set(REASONS), set(PAUSES)) == (set(Reason), set(PauseCause))
    for what in What:
        change = Change(what=what, then=Form("refuse"), at=NOW, template="t/en_US", paths=("$.a", "$.b"))
        assert sentence_of_change(change).endswith(" is refused.")
        assert "{" not in sentence_of_change(change)
    assert all(sentence.endswith(".") for sentence in (*REASONS.values(), *PROBLEMS.values()))


def test_every_problem_of_a_rung_has_a_sentence() -> None:
    others = {
        "unknown",
        "not_approved",
        "no_fill",
        "fill_failed",
        "contract",
        "drift",
        "failed",
        "suppressed",
        "refused",
    }
    assert set(PROBLEMS) == others | set(HEALTH_REASONS)
    assert sentence_of_problem("something new") == "It can't be sent now."


def test_the_end_of_what_stands_against_a_template_is_read_as_it_was_written() -> None:
    assert until_told(str(Unusable(code="refused_recently", detail="132015", until=NOW))) == NOW
    assert until_told(str(Unusable(code="disabled"))) is None
    assert until_told("contract: expected one until noon") is None


def test_a_problem_is_a_code_and_a_detail(registries: Registries) -> None:
    considered = a_case(told={"plain/en_US": "PAUSED"}).considered(registries)
    first, second = explain(considered).rungs
    assert (first.code, first.detail, first.verdict) == (
        "paused",
        "until 2026-03-02T14:00:00.000Z",
        Verdict.PASSED_OVER,
    )
    assert second == ExplainedRung(rung=second.rung, verdict=Verdict.TAKEN)
    assert (second.code, second.detail) == (None, None)
