"""Notices looked through, and posted again by an operator's word."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.ports import Delivery, NoticeQuery, NoticeRecord, Replay, Replayed, StorePolicy
from gateway.store import notices, schema
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, CONTACT, SENDER, a_contact, an_inbound

DAY = timedelta(days=1)
RUN = "0123456789abcdef"
LISTENING = StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT, "crm")}, keep_content=10 * DAY)


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(LISTENING)


async def listed(bench: Bench, **asked: Any) -> list[NoticeRecord]:
    query = {"since": bench.now - 100 * DAY, "until": bench.now + DAY, **asked}
    found: list[NoticeRecord] = []
    after: int | None = 0
    while after is not None:
        page = await bench.store.notices(NoticeQuery(**{**query, "after": after}))
        found += page.notices
        after = page.next
    return found


async def give_up_all(bench: Bench, client: str = CLIENT) -> list[Delivery]:
    """The client's endpoint takes nothing, any other all."""
    given: list[Delivery] = []
    while deliveries := (await bench.deliveries()).deliveries:
        for one in deliveries:
            if one.endpoint == f"client:{client}":
                await bench.store.give_up(one, error="http 410", now=bench.now)
                given.append(one)
            else:
                await bench.store.delivered(one, now=bench.now)
    return given


async def wrote(bench: Bench, count: int) -> None:
    await bench.ingest(*(an_inbound(contact=a_contact(number % 3)) for number in range(count)))


async def replay(bench: Bench, run: str = RUN, limit: int = 200, **changes: Any) -> Replayed:
    asked = {"client": CLIENT, "since": bench.now - 100 * DAY, "until": bench.now + timedelta(seconds=1), **changes}
    return await bench.store.post_again(Replay(run=run, **asked), by="operator ann", now=bench.now, limit=limit)


async def test_each_notice_is_listed_with_how_its_delivery_stands(bench: Bench) -> None:
    await wrote(bench, 1)
    await give_up_all(bench)
    await wrote(bench, 1)
    states = [(one.endpoint, one.state, one.error) for one in await listed(bench)]
    assert states == [
        (f"client:{CLIENT}", "failed", "http 410"),
        ("client:crm", "delivered", None),
        (f"client:{CLIENT}", "waiting", None),
        ("client:crm", "waiting", None),
    ]
    assert [one.state for one in await listed(bench, client="crm")] == ["delivered", "waiting"]
    assert [one.endpoint for one in await listed(bench, state="failed")] == [f"client:{CLIENT}"]


async def test_a_client_s_list_has_its_callback_urls_and_nobody_else_s(bench: Bench) -> None:
    for client in (CLIENT, f"{CLIENT}2"):
        await bench.submitted(callback_url="https://desk.example.com/x", client=client, contact=a_contact(len(client)))
    endpoints = {one.endpoint for one in await listed(bench, client=CLIENT)}
    assert endpoints == {f"client:{CLIENT}", f"url:{CLIENT}:https://desk.example.com"}


async def test_a_list_is_of_a_time(bench: Bench) -> None:
    await wrote(bench, 1)
    bench.pass_time(60)
    await wrote(bench, 1)
    first, second = (await listed(bench, client="crm"))[:2]
    found = await listed(bench, client="crm", since=second.created_at)
    assert [one.event_id for one in found] == [second.event_id]
    found = await listed(bench, client="crm", until=second.created_at)
    assert [one.event_id for one in found] == [first.event_id]


async def test_a_page_looks_through_a_bounded_number_and_the_next_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "STEP", 2)
    await wrote(bench, 5)
    assert len(await listed(bench)) == 10


async def test_what_failed_goes_out_again_under_its_id_with_all_its_tries(bench: Bench) -> None:
    await wrote(bench, 3)
    given = await give_up_all(bench)
    replayed = await replay(bench)
    assert (replayed.is_done, dict(replayed.counts)) == (True, {"replayed": 3, "erased": 0})
    again = (await bench.deliveries()).deliveries
    assert {(one.event_id, one.body, one.tries) for one in again} == {(one.event_id, one.body, 0) for one in given}


