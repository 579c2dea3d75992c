"""Decisions that were recorded are values again: the same that were taken, as far as they are kept."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.compliance import Decision, Downgrade, Reason, Refuse, Rung, Send, observed
from gateway.domain.message import Content
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.domain.window import UNKNOWN_WINDOW
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import NOW, TEMPLATE, TEXT, a_downgrade, a_refusal, a_send, a_window, an_evidence

PASSED_OVER = Rung(name="offer", language="en_US", problem="paused: until 2026-11-20T15:00:00.000Z", path="$.a")
TAKEN = Rung(name=TEMPLATE.name, language=TEMPLATE.language, message=TEMPLATE, repairs=("components[0] shortened",))
STOP = Suppression(scope=Scope.MARKETING, source=Source.PROVIDER, since=NOW)


def a_fallback() -> Downgrade:
    window = replace(a_window(), refuted_at=NOW)
    return a_downgrade(evidence=an_evidence(window=window, rungs=(PASSED_OVER, TAKEN), suppression=STOP))


def a_requested() -> Send:
    evidence = an_evidence(window=UNKNOWN_WINDOW, rungs=(TAKEN,), margin=timedelta(seconds=60))
    return a_send(TEMPLATE, evidence=evidence)


@pytest.mark.parametrize(
    ("content", "decision"),
    [
        (TEXT, a_send()),
        (TEXT, a_fallback()),
        (TEXT, observed(TEXT, a_fallback())),
        (TEXT, observed(TEXT, a_refusal())),
        (TEXT, observed(TEXT, a_send())),
    ],
)
async def test_a_decision_is_read_as_it_was_taken(bench: Bench, content: Content, decision: Send | Downgrade) -> None:
    message_id = await bench.post(content=content, decision=decision)
    assert (await bench.store.message(message_id, client=None)).decided == decision


async def test_of_a_requested_template_the_rung_says_no_more_than_that_it_was_taken(bench: Bench) -> None:
    message_id = await bench.post(content=TEMPLATE, decision=a_requested())
    decided = (await bench.store.message(message_id, client=None)).decided
    assert isinstance(decided, Send)
    [rung] = decided.evidence.rungs
    assert (decided.content, rung.repairs) == (TEMPLATE, TAKEN.repairs)
    assert (rung.message and rung.message.name, rung.problem) == (TEMPLATE.name, None)


async def test_the_last_decision_is_the_one_that_counts(bench: Bench) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    refusal: Refuse = a_refusal()
    assert await bench.store.refuse(claim, refusal, now=bench.now)
    decided: Decision | None = (await bench.store.message(message_id, client=None)).decided
    assert decided == refusal
    assert decided is not None
    assert decided.reasons[-1] is Reason.NO_RUNG


@pytest.mark.parametrize("damage", ["[]", "{}", '{"at": 7}', "null"])
async def test_a_damaged_decision_is_none(opened_file: Opener, damage: str) -> None:
    bench = await opened_file()
    message_id = await bench.post()
    with sqlite3.connect(bench.store.path or "") as db:
        db.execute("update decision set evidence = ?", [damage])
    db.close()
    assert (await bench.store.message(message_id, client=None)).decided is None
