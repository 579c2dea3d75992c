"""What operators look through: decisions in the order of time, windows as they are, a bounded stretch at a time."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.compliance import observed
from gateway.domain.delivery import Submitted
from gateway.domain.identity import Contact, Sender
from gateway.ports import DecisionPage, DecisionQuery, DecisionRecord, WindowQuery, WindowRecord
from gateway.store import decisions as decisions_module
from gateway.store import windows as windows_module
from gateway.store.codec import instant
from gateway.store.spans import first_from
from tests.store.asking import refuse
from tests.store.bench import Bench
from tests.store.factories import (
    CONTACT,
    NOW,
    SENDER,
    TEMPLATE,
    TEXT,
    a_contact,
    a_downgrade,
    a_draft,
    a_refusal,
    a_send,
    an_inbound,
)

OTHER = Sender("Other Company")
ALWAYS = DecisionQuery(since=NOW - timedelta(days=1), until=NOW + timedelta(days=365))


async def all_of(verb: Any, query: Any, name: str) -> list[Any]:
    found: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = await verb(replace(query, after=after))
        found += getattr(page, name)
        after = page.next
    return found


async def decided(bench: Bench, **wanted: Any) -> list[DecisionRecord]:
    return await all_of(bench.store.decisions, replace(ALWAYS, **wanted), "decisions")


async def refused(bench: Bench, **wanted: Any) -> list[DecisionRecord]:
    return await all_of(bench.store.refusals, replace(ALWAYS, **wanted), "decisions")


async def windows(bench: Bench, **wanted: Any) -> list[WindowRecord]:
    return await all_of(bench.store.windows, WindowQuery(**wanted), "windows")


# --- where a time begins --------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), max_size=40), st.integers(-1, 130))
def test_the_first_row_of_a_time_is_found_over_gaps_and_repeated_times(steps: list[tuple[int, int]], at: int) -> None:
    """Against a plain search; numbers leave gaps where retention removed rows, and times may repeat."""
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.execute("create table row (id integer primary key, at integer)")
    number = time = 0
    rows = []
    for gap, later in steps:
        number, time = number + gap, time + later
        rows.append((number, time))
    db.executemany("insert into row values (?, ?)", rows)
    looked = 0

    def row_from(number: int) -> sqlite3.Row | None:
        nonlocal looked
        looked += 1
        found: sqlite3.Row | None = db.execute("select * from row where id >= ? order by id", [number]).fetchone()
        return found

    first = first_from(row_from, number or None, instant(at))
    db.close()
    assert [row for row in rows if row[0] >= first] == [row for row in rows if row[1] >= at]
    assert looked <= 1 + number.bit_length()


# --- decisions ------------------------------------------------------------------------------------------------------


async def test_decisions_come_in_the_order_of_time_each_with_its_reasons_and_evidence(bench: Bench) -> None:
    first = await bench.post()
    bench.pass_time(1)
    second = await bench.post(contact=a_contact(2), decision=a_downgrade())
    one, other = await decided(bench)
    assert (one.message_id, one.stage, one.action, one.template) == (first, "accept", "send", None)
    assert (other.message_id, other.action, other.template) == (second, "downgrade", "ticket_answer/en_US")
    assert other.reasons == ("window_closed", "window_unknown", "fallback")
    assert other.evidence["rungs"][0]["name"] == "ticket_answer"
    assert (other.at - one.at, other.client, other.sender) == (timedelta(seconds=1), "support-desk", SENDER)


async def test_what_was_refused_when_it_came_has_no_message(bench: Bench) -> None:
    await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
    (record,) = await refused(bench)
    assert (record.message_id, record.stage, record.action) == (None, "accept", "refuse")
    assert (record.contact, record.reasons[-1]) == (CONTACT, "no_rung")
    assert await decided(bench) == []


async def test_since_is_included_and_until_is_not(bench: Bench) -> None:
    for _ in range(4):
        await bench.post()
        await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
        bench.pass_time(1)
    bounds = {"since": NOW + timedelta(seconds=1), "until": NOW + timedelta(seconds=3)}
    for found in (await decided(bench, **bounds), await refused(bench, **bounds)):
        assert [(one.at - NOW).total_seconds() for one in found] == [1, 2]


async def test_decisions_are_narrowed_by_each_of_their_parts(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(Submitted(provider_message_id="1"), TEMPLATE)
    await bench.post(client="bot", contact=a_contact(2), decision=observed(TEXT, a_downgrade()))
    await bench.post(sender=OTHER, decision=observed(TEXT, a_refusal()))
    await refuse(bench.store, a_draft(client="bot"), a_refusal(), now=bench.now)

    async def both(**wanted: Any) -> list[tuple[str, str]]:
        found = [*await decided(bench, **wanted), *await refused(bench, **wanted)]
        return [(one.stage, one.action) for one in found]

    assert await both() == [
        ("accept", "send"),
        ("send", "downgrade"),
        ("accept", "send"),
        ("accept", "send"),
        ("accept", "refuse"),
    ]
    assert await both(stage="send") == [("send", "downgrade")]
    assert await both(action="refuse") == [("accept", "refuse")]
    assert await both(action="downgrade") == [("send", "downgrade")]
    assert await both(sender=OTHER) == [("accept", "send")]
    assert await both(contact=a_contact(2)) == [("accept", "send")]
    assert await both(client="bot") == [("accept", "send"), ("accept", "refuse")]
    assert [one.client for one in await decided(bench, instead="downgrade")] == ["bot"]
    assert [one.sender for one in await decided(bench, instead="refuse")] == [OTHER]
    assert await both(instead="refuse", client="nobody") == []


async def test_pages_look_through_so_many_whatever_they_find(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions_module, "STEP", 3)
    posted = [await bench.post(contact=a_contact(number)) for number in range(10)]
    for _ in range(7):
        await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
    assert [one.message_id for one in await decided(bench)] == posted
    assert len(await refused(bench)) == 7
    first = await bench.store.decisions(replace(ALWAYS, contact=a_contact(9)))
    assert first == DecisionPage(decisions=(), next=3)
    assert [one.message_id for one in await decided(bench, contact=a_contact(9))] == posted[9:]


async def test_a_damaged_decision_is_shown_as_far_as_it_can_be_read(bench: Bench) -> None:
    message_id = await bench.post(decision=observed(TEXT, a_downgrade()))
    await bench.change("update decision set evidence = '{', reasons = '7', instead = '['")
    (record,) = await decided(bench)
    assert (record.message_id, record.reasons, record.evidence, record.instead) == (message_id, (), {}, {})


# --- windows --------------------------------------------------------------------------------------------------------


async def test_windows_come_in_the_order_in_which_contacts_became_known(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows_module, "STEP", 2)
    await bench.ingest(*(an_inbound(contact=a_contact(number)) for number in range(5)))
    assert [one.contact for one in await windows(bench)] == [a_contact(number) for number in range(5)]
    (one,) = await windows(bench, contact=a_contact(3))
    assert (one.sender, one.window.anchor, one.window.evidence) == (SENDER, NOW, "message")


async def test_windows_are_narrowed_by_sender_contact_and_when_they_opened(bench: Bench) -> None:
    for number, hours in enumerate((1, 5, 30)):
        opened = NOW - timedelta(hours=hours)
        await bench.ingest(an_inbound(contact=a_contact(number), opened_at=opened))
    await bench.post(a_draft(sender=OTHER, contact=a_contact(0)), a_send())
    assert len(await windows(bench)) == 4
    assert [one.window.anchor for one in await windows(bench, sender=OTHER)] == [None]
    assert len(await windows(bench, contact=a_contact(0))) == 2
    assert len(await windows(bench, contact=a_contact(0), sender=SENDER)) == 1
    day_ago = NOW - timedelta(hours=24)
    assert [one.contact for one in await windows(bench, opened_after=day_ago)] == [a_contact(0), a_contact(1)]
    four = NOW - timedelta(hours=4)
    assert [one.contact for one in await windows(bench, opened_after=day_ago, opened_by=four)] == [a_contact(1)]
    assert await windows(bench, contact=a_contact(2), opened_after=day_ago) == []


def test_the_instants_of_the_store_are_those_of_the_calendar() -> None:
    assert instant(86_400_000_000) == datetime(1970, 1, 2, tzinfo=UTC)


async def test_decisions_are_found_by_any_id_of_their_contact(bench: Bench) -> None:
    user = Contact("US.13491208655302741918")
    await bench.ingest(an_inbound(contact=CONTACT, also_known_as=(user,)))
    message_id = await bench.post(contact=user)
    await bench.post(contact=a_contact(7))
    for contact in (CONTACT, user):
        await refuse(bench.store, a_draft(contact=contact), a_refusal(), now=bench.now)
    await refuse(bench.store, a_draft(contact=a_contact(7)), a_refusal(), now=bench.now)
    for contact in (CONTACT, user):
        assert [one.message_id for one in await decided(bench, contact=contact)] == [message_id]
        assert {one.contact for one in await refused(bench, contact=contact)} == {CONTACT, user}
    assert await decided(bench, contact=a_contact(8)) == await refused(bench, contact=a_contact(8)) == []