async def test_what_was_delivered_goes_out_again_only_when_that_is_asked(bench: Bench) -> None:
    await wrote(bench, 1)
    await give_up_all(bench)
    assert (await replay(bench, client="crm")).counts["replayed"] == 0
    assert (await replay(bench, "1" * 16, client="crm", failed_only=False)).counts["replayed"] == 1


async def test_a_replay_in_steps_touches_each_notice_once_however_often_it_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "STEP", 3)
    await wrote(bench, 9)
    assert len(await give_up_all(bench)) == 9
    steps = 0
    while not (replayed := await replay(bench, limit=1)).is_done:
        steps += 1
        await give_up_all(bench)
    assert steps > 3
    assert replayed.counts["replayed"] == 9
    await give_up_all(bench)
    assert (await replay(bench, limit=1)).counts["replayed"] == 9, "the same run has come to its end"
    assert (await bench.deliveries()).deliveries == ()
    monkeypatch.setattr(notices, "STEP", 1000)
    assert (await replay(bench, "2" * 16)).counts["replayed"] == 9, "another run begins anew"


async def test_a_replay_is_of_a_time_and_of_one_client(bench: Bench) -> None:
    await wrote(bench, 1)
    await give_up_all(bench)
    bench.pass_time(3600)
    assert (await replay(bench, since=bench.now - timedelta(minutes=1))).counts["replayed"] == 0
    assert (await replay(bench, "3" * 16, client="somebody")).counts["replayed"] == 0


async def test_a_replay_leaves_a_row_that_says_who_did_it(opened_file: Opener) -> None:
    bench = await opened_file(LISTENING)
    await wrote(bench, 1)
    await give_up_all(bench)
    await replay(bench)
    ((actor, deed),) = bench.query("select actor, deed from operator_deed where run = ?", RUN)
    assert actor == "operator ann"
    assert deed.startswith(f"replay webhooks of {CLIENT} from ")


async def test_a_failed_event_is_kept_for_as_long_as_content_is_and_a_replay_keeps_it_no_longer(bench: Bench) -> None:
    await wrote(bench, 1)
    await give_up_all(bench)
    bench.pass_time(9 * 24 * 3600)
    await bench.store.sweep(now=bench.now)
    assert [one.state for one in await listed(bench, client=CLIENT)] == ["failed"]
    assert (await replay(bench)).counts["replayed"] == 1
    bench.pass_time(2 * 24 * 3600)
    await bench.store.sweep(now=bench.now)
    assert [one.state for one in await listed(bench, client=CLIENT)] == ["waiting"], "what waits is not swept"
    await give_up_all(bench)
    await bench.store.sweep(now=bench.now)
    assert await listed(bench, client=CLIENT) == []


async def test_what_an_erasure_emptied_is_not_posted_again(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    await bench.store.erase(CONTACT, run="e" * 16, by="operator", now=bench.now)
    await bench.store.erase_on("e" * 16, now=bench.now)
    counts = dict((await replay(bench)).counts)
    assert counts["replayed"] == 0
    assert (await bench.deliveries()).deliveries == ()


def test_notices_and_their_lanes_outlive_the_change_of_the_schema(tmp_path: Path) -> None:
    """Lanes are put aside and back, and notices refer to them."""
    db = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("pragma foreign_keys = on")
    schema.migrate(db, 0, to=10)
    db.execute("insert into conversation (id, sender, contact, bucket) values (7, 's', 'c', 0)")
    db.execute("insert into endpoint (name) values ('client:desk')")
    db.execute("insert into lane (id, endpoint, conversation, due_at, epoch) values (3, 'client:desk', 7, 5, 2)")
    db.execute(
        "insert into notice (lane, event_id, type, body, created_at, due_at) "
        "values (3, 'evt_1', 'message.received', '{}', 1, 5)"
    )
    schema.migrate(db, 10)
    assert db.execute("pragma foreign_key_check").fetchall() == []
    (row,) = db.execute("select * from notice join lane on lane.id = notice.lane").fetchall()
    assert (row["event_id"], row["format"], row["conversation"], row["epoch"]) == ("evt_1", "standard", 7, 2)
    db.execute("insert into lane (endpoint) values ('client:desk')")
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("insert into lane (endpoint, conversation) values ('client:desk', 7)")
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("delete from lane where id = 3")
    db.close()
