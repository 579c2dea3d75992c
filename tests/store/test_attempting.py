"""Begin and record: the fence, what follows from each outcome, and what a lost worker may still say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.delivery import (
    AttemptStatus,
    Cause,
    DeliveryPolicy,
    Failed,
    OnUnknown,
    Retry,
    Submitted,
    Unknown,
    WindowWasClosed,
)
from gateway.domain.errors import NotFound, ProviderError
from gateway.domain.identity import MessageId, draw_token
from gateway.domain.message import Failure, Status
from gateway.ports import Attempt, StorePolicy
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    REFUSAL,
    TEMPLATE,
    TEXT,
    TOO_LATE,
    a_contact,
    a_refusal,
    a_report,
    an_inbound,
)

LEASE = DeliveryPolicy().lease.total_seconds()
TROUBLE = Retry(cause=Cause.SERVER, error=ProviderError(code=2, status=500))
LOST = Unknown(error=ProviderError(name="TimeoutError"))
CLOSED = WindowWasClosed(error=TOO_LATE)
SAID_TOO_LATE = replace(TOO_LATE, closes_window=True)


def with_delivery(**changes: object) -> StorePolicy:
    return StorePolicy(delivery=DeliveryPolicy(**{"pause_after": 0, **changes}))  # type: ignore[arg-type] # by name


# --- the fence ------------------------------------------------------------------------------------------------------


async def test_begin_writes_the_attempt_and_the_status(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.begun(await bench.claim())
    record = await bench.store.message(message_id, client=CLIENT)
    assert record.status is Status.SENDING
    (kept,) = record.attempts
    assert (kept.number, kept.status, kept.content) == (1, AttemptStatus.SENDING, attempt.content)
    assert (kept.started_at, kept.ended_at) == (bench.now, None)


async def test_news_from_the_contact_voids_what_was_decided_before(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    await bench.ingest(an_inbound(opened_at=None))
    assert await bench.begin(claim) is None
    assert not await bench.store.refuse(claim, a_refusal(), now=bench.now)


async def test_a_claim_that_was_taken_over_can_not_begin(bench: Bench) -> None:
    await bench.post()
    stale = await bench.claim()
    bench.pass_time(LEASE)
    await bench.claim()
    assert await bench.begin(stale) is None


async def test_a_claim_that_was_given_back_can_not_begin(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    await bench.store.release(claim, now=bench.now)
    assert await bench.begin(claim) is None


async def test_a_message_that_was_cancelled_in_hand_can_not_begin(bench: Bench) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    assert await bench.begin(claim) is None
    assert await bench.status(message_id) is Status.CANCELLED


async def test_a_message_begins_once_per_claim(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    await bench.begun(claim)
    assert await bench.begin(claim) is None


async def test_the_second_decision_is_kept_when_it_differs(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(Submitted(provider_message_id="1"), TEMPLATE)
    decisions = (await bench.store.message(message_id, client=None)).decisions
    assert [(one["stage"], one["action"]) for one in decisions] == [("accept", "send"), ("send", "downgrade")]


async def test_a_decision_that_stands_is_kept_once(bench: Bench) -> None:
    message_id = await bench.submitted()
    assert len((await bench.store.message(message_id, client=None)).decisions) == 1


# --- outcomes -------------------------------------------------------------------------------------------------------


async def test_a_submitted_message_leaves_the_line(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post()
    await bench.attempt(Submitted(provider_message_id="429"))
    assert await bench.history(first) == ["queued", "sending", "submitted"]
    assert await bench.heads() == [second]
    (attempt,) = (await bench.store.message(first, client=None)).attempts
    assert (attempt.provider_message_id, attempt.ended_at) == ("429", bench.now)


async def test_a_refused_message_has_failed_with_the_provider_s_words(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post()
    await bench.attempt(Failed(error=REFUSAL))
    record = await bench.store.message(first, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REFUSED, REFUSAL)
    assert await bench.heads() == [second]


async def test_a_retry_waits_for_its_step_of_the_schedule(opened: Opener) -> None:
    bench = await opened(with_delivery())
    message_id = await bench.post()
    for delay in (5, 30, 120):
        await bench.attempt(TROUBLE)
        waiting = await bench.claims()
        assert (waiting.claims, waiting.again_at) == ((), bench.now + timedelta(seconds=delay))
        bench.pass_time(delay)
    record = await bench.store.message(message_id, client=None)
    assert record.status is Status.QUEUED
    assert [attempt.status for attempt in record.attempts] == [AttemptStatus.RETRY] * 3
    assert (await bench.claim()).attempts == 3


async def test_what_waits_for_a_retry_holds_back_those_behind_it(opened: Opener) -> None:
    bench = await opened(with_delivery())
    first, second = await bench.post(), await bench.post()
    await bench.attempt(TROUBLE)
    assert await bench.heads() == []
    bench.pass_time(5)
    assert await bench.heads() == [first]
    await bench.attempt(Submitted(provider_message_id="1"))
    assert await bench.heads() == [second]


async def test_what_waits_for_long_is_passed_and_goes_first_again_when_it_is_due(opened: Opener) -> None:
    bench = await opened(with_delivery(retry_schedule=(timedelta(minutes=10),)))
    first, second, third = await bench.post(), await bench.post(), await bench.post()
    await bench.attempt(TROUBLE)
    assert (await bench.claims()).again_at == bench.now + timedelta(minutes=2)
    bench.pass_time(119)
    assert await bench.heads() == []
    bench.pass_time(1)
    assert await bench.heads() == [second]
    await bench.attempt(Submitted(provider_message_id="2"))
    bench.pass_time(480)
    assert await bench.heads() == [first], "before the one that was accepted after it"
    await bench.attempt(Submitted(provider_message_id="1"))
    assert await bench.heads() == [third]


async def test_the_block_counts_from_the_first_refusal(opened: Opener) -> None:
    bench = await opened(with_delivery(retry_schedule=(timedelta(seconds=90),)))
    _, second = await bench.post(), await bench.post()
    await bench.attempt(TROUBLE)
    bench.pass_time(90)
    await bench.attempt(TROUBLE)
    bench.pass_time(30)
    assert await bench.heads() == [second]


async def test_nothing_written_leaves_the_message_as_it_was(bench: Bench) -> None:
    first, _ = await bench.post(), await bench.post()
    await bench.attempt(Retry(cause=Cause.NOT_WRITTEN, error=ProviderError(name="ConnectionRefusedError")), TEMPLATE)
    bench.pass_time(1)
    claim = await bench.claim()
    assert claim.message.id == first
    assert (claim.attempts, claim.template_started) == (1, False)


async def test_a_template_that_was_written_is_remembered(opened: Opener) -> None:
    bench = await opened(with_delivery())
    await bench.post()
    await bench.attempt(TROUBLE, TEMPLATE)
    bench.pass_time(5)
    assert (await bench.claim()).template_started


@pytest.mark.parametrize("is_begun", [False, True], ids=["none was", "another was"])
async def test_an_attempt_that_nobody_began_is_not_found(bench: Bench, is_begun: bool) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    if is_begun:
        await bench.begun(claim)
    made_up = Attempt(message_id=message_id, number=1, token=draw_token(message_id), content=TEXT)
    with pytest.raises(NotFound):
        await bench.record(claim, made_up, Submitted(provider_message_id="1"))
    assert await bench.status(message_id) is (Status.SENDING if is_begun else Status.QUEUED)


async def test_an_outcome_that_is_recorded_twice_counts_once(opened: Opener) -> None:
    bench = await opened(with_delivery())
    await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    await bench.record(claim, attempt, TROUBLE)
    await bench.record(claim, attempt, TROUBLE)
    bench.pass_time(5)
    await bench.attempt(TROUBLE)
    assert (await bench.claims()).again_at == bench.now + timedelta(seconds=30), "the second step, not the third"


# --- the closed window ----------------------------------------------------------------------------------------------


async def test_a_refusal_for_the_closed_window_puts_the_message_back_once(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    message_id = await bench.post()
    bench.pass_time(1)
    await bench.attempt(CLOSED)
    assert not await bench.is_window_open()
    assert await bench.history(message_id) == ["queued", "sending", "queued"]
    claim = await bench.claim()
    assert claim.window.is_refuted
    await bench.record(claim, await bench.begun(claim), CLOSED)
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REFUSED, SAID_TOO_LATE)


async def test_a_late_refusal_does_not_close_what_the_contact_opened_after_the_attempt(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    await bench.post()
    bench.pass_time(1)
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    bench.pass_time(1)
    await bench.ingest(an_inbound(opened_at=bench.now))
    await bench.record(claim, attempt, CLOSED)
    assert await bench.is_window_open()


async def test_a_template_refused_for_the_window_has_failed_and_refutes_nothing(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    message_id = await bench.post(content=TEMPLATE)
    bench.pass_time(1)
    await bench.attempt(CLOSED, TEMPLATE)
    assert await bench.status(message_id) is Status.FAILED
    assert await bench.is_window_open()


async def test_without_a_rung_after_the_provider_s_refusal_the_message_has_failed(bench: Bench) -> None:
    message_id = await bench.post(wait=timedelta(seconds=30))
    await bench.attempt(CLOSED)
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REFUSED, SAID_TOO_LATE)
    assert await bench.store.settle_wait(message_id) == SAID_TOO_LATE


async def test_our_own_refusal_ends_a_message_as_refused(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post()
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    record = await bench.store.message(first, client=None)
    assert (record.status, record.failure, record.error) == (Status.REFUSED, None, None)
    assert [(one["stage"], one["action"]) for one in record.decisions] == [("accept", "send"), ("send", "refuse")]
    assert await bench.heads() == [second]


# --- lost answers ---------------------------------------------------------------------------------------------------


async def test_an_unknown_waits_for_proof_in_the_head_s_place_and_stays_unknown(opened: Opener) -> None:
    bench = await opened(with_delivery())
    first, second = await bench.post(), await bench.post()
    await bench.attempt(LOST)
    assert await bench.status(first) is Status.UNKNOWN
    assert (await bench.claims()).again_at == bench.now + timedelta(seconds=60)
    bench.pass_time(60)
    assert await bench.heads() == [second]
    assert await bench.status(first) is Status.UNKNOWN


async def test_an_unknown_goes_out_once_more_if_that_is_the_policy(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    first, second = await bench.post(), await bench.post()
    await bench.attempt(LOST)
    assert await bench.heads() == []
    bench.pass_time(60)
    assert await bench.heads() == [first]
    await bench.attempt(LOST)
    bench.pass_time(60)
    assert await bench.heads() == [second], "once"
    assert await bench.history(first) == ["queued", "sending", "unknown", "sending", "unknown"]


async def test_a_lost_template_does_not_go_out_again_unless_the_policy_says_so(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    await bench.post(content=TEMPLATE)
    await bench.attempt(LOST, TEMPLATE)
    bench.pass_time(60)
    assert await bench.heads() == []


async def test_an_unknown_that_is_closed_at_once_holds_nobody_back(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.CLOSE))
    _, second = await bench.post(), await bench.post()
    await bench.attempt(LOST)
    assert await bench.heads() == [second]


async def test_an_unknown_past_its_time_to_live_stays_unknown(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY, message_ttl=timedelta(seconds=30)))
    message_id = await bench.post()
    await bench.attempt(LOST)
    bench.pass_time(60)
    assert await bench.store.expire(now=bench.now) == 1
    assert await bench.heads() == []
    assert await bench.status(message_id) is Status.UNKNOWN


async def test_proof_ends_the_wait_and_cancels_the_retry(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    first, second = await bench.post(), await bench.post()
    attempt = await bench.attempt(LOST)
    await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=attempt.token))
    assert await bench.status(first) is Status.DELIVERED
    assert await bench.heads() == [second]
    bench.pass_time(60)
    assert await bench.heads() == [second]


async def test_what_proof_has_settled_is_not_put_back_by_a_second_try(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    first, second = await bench.post(), await bench.post()
    lost = await bench.attempt(LOST)
    bench.pass_time(60)
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=lost.token))
    assert await bench.record(claim, attempt, TROUBLE) is Status.DELIVERED
    bench.pass_time(5)
    assert await bench.heads() == [second]
    assert await bench.status(first) is Status.DELIVERED


async def test_an_unknown_whose_second_try_is_refused_by_our_rule_stays_unknown(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    first, second = await bench.post(), await bench.post()
    attempt = await bench.attempt(LOST)
    bench.pass_time(60)
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    record = await bench.store.message(first, client=None)
    assert (record.status, record.decisions[-1]["action"]) == (Status.UNKNOWN, "refuse")
    assert await bench.heads() == [second]
    await bench.ingest(a_report(AttemptStatus.READ, attempt=attempt.token))
    assert await bench.status(first) is Status.READ


async def lost_and_tried_again(bench: Bench) -> tuple[MessageId, Attempt]:
    """A message whose second attempt the provider refused for now, and its first, of which nobody knows."""
    message_id = await bench.post()
    lost = await bench.attempt(LOST)
    bench.pass_time(60)
    await bench.attempt(TROUBLE)
    return message_id, lost


async def test_a_message_that_may_have_arrived_does_not_expire_while_it_is_tried_again(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY, message_ttl=timedelta(minutes=2)))
    message_id, lost = await lost_and_tried_again(bench)
    assert await bench.status(message_id) is Status.QUEUED
    bench.pass_time(120)
    assert await bench.store.expire(now=bench.now) == 1
    assert await bench.status(message_id) is Status.UNKNOWN
    assert await bench.heads() == []
    await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=lost.token))
    assert await bench.status(message_id) is Status.DELIVERED


async def test_it_has_failed_when_the_lost_attempt_is_reported_as_failed_after_that(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY, message_ttl=timedelta(minutes=2)))
    message_id, lost = await lost_and_tried_again(bench)
    bench.pass_time(120)
    await bench.store.expire(now=bench.now)
    await bench.ingest(a_report(AttemptStatus.FAILED, attempt=lost.token, error=REFUSAL))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REPORTED, REFUSAL)
    assert await bench.heads() == []


async def test_what_is_given_up_keeps_the_words_on_the_attempt_that_was_lost(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY, message_ttl=timedelta(minutes=2)))
    refused = await bench.post()
    await bench.attempt(LOST)
    bench.pass_time(60)
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    tried_again, _ = await lost_and_tried_again(bench)
    bench.pass_time(60)
    await bench.store.expire(now=bench.now)
    for message_id in (refused, tried_again):
        record = await bench.store.message(message_id, client=None)
        assert (record.status, record.error) == (Status.UNKNOWN, LOST.error)


@pytest.mark.parametrize("report", [AttemptStatus.DELIVERED, AttemptStatus.FAILED, AttemptStatus.WINDOW_CLOSED])
async def test_a_report_on_what_the_provider_had_refused_moves_no_message_that_has_expired(
    opened: Opener, report: AttemptStatus
) -> None:
    bench = await opened(with_delivery(message_ttl=timedelta(minutes=2)))
    message_id = await bench.post()
    attempt = await bench.attempt(TROUBLE)
    bench.pass_time(120)
    await bench.store.expire(now=bench.now)
    await bench.ingest(a_report(report, attempt=attempt.token))
    assert await bench.status(message_id) is Status.EXPIRED
    assert await bench.heads() == []


async def test_a_resent_message_that_is_refused_by_our_rule_is_unknown_again(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(LOST)
    await bench.store.resend(message_id, by="olena", now=bench.now)
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    assert await bench.history(message_id) == ["queued", "sending", "unknown", "queued", "unknown"]
    assert await bench.heads() == []


# --- workers that were lost -----------------------------------------------------------------------------------------


async def test_what_was_sending_when_a_lease_ended_is_unknown(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.RETRY))
    message_id = await bench.post()
    await bench.begun(await bench.claim())
    bench.pass_time(LEASE)
    assert await bench.heads() == []
    assert await bench.history(message_id) == ["queued", "sending", "unknown"]
    bench.pass_time(60)
    assert await bench.heads() == [message_id]


async def test_a_late_answer_of_a_lost_worker_is_proof_but_frees_nothing(opened: Opener) -> None:
    bench = await opened(with_delivery(on_unknown=OnUnknown.CLOSE))
    first, second = await bench.post(), await bench.post()
    stale = await bench.claim()
    attempt = await bench.begun(stale)
    bench.pass_time(LEASE)
    current = await bench.claim()
    assert current.message.id == second
    assert await bench.record(stale, attempt, Submitted(provider_message_id="1")) is Status.SUBMITTED
    assert await bench.status(first) is Status.SUBMITTED
    assert (await bench.claims()).claims == (), "the conversation still belongs to the other worker"
    assert await bench.begin(current) is not None


async def test_a_late_answer_of_a_lost_worker_does_not_pause_the_sender(bench: Bench) -> None:
    await bench.post()
    stale = await bench.claim()
    attempt = await bench.begun(stale)
    bench.pass_time(LEASE)
    await bench.claims()
    await bench.record(stale, attempt, Retry(cause=Cause.THROTTLED, error=ProviderError(status=429)))
    (state,) = await bench.store.sender_states()
    assert state.pause is None


async def test_after_a_crash_what_was_sending_is_unknown_at_once_and_nothing_is_leased(file_bench: Bench) -> None:
    sending = await file_bench.post()
    await file_bench.begun(await file_bench.claim())
    claimed = await file_bench.post(contact=a_contact(2))
    stale = await file_bench.claim()
    await file_bench.reopen()
    assert await file_bench.store.recover(now=file_bench.now) == 1
    assert await file_bench.status(sending) is Status.UNKNOWN
    assert await file_bench.heads() == [claimed]
    assert await file_bench.begin(stale) is None
    assert await file_bench.store.recover(now=file_bench.now) == 0


async def test_a_contact_s_pace_outlives_a_restart(file_bench: Bench) -> None:
    for number in range(45):
        await file_bench.submitted(str(number))
    message_id = await file_bench.post()
    await file_bench.reopen(clock_steps=2)
    await file_bench.store.recover(now=file_bench.now)
    assert await file_bench.heads() == []
    file_bench.pass_time(4)
    assert await file_bench.heads() == [message_id]
