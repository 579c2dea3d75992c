"""What leaves as it is accepted: the same as being claimed and begun in the next two steps, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.delivery import AttemptStatus, Cause, DeliveryPolicy, OnUnknown, PacePolicy, Retry, Submitted
from gateway.domain.errors import IdempotencyConflict, ProviderError
from gateway.domain.identity import Contact
from gateway.domain.message import Idempotency, Status
from gateway.ports import Accepted, Attempt, Claim, StorePolicy
from tests.store.asking import ask
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CONTACT,
    TEMPLATE,
    a_contact,
    a_downgrade,
    a_draft,
    a_refusal,
    a_report,
    a_send,
    an_inbound,
)

LEASE = DeliveryPolicy().lease.total_seconds()
TAKEN = Submitted(provider_message_id="429")
THROTTLED = Retry(cause=Cause.THROTTLED, error=ProviderError(status=429))


async def post_at_once(bench: Bench, contact: Contact = CONTACT) -> Accepted:
    accepted = await ask(bench.store, a_draft(contact=contact), a_send(), now=bench.now, may_begin=True)
    assert isinstance(accepted, Accepted)
    return accepted


async def begun(bench: Bench, contact: Contact = CONTACT) -> tuple[Claim, Attempt]:
    accepted = await post_at_once(bench, contact)
    assert accepted.begun is not None
    return accepted.begun


async def waits(bench: Bench, contact: Contact = CONTACT) -> bool:
    """Whether the message is accepted, and stands in line."""
    accepted = await post_at_once(bench, contact)
    return accepted.begun is None and await bench.status(accepted.answer.receipt.message_id) is Status.QUEUED


async def test_a_message_leaves_at_once_where_nothing_stands_in_line(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    assert (attempt.message_id, attempt.number, attempt.content) == (claim.message.id, 1, claim.message.content)
    assert await bench.history(claim.message.id) == ["queued", "sending"]
    record = await bench.store.message(claim.message.id, client=None)
    assert [(one.number, one.status, one.content) for one in record.attempts] == [
        (1, AttemptStatus.SENDING, claim.message.content)
    ]
    assert [decision["stage"] for decision in record.decisions] == ["accept"]


async def test_what_leaves_at_once_is_the_message_that_a_claim_would_have_given(bench: Bench) -> None:
    await bench.ingest(an_inbound(name="Olena"))
    claim, _ = await begun(bench)
    await bench.store.release(claim, now=bench.now)
    again = await bench.claim()
    assert (again.message, again.window, again.contact_name) == (claim.message, claim.window, claim.contact_name)
    assert (again.revision, again.downgrades, again.conversation) == (
        claim.revision,
        claim.downgrades,
        claim.conversation,
    )


async def test_an_answer_is_recorded_as_of_any_attempt(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    recorded = await bench.store.record(claim, attempt, TAKEN, now=bench.now)
    assert recorded == (Status.SUBMITTED, False)
    assert (await bench.claims()).claims == ()
    assert not await waits(bench)


async def test_a_fallback_that_leaves_at_once_is_one_that_was_given(bench: Bench) -> None:
    accepted = await ask(bench.store, a_draft(), a_downgrade(), now=bench.now, may_begin=True)
    assert isinstance(accepted, Accepted)
    assert accepted.begun is not None
    assert accepted.begun[1].content == TEMPLATE
    since = bench.now - timedelta(hours=1)
    known = await bench.store.conversation(a_draft().sender, CONTACT, downgrades_since=since)
    assert known.downgrades == 1


async def test_behind_another_it_stands_in_line(bench: Bench) -> None:
    await bench.post()
    assert await waits(bench)


async def test_behind_one_that_is_being_sent_it_stands_in_line_and_comes_next(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    assert await waits(bench)
    assert (await bench.claims()).claims == ()
    assert await bench.store.record(claim, attempt, TAKEN, now=bench.now) == (Status.SUBMITTED, True)
    assert (await bench.claim()).message.id != claim.message.id


async def test_behind_one_that_is_retried_later_it_stands_in_line(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    trouble = Retry(cause=Cause.SERVER, error=ProviderError(code=2, status=500))
    assert await bench.store.record(claim, attempt, trouble, now=bench.now) == (Status.QUEUED, True)
    assert await waits(bench)


async def test_to_a_conversation_that_is_claimed_it_stands_in_line(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.claim()
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    assert await waits(bench)


async def test_of_a_paused_sender_it_stands_in_line(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    await bench.store.record(claim, attempt, THROTTLED, now=bench.now)
    assert await waits(bench, a_contact(7))


async def test_out_of_the_contacts_pace_it_stands_in_line(opened: Opener) -> None:
    bench = await opened(
        StorePolicy(pace=PacePolicy(sender_per_second=1000, contact_interval=timedelta(seconds=6), contact_burst=2))
    )
    for _ in range(2):
        await bench.store.record(*await begun(bench), TAKEN, now=bench.now)
    assert await waits(bench)
    assert (await bench.claims()).again_in == timedelta(seconds=6)
    assert not await waits(bench, a_contact(7))


async def test_out_of_the_senders_pace_it_stands_in_line(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(sender_per_second=40)))
    assert [await waits(bench, a_contact(number)) for number in range(4)] == [False, False, True, True]
    bench.pass_time(0.025)
    assert len((await bench.claims()).claims) == 1


async def test_many_at_once_keep_the_senders_pace_together(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(sender_per_second=100)))
    accepted = await asyncio.gather(*(post_at_once(bench, a_contact(number)) for number in range(20)))
    assert sum(one.begun is not None for one in accepted) == 5


async def test_of_many_at_once_to_one_contact_one_leaves(bench: Bench) -> None:
    accepted = await asyncio.gather(*(post_at_once(bench) for _ in range(5)))
    assert [one.begun is not None for one in accepted] == [True, False, False, False, False]


async def test_a_refusal_begins_nothing(bench: Bench) -> None:
    assert await ask(bench.store, a_draft(), a_refusal(), now=bench.now, may_begin=True) == a_refusal()
    assert not await waits(bench)


async def test_a_repetition_begins_nothing(bench: Bench) -> None:
    key = Idempotency(route="send-whatsapp", key="order-7", fingerprint="f1")
    first = await ask(bench.store, a_draft(idempotency=key), a_send(), now=bench.now, may_begin=True)
    again = await ask(bench.store, a_draft(idempotency=key), a_send(), now=bench.now, may_begin=True)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (first.begun is None, again.begun, again.decision) == (False, None, None)
    assert again.answer.receipt == first.answer.receipt


async def test_one_that_raises_undoes_nothing_of_those_beside_it(bench: Bench) -> None:
    key = Idempotency(route="send-whatsapp", key="order-7", fingerprint="f1")
    other = Idempotency(route="send-whatsapp", key="order-7", fingerprint="f2")
    await ask(bench.store, a_draft(idempotency=key), a_send(), now=bench.now)
    results = await asyncio.gather(
        post_at_once(bench, a_contact(1)),
        ask(bench.store, a_draft(contact=a_contact(2), idempotency=other), a_send(), now=bench.now, may_begin=True),
        post_at_once(bench, a_contact(3)),
        return_exceptions=True,
    )
    assert isinstance(results[1], IdempotencyConflict)
    assert [isinstance(one, Accepted) and one.begun is not None for one in results] == [True, False, True]
    (state,) = await bench.store.sender_states()
    assert state.queued == 3


async def test_what_was_begun_for_a_request_that_went_away_stands_in_line(bench: Bench) -> None:
    """Nobody would send it: its attempt is withdrawn, and it may still leave as free-form."""
    request = asyncio.create_task(post_at_once(bench))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    claims = (await bench.claims()).claims  # asked later, so committed later
    while not claims:
        claims = (await bench.claims()).claims
    (claim,) = claims
    assert (claim.attempts, claim.template_started) == (1, False)
    record = await bench.store.message(claim.message.id, client=None)
    assert [attempt.status for attempt in record.attempts] == [AttemptStatus.WITHDRAWN]
    assert record.status is Status.QUEUED


async def test_what_was_begun_is_put_back_also_when_the_request_went_away_as_it_was_answered(bench: Bench) -> None:
    """The same group answers one before it, who takes it away before it has heard."""

    async def take_away() -> None:
        await bench.post(contact=a_contact(9))
        request.cancel()

    taking_away = asyncio.create_task(take_away())
    request = asyncio.create_task(post_at_once(bench))
    await taking_away
    with pytest.raises(asyncio.CancelledError):
        await request
    assert CONTACT in {claim.message.contact for claim in (await bench.claims()).claims}


async def test_what_was_begun_is_put_back_also_while_the_store_is_closed(file_bench: Bench) -> None:
    bench = file_bench
    request = asyncio.create_task(post_at_once(bench))
    await asyncio.sleep(0)
    request.cancel()
    await bench.reopen()
    assert await bench.store.recover(now=bench.now) == 0
    assert (await bench.claim()).message.contact == CONTACT


async def test_what_a_crash_left_without_an_answer_is_unknown(file_bench: Bench) -> None:
    bench = file_bench
    claim, _ = await begun(bench)
    await bench.reopen()
    assert await bench.store.recover(now=bench.now) == 1
    assert await bench.status(claim.message.id) is Status.UNKNOWN


async def test_a_contact_that_writes_meanwhile_is_no_reason_to_decide_again(bench: Bench) -> None:
    """It was decided and begun in one transaction: what comes after that comes too late, as after any beginning."""
    claim, attempt = await begun(bench)
    await bench.ingest(an_inbound())
    assert await bench.record(claim, attempt, TAKEN) is Status.SUBMITTED


async def test_after_a_crash_it_is_due_again_as_the_policy_says(opened_file: Opener) -> None:
    bench = await opened_file(StorePolicy(delivery=DeliveryPolicy(on_unknown=OnUnknown.RETRY)))
    claim, _ = await begun(bench)
    await bench.reopen()
    await bench.store.recover(now=bench.now)
    bench.pass_time(60)
    assert await bench.heads() == [claim.message.id]


async def test_after_a_crash_that_conversation_waits_for_nobody(file_bench: Bench) -> None:
    bench = file_bench
    claim, _ = await begun(bench)
    await bench.reopen()
    await bench.store.recover(now=bench.now)
    await bench.store.close(claim.message.id, by="operator", now=bench.now)
    await begun(bench)


# --- its lease lasts as long as it is being sent ---------------------------------------------------------------------


async def test_what_did_not_come_back_in_time_is_unknown(opened: Opener) -> None:
    bench = await opened(StorePolicy(delivery=DeliveryPolicy(on_unknown=OnUnknown.RETRY)))
    claim, _ = await begun(bench)
    bench.pass_time(LEASE - 1)
    assert (await bench.claims()).claims == ()
    assert await bench.status(claim.message.id) is Status.SENDING
    bench.pass_time(1)
    assert (await bench.claims()).claims == ()
    assert await bench.status(claim.message.id) is Status.UNKNOWN
    bench.pass_time(60)
    assert await bench.heads() == [claim.message.id]


async def test_what_did_not_come_back_in_time_is_left_to_one_of_our_own(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    bench.pass_time(LEASE + 1)
    assert (await bench.claims(holding={claim.conversation})).claims == ()
    assert await bench.record(claim, attempt, TAKEN) is Status.SUBMITTED


async def test_one_that_is_late_is_found_behind_those_that_are_our_own(bench: Bench) -> None:
    own, _ = await begun(bench, a_contact(1))
    lost, _ = await begun(bench, a_contact(2))
    bench.pass_time(LEASE + 1)
    await bench.claims(holding={own.conversation})
    assert await bench.status(own.message.id) is Status.SENDING
    assert await bench.status(lost.message.id) is Status.UNKNOWN


async def test_what_is_being_sent_without_any_lease_stops_nobody_and_is_unknown(bench: Bench) -> None:
    claim, _ = await begun(bench)
    await bench.change("update conversation set leased_until = null")
    other = await bench.post(contact=a_contact(2))
    assert await bench.heads() == [other]
    assert await bench.status(claim.message.id) is Status.UNKNOWN


async def test_behind_one_that_did_not_come_back_the_next_one_leaves(opened: Opener) -> None:
    bench = await opened(StorePolicy(delivery=DeliveryPolicy(on_unknown=OnUnknown.CLOSE)))
    await begun(bench)
    assert await waits(bench)
    bench.pass_time(LEASE)
    assert len(await bench.heads()) == 1


async def test_once_it_came_back_the_next_one_leaves_at_once(bench: Bench) -> None:
    for _ in range(3):
        await bench.record(*await begun(bench), TAKEN)


async def test_once_it_came_back_one_that_stands_in_line_is_due(bench: Bench) -> None:
    await bench.record(*await begun(bench), TAKEN)
    second = await bench.post()
    assert await bench.heads() == [second]


async def test_once_it_came_back_a_contact_that_writes_makes_nobody_wait(bench: Bench) -> None:
    await bench.record(*await begun(bench), TAKEN)
    await bench.ingest(an_inbound())
    await bench.record(*await begun(bench), TAKEN)


async def test_once_it_came_back_a_late_refusal_puts_it_in_line_and_it_is_due(bench: Bench) -> None:
    claim, attempt = await begun(bench)
    await bench.record(claim, attempt, TAKEN)
    await bench.ingest(a_report(AttemptStatus.WINDOW_CLOSED, attempt=attempt.token))
    assert await bench.heads() == [claim.message.id]


@pytest.mark.parametrize("status", [AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.FAILED])
async def test_a_report_that_comes_before_the_answer_does_not_end_the_lease(
    bench: Bench, status: AttemptStatus
) -> None:
    claim, attempt = await begun(bench)
    await bench.ingest(a_report(status, attempt=attempt.token))
    assert await waits(bench)
    assert (await bench.claims()).claims == ()
    assert (await bench.store.record(claim, attempt, TAKEN, now=bench.now)).has_more
    assert len(await bench.heads()) == 1


async def test_what_is_put_back_waits_for_nobody(bench: Bench) -> None:
    claim, _ = await begun(bench)
    await bench.store.release(claim, now=bench.now)
    assert await bench.heads() == [claim.message.id]
