"""A number changes hands, a user id never does: whoever has the number by another user id is another person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.callback import ConsentChange, IdentityChange
from gateway.domain.delivery import AttemptStatus
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Status
from gateway.domain.suppression import Scope
from gateway.ports import Arrival, Conversation, ListQuery, MessageQuery, StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.factories import NOW, SENDER, a_report, an_inbound

NUMBER, ANOTHER = Contact("380501234567"), Contact("380671234567")
FIRST, SECOND = Contact("UA.13491208655302741918"), Contact("UA.98765432109876543210")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def url() -> str:
    """None of this depends on where the store is, but for what asks for a file."""
    return "memory:"


async def known(bench: Bench, contact: Contact) -> Conversation:
    return await bench.store.conversation(SENDER, contact, downgrades_since=None)


async def writes(bench: Bench, number: Contact, *others: Contact, ago: timedelta = MINUTE) -> None:
    await bench.ingest(an_inbound(contact=number, also_known_as=others, opened_at=NOW - ago))


# --- the number has another owner -----------------------------------------------------------------------------------


async def test_each_has_its_own_window(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=30 * HOUR)
    await writes(bench, NUMBER, SECOND)
    assert await bench.is_window_open(NUMBER)
    assert await bench.is_window_open(SECOND)
    assert not await bench.is_window_open(FIRST)


async def test_what_is_sent_to_the_one_does_not_reach_the_other(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST)
    await writes(bench, NUMBER, SECOND)
    await bench.post(contact=FIRST)
    assert (await bench.claim()).message.contact_ids == (FIRST,)


async def test_what_waits_for_the_one_does_not_reach_the_other(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST)
    await bench.post(contact=FIRST)
    claim = await bench.claim()
    await writes(bench, NUMBER, SECOND)
    assert await bench.begin(claim) is None
    await bench.store.release(claim, now=bench.now)
    assert (await bench.claim()).message.contact_ids == (FIRST,)


async def test_a_status_tells_it_too_and_opens_no_window(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await bench.submitted("wamid.1", contact=NUMBER)
    news = a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(NUMBER, SECOND))
    await bench.ingest(news)
    assert not await bench.is_window_open(NUMBER)
    assert not await bench.is_window_open(SECOND)
    assert await bench.is_window_open(FIRST)


async def test_in_whichever_spelling(bench: Bench) -> None:
    with_nine, without = Contact("5531987654321"), Contact("553187654321")
    await writes(bench, with_nine, FIRST, ago=30 * HOUR)
    await writes(bench, without, SECOND)
    assert (await known(bench, FIRST)).contact_ids == (FIRST,)
    assert (await known(bench, with_nine)).contact_ids == (without, SECOND)


async def test_of_the_same_parent_it_is_the_same_person(bench: Bench) -> None:
    parent = Contact("UA.ENT.118")
    await writes(bench, NUMBER, FIRST, parent, ago=HOUR)
    await bench.post(contact=NUMBER)
    await writes(bench, NUMBER, SECOND, parent)
    assert (await bench.claim()).message.contact == NUMBER
    assert await bench.is_window_open(FIRST)


async def test_who_is_known_by_a_number_alone_may_tell_a_user_id(bench: Bench) -> None:
    await writes(bench, NUMBER, ago=HOUR)
    await writes(bench, SECOND, ago=2 * HOUR)
    await writes(bench, NUMBER, SECOND)
    assert set((await known(bench, NUMBER)).contact_ids) == {NUMBER, SECOND}


async def test_a_user_id_that_was_told_to_have_changed_is_the_same_person(bench: Bench) -> None:
    """Also where the first message comes before the change is told."""
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    waiting = await bench.post(contact=NUMBER)
    await writes(bench, NUMBER, SECOND)
    change = IdentityChange(dedupe="i", raw={}, previous=(FIRST,), current=(SECOND, NUMBER), at=NOW - MINUTE)
    await bench.ingest(Arrival(event=change, sender=SENDER))
    assert set((await known(bench, NUMBER)).contact_ids) == {NUMBER, SECOND}
    assert (await bench.claim()).message.id == waiting


@pytest.mark.parametrize("named", [(), (FIRST,), (SECOND,)])
async def test_who_tells_that_its_user_id_has_changed_is_the_same_person_by_whichever_it_tells_it(
    bench: Bench, named: tuple[Contact, ...]
) -> None:
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    event = an_inbound(
        kind="system", contact=NUMBER, also_known_as=named, now_known_as=(SECOND,), at=NOW - MINUTE, opened_at=None
    )
    await bench.ingest(event)
    assert {NUMBER, SECOND} <= set((await known(bench, NUMBER)).contact_ids)
    assert await bench.is_window_open(SECOND)


# --- the order of callbacks -----------------------------------------------------------------------------------------


async def test_old_news_of_the_number_does_not_take_it_back(bench: Bench) -> None:
    await writes(bench, NUMBER, SECOND)
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)
    assert (await known(bench, FIRST)).window.anchor == NOW - HOUR


async def test_a_late_status_does_not_take_it_back(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await bench.submitted("wamid.1", contact=NUMBER)
    bench.now += HOUR
    await bench.ingest(an_inbound(contact=NUMBER, also_known_as=(SECOND,), opened_at=bench.now))
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="wamid.1", contacts=(NUMBER, FIRST)))
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)


async def test_nor_from_one_who_has_never_written(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await bench.submitted("wamid.1", contact=NUMBER)
    bench.pass_time(60)
    await bench.submitted("wamid.2", contact=NUMBER)
    await bench.ingest(a_report(AttemptStatus.SENT, provider_message_id="wamid.2", contacts=(NUMBER, SECOND)))
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="wamid.1", contacts=(NUMBER, FIRST)))
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)
    assert not await bench.is_window_open(NUMBER)


@pytest.mark.parametrize("by_status", [True, False])
async def test_nor_late_news_of_it_from_one_of_whom_only_a_status_or_a_reaction_told(
    bench: Bench, by_status: bool
) -> None:
    await bench.submitted("wamid.1", contact=NUMBER)
    bench.pass_time(60)
    reaction = an_inbound(kind="reaction", contact=NUMBER, also_known_as=(SECOND,), at=NOW - MINUTE, opened_at=None)
    status = a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(NUMBER, SECOND))
    await bench.ingest(status if by_status else reaction)
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)
    assert not await bench.is_window_open(NUMBER)
    assert (await known(bench, FIRST)).window.anchor == NOW - HOUR


async def test_news_that_is_too_old_to_be_believed_takes_the_number_from_nobody(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=10 * HOUR)
    await moves(bench, NUMBER, ANOTHER, FIRST, ago=5 * HOUR)
    await bench.submitted("wamid.1", contact=NUMBER)
    await bench.ingest(a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(NUMBER, SECOND)))
    await writes(bench, NUMBER, FIRST, ago=7 * HOUR)
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)
    assert (await known(bench, FIRST)).contact_ids == (ANOTHER, FIRST)


async def test_spellings_that_were_two_people_s_stay_so_when_they_count_as_one(file_bench: Bench) -> None:
    with_nine, without = Contact("5531987654321"), Contact("553187654321")
    await file_bench.reopen(StorePolicy(pace=QUICK, spellings=False))
    await writes(file_bench, with_nine, FIRST, ago=3 * HOUR)
    await writes(file_bench, without, SECOND, ago=HOUR)
    await file_bench.reopen(StorePolicy(pace=QUICK, spellings=True))
    late = an_inbound(contact=with_nine, opened_at=NOW - 2 * HOUR)
    assert (await file_bench.ingest(late)).failed == 0
    assert (await known(file_bench, FIRST)).contact_ids == (with_nine, FIRST)
    assert (await known(file_bench, SECOND)).contact_ids == (without, SECOND)


OWNERS = st.lists(st.sampled_from([FIRST, SECOND, Contact("UA.3")]), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(owners=OWNERS, shuffled=st.randoms(use_true_random=False))
async def test_whatever_the_order_nobody_s_window_answers_for_another(owners: list[Contact], shuffled: object) -> None:
    """The number goes from hand to hand, each owner writes from it, and the callbacks come in any order."""
    bench = await Bench.open("memory:", StorePolicy(pace=QUICK))
    try:
        said = [(NOW - timedelta(hours=len(owners) - place), owner) for place, owner in enumerate(owners)]
        late = list(said)
        shuffled.shuffle(late)  # type: ignore[attr-defined]
        for at, owner in late:
            await bench.ingest(an_inbound(contact=NUMBER, also_known_as=(owner,), opened_at=at))
        for owner in set(owners):
            assert (await known(bench, owner)).window.anchor == max(at for at, one in said if one == owner)
        assert set((await known(bench, NUMBER)).contact_ids) == {NUMBER, owners[-1]}
    finally:
        await bench.store.aclose()


async def test_a_late_message_does_not_lead_what_is_sent_to_an_earlier_number(bench: Bench) -> None:
    await writes(bench, ANOTHER, FIRST)
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await bench.post(contact=FIRST)
    assert (await bench.claim()).message.contact == ANOTHER


# --- whatever is said -----------------------------------------------------------------------------------------------

IDS = (NUMBER, ANOTHER, FIRST, SECOND, Contact("UA.ENT.1"), Contact("UA.ENT.2"), Contact("5531987654321"))
IDS = (*IDS, Contact("553187654321"))
SOME = st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True)
SAYINGS = st.tuples(st.sampled_from(["hears", "moves", "wishes", "changes", "posts"]), SOME, SOME, st.integers(0, 5))
EACH_ID = """
select count(*) from (
    select contact from conversation
    union all
    select also.value from conversation, json_each('["' || replace(also_known_as, ' ', '","') || '"]') as also
) as named
group by contact having count(*) > 1
"""
LEADS_ASTRAY = """
select contact_id.contact from contact_id join conversation on conversation.id = contact_id.conversation
where client = '' and instr(' ' || coalesce(also_known_as, '') || ' ', ' ' || contact_id.contact || ' ') = 0
"""


@settings(max_examples=100, deadline=None)
@given(sayings=st.lists(SAYINGS, max_size=8))
async def test_whatever_is_said_in_whatever_order_each_id_is_one_contact_s(
    sayings: list[tuple[str, list[Contact], list[Contact], int]],
) -> None:
    bench = await Bench.open("memory:", StorePolicy(pace=QUICK))
    try:
        for number, (verb, ids, others, minutes) in enumerate(sayings):
            at = NOW - minutes * MINUTE
            known = {"contact": ids[0], "also_known_as": tuple(ids[1:]), "opened_at": at}
            match verb:
                case "posts":
                    await bench.post(contact=ids[0])
                    continue
                case "hears":
                    said = an_inbound(**known)
                case "moves":
                    said = an_inbound(now_known_as=tuple(others), **known)
                case "wishes":
                    wish = ConsentChange(dedupe=f"{number}", raw={}, contacts=tuple(ids), is_stop=True, at=at)
                    said = Arrival(event=wish, sender=SENDER)
                case _:
                    change = IdentityChange(
                        dedupe=f"{number}", raw={}, previous=tuple(ids), current=tuple(others), at=at
                    )
                    said = Arrival(event=change, sender=SENDER)
            assert (await bench.ingest(said)).failed == 0
            for query in (EACH_ID, LEADS_ASTRAY):
                assert await bench.store._run(lambda ledger, query=query: ledger.db.execute(query).fetchall()) == []
        waiting = sum(verb == "posts" for verb, *_ in sayings)
        assert len((await bench.store.messages(MessageQuery(limit=10))).messages) == waiting
    finally:
        await bench.store.aclose()


# --- a change of number ---------------------------------------------------------------------------------------------


async def moves(bench: Bench, old: Contact, new: Contact, *others: Contact, ago: timedelta = MINUTE) -> None:
    event = an_inbound(
        kind="system", contact=old, also_known_as=others, now_known_as=(new,), at=NOW - ago, opened_at=None
    )
    await bench.ingest(event)


async def test_whose_number_it_was_before_keeps_its_window_by_its_user_id(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=30 * HOUR)
    await writes(bench, ANOTHER, SECOND, ago=HOUR)
    await moves(bench, NUMBER, ANOTHER)
    assert (await known(bench, ANOTHER)).contact_ids == (ANOTHER, FIRST)
    assert not await bench.is_window_open(FIRST)
    assert await bench.is_window_open(SECOND)


async def test_who_has_written_from_the_new_number_since_is_the_same_by_whichever_user_id(bench: Bench) -> None:
    """User ids are made anew when a number changes."""
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await writes(bench, ANOTHER, SECOND, ago=MINUTE)
    await moves(bench, NUMBER, ANOTHER, FIRST, ago=2 * MINUTE)
    assert set((await known(bench, ANOTHER)).contact_ids) == {ANOTHER, FIRST, SECOND}


async def test_the_next_owner_of_the_old_number_keeps_it_when_the_change_is_told_late(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=3 * HOUR)
    await writes(bench, NUMBER, SECOND)
    await moves(bench, NUMBER, ANOTHER, FIRST, ago=2 * HOUR)
    assert (await known(bench, NUMBER)).contact_ids == (NUMBER, SECOND)
    assert (await known(bench, ANOTHER)).window.anchor == NOW - 3 * HOUR


async def test_a_late_message_from_before_a_change_is_its_writer_s_and_not_the_next_owner_s(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=3 * HOUR)
    await moves(bench, NUMBER, ANOTHER, FIRST, ago=HOUR)
    await bench.post(contact=NUMBER)
    await writes(bench, NUMBER, FIRST, ago=2 * HOUR)
    assert not await bench.is_window_open(NUMBER)
    assert (await known(bench, ANOTHER)).window.anchor == NOW - 2 * HOUR


async def test_a_number_that_was_given_up_for_one_that_is_another_s_by_now_is_given_up_all_the_same(
    bench: Bench,
) -> None:
    made_anew = Contact("UA.3")
    await writes(bench, NUMBER, FIRST, ago=10 * HOUR)
    await writes(bench, ANOTHER, SECOND, ago=HOUR)
    event = an_inbound(
        kind="system",
        contact=NUMBER,
        also_known_as=(FIRST,),
        now_known_as=(ANOTHER, made_anew),
        at=NOW - 2 * HOUR,
        opened_at=None,
    )
    await bench.ingest(event)
    assert (await known(bench, made_anew)).contact_ids == (made_anew,)
    assert (await known(bench, ANOTHER)).contact_ids == (ANOTHER, SECOND)
    assert (await known(bench, NUMBER)).contact_ids == ()


# --- what may not be sent -------------------------------------------------------------------------------------------


async def wishes(bench: Bench, *contacts: Contact, ago: timedelta = MINUTE) -> None:
    wish = ConsentChange(dedupe=f"c{ago}", raw={}, contacts=contacts, is_stop=True, at=NOW - ago)
    await bench.ingest(Arrival(event=wish, sender=SENDER))


async def test_a_wish_that_was_reported_of_the_number_stays_with_whom_it_was_of(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=3 * HOUR)
    await wishes(bench, NUMBER, ago=2 * HOUR)
    await writes(bench, NUMBER, SECOND)
    assert (await known(bench, FIRST)).suppression is not None


async def test_a_late_wish_from_before_a_change_does_not_bind_the_next_owner_of_the_number(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=3 * HOUR)
    await moves(bench, NUMBER, ANOTHER, FIRST, ago=HOUR)
    await wishes(bench, NUMBER, FIRST, ago=2 * HOUR)
    assert (await known(bench, ANOTHER)).suppression is not None
    assert (await known(bench, NUMBER)).suppression is None


async def test_a_late_wish_of_one_who_was_never_known_does_not_bind_who_has_the_number(bench: Bench) -> None:
    await writes(bench, NUMBER, SECOND)
    await wishes(bench, NUMBER, FIRST, ago=HOUR)
    assert (await known(bench, NUMBER)).suppression is None
    assert (await known(bench, FIRST)).suppression is not None


async def test_of_two_blocks_the_stricter_goes_along(bench: Bench) -> None:
    await writes(bench, NUMBER)
    await bench.store.suppress(NUMBER, Scope.EVERYTHING, sender=None, note="b", by="olena", now=bench.now)
    await bench.store.suppress(ANOTHER, Scope.MARKETING, sender=None, note="a", by="olena", now=bench.now)
    await moves(bench, NUMBER, ANOTHER)
    suppression = (await known(bench, ANOTHER)).suppression
    assert suppression is not None
    assert suppression.scope is Scope.EVERYTHING


# --- one person, with every sender ----------------------------------------------------------------------------------

OTHER = Sender("Other Company")


@pytest.fixture
async def apart(bench: Bench) -> MessageId:
    """At one sender the number is still known as the first person's; at the other a message waits for the second."""
    await bench.ingest(
        an_inbound(contact=NUMBER, also_known_as=(FIRST,), opened_at=NOW - 10 * HOUR, sender=OTHER),
        an_inbound(contact=NUMBER, also_known_as=(SECOND,), opened_at=NOW - HOUR),
    )
    return await bench.post(contact=SECOND)


