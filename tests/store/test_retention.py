"""Retention: what was said goes first, then that it was said; what is still needed stays."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.delivery import AttemptStatus, Submitted, Unknown
from gateway.domain.errors import NotFound, ProviderError
from gateway.domain.message import FreeForm, Idempotency, Status, TemplateMessage
from gateway.ports import Acted, HeardElsewhere, Imported, Ingested, StorePolicy
from gateway.store.codec import micros
from gateway.store.schema import migrate
from gateway.upkeep import SWEEP_AT_ONCE
from tests.store.asking import refuse
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    NOW,
    SENDER,
    TEMPLATE,
    a_contact,
    a_downgrade,
    a_draft,
    a_refusal,
    a_report,
    an_inbound,
)
from tests.timing import Timed

DAY = 86_400
SECRET = "a word that must go"
SAID = FreeForm(type="text", text=SECRET)
RENDERED = TemplateMessage(
    name="ticket_answer",
    language="en_US",
    components=({"type": "body", "parameters": [{"type": "text", "text": SECRET}]},),
)
POLICY = StorePolicy(
    pace=QUICK,
    listeners={SENDER: (CLIENT,)},
    keep_content=timedelta(days=10),
    keep_history=timedelta(days=60),
)


@pytest.fixture
async def bench(opened_file: Opener) -> Bench:
    return await opened_file(POLICY)


async def sweep(bench: Bench) -> int:
    removed = 0
    while step := await bench.store.sweep(now=bench.now, limit=5):
        assert step <= 5
        removed += step
    return removed


def count(bench: Bench, table: str) -> int:
    return int(bench.query(f"select count(*) from {table}")[0][0])  # noqa: S608 - names of our own tables


def on_disk(bench: Bench) -> bytes:
    """All that the files hold, once the log was written back."""
    bench.query("pragma wal_checkpoint(truncate)")
    assert bench.store.path is not None
    return b"".join(file.read_bytes() for file in bench.store.path.parent.iterdir())


async def test_content_is_gone_from_the_files_after_its_time_and_the_story_stays(bench: Bench) -> None:
    message_id = await bench.post(a_draft(content=SAID, fallback=RENDERED), a_downgrade(RENDERED))
    await bench.attempt(Submitted(provider_message_id="1"), RENDERED)
    await bench.ingest(an_inbound(text=SECRET, raw={"text": SECRET}))
    await bench.told()
    assert SECRET.encode() in on_disk(bench)
    bench.pass_time(10 * DAY)
    await sweep(bench)
    assert SECRET.encode() not in on_disk(bench)
    record = await bench.store.message(message_id, client=CLIENT)
    assert record.status is Status.SUBMITTED
    assert record.message.content == FreeForm(type="text")
    assert record.message.fallback == TemplateMessage(name="ticket_answer", language="en_US")
    assert [attempt.content for attempt in record.attempts] == [None]
    assert record.decisions[0]["evidence"]["rungs"][0]["name"] == "ticket_answer"
    assert len(record.history) == 3


async def test_before_its_time_content_stays(bench: Bench) -> None:
    message_id = await bench.submitted(content=TEMPLATE)
    bench.pass_time(10 * DAY - 1)
    await sweep(bench)
    assert (await bench.store.message(message_id, client=None)).message.content == TEMPLATE


async def test_what_still_waits_keeps_its_content_whatever_its_age(opened: Opener) -> None:
    bench = await opened(StorePolicy(keep_content=timedelta(hours=1), keep_history=timedelta(hours=1)))
    message_id = await bench.post(content=TEMPLATE)
    bench.pass_time(7200)
    await sweep(bench)
    assert (await bench.claim()).message.content == TEMPLATE
    assert await bench.status(message_id) is Status.QUEUED


async def test_rows_go_after_the_history_s_time(bench: Bench) -> None:
    message_id = await bench.submitted("1")
    await bench.store.cancel(message_id, by="olena", now=bench.now)
    await refuse(bench.store, a_draft(), a_refusal(), now=bench.now)
    await bench.ingest(an_inbound())
    await bench.told()
    bench.pass_time(60 * DAY)
    await sweep(bench)
    with pytest.raises(NotFound):
        await bench.store.message(message_id, client=None)
    tables = ["message", "attempt", "decision", "refusal", "inbox", "notice", "lane", "endpoint"]
    assert {table: count(bench, table) for table in [*tables, "operator_act"]} == dict.fromkeys(
        [*tables, "operator_act"], 0
    )


async def test_provider_ids_stay_for_thirty_days_and_dedupe_keys_for_eight_whatever_is_configured(
    opened: Opener,
) -> None:
    hour = timedelta(hours=1)
    bench = await opened(StorePolicy(pace=QUICK, keep_content=hour, keep_history=hour))
    message_id = await bench.submitted("429")
    inbound = an_inbound()
    await bench.ingest(inbound)
    bench.pass_time(8 * DAY - 1)
    await sweep(bench)
    assert await bench.ingest(inbound) == Ingested(repeated=1)
    bench.pass_time(22 * DAY)
    await sweep(bench)
    await bench.ingest(a_report(AttemptStatus.READ, provider_message_id="429"))
    assert await bench.status(message_id) is Status.READ
    assert await bench.ingest(inbound) == Ingested(applied=1), "eight days later it is no repetition any more"


async def test_an_old_idempotency_key_goes_after_a_day(bench: Bench) -> None:
    await bench.post(idempotency=Idempotency(route="r", key="k", fingerprint="f"))
    bench.pass_time(DAY)
    assert await bench.store.sweep(now=bench.now) == 1
    assert bench.query("select idempotency_key from message") == [(None,)]


async def test_notices_that_still_wait_stay(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    bench.pass_time(100 * DAY)
    await sweep(bench)
    assert [endpoint for endpoint, _ in await bench.told()] == [f"client:{CLIENT}"]


async def test_a_lane_goes_with_its_last_notice_only(bench: Bench) -> None:
    await bench.ingest(an_inbound(), an_inbound(contact=a_contact(2)))
    done = (await bench.deliveries(1)).deliveries[0]
    await bench.store.delivered(done, now=bench.now)
    bench.pass_time(10 * DAY)
    await sweep(bench)
    assert (count(bench, "lane"), count(bench, "endpoint")) == (1, 1)


async def test_an_unknown_without_content_can_not_be_resent(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(Unknown(error=ProviderError()))
    bench.pass_time(11 * DAY)
    await bench.store.expire(now=bench.now)
    await sweep(bench)
    acted = await bench.store.resend(message_id, by="olena", now=bench.now)
    assert acted == Acted(before=Status.UNKNOWN, after=Status.UNKNOWN, is_done=False)


async def test_free_pages_go_back_to_the_file_system(bench: Bench) -> None:
    for number in range(50):
        big = FreeForm(type="text", text=f"{number}" * 4000)
        message_id = await bench.post(content=big, contact=a_contact(number))
        await bench.store.cancel(message_id, by="olena", now=bench.now)
    ((before,),) = bench.query("pragma page_count")
    bench.pass_time(60 * DAY)
    await sweep(bench)
    ((after,),) = bench.query("pragma page_count")
    assert after < before / 2


async def test_a_window_stays_when_the_messages_are_gone(opened_file: Opener) -> None:
    """What another system heard is as good: it is not older than the history."""
    bench = await opened_file(POLICY)
    await bench.submitted("1")
    bench.pass_time(59 * DAY)
    windows = [HeardElsewhere(sender=SENDER, contact=a_draft().contact, at=bench.now)]
    assert await bench.store.import_windows(windows, run="r", by="olena", now=bench.now) == Imported(opened=1)
    bench.pass_time(2 * DAY)
    await bench.told()
    await sweep(bench)
    bench.pass_time(12 * DAY)
    await sweep(bench)
    assert (count(bench, "message"), count(bench, "lane")) == (0, 0)
    conversation: Any = await bench.store.conversation(SENDER, a_draft().contact, downgrades_since=bench.now)
    assert conversation.window.anchor == NOW + timedelta(days=59)
    bench.pass_time(60 * DAY)
    await sweep(bench)
    assert count(bench, "conversation") == 0


@pytest.mark.parametrize("last", ["message", "callback", "notice"])
async def test_a_conversation_goes_with_the_last_that_refers_to_it(opened_file: Opener, last: str) -> None:
    """A number is kept no longer than what it was kept for."""
    bench = await opened_file(POLICY)
    if last != "callback":
        await bench.submitted("1")
    if last != "message":
        await bench.ingest(an_inbound())
    if last != "notice":
        await bench.told()
    bench.pass_time(59 * DAY)
    await sweep(bench)
    assert count(bench, "conversation") == 1
    bench.pass_time(2 * DAY)
    await sweep(bench)
    assert count(bench, "conversation") == (last == "notice")
    await bench.told()
    bench.pass_time(11 * DAY)
    await sweep(bench)
    assert count(bench, "conversation") == 0


async def test_conversations_of_a_file_of_the_first_version_are_looked_at_in_small_steps(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    db.execute("pragma auto_vacuum = incremental")
    migrate(db, 0, to=1)
    for number in range(12):
        heard = None if number % 3 == 0 else micros(NOW - timedelta(days=1 if number % 3 == 1 else 70))
        values = (SENDER, a_contact(number), heard)
        db.execute("insert into conversation (sender, contact, bucket, anchor) values (?, ?, 7, ?)", values)
    db.execute("insert into sender (id) values (?)", (SENDER,))
    db.close()
    bench = await Bench.open(f"sqlite:///{tmp_path / 'gateway.db'}", POLICY)
    await bench.post(contact=a_contact(0))
    await sweep(bench)
    left = {contact for (contact,) in bench.query("select contact from conversation")}
    assert left == {a_contact(number) for number in (0, 1, 4, 7, 10)}
    await bench.store.aclose()


@pytest.mark.prove
async def test_a_sweep_of_many_old_messages_holds_nobody_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for start in range(0, 20_000, 250):
        contacts = [a_contact(number % 5000) for number in range(start, start + 250)]
        posted = await asyncio.gather(*(bench.post(contact=contact, content=TEMPLATE) for contact in contacts))
        await asyncio.gather(*(bench.store.cancel(each, by="olena", now=bench.now) for each in posted))
    bench.pass_time(100 * DAY)
    timed = Timed(monkeypatch)
    swept, is_over = 0, False

    async def accept() -> None:
        while not is_over:
            await bench.post(contact=a_contact(9000))
            await asyncio.sleep(0.005)

    accepting = asyncio.create_task(accept())
    while step := await bench.store.sweep(now=bench.now, limit=SWEEP_AT_ONCE):
        swept += step
    is_over = True
    await accepting
    print(f"{swept} rows swept in {timed}")
    assert count(bench, "message") < 20_000
    assert timed.at(0.99) < 0.05
