"""A fallback that the provider would not send makes room for the next one, once for each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.delivery import AttemptStatus, Failed, Submitted
from gateway.domain.errors import ProviderError
from gateway.domain.message import Failure, Status, TemplateMessage
from gateway.ports import StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, PROVIDER, SENDER, TEMPLATE, a_contact, a_refusal, a_report

SAID = ProviderError(code=132015, status=400, name="Template paused")
PAUSED = Failed(error=SAID)
NEXT = TemplateMessage(name="parcel", language="en_US")
BOTH = {("ticket_answer", "en_US"), ("parcel", "en_US")}


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(StorePolicy(pace=QUICK, providers={SENDER: PROVIDER}, listeners={SENDER: (CLIENT,)}))


async def attempts_of(bench: Bench, message_id: int) -> list[str]:
    record = await bench.store.message(message_id, client=None)
    return [attempt.status.value for attempt in record.attempts]


async def test_the_message_goes_back_in_line_at_once_and_keeps_its_place(bench: Bench) -> None:
    first, second = await bench.post(), await bench.post()
    await bench.attempt(PAUSED, TEMPLATE)
    assert await bench.status(first) is Status.QUEUED
    claim = await bench.claim()
    assert claim.message.id == first
    assert (claim.template_started, claim.refused_templates) == (True, {("ticket_answer", "en_US")})
    await bench.record(claim, await bench.begun(claim, NEXT), Submitted(provider_message_id="429"))
    assert await attempts_of(bench, first) == ["template_refused", "submitted"]
    assert await bench.history(first) == ["queued", "sending", "queued", "sending", "submitted"]
    assert await bench.heads() == [second]


async def test_what_was_refused_of_one_message_is_not_held_against_another(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(PAUSED, TEMPLATE)
    await bench.attempt(Submitted(provider_message_id="429"), NEXT)
    await bench.post(contact=a_contact(2))
    assert (await bench.claim()).refused_templates == frozenset()


async def test_the_same_fallback_is_not_put_back_twice(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(PAUSED, TEMPLATE)
    await bench.attempt(PAUSED, TEMPLATE)
    assert await bench.status(message_id) is Status.FAILED
    assert await attempts_of(bench, message_id) == ["template_refused", "failed"]


async def test_when_no_rung_is_left_it_has_failed_with_the_provider_s_words(bench: Bench) -> None:
    message_id = await bench.post(wait=timedelta(seconds=30))
    await bench.attempt(PAUSED, TEMPLATE)
    await bench.attempt(PAUSED, NEXT)
    claim = await bench.claim()
    assert claim.refused_templates == BOTH
    assert await bench.store.refuse(claim, a_refusal(), now=bench.now)
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REFUSED, SAID)
    assert await bench.store.settle_wait(message_id) == SAID


async def test_a_template_that_was_asked_for_has_failed(bench: Bench) -> None:
    message_id = await bench.post(content=TEMPLATE)
    await bench.attempt(PAUSED, TEMPLATE)
    assert await bench.status(message_id) is Status.FAILED


async def test_a_refusal_that_is_reported_later_puts_it_back_as_well(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"), TEMPLATE)
    await bench.ingest(a_report(AttemptStatus.FAILED, attempt=attempt.token, error=SAID))
    assert await bench.status(message_id) is Status.QUEUED
    assert await bench.heads() == [message_id]
    await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=attempt.token))
    assert await bench.status(message_id) is Status.QUEUED, "of two contrary reports the first stands"
    told = [body["data"].get("status", body["type"]) for _, body in await bench.told()]
    assert told == ["message.downgraded", "submitted"]


async def test_a_refusal_that_is_reported_too_late_ends_it(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"), TEMPLATE)
    bench.pass_time(25 * 3600)
    await bench.ingest(a_report(AttemptStatus.FAILED, attempt=attempt.token, error=SAID))
    assert await bench.status(message_id) is Status.FAILED
