"""One contact by several ids: found by any of them, on whose word, and in whichever spelling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from gateway.domain.callback import ConsentChange
from gateway.domain.compliance import Decision
from gateway.domain.delivery import AttemptStatus, Submitted
from gateway.domain.identity import Contact
from gateway.domain.suppression import Scope
from gateway.ports import (
    Accepted,
    Arrival,
    Conversation,
    HeardElsewhere,
    Imported,
    MessageQuery,
    StorePolicy,
    WindowQuery,
)
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, CONTACT, NOW, SENDER, a_downgrade, a_draft, a_report, a_send, an_inbound

USER = Contact("US.13491208655302741918")
PARENT = Contact("US.ENT.11815799212886844830")
OTHER = Contact("380671234567")
HOUR = timedelta(hours=1)


@pytest.fixture
def url() -> str:
    """None of this depends on where the store is, but for what asks for a file."""
    return "memory:"


async def known(bench: Bench, contact: Contact) -> Conversation:
    return await bench.store.conversation(SENDER, contact, downgrades_since=bench.now - 24 * HOUR)


async def asked(bench: Bench, client: str, contact: Contact, *also: Contact) -> Conversation:
    """What a client's message with these ids is decided on."""
    seen: list[Conversation] = []

    def decide(conversation: Conversation) -> Decision:
        seen.append(conversation)
        return a_send()

    draft = a_draft(client=client, contact=contact, also_known_as=also)
    assert isinstance(
        await bench.store.enqueue(draft, decide, now=bench.now, downgrades_since=bench.now - 24 * HOUR), Accepted
    )
    return seen[0]


# --- the provider's word --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked_by", [CONTACT, USER, PARENT])
@pytest.mark.parametrize("written_from", [CONTACT, USER])
async def test_a_window_is_found_by_every_id_that_the_provider_names(
    bench: Bench, written_from: Contact, asked_by: Contact
) -> None:
    others = tuple(one for one in (CONTACT, USER, PARENT) if one != written_from)
    await bench.ingest(an_inbound(contact=written_from, also_known_as=others))
    assert await bench.is_window_open(asked_by)
    assert set((await known(bench, asked_by)).contact_ids) == {CONTACT, USER, PARENT}


