"""A sender that only observes, in the store: what is recorded, what counts, and what a refusal leads to."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.compliance import Decision, Downgrade, Refuse, Send, observed
from gateway.domain.delivery import AttemptStatus, Submitted, WindowWasClosed
from gateway.domain.identity import MessageId, draw_token
from gateway.domain.message import Content, Failure, Status
from gateway.ports import Accepted, Attempt, Conversation, StorePolicy
from tests.store.asking import enqueue
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CONTACT,
    SENDER,
    TEMPLATE,
    TEXT,
    TOO_LATE,
    a_downgrade,
    a_draft,
    a_refusal,
    a_report,
    a_send,
    an_evidence,
    an_inbound,
)

OBSERVING = StorePolicy(pace=QUICK, observing=frozenset({SENDER}))


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(OBSERVING)


def instead_of(decision: Send | Downgrade | Refuse, content: Content = TEXT) -> Send:
    return observed(content, decision)


async def attempted(bench: Bench, decision: Send) -> Attempt:
    """Begun as asked; the one conversation that can be claimed."""
    claim = await bench.claim()
    attempt = Attempt(
        message_id=claim.message.id, number=1, token=draw_token(claim.message.id), content=decision.content
    )
    assert await bench.store.begin(claim, attempt, decision, now=bench.now)
    await bench.record(claim, attempt, Submitted(provider_message_id="429"))
    return attempt


async def downgrades(bench: Bench) -> int:
    known = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now.replace(hour=0))
    return known.downgrades


async def refused_as_too_late(bench: Bench) -> MessageId:
    message_id = await bench.post(decision=instead_of(a_downgrade()))
    claim = await bench.claim()
    attempt = Attempt(message_id=message_id, number=1, token=draw_token(message_id), content=TEXT)
    assert await bench.store.begin(claim, attempt, instead_of(a_downgrade()), now=bench.now)
    await bench.record(claim, attempt, WindowWasClosed(error=TOO_LATE))
    return message_id


async def test_the_record_says_what_was_sent_and_what_would_have_been_done(bench: Bench) -> None:
    message_id = await bench.post(decision=instead_of(a_downgrade()))
    (decision,) = (await bench.store.message(message_id, client=None)).decisions
    assert (decision["stage"], decision["action"], decision["reasons"]) == ("accept", "send", ["observed"])
    assert decision["template"] is None
    assert decision["instead"] == {
        "action": "downgrade",
        "reasons": ["window_closed", "window_unknown", "fallback"],
        "template": "ticket_answer/en_US",
    }
    (rung,) = decision["evidence"]["rungs"]
    assert rung["message"]["components"] == list(TEMPLATE.components)


async def test_a_refused_template_is_named_with_the_place_that_does_not_fit_and_without_its_arguments(
    bench: Bench,
) -> None:
    rung = replace(a_refusal().evidence.rungs[0], problem="contract: $.template.x: expected text", path="$.template.x")
    refusal = a_refusal(evidence=an_evidence(rungs=(rung,)))
    message_id = await bench.post(a_draft(content=TEMPLATE), instead_of(refusal, TEMPLATE))
    (decision,) = (await bench.store.message(message_id, client=None)).decisions
    assert (decision["instead"]["action"], decision["instead"]["template"]) == ("refuse", "ticket_answer/en_US")
    assert decision["evidence"]["rungs"] == [
        {
            "name": "ticket_answer",
            "language": "en_US",
            "problem": "contract: $.template.x: expected text",
            "path": "$.template.x",
            "message": None,
        }
    ]


async def test_a_decision_that_nothing_was_put_in_place_of_has_nothing_instead(bench: Bench) -> None:
    message_id = await bench.post(decision=instead_of(a_send()))
    other = await bench.post(decision=a_send())
    for each, reasons in ((message_id, ["window_open", "observed"]), (other, ["window_open"])):
        (decision,) = (await bench.store.message(each, client=None)).decisions
        assert (decision["reasons"], decision["instead"]) == (reasons, None)


@pytest.mark.parametrize(
    ("decision", "told"), [(a_downgrade(), "downgraded"), (a_refusal(), "refused"), (a_send(), None)]
)
async def test_the_receipt_says_sent_and_what_would_have_been_done(
    bench: Bench, decision: Send | Downgrade | Refuse, told: str | None
) -> None:
    answer = await enqueue(bench.store, a_draft(), instead_of(decision), now=bench.now)
    assert answer is not None
    assert (answer.receipt.action, answer.receipt.observed) == ("sent", told)
    assert (answer.receipt.template, answer.receipt.reason) == (None, None)


async def test_another_decision_at_sending_is_kept_beside_the_first(bench: Bench) -> None:
    message_id = await bench.post(decision=instead_of(a_send()))
    await attempted(bench, instead_of(a_downgrade()))
    kept = (await bench.store.message(message_id, client=None)).decisions
    assert [(one["stage"], one["instead"] and one["instead"]["action"]) for one in kept] == [
        ("accept", None),
        ("send", "downgrade"),
    ]


async def test_the_same_decision_at_sending_is_not_kept_twice(bench: Bench) -> None:
    message_id = await bench.post(decision=instead_of(a_downgrade()))
    await attempted(bench, instead_of(a_downgrade()))
    assert len((await bench.store.message(message_id, client=None)).decisions) == 1


async def test_fallbacks_that_would_have_left_count_against_the_limit_of_a_sender_that_observes(bench: Bench) -> None:
    await bench.post(decision=instead_of(a_downgrade()))
    assert await downgrades(bench) == 1
    await attempted(bench, instead_of(a_downgrade()))
    await bench.post(decision=instead_of(a_refusal()))
    assert await downgrades(bench) == 1


async def test_such_a_fallback_counts_also_when_the_provider_refused_what_left_in_its_place(bench: Bench) -> None:
    message_id = await refused_as_too_late(bench)
    assert await bench.status(message_id) is Status.FAILED
    assert await downgrades(bench) == 1


async def test_what_never_left_counts_against_nobody(bench: Bench) -> None:
    message_id = await bench.post(decision=instead_of(a_downgrade()))
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    assert await downgrades(bench) == 0


async def test_they_count_against_nobody_once_the_sender_enforces(file_bench: Bench) -> None:
    bench = file_bench
    await bench.reopen(OBSERVING)
    await bench.post(decision=instead_of(a_downgrade()))
    await attempted(bench, instead_of(a_downgrade()))
    assert await downgrades(bench) == 1
    await bench.reopen(StorePolicy(pace=QUICK))
    assert await downgrades(bench) == 0
    await bench.post(decision=a_downgrade())
    assert await downgrades(bench) == 1


async def test_two_requests_at_once_do_not_both_take_the_last_fallback_that_would_have_left(bench: Bench) -> None:

    def decide(known: Conversation) -> Decision:
        return instead_of(a_downgrade() if known.downgrades < 1 else a_refusal())

    since = bench.now.replace(hour=0)
    asked = (bench.store.enqueue(a_draft(), decide, now=bench.now, downgrades_since=since) for _ in range(2))
    told = [one.answer.receipt.observed for one in await asyncio.gather(*asked) if isinstance(one, Accepted)]
    assert told == ["downgraded", "refused"]


async def test_the_providers_24_hour_refusal_ends_the_message_with_its_words_and_refutes_the_window(
    bench: Bench,
) -> None:
    await bench.ingest(an_inbound())
    message_id = await refused_as_too_late(bench)
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.REFUSED)
    assert record.error is not None
    assert (record.error.code, record.error.message) == (TOO_LATE.code, TOO_LATE.message)
    assert [attempt.status for attempt in record.attempts] == [AttemptStatus.FAILED]
    assert not await bench.is_window_open()
    assert await bench.heads() == []


async def test_a_late_24_hour_refusal_does_the_same(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    bench.pass_time(1)
    message_id = await bench.post(decision=instead_of(a_send()))
    attempt = await attempted(bench, instead_of(a_send()))
    bench.pass_time(3600)
    await bench.ingest(a_report(AttemptStatus.WINDOW_CLOSED, attempt=attempt.token, error=TOO_LATE))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.REPORTED)
    assert not await bench.is_window_open()
    assert await bench.heads() == []


async def test_a_sender_that_enforces_is_given_the_message_back_once(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=QUICK))
    message_id = await bench.post()
    await bench.attempt(WindowWasClosed(error=TOO_LATE))
    assert await bench.status(message_id) is Status.QUEUED
    assert await bench.heads() == [message_id]
