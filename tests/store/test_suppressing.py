"""The suppression list: what holds for a contact is known wherever something is decided for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.callback import ConsentChange
from gateway.domain.delivery import AttemptStatus, Failed, Submitted
from gateway.domain.errors import InvalidRequest, ProviderError
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Status
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.ports import Arrival, Ingested, Listed, ListQuery
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import CONTACT, SENDER, TEMPLATE, a_contact, a_refusal, a_report, an_inbound

OTHER = Sender("Other Company")
HOUR = timedelta(hours=1)
OPTED_OUT = ProviderError(code=131050, status=400, name="Opted out")


async def block(
    bench: Bench, contact: Contact = CONTACT, scope: Scope = Scope.EVERYTHING, sender: Sender | None = None, **more: Any
) -> bool:
    return await bench.store.suppress(contact, scope, sender=sender, note=more.get("note"), by="olena", now=bench.now)


async def allow(bench: Bench, sender: Sender | None = None) -> tuple[list[str], list[str]]:
    """The sources of what was lifted, and of what is left."""
    allowed = await bench.store.allow(CONTACT, sender=sender, by="olena", now=bench.now)
    return [entry.source.value for entry in allowed.lifted], [entry.source.value for entry in allowed.left]


async def known(bench: Bench, contact: Contact = CONTACT, sender: Sender = SENDER) -> Suppression | None:
    conversation = await bench.store.conversation(sender, contact, downgrades_since=bench.now)
    return conversation.suppression


async def scope_of(bench: Bench, contact: Contact = CONTACT, sender: Sender = SENDER) -> str | None:
    suppression = await known(bench, contact, sender)
    return None if suppression is None else suppression.scope.value


def a_wish(bench: Bench, *, stop: bool, ago: timedelta = timedelta(0), **changes: Any) -> Arrival:
    at = bench.now - ago
    facts = {"dedupe": f"wish {stop} {at}", "raw": {}, "contacts": (CONTACT,), "is_stop": stop, "at": at}
    return Arrival(event=ConsentChange(**{**facts, **changes}), sender=SENDER)


# --- an operator's word ---------------------------------------------------------------------------------------------


async def test_a_block_is_known_for_contacts_with_and_without_a_conversation(bench: Bench) -> None:
    await bench.post(contact=a_contact(1))
    for number in (1, 2):
        await block(bench, a_contact(number), Scope.TEMPLATES)
        expected = Suppression(scope=Scope.TEMPLATES, source=Source.OPERATOR, since=bench.now)
        assert await known(bench, a_contact(number)) == expected
    assert await known(bench, a_contact(3)) is None


async def test_a_conversation_that_is_made_for_a_suppressed_contact_knows_it(bench: Bench) -> None:
    await block(bench)
    await bench.post()
    assert (await bench.claim()).suppression == await known(bench)
    await bench.ingest(an_inbound(contact=a_contact(2)))
    assert await scope_of(bench, a_contact(2)) is None


async def test_a_block_for_one_sender_holds_for_that_one_alone(bench: Bench) -> None:
    await bench.post(sender=OTHER)
    await block(bench, sender=SENDER)
    assert (await scope_of(bench), await scope_of(bench, sender=OTHER)) == ("everything", None)
    await block(bench, scope=Scope.MARKETING)
    assert (await scope_of(bench), await scope_of(bench, sender=OTHER)) == ("everything", "marketing")


async def test_a_block_for_all_senders_holds_where_another_id_of_the_contact_is_known_alone(bench: Bench) -> None:
    user = Contact("UA.13491208655302741918")
    both = an_inbound(contact=CONTACT, also_known_as=(user,))
    elsewhere = replace(an_inbound(contact=user), sender=OTHER)
    await bench.ingest(both, elsewhere)
    assert await block(bench, CONTACT)
    assert await scope_of(bench, user, OTHER) == "everything"
    assert not await block(bench, user)
    assert await allow(bench) == (["operator", "operator"], [])
    assert await scope_of(bench, user, OTHER) is None
    await block(bench, CONTACT, sender=SENDER)
    assert (await scope_of(bench, user), await scope_of(bench, user, OTHER)) == ("everything", None)


async def test_what_was_decided_before_a_block_is_decided_again(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    await block(bench)
    assert await bench.begin(claim) is None
    await bench.store.release(claim, now=bench.now)
    again = await bench.claim()
    assert again.suppression is not None
    assert await bench.store.refuse(again, a_refusal(), now=bench.now)


async def test_what_was_refused_in_mind_before_a_contact_is_allowed_is_decided_again(bench: Bench) -> None:
    await bench.post()
    await block(bench)
    claim = await bench.claim()
    await allow(bench)
    assert not await bench.store.refuse(claim, a_refusal(), now=bench.now)
    await bench.store.release(claim, now=bench.now)
    again = await bench.claim()
    assert again.suppression is None
    await bench.record(again, await bench.begun(again), Submitted(provider_message_id="1"))
    assert await bench.status(again.message.id) is Status.SUBMITTED


async def test_a_repeated_block_changes_nothing_and_keeps_since_when(bench: Bench) -> None:
    assert await block(bench)
    since = bench.now
    bench.pass_time(3600)
    assert not await block(bench)
    assert await block(bench, scope=Scope.MARKETING)
    (entry,) = (await bench.store.suppressions(ListQuery())).entries
    assert (entry.scope, entry.since) == (Scope.MARKETING, since)


async def test_allowing_for_one_sender_says_what_still_holds(bench: Bench) -> None:
    await block(bench)
    await block(bench, sender=SENDER)
    assert await allow(bench, SENDER) == (["operator"], ["operator"])
    assert await scope_of(bench) == "everything"
    assert await allow(bench) == (["operator"], [])
    assert await scope_of(bench) is None
    assert await allow(bench) == ([], [])


async def test_each_block_and_each_word_that_lifts_one_leaves_a_row(file_bench: Bench) -> None:
    await block(file_bench, sender=SENDER)
    await block(file_bench, sender=SENDER)
    await allow(file_bench)
    rows = file_bench.query("select actor, deed, sender, contact, facts from operator_deed order by id")
    assert rows == [
        ("olena", "block", SENDER, CONTACT, '{"scope":"everything","changed":true}'),
        ("olena", "block", SENDER, CONTACT, '{"scope":"everything","changed":false}'),
        ("olena", "allow", None, CONTACT, '{"lifted":1}'),
    ]


# --- what the provider reports --------------------------------------------------------------------------------------


async def test_a_refusal_as_opted_out_stops_marketing_of_that_sender(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    await bench.attempt(Failed(error=OPTED_OUT), TEMPLATE)
    assert await known(bench) == Suppression(scope=Scope.MARKETING, source=Source.PROVIDER, since=bench.now)
    assert await known(bench, sender=OTHER) is None
    (entry,) = (await bench.store.suppressions(ListQuery())).entries
    assert (entry.sender, entry.evidence) == (SENDER, {"code": 131050, "provider_message_id": None})


@pytest.mark.parametrize("is_early", [False, True])
async def test_so_does_a_report_also_one_that_comes_before_the_answer(bench: Bench, is_early: bool) -> None:
    report = a_report(AttemptStatus.FAILED, provider_message_id="429", error=OPTED_OUT)
    await bench.post(content=TEMPLATE)
    claim = await bench.claim()
    attempt = await bench.begun(claim, TEMPLATE)
    if is_early:
        assert await bench.ingest(report) == Ingested(kept=1)
    await bench.record(claim, attempt, Submitted(provider_message_id="429"))
    if not is_early:
        assert await bench.ingest(report) == Ingested(applied=1)
    assert await scope_of(bench) == "marketing"
    (entry,) = (await bench.store.suppressions(ListQuery())).entries
    assert entry.evidence == {"code": 131050, "provider_message_id": "429"}


async def test_other_refusals_suppress_nobody(bench: Bench) -> None:
    await bench.post(content=TEMPLATE)
    await bench.attempt(Failed(error=ProviderError(code=131049, status=400)), TEMPLATE)
    assert await known(bench) is None


async def test_a_stop_is_lifted_by_a_resumption_and_by_the_provider_alone(bench: Bench) -> None:
    assert await bench.ingest(a_wish(bench, stop=True, ago=HOUR)) == Ingested(applied=1)
    assert await scope_of(bench) == "marketing"
    await bench.ingest(a_wish(bench, stop=False))
    assert await scope_of(bench) is None


async def test_a_resumption_lifts_no_operator_s_block(bench: Bench) -> None:
    await block(bench, scope=Scope.MARKETING)
    await bench.ingest(a_wish(bench, stop=True, ago=HOUR), a_wish(bench, stop=False))
    assert await scope_of(bench) == "marketing"


@pytest.mark.parametrize("newer_is_stop", [True, False])
async def test_the_newer_wish_counts_whatever_order_they_come_in(bench: Bench, newer_is_stop: bool) -> None:
    newer = a_wish(bench, stop=newer_is_stop)
    older = a_wish(bench, stop=not newer_is_stop, ago=HOUR)
    await bench.ingest(newer, older)
    assert await scope_of(bench) == ("marketing" if newer_is_stop else None)
    assert await bench.ingest(newer, older) == Ingested(repeated=2)
    assert await scope_of(bench) == ("marketing" if newer_is_stop else None)


async def test_of_a_stop_and_a_resumption_at_the_same_time_the_stop_counts(bench: Bench) -> None:
    await bench.ingest(a_wish(bench, stop=True), a_wish(bench, stop=False))
    assert await scope_of(bench) == "marketing"
    bench.pass_time(1)
    await bench.ingest(a_wish(bench, stop=False), a_wish(bench, stop=True))
    assert await scope_of(bench) == "marketing"


async def test_a_wish_of_the_future_counts_as_one_of_now(bench: Bench) -> None:
    await bench.ingest(a_wish(bench, stop=True, ago=-10 * HOUR))
    bench.pass_time(1)
    await bench.ingest(a_wish(bench, stop=False))
    assert await scope_of(bench) is None


async def test_a_wish_holds_for_every_id_of_the_contact(bench: Bench) -> None:
    user = Contact("US.13491208655302741918")
    await bench.ingest(a_wish(bench, stop=True, contacts=(CONTACT, user)))
    assert [await scope_of(bench, contact) for contact in (CONTACT, user)] == ["marketing", "marketing"]


async def test_after_an_operator_lifted_an_opt_out_an_older_report_does_not_bring_it_back(bench: Bench) -> None:
    await bench.ingest(a_wish(bench, stop=True, ago=2 * HOUR))
    assert await allow(bench) == (["provider"], [])
    await bench.ingest(a_wish(bench, stop=True, ago=HOUR))
    assert await scope_of(bench) is None
    bench.pass_time(1)
    await bench.ingest(a_wish(bench, stop=True))
    assert await scope_of(bench) == "marketing"


async def test_a_lifted_opt_out_is_remembered_as_long_as_callbacks_are_repeated(file_bench: Bench) -> None:
    await file_bench.ingest(a_wish(file_bench, stop=False))
    for days, left in ((7, 1), (1, 0)):
        file_bench.pass_time(days * 86_400)
        while await file_bench.store.sweep(now=file_bench.now):
            pass
        assert file_bench.query("select count(*) from suppression") == [(left,)]


async def test_what_holds_outlives_every_retention(file_bench: Bench) -> None:
    await block(file_bench, sender=SENDER)
    await file_bench.ingest(a_wish(file_bench, stop=True))
    file_bench.pass_time(1000 * 86_400)
    while await file_bench.store.sweep(now=file_bench.now):
        pass
    assert file_bench.query("select source from suppression order by source") == [("operator",), ("provider",)]


# --- the list -------------------------------------------------------------------------------------------------------


async def test_the_list_is_read_page_by_page_newest_first_also_from_a_file(opened_file: Opener) -> None:
    bench = await opened_file()
    for number in range(5):
        await block(bench, a_contact(number), note=f"note {number}")
    seen: list[Listed] = []
    cursor = None
    while True:
        page = await bench.store.suppressions(ListQuery(cursor=cursor, limit=2))
        seen += page.entries
        if (cursor := page.next_cursor) is None:
            break
    assert [entry.contact for entry in seen] == [a_contact(number) for number in (4, 3, 2, 1, 0)]
    assert (seen[0].by, seen[0].note, seen[0].sender, seen[0].evidence) == ("olena", "note 4", None, None)


async def test_the_list_of_a_sender_holds_what_is_for_all_too(bench: Bench) -> None:
    await block(bench, a_contact(1), sender=SENDER)
    await block(bench, a_contact(2), sender=OTHER)
    await block(bench, a_contact(3))
    entries = (await bench.store.suppressions(ListQuery(sender=SENDER))).entries
    assert [entry.contact for entry in entries] == [a_contact(3), a_contact(1)]


async def test_a_cursor_of_somebody_else_s_is_refused(bench: Bench) -> None:
    for cursor in ("x", "-1", "²", "9" * 30):
        with pytest.raises(InvalidRequest):
            await bench.store.suppressions(ListQuery(cursor=cursor))
