"""How things stand, and who was heard: counted by the store, told from what was done to it."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.delivery import AttemptStatus, Cause, PauseCause, Retry, Submitted, Unknown
from gateway.domain.errors import ProviderError, Stopping
from gateway.domain.identity import Sender, draw_token
from gateway.domain.window import LENGTH
from gateway.ports import Census, EndpointCensus, SenderCensus, StorePolicy, WindowCounts
from gateway.store import schema
from gateway.store.ledger import Shared
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    NOW,
    SENDER,
    TEMPLATE,
    TOO_LATE,
    a_contact,
    a_draft,
    a_report,
    an_inbound,
)

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
OTHER = Sender("Other")
DELIVERED = AttemptStatus.DELIVERED
LOST = Unknown(error=ProviderError(message="the answer was lost"))


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT,)}))


async def census(bench: Bench) -> Census:
    return await bench.store.census(now=bench.now)


async def of_sender(bench: Bench, sender: Sender = SENDER) -> SenderCensus:
    (found,) = [one for one in (await census(bench)).senders if one.sender == sender]
    return found


async def silent_from(bench: Bench, sender: Sender = SENDER) -> datetime | None:
    """As a census and as a listener are told: they must agree."""
    told = (await of_sender(bench, sender)).silent_from
    (hearing,) = [one for one in await bench.store.listen() if one.sender == sender]
    assert hearing.silent_from == told
    return told


# --- the queue ------------------------------------------------------------------------------------------------------


async def test_an_empty_store_has_nothing_to_tell(bench: Bench) -> None:
    found = await census(bench)
    assert (found.at, found.senders, found.endpoints, found.unknown) == (NOW, (), (), ())


async def test_open_messages_are_counted_by_sender_with_the_age_of_the_oldest(bench: Bench) -> None:
    await bench.post(contact=a_contact(1))
    bench.pass_time(60)
    await bench.post(contact=a_contact(2))
    await bench.post(sender=OTHER)
    assert (await of_sender(bench)).open == 2
    assert (await of_sender(bench)).oldest == NOW
    other = await of_sender(bench, OTHER)
    assert (other.open, other.oldest) == (1, NOW + timedelta(seconds=60))


async def test_a_message_is_open_until_it_is_handed_over(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    assert (await of_sender(bench)).open == 1
    await bench.record(claim, attempt, Submitted(provider_message_id="1"))
    found = await of_sender(bench)
    assert (found.open, found.oldest) == (0, None)


async def test_an_unknown_message_is_not_open_though_it_waits_for_proof(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(LOST)
    found = await of_sender(bench)
    assert (found.open, found.oldest) == (0, None)
    assert (await census(bench)).unknown == ((CLIENT, 1),)


# --- windows and pauses ---------------------------------------------------------------------------------------------


async def test_each_contact_counts_in_the_state_of_its_window(bench: Bench) -> None:
    just_over = NOW - LENGTH
    await bench.ingest(an_inbound(contact=a_contact(1)), an_inbound(contact=a_contact(2), opened_at=just_over + SECOND))
    await bench.ingest(an_inbound(contact=a_contact(3), opened_at=just_over))
    await bench.post(contact=a_contact(4), content=TEMPLATE)
    await bench.post(contact=a_contact(5), sender=OTHER)
    assert (await of_sender(bench)).windows == WindowCounts(open=2, closed=1, unknown=1)
    assert (await of_sender(bench, OTHER)).windows == WindowCounts(unknown=1)
    bench.pass_time(LENGTH.total_seconds())
    assert (await of_sender(bench)).windows == WindowCounts(closed=3, unknown=1)


async def test_a_window_that_the_provider_refuted_is_refuted_until_the_contact_writes(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    bench.pass_time(1)
    await bench.submitted("429")
    await bench.ingest(a_report(AttemptStatus.WINDOW_CLOSED, provider_message_id="429", error=TOO_LATE))
    assert (await of_sender(bench)).windows == WindowCounts(refuted=1)
    bench.pass_time(1)
    await bench.ingest(an_inbound(opened_at=bench.now))
    assert (await of_sender(bench)).windows == WindowCounts(open=1)


async def test_a_paused_sender_is_told_with_its_cause_and_for_how_long(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(Retry(cause=Cause.BALANCE, error=ProviderError(code=3, status=402)))
    bench.pass_time(90)
    found = await of_sender(bench)
    assert (found.pause, found.paused_for) == (PauseCause.BALANCE, timedelta(seconds=90))


# --- notices --------------------------------------------------------------------------------------------------------


async def test_notices_that_wait_are_counted_with_the_age_of_the_oldest(bench: Bench) -> None:
    await bench.ingest(an_inbound(contact=a_contact(1)))
    bench.pass_time(30)
    await bench.ingest(an_inbound(contact=a_contact(1)), an_inbound(contact=a_contact(2)))
    expected = EndpointCensus(kind="webhook", client=CLIENT, waiting=3, oldest=NOW)
    assert (await census(bench)).endpoints == (expected,)
    await bench.deliveries(1)
    assert (await census(bench)).endpoints == (expected,), "one on its way waits too"
    await bench.told()
    bench.clock[0] += 61
    await bench.told()
    assert (await census(bench)).endpoints == ()


async def test_the_callback_urls_of_a_client_are_one_whatever_servers_they_lead_to(bench: Bench) -> None:
    for number, host in enumerate(("http://one.example:8080/x", "https://two.example/y?z=1")):
        await bench.post(a_draft(client="crm", contact=a_contact(number), callback_url=host))
        await bench.attempt(Submitted(provider_message_id=str(number)))
    assert (await census(bench)).endpoints == (
        EndpointCensus(kind="callback_url", client="crm", waiting=2, oldest=NOW),
    )


# --- silence --------------------------------------------------------------------------------------------------------


async def test_a_sender_that_never_sent_nor_heard_is_not_silent(bench: Bench) -> None:
    await bench.post()
    assert await silent_from(bench) is None


async def test_a_sender_that_was_never_heard_is_silent_from_its_first_attempt_on(bench: Bench) -> None:
    await bench.submitted("1", contact=a_contact(1))
    bench.pass_time(600)
    await bench.submitted("2", contact=a_contact(2))
    assert await silent_from(bench) == NOW
    (hearing,) = await bench.store.listen()
    assert hearing.tried_at == bench.now


async def test_a_customer_who_writes_is_heard_when_it_arrives(bench: Bench) -> None:
    await bench.ingest(an_inbound(opened_at=NOW - HOUR))
    assert await silent_from(bench) == NOW


@pytest.mark.parametrize("by", ["its own callback URL", "the provider's id"])
async def test_a_report_on_its_message_is_heard(bench: Bench, by: str) -> None:
    await bench.post()
    attempt = await bench.attempt(Submitted(provider_message_id="429"))
    bench.pass_time(600)
    whose = {"attempt": attempt.token} if by == "its own callback URL" else {"provider_message_id": "429"}
    await bench.ingest(a_report(DELIVERED, **whose))
    assert await silent_from(bench) == bench.now


async def test_a_report_to_a_token_that_was_not_given_out_is_nobodys(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    bench.pass_time(600)
    await bench.ingest(a_report(DELIVERED, attempt=draw_token(message_id)))
    assert await silent_from(bench) == NOW


async def test_what_is_heard_of_one_sender_says_nothing_of_another(bench: Bench) -> None:
    await bench.submitted("1")
    await bench.post(sender=OTHER)
    claim = await bench.claim(sender=OTHER)
    await bench.record(claim, await bench.begun(claim), Submitted(provider_message_id="2"))
    bench.pass_time(600)
    await bench.ingest(a_report(DELIVERED, provider_message_id="2"), an_inbound(sender=None))
    assert await silent_from(bench) == NOW
    assert await silent_from(bench, OTHER) == bench.now


async def test_a_report_by_an_id_of_another_provider_is_not_heard(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=QUICK, providers={SENDER: "dt"}))
    await bench.submitted("429")
    bench.pass_time(600)
    await bench.ingest(a_report(DELIVERED, provider_message_id="429"), provider="another")
    assert await silent_from(bench) == NOW


async def test_a_silence_outlives_a_restart(file_bench: Bench) -> None:
    await file_bench.ingest(an_inbound())
    await file_bench.store.listen()
    file_bench.pass_time(600)
    await file_bench.reopen()
    assert await silent_from(file_bench) == NOW


async def test_what_was_heard_right_before_a_crash_is_known_after_it(file_bench: Bench) -> None:
    await file_bench.submitted("1")
    await file_bench.store.listen()
    file_bench.pass_time(600)
    await file_bench.ingest(a_report(DELIVERED, provider_message_id="1"))
    await file_bench.reopen()
    assert await silent_from(file_bench) == file_bench.now


async def test_after_retention_has_emptied_the_inbox_new_callbacks_are_heard_again(bench: Bench) -> None:
    await bench.ingest(an_inbound(), an_inbound(), an_inbound())
    await bench.store.listen()
    await bench.change("delete from inbox")
    bench.pass_time(600)
    await bench.ingest(an_inbound(opened_at=bench.now))
    assert await silent_from(bench) == bench.now


async def test_listening_reads_only_what_came_since(bench: Bench) -> None:
    await asyncio.gather(*(bench.ingest(an_inbound(contact=a_contact(number))) for number in range(300)))

    async def steps() -> int:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        store = bench.store
        database = store._writer if store._survey is None else store._survey._database
        assert database is not None
        await database.run(lambda db: db.set_progress_handler(step, 10))
        await bench.store.listen()
        await database.run(lambda db: db.set_progress_handler(None, 0))
        return count

    await census(bench)  # opens the connection
    first, second = await steps(), await steps()
    assert second < first / 5


# --- what it costs others -------------------------------------------------------------------------------------------


async def test_in_a_file_nobody_waits_for_a_census(file_bench: Bench) -> None:
    await file_bench.post()
    await census(file_bench)
    survey = file_bench.store._survey
    assert survey is not None
    assert survey._database is not None
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    entered = asyncio.Event()

    def hold(db: sqlite3.Connection, _: Shared) -> int:
        """A look that takes as long as the test wants, on the connection of the census."""
        loop.call_soon_threadsafe(entered.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)
        return int(db.execute("select count(*) from message").fetchone()[0])

    look = asyncio.create_task(survey.look(hold))
    await entered.wait()
    await file_bench.post(contact=a_contact(1))
    await file_bench.is_window_open()
    assert not look.done()
    release.set()
    await look


async def test_the_sizes_of_the_files_are_told_and_none_in_memory(bench: Bench) -> None:
    await bench.post()
    found = await census(bench)
    sizes = (found.file_bytes, found.wal_bytes, found.free_bytes)
    path = bench.store.path
    if path is None:
        assert sizes == (None, None, None)
    else:
        wal = path.with_name(f"{path.name}-wal")
        assert sizes[:2] == (path.stat().st_size, wal.stat().st_size)
        assert (found.free_bytes or 0) > 1_000_000


async def test_a_census_can_read_and_nothing_else(file_bench: Bench) -> None:
    await census(file_bench)
    survey = file_bench.store._survey
    assert survey is not None
    assert survey._database is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await survey._database.run(lambda db: db.execute("delete from message"))


async def test_after_the_end_there_is_no_census(bench: Bench) -> None:
    await census(bench)
    await bench.store.aclose()
    with pytest.raises(Stopping):
        await census(bench)


# --- files of before ------------------------------------------------------------------------------------------------


async def test_a_file_of_before_knows_who_was_heard(opened_at: Opener, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    db = sqlite3.connect(path, isolation_level=None)
    for number, script in schema._MIGRATIONS:
        if number < 4:
            schema._apply(db, number, script)
    at = int(NOW.timestamp()) * 1_000_000
    db.execute("insert into sender (id) values (?), (?)", (SENDER, OTHER))
    db.execute(
        "insert into conversation (sender, contact, bucket, anchor) values (?, '1', 0, ?), (?, '2', 0, ?)",
        (SENDER, at, SENDER, at - 1),
    )
    db.close()
    bench = await opened_at(f"sqlite:///{path}")
    assert await silent_from(bench) == NOW
    assert await silent_from(bench, OTHER) is None
