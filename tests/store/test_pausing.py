"""What is not the message's own fault stops the sender, and one probe at a time ends that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.delivery import (
    AttemptStatus,
    Cause,
    DeliveryPolicy,
    Failed,
    Outcome,
    PauseCause,
    Retry,
    Submitted,
    Unknown,
)
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.message import Failure, Status
from gateway.ports import SenderState
from tests.store.bench import Bench
from tests.store.factories import REFUSAL, a_contact, a_report

LEASE = DeliveryPolicy().lease.total_seconds()
BUSY = ProviderError(code=0, status=429, name="Too Many Requests")
EMPTY = ProviderError(code=3, status=402, name="Topup balance is required")
UNREACHABLE = Retry(cause=Cause.NOT_WRITTEN, error=ProviderError(name="No connection"))
THROTTLED = Retry(cause=Cause.THROTTLED, error=BUSY)
BROKE = Retry(cause=Cause.BALANCE, error=EMPTY)
TROUBLE = Retry(cause=Cause.SERVER, error=ProviderError(code=2, status=500))
TAKEN = Submitted(provider_message_id="1")


async def state_of(bench: Bench) -> SenderState:
    (state,) = await bench.store.sender_states()
    return state


async def paused(bench: Bench, messages: int = 3) -> None:
    """So many messages to as many contacts, and a provider that throttled the first."""
    for number in range(messages):
        await bench.post(contact=a_contact(number))
    claim = (await bench.claims(1)).claims[0]
    await bench.record(claim, await bench.begun(claim), THROTTLED)


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Retry(cause=Cause.NOT_WRITTEN, error=BUSY), PauseCause.NOT_WRITTEN),
        (THROTTLED, PauseCause.THROTTLED),
        (Retry(cause=Cause.UNAUTHORIZED, error=BUSY), PauseCause.UNAUTHORIZED),
        (Retry(cause=Cause.BALANCE, error=BUSY), PauseCause.BALANCE),
    ],
)
async def test_what_is_not_the_message_s_fault_pauses_the_sender(
    bench: Bench, outcome: Outcome, cause: PauseCause
) -> None:
    message_id = await bench.post()
    await bench.attempt(outcome)
    bench.pass_time(0.5)
    state = await state_of(bench)
    assert (state.pause, state.error, state.queued) == (cause, BUSY, 1)
    assert state.paused_for == timedelta(seconds=0.5)
    assert (await bench.claims()).again_in == timedelta(seconds=0.5)
    assert await bench.status(message_id) is Status.QUEUED


async def test_three_failures_in_a_row_pause_the_sender(bench: Bench) -> None:
    for number, outcome in enumerate([TROUBLE, Unknown(error=BUSY), TROUBLE]):
        assert (await bench.claims(1)).claims == ()
        await bench.post(contact=a_contact(number))
        await bench.attempt(outcome)
    assert (await state_of(bench)).pause is PauseCause.FAILING


async def test_an_answer_that_works_ends_the_row(bench: Bench) -> None:
    for number, outcome in enumerate([TROUBLE, TROUBLE, Failed(error=REFUSAL), TROUBLE, TROUBLE]):
        await bench.post(contact=a_contact(number))
        await bench.attempt(outcome)
    assert (await state_of(bench)).pause is None


async def test_a_paused_sender_sends_one_probe_at_a_time(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(1)
    probe = await bench.claim()
    waiting = await bench.claims()
    assert waiting.claims == ()
    await bench.record(probe, await bench.begun(probe), THROTTLED)
    assert (await bench.claims()).claims == ()


async def test_a_pause_is_as_old_as_its_first_cause(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(1)
    await bench.attempt(BROKE)
    bench.pass_time(1)
    state = await state_of(bench)
    assert (state.paused_for, state.pause, state.error) == (timedelta(seconds=2), PauseCause.BALANCE, EMPTY)


async def test_a_probe_that_works_ends_the_pause(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(1)
    await bench.attempt(TAKEN)
    state = await state_of(bench)
    assert (state.pause, state.paused_for, state.error) == (None, None, None)
    assert len((await bench.claims()).claims) == 2


async def test_probes_are_further_and_further_apart(bench: Bench) -> None:
    await paused(bench)
    waits = []
    for _ in range(8):
        again_in = (await bench.claims()).again_in
        assert again_in is not None
        waits.append(again_in.total_seconds())
        bench.pass_time(waits[-1])
        await bench.attempt(THROTTLED)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_the_next_pause_starts_with_short_waits_again(bench: Bench) -> None:
    await paused(bench)
    for wait in (1, 2):
        bench.pass_time(wait)
        await bench.attempt(THROTTLED)
    bench.pass_time(4)
    await bench.attempt(TAKEN)
    claim = (await bench.claims(1)).claims[0]
    await bench.record(claim, await bench.begun(claim), THROTTLED)
    assert (await bench.claims()).again_in == timedelta(seconds=1)


async def test_the_provider_may_name_a_later_time_for_the_probe(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(Retry(cause=Cause.THROTTLED, error=BUSY, retry_after=timedelta(seconds=90)))
    assert (await bench.claims()).again_in == timedelta(seconds=90)


async def test_a_pause_uses_up_no_step_of_the_schedule_and_changes_no_order(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post(contact=a_contact(2))
    bench.pass_time(1)
    for wait in (0, 1, 2):
        bench.pass_time(wait)
        claim = (await bench.claims(1)).claims[0]
        assert claim.message.id == first
        await bench.record(claim, await bench.begun(claim), UNREACHABLE)
    bench.pass_time(4)
    await bench.attempt(TAKEN)
    assert await bench.heads() == [second]


async def test_a_message_that_the_provider_stumbles_over_lets_others_do_the_probing(bench: Bench) -> None:
    stumbling = await bench.post()
    for _ in range(3):
        bench.pass_time(3600)
        await bench.attempt(TROUBLE)
    other, behind_it = await bench.post(contact=a_contact(2)), await bench.post()
    bench.pass_time(10)
    probe = (await bench.claims()).claims[0]
    assert probe.message.id == other
    await bench.record(probe, await bench.begun(probe), TAKEN)
    assert await bench.heads() == [stumbling], "within its own conversation it keeps its place"
    assert await bench.status(behind_it) is Status.QUEUED


async def test_a_success_that_began_before_the_pause_does_not_end_it(bench: Bench) -> None:
    for number in range(2):
        await bench.post(contact=a_contact(number))
    early, late = (await bench.claims()).claims
    attempts = [await bench.begun(early), await bench.begun(late)]
    await bench.record(late, attempts[1], THROTTLED)
    await bench.record(early, attempts[0], TAKEN)
    assert (await state_of(bench)).pause is PauseCause.THROTTLED


async def test_what_was_claimed_before_the_pause_does_not_begin_in_it(bench: Bench) -> None:
    for number in range(2):
        await bench.post(contact=a_contact(number))
    first, second = (await bench.claims()).claims
    await bench.record(first, await bench.begun(first), THROTTLED)
    assert await bench.begin(second) is None
    await bench.store.release(second, now=bench.now)
    assert await bench.status(second.message.id) is Status.QUEUED


async def test_a_second_failure_from_before_the_pause_makes_no_longer_waits(bench: Bench) -> None:
    for number in range(3):
        await bench.post(contact=a_contact(number))
    claims = (await bench.claims()).claims
    for claim, attempt in [(claim, await bench.begun(claim)) for claim in claims]:
        await bench.record(claim, attempt, THROTTLED)
    assert (await bench.claims()).again_in == timedelta(seconds=1)


async def test_a_probe_that_was_given_back_is_due_again_at_once(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(1)
    await bench.store.release(await bench.claim(), now=bench.now)
    assert len((await bench.claims()).claims) == 1


async def test_a_probe_that_was_lost_is_due_again_when_its_lease_ends(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(1)
    await bench.claim()
    assert (await bench.claims()).again_in == timedelta(seconds=LEASE)
    bench.pass_time(LEASE)
    assert len((await bench.claims()).claims) == 1


async def test_a_pause_outlives_a_restart_and_is_probed_at_once(file_bench: Bench) -> None:
    await paused(file_bench)
    file_bench.pass_time(1)
    await file_bench.claim()
    await file_bench.reopen()
    await file_bench.store.recover(now=file_bench.now)
    assert (await state_of(file_bench)).pause is PauseCause.THROTTLED
    assert len((await file_bench.claims()).claims) == 1


async def test_another_sender_goes_on(bench: Bench) -> None:
    await paused(bench)
    other = Sender("Other Company")
    message_id = await bench.post(sender=other)
    assert await bench.heads(sender=other) == [message_id]


async def test_messages_of_a_paused_sender_expire(bench: Bench) -> None:
    await paused(bench)
    bench.pass_time(24 * 3600)
    assert await bench.store.expire(now=bench.now) == 3
    assert (await state_of(bench)).queued == 0


# --- an empty balance -----------------------------------------------------------------------------------------------


async def test_an_empty_balance_ends_those_that_are_waited_for(bench: Bench) -> None:
    wait = timedelta(seconds=30)
    patient = await bench.post(contact=a_contact(1))
    awaited = [await bench.post(contact=a_contact(number), wait=wait) for number in (2, 3)]
    claim = (await bench.claims(1)).claims[0]
    await bench.record(claim, await bench.begun(claim), BROKE)
    assert await bench.status(patient) is Status.QUEUED
    for message_id in awaited:
        record = await bench.store.message(message_id, client=None)
        assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REFUSED, EMPTY)
        assert await bench.store.settle_wait(message_id) == EMPTY


async def test_the_awaited_message_that_found_the_balance_empty_has_failed(bench: Bench) -> None:
    message_id = await bench.post(wait=timedelta(seconds=30))
    await bench.attempt(BROKE)
    assert await bench.status(message_id) is Status.FAILED
    assert (await state_of(bench)).pause is PauseCause.BALANCE
    assert await bench.store.settle_wait(message_id) == EMPTY


async def test_an_empty_balance_does_not_end_an_awaited_message_that_may_have_arrived(bench: Bench) -> None:
    lost = {}
    for number in (1, 2):
        message_id = await bench.post(contact=a_contact(number), wait=timedelta(seconds=30))
        lost[message_id] = await bench.attempt(Unknown(error=ProviderError(name="TimeoutError")))
    for message_id in lost:
        await bench.store.resend(message_id, by="operator", now=bench.now)
    claim = (await bench.claims(1)).claims[0]
    await bench.record(claim, await bench.begun(claim), BROKE)
    for message_id, attempt in lost.items():
        assert await bench.status(message_id) is Status.QUEUED
        await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=attempt.token))
        assert await bench.status(message_id) is Status.DELIVERED


async def test_a_wait_that_is_over_keeps_its_message_through_an_empty_balance(bench: Bench) -> None:
    message_id = await bench.post(wait=timedelta(seconds=30))
    bench.pass_time(30)
    await bench.attempt(BROKE)
    assert await bench.status(message_id) is Status.QUEUED


async def test_the_conversation_of_a_sender_tells_of_its_pause(bench: Bench) -> None:
    await paused(bench)
    conversation = await bench.store.conversation(Sender("Custom Company"), a_contact(9), downgrades_since=bench.now)
    assert conversation.pause is PauseCause.THROTTLED
