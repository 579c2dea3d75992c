"""Callbacks in: each once, in any order, and one that fails spoils no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.callback import Unrecognized
from gateway.domain.delivery import AttemptStatus, DeliveryPolicy, Failed, OnUnknown, Submitted, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.message import Failure, Status
from gateway.ports import Arrival, Ingested, StorePolicy
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CONTACT,
    PROVIDER,
    REFUSAL,
    SENDER,
    TEMPLATE,
    TOO_LATE,
    a_contact,
    a_report,
    an_inbound,
)

SENT, DELIVERED, READ = AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.READ
FAILED, CLOSED = AttemptStatus.FAILED, AttemptStatus.WINDOW_CLOSED
OTHER_SENDER = Sender("Other Company")


async def test_a_contact_that_writes_opens_its_window(bench: Bench) -> None:
    assert await bench.ingest(an_inbound(name="Olena", provider_message_id="wamid.7")) == Ingested(applied=1)
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now)
    assert conversation.window.closes_at == bench.now + timedelta(hours=24)
    assert (conversation.window.opened_by, conversation.window.evidence) == ("wamid.7", "message")
    assert conversation.contact_name == "Olena"


async def test_a_window_is_of_one_sender_and_one_contact(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    assert await bench.is_window_open()
    assert not await bench.is_window_open(a_contact(2))
    other = await bench.store.conversation(Sender("Other"), CONTACT, downgrades_since=bench.now)
    assert other.window.anchor is None


async def test_older_news_does_not_shorten_a_window(bench: Bench) -> None:
    await bench.ingest(an_inbound(), an_inbound(opened_at=bench.now - timedelta(hours=5)))
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now)
    assert conversation.window.anchor == bench.now


async def test_a_message_without_a_usable_time_opens_nothing(bench: Bench) -> None:
    assert await bench.ingest(an_inbound(opened_at=None)) == Ingested(applied=1)
    assert not await bench.is_window_open()


async def test_a_name_once_known_is_not_forgotten(bench: Bench) -> None:
    await bench.ingest(an_inbound(name="Olena"), an_inbound(name=None))
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now)
    assert conversation.contact_name == "Olena"


async def test_a_second_delivery_changes_nothing(bench: Bench) -> None:
    inbound = an_inbound()
    assert await bench.ingest(inbound, inbound) == Ingested(applied=1, repeated=1)
    await bench.post()
    claim = await bench.claim()
    assert await bench.ingest(inbound) == Ingested(repeated=1)
    assert await bench.begin(claim) is not None


async def test_the_same_key_of_another_provider_is_no_repetition(bench: Bench) -> None:
    inbound = an_inbound()
    await bench.ingest(inbound, provider="one")
    assert await bench.ingest(inbound, provider="other") == Ingested(applied=1)


async def test_what_is_not_understood_or_whose_it_is_unknown_is_kept(file_bench: Bench) -> None:
    kept = [
        an_inbound(sender=None),
        Arrival(event=Unrecognized(dedupe="x", raw={"odd": True}, why="no contact"), problem="unrecognized"),
    ]
    assert await file_bench.ingest(*kept) == Ingested(kept=2)
    rows = file_bench.query("select kind, state, problem from inbox order by id")
    assert rows == [
        ("message", "kept", None),
        ("unrecognized", "kept", "unrecognized"),
    ]
    assert not await file_bench.is_window_open()


async def test_a_report_that_can_not_be_applied_changes_no_total(bench: Bench) -> None:
    await bench.post(callback_url="http://[no address")
    attempt = await bench.begun(await bench.claim())
    for _ in range(3):
        assert await bench.ingest(a_report(AttemptStatus.DELIVERED, attempt=attempt.token)) == Ingested(failed=1)
    (state,) = await bench.store.sender_states()
    assert state.queued == 1


async def test_an_event_that_can_not_be_applied_is_kept_and_the_rest_commits(file_bench: Bench) -> None:
    broken = an_inbound(contact=None)
    assert await file_bench.ingest(an_inbound(), broken, an_inbound()) == Ingested(applied=2, failed=1)
    assert await file_bench.is_window_open()
    ((problem,),) = file_bench.query("select problem from inbox where state = 'failed'")
    assert problem == "TypeError"
    assert await file_bench.ingest(broken) == Ingested(repeated=1)


async def test_what_no_database_takes_is_replaced(bench: Bench) -> None:
    await bench.ingest(an_inbound(name="Ole\0na\ud800", provider_message_id="wamid\ud800", dedupe="\ud800"))
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now)
    assert conversation.contact_name == "Ole\ufffdna\ufffd"
    assert conversation.window.opened_by == "wamid\ufffd"


# --- statuses -------------------------------------------------------------------------------------------------------


async def test_statuses_move_a_message_forward_in_any_order(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    for status in (DELIVERED, SENT, READ, DELIVERED):
        await bench.ingest(a_report(status, provider_message_id="429"))
    assert await bench.history(message_id) == ["queued", "sending", "submitted", "delivered", "read"]


async def test_a_status_on_the_attempt_s_own_path_belongs_to_it_whatever_it_says(bench: Bench) -> None:
    first = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="1"))
    second = await bench.submitted("2", contact=a_contact(2))
    await bench.ingest(a_report(DELIVERED, attempt=attempt.token, provider_message_id="2"))
    assert await bench.status(first) is Status.DELIVERED
    assert await bench.status(second) is Status.SUBMITTED


async def test_ids_of_one_provider_mean_nothing_to_another(opened: Opener) -> None:
    bench = await opened(StorePolicy(providers={SENDER: "dt"}))
    message_id = await bench.submitted("429")
    assert await bench.ingest(a_report(DELIVERED, provider_message_id="429"), provider="other") == Ingested(kept=1)
    assert await bench.status(message_id) is Status.SUBMITTED
    await bench.ingest(a_report(DELIVERED, provider_message_id="429"), provider="dt")
    assert await bench.status(message_id) is Status.DELIVERED


async def test_a_status_that_matches_nothing_is_applied_when_an_answer_brings_its_id(bench: Bench) -> None:
    assert await bench.ingest(a_report(DELIVERED, provider_message_id="429")) == Ingested(kept=1)
    message_id = await bench.submitted("429")
    assert await bench.history(message_id) == ["queued", "sending", "submitted", "delivered"]


async def test_an_early_status_is_kept_for_eight_days(bench: Bench) -> None:
    await bench.ingest(a_report(DELIVERED, provider_message_id="429"))
    bench.pass_time(8 * 86_400)
    assert await bench.status(await bench.submitted("429")) is Status.SUBMITTED


STRANGERS = pytest.mark.parametrize(
    "token",
    [
        "nobody's",
        "",
        "{id}",
        "{id}-",
        "{id}-nobody's",
        "{id}-{drawn}x",
        " {id}-{drawn}",
        "0{id}-{drawn}",
        "+{id}-{drawn}",
    ],
)
"""Callback paths that nobody was given: made up, or made of a message's id or of a true one."""


