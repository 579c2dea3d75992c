"""Accepting: idempotency keys, limits, receipts, and what is kept of a refusal."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.compliance import Decision
from gateway.domain.delivery import Failed, Submitted
from gateway.domain.errors import IdempotencyConflict, NotFound, TooManyRequests
from gateway.domain.message import Idempotency, Status
from gateway.domain.window import UNKNOWN_WINDOW
from gateway.ports import Accepted, Conversation, StorePolicy
from tests.store.asking import enqueue, refuse
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    NOW,
    REFUSAL,
    TEMPLATE,
    TEXT,
    a_contact,
    a_downgrade,
    a_draft,
    a_refusal,
    a_send,
    a_window,
    an_evidence,
)

KEY = Idempotency(route="send-whatsapp", key="order-7", fingerprint="f1")
OTHER_BODY = Idempotency(route="send-whatsapp", key="order-7", fingerprint="f2")


async def test_an_accepted_message_is_queued_and_comes_back_as_it_was_posted(bench: Bench) -> None:
    draft = a_draft(fallback=TEMPLATE, reference="ticket 7", callback_url="https://desk.example.com/status")
    message_id = await bench.post(draft)
    record = await bench.store.message(message_id, client=CLIENT)
    assert record.status is Status.QUEUED
    assert record.message.content == TEXT
    assert record.message.fallback == TEMPLATE
    assert (record.message.reference, record.message.callback_url) == (draft.reference, draft.callback_url)
    assert record.message.accepted_at == NOW
    assert record.message.expires_at == NOW + timedelta(hours=24)
    assert [change.status for change in record.history] == [Status.QUEUED]


async def test_the_decision_at_acceptance_is_kept_with_its_evidence(bench: Bench) -> None:
    message_id = await bench.post(decision=a_downgrade())
    (decision,) = (await bench.store.message(message_id, client=None)).decisions
    assert decision["stage"] == "accept"
    assert decision["action"] == "downgrade"
    assert decision["reasons"] == ["window_closed", "window_unknown", "fallback"]
    assert decision["template"] == "ticket_answer/en_US"
    assert decision["evidence"]["rungs"][0]["message"]["components"] == list(TEMPLATE.components)


async def test_a_receipt_of_free_form_content_says_when_the_window_closes(bench: Bench) -> None:
    decision = a_send(evidence=an_evidence(window=a_window(NOW - timedelta(hours=23)), margin=timedelta(hours=2)))
    receipt = (await enqueue(bench.store, a_draft(), decision, now=NOW)).receipt
    assert (receipt.action, receipt.template, receipt.reason) == ("sent", None, None)
    assert receipt.window_closes_at == NOW + timedelta(hours=1), "without the margin"


async def test_a_receipt_of_a_closed_window_says_nothing_of_its_end(bench: Bench) -> None:
    decision = a_downgrade(evidence=an_evidence(window=a_window(NOW - timedelta(hours=24))))
    assert (await enqueue(bench.store, a_draft(), decision, now=NOW)).receipt.window_closes_at is None


async def test_a_receipt_of_a_downgrade_names_the_template_and_why(bench: Bench) -> None:
    receipt = (await enqueue(bench.store, a_draft(), a_downgrade(), now=NOW)).receipt
    assert (receipt.action, receipt.template, receipt.reason) == ("downgraded", "ticket_answer/en_US", "window_closed")


async def test_a_receipt_of_a_template_message_names_it(bench: Bench) -> None:
    receipt = (await enqueue(bench.store, a_draft(content=TEMPLATE), a_send(TEMPLATE), now=NOW)).receipt
    assert (receipt.action, receipt.template, receipt.reason) == ("sent", "ticket_answer/en_US", None)


async def test_message_ids_fit_javascript_and_name_their_bucket(bench: Bench) -> None:
    ids = [await bench.post() for _ in range(20)]
    assert all(0 <= message_id < 2**53 for message_id in ids)
    assert len({message_id >> 45 for message_id in ids}) == 1
    assert len(set(ids)) == 20


async def test_an_id_that_is_taken_is_drawn_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.domain.identity._NUMBERS", [6, 5, 5, 5])
    first, second = await bench.post(), await bench.post()
    assert second - first == 1


# --- idempotency ----------------------------------------------------------------------------------------------------


async def test_a_repeated_key_answers_the_first_receipt(bench: Bench) -> None:
    first = await enqueue(bench.store, a_draft(idempotency=KEY), a_downgrade(), now=NOW)
    again = await enqueue(bench.store, a_draft(idempotency=KEY), a_send(), now=NOW + timedelta(hours=23))
    assert again.receipt == first.receipt
    assert len((await bench.claims()).claims) == 1


async def test_a_key_with_another_body_is_a_conflict(bench: Bench) -> None:
    await bench.post(idempotency=KEY)
    with pytest.raises(IdempotencyConflict):
        await bench.post(idempotency=OTHER_BODY)
    with pytest.raises(IdempotencyConflict):
        await bench.store.replay(CLIENT, OTHER_BODY, now=NOW)


async def test_a_key_is_forgotten_after_24_hours(bench: Bench) -> None:
    first = await bench.post(idempotency=KEY)
    bench.pass_time(24 * 3600)
    assert await bench.store.replay(CLIENT, KEY, now=bench.now) is None
    second = await bench.post(idempotency=OTHER_BODY)
    assert second != first
    answer = await bench.store.replay(CLIENT, OTHER_BODY, now=bench.now)
    assert answer is not None
    assert answer.receipt.message_id == second


@pytest.mark.parametrize(
    "change", [{"client": "bot"}, {"idempotency": Idempotency(route="x", key="order-7", fingerprint="f1")}]
)
async def test_a_key_belongs_to_one_client_and_route(bench: Bench, change: dict[str, object]) -> None:
    first = await bench.post(idempotency=KEY)
    assert await bench.post(**{"idempotency": KEY, **change}) != first


async def test_concurrent_requests_with_one_key_make_one_message(bench: Bench) -> None:
    posts = [bench.post(idempotency=KEY, contact=a_contact(1)) for _ in range(20)]
    assert len(set(await asyncio.gather(*posts))) == 1


async def test_an_unknown_key_has_no_answer(bench: Bench) -> None:
    assert await bench.store.replay(CLIENT, KEY, now=NOW) is None


# --- waiting for the provider ---------------------------------------------------------------------------------------

WAIT = timedelta(seconds=30)


async def test_a_refusal_recorded_in_time_is_told(bench: Bench) -> None:
    message_id = await bench.post(wait=WAIT, idempotency=KEY)
    bench.pass_time(29)
    await bench.attempt(Failed(error=REFUSAL))
    assert await bench.store.settle_wait(message_id) == REFUSAL
    answer = await bench.store.replay(CLIENT, KEY, now=bench.now)
    assert answer is not None
    assert (answer.refusal, answer.is_waiting) == (REFUSAL, False)


async def test_a_refusal_recorded_too_late_is_not_told(bench: Bench) -> None:
    message_id = await bench.post(wait=WAIT, idempotency=KEY)
    bench.pass_time(30)
    await bench.attempt(Failed(error=REFUSAL))
    assert await bench.store.settle_wait(message_id) is None
    answer = await bench.store.replay(CLIENT, KEY, now=bench.now)
    assert answer is not None
    assert answer.refusal is None


async def test_after_the_wait_was_settled_no_refusal_is_told(bench: Bench) -> None:
    message_id = await bench.post(wait=WAIT, idempotency=KEY)
    assert await bench.store.settle_wait(message_id) is None
    await bench.attempt(Failed(error=REFUSAL))
    assert await bench.store.settle_wait(message_id) is None


async def test_a_repetition_is_told_that_the_first_still_waits(bench: Bench) -> None:
    await bench.post(wait=WAIT, idempotency=KEY)
    answer = await bench.store.replay(CLIENT, KEY, now=NOW + timedelta(seconds=29))
    assert answer is not None
    assert answer.is_waiting
    await bench.attempt(Submitted(provider_message_id="1"))
    answer = await bench.store.replay(CLIENT, KEY, now=NOW + timedelta(seconds=29))
    assert answer is not None
    assert not answer.is_waiting


async def test_a_wait_of_an_unknown_message_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.store.settle_wait(await bench.post() + 1)  # type: ignore[arg-type] # made up


# --- limits and refusals --------------------------------------------------------------------------------------------


async def test_a_client_has_at_most_so_many_messages_queued(opened: Opener) -> None:
    bench = await opened(StorePolicy(client_queued=3))
    for number in range(3):
        await bench.post(contact=a_contact(number))
    with pytest.raises(TooManyRequests) as refused:
        await bench.post()
    assert refused.value.retry_after > 0
    await bench.post(client="bot")


async def test_what_is_handed_over_no_longer_counts_against_the_limit(opened: Opener) -> None:
    bench = await opened(StorePolicy(client_queued=1))
    await bench.submitted()
    await bench.post()
    with pytest.raises(TooManyRequests):
        await bench.post()


async def test_a_repetition_is_answered_though_the_queue_is_full(opened: Opener) -> None:
    bench = await opened(StorePolicy(client_queued=1))
    first = await bench.post(idempotency=KEY)
    assert await bench.post(idempotency=KEY) == first


async def test_a_refusal_leaves_a_record_without_content(file_bench: Bench) -> None:
    await refuse(file_bench.store, a_draft(), a_refusal(), now=NOW)
    ((client, reasons, evidence),) = file_bench.query("select client, reasons, evidence from refusal")
    assert (client, reasons) == (CLIENT, '["window_closed","window_unknown","no_rung"]')
    assert '"not_approved"' in evidence
    assert TEXT.text not in evidence
    assert (await file_bench.claims()).claims == ()


async def test_a_refusal_of_a_contact_never_seen_opens_nothing(bench: Bench) -> None:
    await refuse(bench.store, a_draft(), a_refusal(), now=NOW)
    conversation = await bench.store.conversation(a_draft().sender, a_draft().contact, downgrades_since=NOW)
    assert conversation.window == UNKNOWN_WINDOW


async def test_the_last_fallback_that_a_contact_may_be_given_is_given_once(bench: Bench) -> None:
    """Each is decided on in the transaction that stores it, also when they come at once."""
    since = NOW - timedelta(hours=24)

    def decide(known: Conversation) -> Decision:
        return a_downgrade() if known.downgrades < 2 else a_refusal()

    asked = (bench.store.enqueue(a_draft(), decide, now=NOW, downgrades_since=since) for _ in range(3))
    assert [isinstance(one, Accepted) for one in await asyncio.gather(*asked)] == [True, True, False]