async def test_a_message_tells_all_ids_of_its_contact_however_it_was_asked_for(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    await bench.post(contact=USER)
    message = (await bench.claim()).message
    assert (message.contact, message.also_known_as) == (CONTACT, (USER,))
    assert (await bench.store.message(message.id, client=None)).message == message


async def test_one_that_leaves_at_once_tells_them_too(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    accepted = await bench.store.enqueue(
        a_draft(contact=USER), lambda _: a_send(), now=bench.now, downgrades_since=None, may_begin=True
    )
    assert isinstance(accepted, Accepted)
    assert accepted.begun is not None
    assert accepted.begun[0].message.contact_ids == (CONTACT, USER)


async def test_who_was_known_by_a_user_id_is_written_to_by_the_number_that_it_wrote_from(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    await bench.post(contact=USER)
    assert (await bench.claim()).message.contact_ids == (CONTACT, USER)


async def test_a_status_names_ids_as_well(bench: Bench) -> None:
    await bench.submitted("wamid.1", contact=CONTACT)
    news = a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(CONTACT, USER))
    await bench.ingest(news)
    await bench.ingest(an_inbound(contact=USER))
    assert await bench.is_window_open(CONTACT)


async def test_a_wish_about_marketing_names_ids_of_those_who_are_known(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT))
    wish = ConsentChange(dedupe="c", raw={}, contacts=(USER, CONTACT), is_stop=True, at=NOW)
    await bench.ingest(Arrival(event=wish, sender=SENDER))
    suppression = (await known(bench, USER)).suppression
    assert suppression is not None
    assert suppression.scope is Scope.MARKETING
    assert (await known(bench, USER)).contact_ids == (CONTACT, USER)


async def test_another_sender_s_contact_is_not_known_by_it(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    other = await bench.store.conversation("Other", USER, downgrades_since=None)
    assert other.contact_ids == ()


async def test_ids_outlive_a_restart(file_bench: Bench) -> None:
    await file_bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    await file_bench.reopen()
    assert await file_bench.is_window_open(USER)


async def test_of_ids_without_end_a_bounded_number_is_kept(file_bench: Bench) -> None:
    for number in range(40):
        await file_bench.ingest(an_inbound(contact=CONTACT, also_known_as=(Contact(f"US.{number}"),)))
    ((rows,),) = file_bench.query("select count(*) from contact_id")
    assert rows <= 16
    assert await file_bench.is_window_open(Contact("US.39"))


# --- a client's word ------------------------------------------------------------------------------------------------


async def test_a_request_with_two_ids_finds_the_window_by_either(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    assert (await asked(bench, CLIENT, CONTACT, USER)).window.is_open(bench.now)
    assert (await bench.claim()).message.contact_ids == (USER, CONTACT)


async def test_afterwards_its_client_finds_it_by_either_alone(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await asked(bench, CLIENT, CONTACT, USER)
    assert (await asked(bench, CLIENT, CONTACT)).window.is_open(bench.now)


async def test_another_client_is_not_led_there_and_its_messages_go_where_it_sends_them(bench: Bench) -> None:
    """Else one client could turn away what another sends, or open a window to it."""
    await bench.ingest(an_inbound(contact=USER))
    await asked(bench, CLIENT, CONTACT, USER)
    theirs = await asked(bench, "shop", CONTACT)
    assert not theirs.window.is_open(bench.now)
    sent = {claim.message.client: claim.message.contact for claim in (await bench.claims()).claims}
    assert sent == {CLIENT: USER, "shop": CONTACT}


async def test_a_client_can_not_make_one_of_two_contacts_that_are_known(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await bench.ingest(an_inbound(contact=OTHER, opened_at=None))
    assert not (await asked(bench, CLIENT, OTHER, USER)).window.is_open(bench.now)
    assert (await bench.claim()).message.contact_ids == (OTHER,)
    assert not await bench.is_window_open(OTHER)


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_a_message_to_a_number_never_goes_to_another_that_the_provider_tells(
    bench: Bench, is_told_first: bool
) -> None:
    told = an_inbound(contact=CONTACT, also_known_as=(USER,))
    await bench.ingest(told if is_told_first else an_inbound(contact=USER))
    await asked(bench, CLIENT, USER, OTHER)
    await bench.ingest(told)
    assert (await asked(bench, CLIENT, OTHER)).contact_ids == ()
    assert OTHER in {claim.message.contact for claim in (await bench.claims()).claims}


async def test_one_user_id_never_stands_for_another(bench: Bench) -> None:
    theirs = Contact("US.98765432109876543210")
    await asked(bench, CLIENT, USER, theirs)
    await asked(bench, CLIENT, theirs)
    assert {claim.message.contact for claim in (await bench.claims()).claims} == {USER, theirs}


async def test_what_a_client_says_is_not_what_a_contact_that_writes_is_known_by(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, opened_at=None))
    await asked(bench, CLIENT, CONTACT, USER)
    await bench.ingest(an_inbound(contact=USER))
    assert not await bench.is_window_open(CONTACT)
    assert await bench.is_window_open(USER)


async def test_the_provider_s_word_counts_before_a_client_s(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=OTHER, opened_at=None))
    await asked(bench, CLIENT, OTHER, USER)
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    assert (await asked(bench, CLIENT, USER)).window.is_open(bench.now)


async def test_a_client_can_not_fill_the_store_with_ids(file_bench: Bench) -> None:
    for number in range(40):
        await asked(file_bench, CLIENT, CONTACT, Contact(f"US.{number}"))
    ((rows,),) = file_bench.query("select count(*) from contact_id")
    assert rows <= 16


async def test_what_would_become_of_a_request_is_told_on_what_it_would_be_decided_on(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    told = await bench.store.outlook(SENDER, CONTACT, downgrades_since=None, also=(USER,), client=CLIENT)
    assert told.known == await asked(bench, CLIENT, CONTACT, USER)
    theirs = await bench.store.conversation(SENDER, CONTACT, downgrades_since=None, client="shop")
    ours = await bench.store.conversation(SENDER, CONTACT, downgrades_since=None, client=CLIENT)
    assert (theirs.contact_ids, ours.contact_ids) == ((), (USER,))


async def test_a_status_of_what_a_client_sent_elsewhere_does_not_make_its_word_the_provider_s(bench: Bench) -> None:
    """Which of two ids a message goes by is the provider's business: what it reports is of the one alone."""
    theirs = Contact("US.98765432109876543210")
    await bench.ingest(an_inbound(contact=USER))
    await asked(bench, CLIENT, OTHER, USER)
    await bench.attempt(Submitted(provider_message_id="wamid.1"))
    await bench.ingest(a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(OTHER, theirs)))
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="wamid.1", contacts=(OTHER,)))
    assert not await bench.is_window_open(OTHER)
    assert not await bench.is_window_open(theirs)
    assert (await known(bench, USER)).contact_ids == (USER,)


# --- what may not be sent, and how often ----------------------------------------------------------------------------


async def test_what_stands_on_the_list_for_one_id_holds_for_all(bench: Bench) -> None:
    await bench.store.suppress(USER, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    await bench.ingest(an_inbound(contact=CONTACT))
    assert (await known(bench, CONTACT)).suppression is None
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    assert (await known(bench, CONTACT)).suppression is not None
    allowed = await bench.store.allow(CONTACT, sender=None, by="olena", now=bench.now)
    assert len(allowed.lifted) == 1
    assert (await known(bench, USER)).suppression is None


async def test_a_message_to_an_id_on_the_list_is_stopped_also_where_only_its_client_knows_whose_it_is(
    bench: Bench,
) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await bench.store.suppress(CONTACT, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    assert (await asked(bench, CLIENT, CONTACT, USER)).suppression is not None
    assert (await bench.claim()).suppression is not None
    assert (await asked(bench, "shop", USER)).suppression is None


async def test_a_claim_on_such_a_message_is_fenced_off_when_the_id_comes_on_the_list(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await asked(bench, CLIENT, CONTACT, USER)
    claim = await bench.claim()
    await bench.store.suppress(CONTACT, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    assert await bench.begin(claim) is None


async def test_fallbacks_are_counted_over_all_ids(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    await bench.post(decision=a_downgrade(), contact=CONTACT)
    await bench.post(decision=a_downgrade(), contact=USER)
    assert (await known(bench, USER)).downgrades == 2


# --- spellings ------------------------------------------------------------------------------------------------------

WITH_NINE, WITHOUT = Contact("5531987654321"), Contact("553187654321")


@pytest.mark.parametrize(("written", "called"), [(WITH_NINE, WITHOUT), (WITHOUT, WITH_NINE)])
async def test_every_spelling_of_a_number_finds_the_window(bench: Bench, written: Contact, called: Contact) -> None:
    await bench.ingest(an_inbound(contact=written))
    await bench.post(contact=called)
    assert await bench.is_window_open(called)
    assert (await bench.claim()).message.contact == written


async def test_what_is_sent_to_is_the_number_as_the_customer_writes_from_it(bench: Bench) -> None:
    await bench.post(contact=WITH_NINE)
    await bench.ingest(an_inbound(contact=WITHOUT))
    assert (await bench.claim()).message.contact == WITHOUT


async def test_what_stands_on_the_list_holds_for_every_spelling(bench: Bench) -> None:
    await bench.store.suppress(WITH_NINE, Scope.TEMPLATES, sender=None, note=None, by="olena", now=bench.now)
    assert (await known(bench, WITHOUT)).suppression is not None
    await bench.ingest(an_inbound(contact=WITHOUT))
    assert (await known(bench, WITHOUT)).suppression is not None


async def test_spellings_that_were_two_contacts_become_one_when_the_contact_writes(opened_file: Opener) -> None:
    bench = await opened_file(StorePolicy(pace=QUICK, spellings=False))
    await bench.post(contact=WITH_NINE)
    await bench.post(contact=WITHOUT)
    assert len((await bench.claims()).claims) == 2
    await bench.reopen(StorePolicy(pace=QUICK))
    await bench.store.recover(now=bench.now)
    await bench.ingest(an_inbound(contact=WITHOUT))
    assert len((await bench.claims()).claims) == 1
    assert await bench.is_window_open(WITH_NINE)


async def test_spellings_can_be_switched_off(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=QUICK, spellings=False))
    await bench.ingest(an_inbound(contact=WITH_NINE))
    assert not await bench.is_window_open(WITHOUT)


# --- look-ups -------------------------------------------------------------------------------------------------------


async def test_windows_and_messages_are_listed_by_any_id(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    message_id = await bench.post(contact=USER)
    for contact in (CONTACT, USER):
        (window,) = (await bench.store.windows(WindowQuery(contact=contact))).windows
        assert (window.contact, window.also_known_as) == (CONTACT, (USER,))
        (listed,) = (await bench.store.messages(MessageQuery(contact=contact))).messages
        assert listed.id == message_id


async def test_a_client_s_word_shows_another_client_nothing(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    await asked(bench, CLIENT, CONTACT, USER)
    await asked(bench, "shop", USER)
    theirs = await bench.store.messages(MessageQuery(client="shop", contact=CONTACT))
    ours = await bench.store.messages(MessageQuery(client=CLIENT, contact=CONTACT))
    assert (len(theirs.messages), len(ours.messages)) == (0, 1)


async def test_a_window_that_is_taken_over_is_that_of_the_contact_whichever_id_it_comes_by(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,), opened_at=NOW - 30 * HOUR))
    windows = [HeardElsewhere(sender=SENDER, contact=USER, at=NOW)]
    assert await bench.store.import_windows(windows, run="r", by="olena", now=bench.now) == Imported(opened=1)
    assert await bench.is_window_open(CONTACT)


# --- what it costs --------------------------------------------------------------------------------------------------


async def statements(bench: Bench, act: Callable[[], Awaitable[object]]) -> list[str]:
    seen: list[str] = []
    await bench.store._writer.run(lambda db: db.set_trace_callback(seen.append))
    await act()
    await bench.store._writer.run(lambda db: db.set_trace_callback(None))
    return seen


async def test_a_contact_that_is_known_by_the_id_that_is_used_costs_no_look_up_more(bench: Bench) -> None:
    await bench.submitted("wamid.1", contact=CONTACT)
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER, PARENT)))

    async def everything() -> None:
        await asked(bench, CLIENT, CONTACT)
        await asked(bench, CLIENT, CONTACT, USER)
        await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER, PARENT)))
        await bench.ingest(a_report(AttemptStatus.SENT, provider_message_id="wamid.1", contacts=(CONTACT, USER)))
        await bench.attempt(Submitted(provider_message_id="wamid.2"))

    assert [one for one in await statements(bench, everything) if "contact_id" in one] == []
    by_another = await statements(bench, lambda: asked(bench, CLIENT, USER))
    assert 0 < len([one for one in by_another if "contact_id" in one]) <= 2


async def test_a_new_contact_costs_one_look_up_more(bench: Bench) -> None:
    seen = await statements(bench, lambda: asked(bench, CLIENT, OTHER))
    assert len([one for one in seen if "contact_id" in one]) == 1


# --- a client's word never turns a message aside ---------------------------------------------------------------------


@pytest.mark.parametrize("also", [CONTACT, USER])
async def test_a_message_to_a_new_number_goes_there_whatever_else_the_request_names(
    bench: Bench, also: Contact
) -> None:
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(USER,)))
    seen = await asked(bench, CLIENT, OTHER, also)
    assert seen.window.anchor is None
    page = await bench.store.messages(MessageQuery(client=CLIENT))
    assert [summary.contact for summary in page.messages] == [OTHER]
    for_itself = await asked(bench, CLIENT, OTHER)
    assert for_itself.window.anchor is None
    assert (await bench.store.messages(MessageQuery(client=CLIENT))).messages[0].contact == OTHER
    assert (await known(bench, CONTACT)).window.anchor is not None


async def test_a_number_leads_to_the_one_of_whom_only_the_named_user_id_is_known(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=USER))
    assert (await asked(bench, CLIENT, OTHER, USER)).window.anchor is not None
