"""Counting for reports: what the database groups against what a plain loop counts, and what is left out."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.domain.compliance import Downgrade, Reason, Refuse, Rung, Send, observed
from gateway.domain.delivery import AttemptStatus, DeliveryPolicy, Failed, Submitted, Unknown, WindowWasClosed
from gateway.domain.identity import Sender, draw_token
from gateway.domain.message import Content, Draft, FreeForm, TemplateMessage
from gateway.ports import Attempt, StorePolicy
from gateway.report import Period, report_view, summed
from gateway.report import summing as summing_module
from tests.store.asking import enqueue, refuse
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    NOW,
    REFUSAL,
    SENDER,
    TEMPLATE,
    TEXT,
    TOO_LATE,
    a_contact,
    a_downgrade,
    a_draft,
    a_refusal,
    a_report,
    a_send,
    an_evidence,
)

OTHER = Sender("Other Company")
PATH = "$.template.components[0].parameters[1].text"
FIVE_DAYS = timedelta(days=5)


@dataclass(frozen=True)
class Told:
    """One message, or one refusal, as the test remembers it."""

    at: datetime
    sender: Sender
    observed: bool
    kind: str
    answer: str | None = None
    template: str | None = None
    at_once: bool = False


def a_misfit() -> Refuse:
    problem = f"contract: {PATH}: expected text"
    rung = Rung(name=TEMPLATE.name, language=TEMPLATE.language, problem=problem, path=PATH)
    reasons = (Reason.TEMPLATE_REQUESTED, Reason.TEMPLATE_UNUSABLE)
    return Refuse(reasons=reasons, evidence=an_evidence(rungs=(rung,)))


def another_template() -> TemplateMessage:
    return replace(TEMPLATE, name="photo_answer")


KINDS: dict[str, tuple[Content, Send | Downgrade | Refuse]] = {
    "inside": (TEXT, a_send()),
    "downgraded": (TEXT, a_downgrade()),
    "downgraded to another": (TEXT, a_downgrade(another_template())),
    "refused": (TEXT, a_refusal()),
    "asked": (TEMPLATE, a_send(TEMPLATE)),
    "unfit": (TEMPLATE, a_misfit()),
}
OUTCOMES: dict[str, Any] = {
    "taken": Submitted(provider_message_id="429"),
    "refused": WindowWasClosed(error=TOO_LATE),
    "failed": Failed(error=REFUSAL),
    "unknown": Unknown(error=REFUSAL),
}


async def one_more(bench: Bench, draw: random.Random, number: int) -> Told:
    """A message of some kind to a contact of its own, decided in one of the modes; or a refusal."""
    sender, is_observed = draw.choice([SENDER, OTHER]), draw.random() < 0.7
    kind = draw.choice(list(KINDS))
    content, decision = KINDS[kind]
    draft = a_draft(sender=sender, contact=a_contact(number), content=content)
    told = Told(at=bench.now, sender=sender, observed=is_observed, kind=kind)
    if isinstance(decision, Refuse) and not is_observed:
        await refuse(bench.store, draft, decision, now=bench.now)
        return replace(told, at_once=True)
    taken: Any = observed(content, decision) if is_observed else decision
    await enqueue(bench.store, draft, taken, now=bench.now)
    outcome = draw.choice([*OUTCOMES, "delivered", None])
    if outcome is not None:
        await attempted(bench, draft, taken, outcome)
    is_free_form = isinstance(taken.content, FreeForm)
    return replace(told, answer=outcome if is_free_form else None)


async def attempted(bench: Bench, draft: Draft, decision: Send | Downgrade, outcome: str) -> None:
    claims = (await bench.claims(100, sender=draft.sender)).claims
    (claim,) = (one for one in claims if one.message.contact == draft.contact)
    for other in claims:
        if other is not claim:
            await bench.store.release(other, now=bench.now)
    token = draw_token(claim.message.id)
    attempt = Attempt(message_id=claim.message.id, number=1, token=token, content=decision.content)
    assert await bench.store.begin(claim, attempt, decision, now=bench.now)
    await bench.record(claim, attempt, OUTCOMES.get(outcome, OUTCOMES["taken"]))
    if outcome == "delivered":
        await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=token))


async def view_of(bench: Bench, since: datetime, until: datetime, sender: Sender | None = None) -> dict[str, Any]:
    report = await summed(bench.store, Period(since=since, until=until, sender=sender))
    view = report_view(report, now=bench.now, kept=None)
    return {(section["sender"], section["mode"] == "observe"): section for section in view["sections"]}


def counted(told: list[Told]) -> dict[tuple[Sender, bool], dict[str, Any]]:
    """The same by a plain loop over what the test remembers."""
    found = {}
    for key in {(one.sender, one.observed) for one in told}:
        own = [one for one in told if (one.sender, one.observed) == key]
        kinds = Counter(one.kind for one in own)
        downgraded = {"ticket_answer/en_US": kinds["downgraded"], "photo_answer/en_US": kinds["downgraded to another"]}
        answers = {
            is_open: Counter(one.answer for one in own if one.answer and (one.kind == "inside") is is_open)
            for is_open in (True, False)
        }
        found[key] = {
            "messages": sum(not one.at_once for one in own),
            "refused_at_acceptance": sum(one.at_once for one in own),
            "inside": kinds["inside"],
            "downgraded": sum(downgraded.values()),
            "refused": kinds["refused"],
            "unfit": kinds["unfit"],
            "asked": sum(one.kind in ("asked", "unfit") and not one.at_once for one in own),
            "stood_in": {name: count for name, count in downgraded.items() if count},
            "misfits": {("ticket_answer/en_US", "contract", PATH): kinds["unfit"]} if kinds["unfit"] else {},
            "passed_over": {("ticket_answer/en_US", "not_approved"): kinds["refused"]} if kinds["refused"] else {},
            "answers": {is_open: {name: own[name] for name in sorted(own)} for is_open, own in answers.items()},
            "days": Counter(
                (one.at.date().isoformat(), one.kind.split()[0]) for one in own if one.kind not in ("asked", "unfit")
            ),
        }
    return found


def as_counted(section: dict[str, Any]) -> dict[str, Any]:
    def answers(name: str) -> dict[str, int]:
        return {answer: count for answer, count in sorted(section["provider"][name].items()) if count}

    return {
        "messages": section["messages"],
        "refused_at_acceptance": section["refused_at_acceptance"],
        **{kind: section["free_form"][kind] for kind in ("inside", "downgraded", "refused")},
        "unfit": section["templates"]["unfit"],
        "asked": section["templates"]["total"],
        "stood_in": {row["template"]: row["count"] for row in section["stood_in"]},
        "misfits": {(row["template"], row["problem"], row["path"]): row["count"] for row in section["misfits"]},
        "passed_over": {(row["template"], row["problem"]): row["count"] for row in section["passed_over"]},
        "answers": {True: answers("held_open"), False: answers("held_closed")},
        "days": Counter(
            {
                (day["day"], kind): day[kind]
                for day in section["days"]
                for kind in ("inside", "downgraded", "refused")
                if day[kind]
            }
        ),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_report_counts_what_a_plain_loop_counts(
    opened: Opener, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing_module, "PAGE", 7)
    draw = random.Random(seed)  # noqa: S311 - the same each time
    never_paused = DeliveryPolicy(pause_after=0)
    bench = await opened(StorePolicy(pace=QUICK, delivery=never_paused, observing=frozenset({SENDER, OTHER})))
    told = []
    for number in range(90):
        told.append(await one_more(bench, draw, number))
        bench.pass_time(draw.choice([0, 1, 3600, 5 * 3600]))
    since, until = NOW + timedelta(days=1), bench.now - timedelta(days=1)
    within = [one for one in told if since <= one.at < until]
    for own, sender in ((within, None), ([one for one in within if one.sender == OTHER], OTHER)):
        view = await view_of(bench, since, until, sender)
        assert {key: as_counted(section) for key, section in view.items()} == counted(own)
    assert len(within) > 10


async def test_where_messages_stand_is_counted_by_status(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.post(contact=a_contact(2))
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    ((_, section),) = (await view_of(bench, NOW, NOW + FIVE_DAYS)).items()
    assert section["statuses"] == {"cancelled": 1, "queued": 1}


async def test_the_decision_at_sending_replaces_the_one_at_acceptance(bench: Bench) -> None:
    await bench.post(decision=a_downgrade())
    await bench.attempt(Submitted(provider_message_id="429"), TEXT)
    ((_, section),) = (await view_of(bench, NOW, NOW + FIVE_DAYS)).items()
    assert section["free_form"] == {"total": 1, "inside": 1, "downgraded": 0, "refused": 0}


async def test_what_was_accepted_as_observed_and_refused_when_it_was_enforced_was_refused(bench: Bench) -> None:
    await bench.post(decision=observed(TEXT, a_downgrade()))
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    (((_, is_observed), section),) = (await view_of(bench, NOW, NOW + FIVE_DAYS)).items()
    assert (is_observed, section["free_form"]["refused"], section["statuses"]) == (False, 1, {"refused": 1})


async def test_an_attempt_is_judged_by_the_decision_that_it_was_made_on(bench: Bench) -> None:
    """The provider refused what we held to be open; what was decided afterwards changes nothing of that."""
    await bench.post()
    await bench.attempt(WindowWasClosed(error=TOO_LATE))
    bench.pass_time(1)
    await bench.attempt(Submitted(provider_message_id="429"), TEMPLATE)
    ((_, section),) = (await view_of(bench, NOW, NOW + FIVE_DAYS)).items()
    assert section["provider"]["held_open"]["refused"] == 1
    assert (section["provider"]["refused"], section["provider"]["answered"]) == (1, 1)
    assert section["free_form"]["downgraded"] == 1


async def test_a_refusal_by_the_suppression_list_says_nothing_of_windows(bench: Bench) -> None:
    suppressed = a_refusal(reasons=(Reason.SUPPRESSED,))
    await refuse(bench.store, a_draft(), suppressed, now=bench.now)
    await bench.post(contact=a_contact(2), decision=observed(TEXT, suppressed))
    view = await view_of(bench, NOW, NOW + FIVE_DAYS)
    for section in view.values():
        assert (section["suppressed"], section["free_form"]["total"], section["refusals"]) == (1, 0, [])


async def test_what_a_report_can_not_read_it_leaves_out_and_counts_the_rest(bench: Bench) -> None:
    await bench.post(decision=observed(TEXT, a_refusal()))
    await bench.post(contact=a_contact(2), decision=observed(TEXT, a_refusal()))
    await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
    await bench.change("update decision set evidence = '{', instead = '{' where id = 1")
    await bench.change("update refusal set evidence = '{', reasons = '['")
    await bench.change("update attempt set error = '{'")
    view = await view_of(bench, NOW, NOW + FIVE_DAYS)
    assert view[SENDER, True]["messages"] == 2
    assert view[SENDER, True]["free_form"]["refused"] == 1
    assert view[SENDER, False]["refusals"] == [{"reason": "(others)", "count": 1}]


async def test_names_beyond_counting_are_put_together(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of a sender that observes may name any template."""
    monkeypatch.setattr(summing_module, "_KINDS", 3)
    for number in range(8):
        template = TemplateMessage(name=f"t{number}", language="en_US")
        await bench.post(a_draft(content=template, contact=a_contact(number)), observed(template, a_misfit()))
    ((_, section),) = (await view_of(bench, NOW, NOW + FIVE_DAYS)).items()
    assert {row["template"]: row["count"] for row in section["asked"]}["(others)"] == 5
    assert section["templates"] == {"total": 8, "unfit": 8}


async def test_an_empty_time_has_nothing_in_it(bench: Bench) -> None:
    assert await view_of(bench, NOW - FIVE_DAYS, NOW) == {}
    await bench.post()
    assert await view_of(bench, NOW - FIVE_DAYS, NOW) == {}
    assert await view_of(bench, NOW + timedelta(seconds=1), NOW + FIVE_DAYS) == {}


async def test_a_report_says_how_far_back_it_can_see(bench: Bench) -> None:
    await bench.post()
    bench.pass_time(3600)
    report = await summed(bench.store, Period(since=NOW - FIVE_DAYS, until=bench.now))
    kept = report_view(report, now=bench.now, kept=timedelta(days=180))
    cut = report_view(report, now=bench.now, kept=timedelta(days=4))
    assert report.oldest == NOW
    assert (kept["is_cut"], cut["is_cut"], cut["history_days"]) == (False, True, 4)


async def test_progress_is_told_to_its_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summing_module, "PAGE", 2)
    for number in range(5):
        await bench.post(contact=a_contact(number))
    await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
    shares: list[float] = []
    await summed(bench.store, Period(since=NOW, until=NOW + FIVE_DAYS), progress=shares.append)
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (4, 1)
