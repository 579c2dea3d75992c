"""What an operator may do, and the row that it leaves."""

from __future__ import annotations

import pytest

from gateway.domain.delivery import AttemptStatus, DeliveryPolicy, Failed, OnUnknown, Submitted, Unknown
from gateway.domain.errors import NotFound, ProviderError
from gateway.domain.identity import MessageId
from gateway.domain.message import Failure, Status
from gateway.ports import Acted, ActRecord, StorePolicy
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, REFUSAL, a_report

LOST = Unknown(error=ProviderError(name="TimeoutError"))


def nothing_done(status: Status) -> Acted:
    return Acted(before=status, after=status, is_done=False)


async def test_a_cancelled_message_is_never_sent(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post()
    acted = await bench.store.cancel(first, by="olena", now=bench.now)
    assert acted == Acted(before=Status.QUEUED, after=Status.CANCELLED, is_done=True)
    assert await bench.heads() == [second]


async def test_what_has_left_can_not_be_cancelled(bench: Bench) -> None:
    message_id = await bench.submitted()
    assert await bench.store.cancel(message_id, by="olena", now=bench.now) == nothing_done(Status.SUBMITTED)
    other = await bench.post()
    await bench.begun(await bench.claim())
    assert await bench.store.cancel(other, by="olena", now=bench.now) == nothing_done(Status.SENDING)


async def test_a_cancelled_message_that_may_have_arrived_is_unknown_and_leaves_the_line(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(LOST)
    await bench.store.resend(message_id, by="olena", now=bench.now)
    acted = await bench.store.cancel(message_id, by="olena", now=bench.now)
    assert acted == Acted(before=Status.QUEUED, after=Status.UNKNOWN, is_done=True)
    assert await bench.heads() == []
    await bench.ingest(a_report(AttemptStatus.READ, attempt=attempt.token))
    assert await bench.status(message_id) is Status.READ


async def test_an_unknown_message_goes_out_again_by_an_operator_s_word(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(LOST)
    bench.pass_time(48 * 3600)
    await bench.store.expire(now=bench.now)
    acted = await bench.store.resend(message_id, by="olena", now=bench.now)
    assert acted == Acted(before=Status.UNKNOWN, after=Status.QUEUED, is_done=True)
    claim = await bench.claim()
    assert (claim.message.id, claim.attempts) == (message_id, 1)
    await bench.record(claim, await bench.begun(claim), Submitted(provider_message_id="1"))
    assert await bench.history(message_id) == ["queued", "sending", "unknown", "queued", "sending", "submitted"]


async def test_proof_comes_before_the_operator_s_second_try(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(LOST)
    await bench.store.resend(message_id, by="olena", now=bench.now)
    await bench.ingest(a_report(AttemptStatus.SENT, attempt=attempt.token))
    assert await bench.status(message_id) is Status.SENT
    assert await bench.heads() == []


async def test_a_closed_message_has_failed_and_no_proof_moves_it(opened: Opener) -> None:
    bench = await opened(StorePolicy(delivery=DeliveryPolicy(on_unknown=OnUnknown.RETRY)))
    message_id = await bench.post()
    attempt = await bench.attempt(LOST)
    acted = await bench.store.close(message_id, by="olena", now=bench.now)
    assert acted == Acted(before=Status.UNKNOWN, after=Status.FAILED, is_done=True)
    assert await bench.store.close(message_id, by="olena", now=bench.now) == nothing_done(Status.FAILED)
    bench.pass_time(60)
    assert await bench.heads() == []
    await bench.ingest(a_report(AttemptStatus.SENT, attempt=attempt.token))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.CLOSED)


async def test_only_an_unknown_message_can_be_resent_or_closed(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(Failed(error=REFUSAL))
    assert await bench.store.resend(message_id, by="olena", now=bench.now) == nothing_done(Status.FAILED)
    assert await bench.store.close(message_id, by="olena", now=bench.now) == nothing_done(Status.FAILED)
    assert (await bench.store.message(message_id, client=None)).failure is Failure.REFUSED


async def test_each_use_of_an_operator_s_power_leaves_a_row(file_bench: Bench) -> None:
    message_id = await file_bench.post()
    await file_bench.store.cancel(message_id, by="olena", now=file_bench.now)
    await file_bench.store.close(message_id, by="taras", now=file_bench.now)
    rows = file_bench.query("select actor, act, message_id, status_before, status_after from operator_act order by id")
    assert rows == [
        ("olena", "cancel", message_id, "queued", "cancelled"),
        ("taras", "close", message_id, "cancelled", "cancelled"),
    ]


async def test_an_operator_is_told_of_each_act_and_a_client_of_none(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.store.cancel(message_id, by="olena", now=bench.now)
    await bench.store.close(message_id, by="taras", now=bench.now)
    queued, cancelled = Status.QUEUED, Status.CANCELLED
    assert (await bench.store.message(message_id, client=None)).acts == (
        ActRecord(at=bench.now, by="olena", act="cancel", before=queued, after=cancelled),
        ActRecord(at=bench.now, by="taras", act="close", before=cancelled, after=cancelled),
    )
    assert (await bench.store.message(message_id, client=CLIENT)).acts == ()


async def test_an_act_on_no_message_is_not_found(bench: Bench) -> None:
    for act in (bench.store.cancel, bench.store.resend, bench.store.close):
        with pytest.raises(NotFound):
            await act(MessageId(1), by="olena", now=bench.now)


async def test_a_message_that_was_resent_and_ran_out_of_time_may_still_have_arrived(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(Unknown(error=ProviderError()))
    await bench.store.resend(message_id, by="operator ann", now=bench.now)
    assert await bench.status(message_id) is Status.QUEUED
    bench.pass_time(25 * 3600)
    await bench.store.expire(now=bench.now)
    assert await bench.status(message_id) is Status.UNKNOWN
    assert await bench.heads() == []