@STRANGERS
async def test_a_token_that_is_not_ours_is_kept(bench: Bench, token: str) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"))
    written = token.format(id=message_id, drawn=attempt.token.partition("-")[2])
    report = a_report(DELIVERED, attempt=written, provider_message_id="429")
    assert await bench.store.reported(PROVIDER, [report.event]) == (None,)
    assert await bench.ingest(report) == Ingested(kept=1)
    assert await bench.status(message_id) is Status.SUBMITTED


@STRANGERS
async def test_a_token_that_is_not_ours_is_not_applied_by_the_id_beside_it(bench: Bench, token: str) -> None:
    message_id = await bench.post()
    written = token.format(id=message_id, drawn="drawn")
    await bench.ingest(a_report(DELIVERED, attempt=written, provider_message_id="429"))
    await bench.attempt(Submitted(provider_message_id="429"))
    assert await bench.status(message_id) is Status.SUBMITTED


async def test_a_token_settles_nothing_for_another_provider(opened: Opener) -> None:
    bench = await opened(StorePolicy(providers={SENDER: "dt"}))
    message_id = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"))
    report = a_report(DELIVERED, attempt=attempt.token)
    assert await bench.ingest(report, provider="another") == Ingested(kept=1)
    assert await bench.status(message_id) is Status.SUBMITTED
    assert await bench.ingest(report, provider="dt") == Ingested(applied=1)
    assert await bench.status(message_id) is Status.DELIVERED


@pytest.mark.parametrize("is_by_token", [True, False])
async def test_a_report_of_one_number_settles_nothing_that_another_sent(opened: Opener, is_by_token: bool) -> None:
    bench = await opened(StorePolicy(providers=dict.fromkeys((SENDER, OTHER_SENDER), PROVIDER)))
    message_id = await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"))
    of = {"attempt": attempt.token} if is_by_token else {"provider_message_id": "429"}
    for sender, told in ((OTHER_SENDER, Ingested(kept=1)), (SENDER, Ingested(applied=1))):
        report = a_report(DELIVERED, dedupe=f"of {sender}", **of)
        assert await bench.ingest(replace(report, sender=sender)) == told
    assert await bench.history(message_id) == ["queued", "sending", "submitted", "delivered"]


async def test_a_report_still_settles_what_was_sent_under_a_name_that_the_configuration_has_no_longer(
    opened: Opener,
) -> None:
    bench = await opened(StorePolicy(providers={OTHER_SENDER: PROVIDER}))
    message_id = await bench.submitted("429")
    report = a_report(DELIVERED, provider_message_id="429")
    assert await bench.ingest(replace(report, sender=OTHER_SENDER)) == Ingested(applied=1)
    assert await bench.status(message_id) is Status.DELIVERED


