"""A contact changes its number or its user id: all that is known of it goes along, and the old id is nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.domain.callback import ConsentChange, IdentityChange
from gateway.domain.delivery import AttemptStatus
from gateway.domain.identity import Contact
from gateway.domain.suppression import Scope
from gateway.ports import Arrival, Conversation, Ingested, StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import NOW, PROVIDER, SENDER, a_report, an_inbound

OLD, NEW = Contact("380501234567"), Contact("380671234567")
USER, LATER = Contact("US.13491208655302741918"), Contact("US.98765432109876543210")
MINUTE = timedelta(minutes=1)
BEFORE = NOW - 5 * MINUTE


@pytest.fixture
def url() -> str:
    """None of this depends on where the store is, but for what asks for a file."""
    return "memory:"


async def changed_number(bench: Bench, at: datetime = NOW - MINUTE, **changes: object) -> None:
    """As the platform tells it: a ``system`` message from the old number."""
    ids = {"contact": OLD, "now_known_as": (NEW,), **changes}
    await bench.ingest(an_inbound(kind="system", at=at, opened_at=None, **ids))


async def known(bench: Bench, contact: Contact) -> Conversation:
    return await bench.store.conversation(SENDER, contact, downgrades_since=None)


async def test_the_window_goes_along_and_the_old_number_has_none(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, opened_at=BEFORE))
    await changed_number(bench)
    assert await bench.is_window_open(NEW)
    assert (await known(bench, OLD)).contact_ids == ()


async def test_what_waits_leaves_to_the_new_number(bench: Bench) -> None:
    message_id = await bench.post(contact=OLD)
    await changed_number(bench)
    message = (await bench.claim()).message
    assert (message.id, message.contact_ids) == (message_id, (NEW,))


async def test_what_was_decided_before_is_decided_again(bench: Bench) -> None:
    await bench.post(contact=OLD)
    claim = await bench.claim()
    await changed_number(bench)
    assert await bench.begin(claim) is None


async def test_whoever_has_the_old_number_later_is_another_contact(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, opened_at=BEFORE))
    await changed_number(bench)
    await bench.ingest(an_inbound(contact=OLD, opened_at=NOW))
    assert (await known(bench, OLD)).contact_ids == (OLD,)
    assert (await known(bench, NEW)).window.anchor == BEFORE


async def test_a_contact_that_has_written_from_the_new_number_already_is_the_same(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, opened_at=BEFORE))
    await bench.ingest(an_inbound(contact=NEW, opened_at=NOW - 30 * 60 * MINUTE))
    await changed_number(bench)
    assert (await known(bench, NEW)).window.anchor == BEFORE


async def test_the_user_id_stays_where_only_the_number_changes(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, also_known_as=(USER,), opened_at=BEFORE))
    await changed_number(bench, also_known_as=(USER,))
    assert (await known(bench, USER)).contact_ids == (NEW, USER)


@pytest.mark.parametrize("sender", [SENDER, None])
async def test_a_user_id_changes_for_the_sender_that_is_named_or_for_all_of_the_provider(
    opened: Opener, sender: str | None
) -> None:
    bench = await opened(StorePolicy(pace=QUICK, providers={SENDER: PROVIDER}))
    await bench.ingest(an_inbound(contact=USER, opened_at=BEFORE))
    change = IdentityChange(dedupe="i", raw={}, previous=(USER,), current=(LATER,), at=NOW)
    assert await bench.ingest(Arrival(event=change, sender=sender)) == Ingested(applied=1)
    assert await bench.is_window_open(LATER)
    assert not await bench.is_window_open(USER)
    assert await bench.ingest(Arrival(event=change, sender=sender)) == Ingested(repeated=1)


async def test_number_and_user_id_may_change_in_the_same_second(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=QUICK, providers={SENDER: PROVIDER}))
    await bench.ingest(an_inbound(contact=OLD, also_known_as=(USER,), opened_at=BEFORE))
    await changed_number(bench, at=NOW, also_known_as=(USER,))
    change = IdentityChange(dedupe="i", raw={}, previous=(USER,), current=(LATER, NEW), at=NOW)
    await bench.ingest(Arrival(event=change))
    assert (await known(bench, LATER)).contact_ids == (NEW, LATER)


async def test_who_is_not_known_by_any_id_is_not_made_known_by_a_user_id_that_changes(file_bench: Bench) -> None:
    change = IdentityChange(dedupe="i", raw={}, previous=(USER,), current=(LATER,), at=NOW)
    assert await file_bench.ingest(Arrival(event=change, sender=SENDER)) == Ingested(applied=1)
    assert file_bench.query("select * from conversation") == []


async def test_a_wish_goes_along_and_does_not_bind_the_next_owner_of_the_number(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD))
    wish = ConsentChange(dedupe="c", raw={}, contacts=(OLD,), is_stop=True, at=BEFORE)
    await bench.ingest(Arrival(event=wish, sender=SENDER))
    await changed_number(bench)
    suppression = (await known(bench, NEW)).suppression
    assert suppression is not None
    assert suppression.scope is Scope.MARKETING
    assert (await known(bench, OLD)).suppression is None


async def test_what_an_operator_said_of_a_number_holds_for_both(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD))
    await bench.store.suppress(OLD, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    await changed_number(bench)
    assert (await known(bench, NEW)).suppression is not None
    assert (await known(bench, OLD)).suppression is not None


async def test_a_status_of_a_message_to_the_old_number_does_not_bring_it_back(bench: Bench) -> None:
    bench.now = BEFORE
    await bench.submitted("wamid.1", contact=OLD)
    bench.now = NOW
    await changed_number(bench)
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="wamid.1", contacts=(OLD, USER)))
    assert (await known(bench, NEW)).contact_ids == (NEW,)
    assert (await known(bench, OLD)).contact_ids == ()


async def test_a_message_from_before_the_change_that_comes_late_does_not_bring_it_back(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, also_known_as=(USER,), opened_at=NOW - 60 * MINUTE))
    await changed_number(bench, also_known_as=(USER,))
    await bench.ingest(an_inbound(contact=OLD, also_known_as=(USER,), opened_at=BEFORE))
    assert (await known(bench, OLD)).contact_ids == ()
    assert (await known(bench, NEW)).window.anchor == BEFORE


async def test_an_older_change_that_comes_late_changes_nothing(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OLD, also_known_as=(USER,)))
    third = Contact("380931234567")
    await changed_number(bench, also_known_as=(USER,), now_known_as=(third,))
    await changed_number(bench, at=BEFORE, contact=third, now_known_as=(NEW,))
    assert (await known(bench, third)).contact_ids == (third, USER)


async def test_all_spellings_of_the_old_number_are_given_up(bench: Bench) -> None:
    with_nine, without = Contact("5531987654321"), Contact("553187654321")
    await bench.ingest(an_inbound(contact=without, opened_at=BEFORE))
    await changed_number(bench, contact=with_nine)
    assert await bench.is_window_open(NEW)
    assert not await bench.is_window_open(with_nine)
    assert not await bench.is_window_open(without)
