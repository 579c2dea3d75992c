"""Look-ups: what a client may see, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.errors import InvalidRequest, NotFound
from gateway.domain.identity import MessageId, Sender
from gateway.domain.message import Status
from gateway.ports import MessageQuery
from tests.store.bench import Bench
from tests.store.factories import CLIENT, CONTACT, SENDER, a_contact


async def ids(bench: Bench, **query: Any) -> list[MessageId]:
    return [one.id for one in (await bench.store.messages(MessageQuery(**query))).messages]


async def test_a_client_sees_its_own_messages_and_the_operator_all(bench: Bench) -> None:
    message_id = await bench.post()
    assert (await bench.store.message(message_id, client=CLIENT)).message.id == message_id
    assert (await bench.store.message(message_id, client=None)).message.id == message_id


async def test_a_foreign_message_and_none_at_all_are_one_answer(bench: Bench) -> None:
    message_id = await bench.post()
    with pytest.raises(NotFound) as foreign:
        await bench.store.message(message_id, client="bot")
    with pytest.raises(NotFound) as unknown:
        await bench.store.message(MessageId(message_id + 1), client="bot")
    assert str(foreign.value) == str(unknown.value)


async def test_messages_come_newest_first(bench: Bench) -> None:
    posted = [await bench.post(contact=a_contact(number)) for number in range(5)]
    assert await ids(bench, client=CLIENT) == posted[::-1]


async def test_a_summary_says_where_a_message_stands(bench: Bench) -> None:
    message_id = await bench.post()
    bench.pass_time(5)
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    (summary,) = (await bench.store.messages(MessageQuery(client=CLIENT))).messages
    assert (summary.id, summary.client, summary.sender, summary.contact) == (message_id, CLIENT, SENDER, CONTACT)
    assert summary.status is Status.CANCELLED
    assert (summary.changed_at - summary.accepted_at).total_seconds() == 5


async def test_pages_join_without_gap_or_repetition(bench: Bench) -> None:
    posted = [await bench.post(contact=a_contact(number % 3), client=f"c{number % 2}") for number in range(11)]
    for message_id in posted[:4]:
        await bench.store.cancel(message_id, by="operator", now=bench.now)
    seen, cursor = [], None
    while True:
        page = await bench.store.messages(MessageQuery(limit=3, cursor=cursor))
        seen += [one.id for one in page.messages]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == posted[::-1]


async def test_a_page_that_ends_with_the_last_message_has_no_next(bench: Bench) -> None:
    for _ in range(3):
        await bench.post()
    assert (await bench.store.messages(MessageQuery(limit=3))).next_cursor is None
    assert (await bench.store.messages(MessageQuery(limit=2))).next_cursor is not None


async def test_a_list_is_narrowed_by_client_status_and_contact(bench: Bench) -> None:
    mine = await bench.post()
    other = await bench.post(client="bot")
    elsewhere = await bench.post(contact=a_contact(2), sender=Sender("Other Company"))
    await bench.store.cancel(elsewhere, by="operator", now=bench.now)
    assert await ids(bench) == [elsewhere, other, mine]
    assert await ids(bench, client=CLIENT) == [elsewhere, mine]
    assert await ids(bench, status=Status.CANCELLED) == [elsewhere]
    assert await ids(bench, contact=CONTACT) == [other, mine]
    assert await ids(bench, contact=CONTACT, client="bot") == [other]
    assert await ids(bench, contact=a_contact(2), status=Status.QUEUED) == []
    assert await ids(bench, contact=a_contact(2), status=Status.CANCELLED) == [elsewhere]
    assert await ids(bench, contact=a_contact(3)) == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1", "9" * 30, "٣"])
async def test_a_cursor_that_is_none_of_ours_is_refused(bench: Bench, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        await bench.store.messages(MessageQuery(cursor=cursor))


async def test_another_client_s_message_is_no_cursor(bench: Bench) -> None:
    message_id = await bench.post()
    with pytest.raises(InvalidRequest):
        await bench.store.messages(MessageQuery(client="bot", cursor=str(message_id)))


async def test_senders_are_told_with_what_waits(bench: Bench) -> None:
    await bench.submitted()
    await bench.post()
    await bench.post(client="bot", contact=a_contact(2))
    await bench.post(sender=Sender("Other Company"))
    states = {state.sender: (state.queued, state.pause) for state in await bench.store.sender_states()}
    assert states == {SENDER: (2, None), Sender("Other Company"): (1, None)}