async def test_a_report_that_says_nothing_changes_nothing(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    assert await bench.ingest(a_report(None, provider_message_id="429")) == Ingested(applied=1)
    assert await bench.status(message_id) is Status.SUBMITTED


async def test_a_callback_before_the_answer_is_not_undone_by_it(bench: Bench) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    await bench.ingest(a_report(DELIVERED, attempt=attempt.token))
    assert await bench.record(claim, attempt, Submitted(provider_message_id="429")) is Status.DELIVERED
    await bench.ingest(a_report(READ, provider_message_id="429"))
    assert await bench.status(message_id) is Status.READ


async def test_a_failure_that_is_reported_says_so(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    await bench.ingest(a_report(FAILED, provider_message_id="429", error=REFUSAL))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure, record.error) == (Status.FAILED, Failure.REPORTED, REFUSAL)


async def test_a_failure_does_not_undo_what_arrived_on_a_phone(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    await bench.ingest(
        a_report(DELIVERED, provider_message_id="429"), a_report(FAILED, provider_message_id="429", error=REFUSAL)
    )
    assert await bench.status(message_id) is Status.DELIVERED


async def test_proof_by_the_token_brings_the_provider_s_id(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(Unknown(error=ProviderError()))
    await bench.ingest(a_report(READ, provider_message_id="429"))
    assert await bench.status(message_id) is Status.UNKNOWN
    await bench.ingest(a_report(SENT, attempt=attempt.token, provider_message_id="429"))
    assert await bench.status(message_id) is Status.READ


async def test_news_of_an_earlier_attempt_never_moves_a_later_one(opened: Opener) -> None:
    bench = await opened(StorePolicy(delivery=DeliveryPolicy(on_unknown=OnUnknown.RETRY, pause_after=0)))
    message_id = await bench.post()
    first = await bench.attempt(Unknown(error=ProviderError()))
    bench.pass_time(60)
    await bench.attempt(Submitted(provider_message_id="2"))
    await bench.ingest(a_report(FAILED, attempt=first.token, error=REFUSAL))
    record = await bench.store.message(message_id, client=None)
    assert record.status is Status.SUBMITTED
    assert [attempt.status for attempt in record.attempts] == [FAILED, AttemptStatus.SUBMITTED]


# --- the window, refused late ---------------------------------------------------------------------------------------


async def test_a_late_refusal_for_the_window_puts_the_message_back_once(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    bench.pass_time(1)
    message_id = await bench.submitted("1")
    behind = await bench.post()
    await bench.ingest(a_report(CLOSED, provider_message_id="1", error=TOO_LATE))
    assert not await bench.is_window_open()
    assert await bench.heads() == [message_id], "before what was accepted after it"
    await bench.attempt(Submitted(provider_message_id="2"), TEMPLATE)
    await bench.ingest(a_report(CLOSED, provider_message_id="2", error=TOO_LATE))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.REPORTED)
    assert await bench.heads() == [behind]


async def test_a_repeated_late_refusal_changes_nothing(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    bench.pass_time(1)
    message_id = await bench.submitted("1")
    report = a_report(CLOSED, provider_message_id="1", error=TOO_LATE)
    await bench.ingest(report, a_report(CLOSED, provider_message_id="1", error=TOO_LATE))
    claim = await bench.claim()
    await bench.ingest(a_report(CLOSED, provider_message_id="1", error=TOO_LATE))
    assert await bench.begin(claim, TEMPLATE) is not None
    assert (await bench.history(message_id))[-2:] == ["queued", "sending"]


async def test_a_late_refusal_of_a_message_past_its_time_to_live_is_a_failure(bench: Bench) -> None:
    message_id = await bench.submitted("1")
    bench.pass_time(24 * 3600)
    await bench.ingest(a_report(CLOSED, provider_message_id="1", error=TOO_LATE))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.REPORTED)


async def test_a_late_refusal_of_a_message_that_an_operator_closed_is_a_failure(bench: Bench) -> None:
    message_id = await bench.post()
    attempt = await bench.attempt(Unknown(error=ProviderError()))
    await bench.store.close(message_id, by="olena", now=bench.now)
    await bench.ingest(a_report(CLOSED, attempt=attempt.token, error=TOO_LATE))
    record = await bench.store.message(message_id, client=None)
    assert (record.status, record.failure) == (Status.FAILED, Failure.CLOSED)
    assert [one.status for one in record.attempts] == [FAILED]


async def test_a_refusal_for_the_window_before_the_answer_counts_once(bench: Bench) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    await bench.ingest(a_report(CLOSED, attempt=attempt.token, error=TOO_LATE))
    assert (await bench.claims()).claims == (), "the attempt is still out"
    assert await bench.record(claim, attempt, Submitted(provider_message_id="1")) is Status.QUEUED
    assert await bench.heads() == [message_id]


@pytest.mark.parametrize("outcome", [Failed(error=REFUSAL), Unknown(error=ProviderError())])
async def test_what_arrived_before_any_other_answer_stands(bench: Bench, outcome: Failed | Unknown) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    await bench.ingest(a_report(DELIVERED, attempt=attempt.token))
    await bench.record(claim, attempt, outcome)
    assert await bench.status(message_id) is Status.DELIVERED
    assert await bench.heads() == []
