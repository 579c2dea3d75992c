"""Two conversations that turn out to be one contact's: one window, one line, never two attempts at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.delivery import AttemptStatus, PacePolicy, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact
from gateway.domain.message import Status
from gateway.domain.suppression import Scope
from gateway.ports import Accepted, Attempt, Claim, Conversation, StorePolicy, WindowCounts, WindowQuery
from tests.store.asking import ask
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    CONTACT,
    NOW,
    SENDER,
    TEMPLATE,
    TOO_LATE,
    a_downgrade,
    a_draft,
    a_report,
    a_send,
    an_inbound,
)

USER = Contact("US.13491208655302741918")
HOUR = timedelta(hours=1)
LOST = ProviderError(name="Timeout", message="no answer")
TAKEN = Submitted(provider_message_id="wamid.1")


@pytest.fixture
def url() -> str:
    """None of this depends on where the store is, but for what asks for a file."""
    return "memory:"


async def are_one(bench: Bench, **changes: Any) -> None:
    """The provider says so, in a message that opens nothing."""
    changes = {"contact": CONTACT, "also_known_as": (USER,), "opened_at": None, **changes}
    await bench.ingest(an_inbound(**changes))


async def known(bench: Bench, contact: Contact = CONTACT) -> Conversation:
    return await bench.store.conversation(SENDER, contact, downgrades_since=bench.now - 24 * HOUR)


async def begun(bench: Bench, *contacts: Contact) -> list[tuple[Claim, Attempt]]:
    """A message to each, under way."""
    for contact in contacts:
        await bench.post(contact=contact)
    return [(claim, await bench.begun(claim)) for claim in (await bench.claims()).claims]


# --- what is known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "user"), [(3, 1), (1, 3), (3, None), (None, 3), (3, 3)])
async def test_the_window_is_that_of_the_later_message(bench: Bench, number: int | None, user: int | None) -> None:
    for contact, ago in ((CONTACT, number), (USER, user)):
        at = None if ago is None else NOW - ago * HOUR
        await bench.ingest(an_inbound(contact=contact, opened_at=at, provider_message_id=f"wamid.{contact}"))
    await are_one(bench)
    latest = min(ago for ago in (number, user) if ago is not None)
    for contact in (CONTACT, USER):
        window = (await known(bench, contact)).window
        assert window.anchor == NOW - latest * HOUR
        assert window.opened_by in {f"wamid.{one}" for one, ago in ((CONTACT, number), (USER, user)) if ago == latest}


async def test_what_the_provider_refused_of_one_id_is_refused_of_the_contact(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER, opened_at=NOW - HOUR))
    await bench.post(contact=CONTACT)
    await bench.attempt(WindowWasClosed(error=TOO_LATE))
    await are_one(bench)
    assert not await bench.is_window_open(USER)
    await bench.ingest(an_inbound(contact=USER, opened_at=NOW + timedelta(seconds=1)))
    assert await bench.is_window_open(CONTACT)


async def test_the_name_outlives_it(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER, name="Olena"))
    await bench.post(contact=CONTACT)
    await are_one(bench, name=None)
    assert (await known(bench)).contact_name == "Olena"


async def test_fallbacks_that_were_given_by_either_id_count(bench: Bench) -> None:
    await bench.post(decision=a_downgrade(), contact=CONTACT)
    await bench.post(decision=a_downgrade(), contact=USER)
    await are_one(bench)
    assert (await known(bench, USER)).downgrades == 2


async def test_of_what_may_not_be_sent_the_stricter_holds_and_both_are_kept(bench: Bench) -> None:
    for contact, scope in ((CONTACT, Scope.MARKETING), (USER, Scope.EVERYTHING)):
        await bench.post(contact=contact)
        await bench.store.suppress(contact, scope, sender=SENDER, note=None, by="olena", now=bench.now)
    await are_one(bench)
    suppression = (await known(bench)).suppression
    assert suppression is not None
    assert suppression.scope is Scope.EVERYTHING
    assert len((await bench.store.allow(USER, sender=None, by="olena", now=bench.now)).lifted) == 2
    assert (await known(bench)).suppression is None


# --- the line -------------------------------------------------------------------------------------------------------


async def test_messages_leave_in_the_order_in_which_they_were_accepted(bench: Bench) -> None:
    posted = [await bench.post(contact=contact) for contact in (USER, CONTACT, CONTACT, USER, CONTACT)]
    await are_one(bench)
    left = []
    for _ in posted:
        claim = await bench.claim()
        left.append(claim.message.id)
        await bench.record(claim, await bench.begun(claim), TAKEN)
    assert left == posted
    assert not (await bench.claims()).claims


async def test_what_was_sent_by_either_id_counts_for_the_pace(opened: Opener) -> None:
    pace = PacePolicy(sender_per_second=1000, contact_interval=timedelta(seconds=6), contact_burst=2)
    bench = await opened(StorePolicy(pace=pace))
    for contact in (CONTACT, USER):
        await bench.post(contact=contact)
        await bench.attempt(TAKEN)
    await bench.post(contact=CONTACT)
    await are_one(bench)
    assert not (await bench.claims()).claims
    bench.pass_time(6)
    assert (await bench.claims()).claims


@pytest.mark.parametrize("held", [CONTACT, USER])
async def test_a_claim_that_was_not_begun_is_decided_again(bench: Bench, held: Contact) -> None:
    await bench.post(contact=held)
    claim = await bench.claim()
    first = await bench.post(contact=CONTACT if held == USER else USER)
    await are_one(bench)
    assert await bench.begin(claim) is None
    await bench.store.release(claim, now=bench.now)
    assert (await bench.claim()).message.id == claim.message.id != first


@pytest.mark.parametrize("held", [CONTACT, USER])
async def test_an_attempt_under_way_holds_the_line_until_it_is_recorded(bench: Bench, held: Contact) -> None:
    ((claim, attempt),) = await begun(bench, held)
    waiting = await bench.post(contact=CONTACT if held == USER else USER)
    await are_one(bench)
    assert not (await bench.claims()).claims
    assert await bench.record(claim, attempt, TAKEN) is Status.SUBMITTED
    assert (await bench.claim()).message.id == waiting


@pytest.mark.parametrize("recorded", [0, 1])
async def test_two_attempts_under_way_are_both_recorded_and_nothing_leaves_until_they_are_over(
    bench: Bench, recorded: int
) -> None:
    await bench.post(contact=CONTACT)
    waiting = await bench.post(contact=CONTACT)
    both = await begun(bench, USER)
    await are_one(bench)
    for number, (claim, attempt) in enumerate((both[recorded], both[1 - recorded])):
        assert not (await bench.claims()).claims
        outcome = Submitted(provider_message_id=f"wamid.{number}")
        assert await bench.record(claim, attempt, outcome) is Status.SUBMITTED
    assert (await bench.claim()).message.id == waiting


@pytest.mark.parametrize("answered", [0, 1])
@pytest.mark.parametrize("is_early", [False, True])
async def test_a_report_before_the_answer_does_not_bring_the_worker_back(
    bench: Bench, answered: int, is_early: bool
) -> None:
    """Nor one from before they became one."""
    both = await begun(bench, CONTACT, USER)
    waiting = await bench.post(contact=CONTACT)
    (claim, attempt), (reported_claim, reported) = both[answered], both[1 - answered]
    report = a_report(AttemptStatus.SENT, attempt=reported.token)
    if is_early:
        await bench.ingest(report)
    await are_one(bench)
    if not is_early:
        await bench.ingest(report)
    await bench.record(claim, attempt, TAKEN)
    assert not (await bench.claims()).claims
    outcome = Submitted(provider_message_id="wamid.2")
    assert await bench.record(reported_claim, reported, outcome) is Status.SENT
    assert (await bench.claim()).message.id == waiting


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
async def test_of_three_that_are_held_all_must_be_back(bench: Bench, order: list[int]) -> None:
    parent = Contact("US.ENT.118")
    all_three = await begun(bench, CONTACT, USER, parent)
    waiting = await bench.post(contact=USER)
    await are_one(bench)
    await are_one(bench, also_known_as=(parent,))
    for number in order:
        assert not (await bench.claims()).claims
        claim, attempt = all_three[number]
        await bench.record(claim, attempt, Submitted(provider_message_id=f"wamid.{number}"))
    assert (await bench.claim()).message.id == waiting


async def test_an_answer_that_was_lost_is_not_sent_again_by_it(bench: Bench) -> None:
    """Who lost the claim by it has as much to say of its attempt as before."""
    both = await begun(bench, CONTACT, USER)
    await are_one(bench)
    for claim, attempt in both:
        assert await bench.record(claim, attempt, Unknown(error=LOST)) is Status.UNKNOWN
    bench.pass_time(1)
    assert not (await bench.claims()).claims


async def test_two_claims_of_which_none_was_begun_are_both_lost(bench: Bench) -> None:
    first, second = await bench.post(contact=CONTACT), await bench.post(contact=USER)
    claims = (await bench.claims()).claims
    await are_one(bench)
    for claim in claims:
        assert await bench.begin(claim) is None
        await bench.store.release(claim, now=bench.now)
    for expected in (first, second):
        claim = await bench.claim()
        assert claim.message.id == expected
        await bench.record(claim, await bench.begun(claim), TAKEN)


async def test_to_give_back_a_lost_claim_undoes_nothing_of_another_s_attempt(bench: Bench) -> None:
    await bench.post(contact=CONTACT)
    await bench.post(contact=USER)
    idle, busy = (await bench.claims()).claims
    attempt = await bench.begun(busy)
    await are_one(bench)
    await bench.store.release(idle, now=bench.now)
    assert await bench.status(busy.message.id) is Status.SENDING
    assert await bench.record(busy, attempt, TAKEN) is Status.SUBMITTED


@pytest.mark.parametrize("given_back", [0, 1])
async def test_an_attempt_that_was_not_written_is_withdrawn_and_the_other_is_not(bench: Bench, given_back: int) -> None:
    both = await begun(bench, CONTACT, USER)
    (unwritten, _), (claim, attempt) = both[given_back], both[1 - given_back]
    await are_one(bench)
    await bench.store.release(unwritten, now=bench.now)
    assert await bench.status(unwritten.message.id) is Status.QUEUED
    assert await bench.status(claim.message.id) is Status.SENDING
    assert not (await bench.claims()).claims
    await bench.record(claim, attempt, TAKEN)
    assert (await bench.claim()).message.id == unwritten.message.id


async def test_who_comes_back_when_the_lease_is_over_undoes_nothing_of_a_later_attempt(bench: Bench) -> None:
    """On the very message that it was given."""
    message_id = await bench.post(contact=CONTACT)
    await bench.post(contact=USER)
    late = (await bench.claims()).claims
    await are_one(bench)
    bench.pass_time(bench.policy.delivery.lease.total_seconds() + 1)
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    for lost in late:
        await bench.store.release(lost, now=bench.now)
    assert claim.message.id == message_id
    assert await bench.status(message_id) is Status.SENDING
    assert not (await bench.claims()).claims
    assert await bench.record(claim, attempt, TAKEN) is Status.SUBMITTED


async def test_an_attempt_that_never_comes_back_is_unknown_when_its_lease_is_over(bench: Bench) -> None:
    both = await begun(bench, CONTACT, USER)
    await are_one(bench)
    bench.pass_time(bench.policy.delivery.lease.total_seconds() + 1)
    await bench.claims()
    assert [await bench.status(claim.message.id) for claim, _ in both] == [Status.UNKNOWN] * 2


async def test_a_message_that_left_at_once_holds_the_line_as_well(bench: Bench) -> None:
    await bench.post(contact=CONTACT)
    accepted = await ask(bench.store, a_draft(contact=USER), a_send(), now=bench.now, may_begin=True)
    assert isinstance(accepted, Accepted)
    assert accepted.begun is not None
    claim, attempt = accepted.begun
    await are_one(bench)
    assert not (await bench.claims()).claims
    await bench.record(claim, attempt, TAKEN)
    assert (await bench.claim()).message.contact == CONTACT


async def test_a_restart_in_between_changes_nothing(file_bench: Bench) -> None:
    both = await begun(file_bench, CONTACT, USER)
    await are_one(file_bench)
    await file_bench.reopen()
    assert await file_bench.store.recover(now=file_bench.now) == 2
    assert [await file_bench.status(claim.message.id) for claim, _ in both] == [Status.UNKNOWN] * 2


async def test_a_report_on_an_attempt_of_either_finds_its_message(bench: Bench) -> None:
    message_id = await bench.submitted("wamid.7", contact=USER)
    await bench.post(contact=CONTACT)
    await are_one(bench)
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="wamid.7"))
    assert await bench.status(message_id) is Status.READ


# --- what clients are told ------------------------------------------------------------------------------------------

LISTENING = StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT,)})


async def test_notices_keep_their_order_and_their_numbers_go_on(opened: Opener) -> None:
    bench = await opened(LISTENING)
    for contact in (USER, CONTACT, USER, CONTACT, CONTACT):
        await bench.ingest(an_inbound(contact=contact))
    await are_one(bench)
    told, ids = [], []
    while deliveries := (await bench.deliveries()).deliveries:
        assert len(deliveries) == 1, "one contact, one after another"
        ids.append(deliveries[0].id)
        told.append(deliveries[0].body)
        await bench.store.delivered(deliveries[0], now=bench.now)
    assert ids == sorted(ids)
    assert len(told) == 6
    assert b'"sequence":4' in told[-1]


async def test_while_a_notice_is_on_its_way_no_other_of_the_contact_is_given_out(opened: Opener) -> None:
    bench = await opened(LISTENING)
    for contact in (CONTACT, USER, USER):
        await bench.ingest(an_inbound(contact=contact))
    under_way = (await bench.deliveries(lease=timedelta(seconds=60))).deliveries
    assert len(under_way) == 2
    await are_one(bench)
    assert not (await bench.deliveries()).deliveries
    for delivery in under_way:
        await bench.store.delivered(delivery, now=bench.now)
    bench.pass_time(61)
    assert len(await bench.told()) == 2


async def test_the_same_where_only_the_one_that_goes_has_a_notice_on_its_way(opened: Opener) -> None:
    bench = await opened(LISTENING)
    await bench.post(contact=CONTACT)
    await bench.ingest(an_inbound(contact=USER))
    (under_way,) = (await bench.deliveries(lease=timedelta(seconds=60))).deliveries
    await bench.ingest(an_inbound(contact=CONTACT))
    await are_one(bench)
    assert not (await bench.deliveries()).deliveries
    await bench.store.delivered(under_way, now=bench.now)
    bench.pass_time(61)
    assert len(await bench.told()) == 2


# --- what is left ---------------------------------------------------------------------------------------------------


async def test_what_is_left_behind_is_listed_nowhere_and_goes_in_time(opened_file: Opener) -> None:
    bench = await opened_file(StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT,)}, keep_history=timedelta(days=60)))
    await bench.ingest(an_inbound(contact=CONTACT), an_inbound(contact=USER))
    await bench.deliveries()
    await are_one(bench)
    assert [one.contact for one in (await bench.store.windows(WindowQuery())).windows] == [CONTACT]
    assert [one.windows for one in (await bench.store.census(now=bench.now)).senders] == [WindowCounts(open=1)]
    bench.pass_time(62 * 24 * 3600)
    await bench.told()
    await bench.ingest(an_inbound(contact=CONTACT, opened_at=bench.now))
    for _ in range(5):
        await bench.store.sweep(now=bench.now)
    assert bench.query("select contact from conversation") == [(CONTACT,)]
    assert bench.query("pragma foreign_key_check") == []


async def test_more_than_two_become_one_at_once(bench: Bench) -> None:
    parent = Contact("US.ENT.118")
    posted = [await bench.post(contact=contact, content=TEMPLATE) for contact in (parent, USER, CONTACT)]
    await are_one(bench, also_known_as=(USER, parent))
    (claim,) = (await bench.claims()).claims
    assert claim.message.id == posted[0]
    assert set(claim.message.contact_ids) == {CONTACT, USER, parent}