async def erased(bench: Bench, contact: Contact) -> None:
    erasing = await bench.store.erase(contact, run=f"run {contact}", by="olena", now=bench.now)
    while erasing is not None and not erasing.is_done:
        erasing = await bench.store.erase_on(erasing.run, now=bench.now, limit=50)


async def test_an_erasure_of_the_one_leaves_the_other(bench: Bench, apart: MessageId) -> None:
    await erased(bench, FIRST)
    assert (await known(bench, SECOND)).contact_ids == (NUMBER, SECOND)
    assert await bench.status(apart) is Status.QUEUED
    found = await bench.store.conversation(OTHER, FIRST, downgrades_since=None)
    assert found.contact_ids == ()


async def test_an_erasure_does_not_follow_a_client_to_another_person(bench: Bench, apart: MessageId) -> None:
    third = Contact("UA.3")
    await bench.ingest(an_inbound(contact=third, opened_at=NOW - HOUR, sender=OTHER))
    await bench.post(contact=third, also_known_as=(ANOTHER,), sender=OTHER, client="somebody")
    await bench.ingest(an_inbound(contact=ANOTHER, opened_at=NOW - HOUR))
    waiting = await bench.post(contact=ANOTHER)
    await erased(bench, third)
    assert await bench.status(waiting) is Status.QUEUED
    assert await bench.is_window_open(ANOTHER)


@pytest.mark.parametrize("blocked", [NUMBER, FIRST])
async def test_a_block_of_the_one_does_not_reach_the_other_by_its_user_id(
    bench: Bench, apart: MessageId, blocked: Contact
) -> None:
    await bench.store.suppress(blocked, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    listed = (await bench.store.suppressions(ListQuery())).entries
    assert [entry.contact for entry in listed] == [blocked]


async def test_a_block_by_user_id_does_not_go_on_with_the_number(bench: Bench) -> None:
    await writes(bench, NUMBER, FIRST, ago=HOUR)
    await bench.store.suppress(FIRST, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    await writes(bench, NUMBER, SECOND)
    assert (await known(bench, NUMBER)).suppression is None
    assert (await known(bench, FIRST)).suppression is not None
