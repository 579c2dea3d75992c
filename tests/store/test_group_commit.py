"""The group commit: one transaction for many, none of whom harms another, and no answer before it is durable."""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.domain.errors import IdempotencyConflict, Stopping, StoreUnavailable
from gateway.domain.message import FreeForm, Idempotency
from gateway.ports import MessageQuery, StorePolicy
from gateway.store.group import Raised, commit_group
from gateway.store.ledger import Ledger, Shared
from gateway.store.reader import Units
from tests.store.bench import Bench
from tests.store.factories import a_contact, an_inbound
from tests.timing import Timed

BIG = FreeForm(type="text", text="x" * 4000)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("create table number (value integer unique)")
    yield db
    db.close()


def adding(*values: int, then: BaseException | None = None) -> Callable[[sqlite3.Connection], int]:
    def unit(db: sqlite3.Connection, _: Shared) -> int:
        for value in values:
            db.execute("insert into number values (?)", (value,))
        if then is not None:
            raise then
        return len(values)

    return unit


def numbers(db: sqlite3.Connection) -> list[int]:
    return [value for (value,) in db.execute("select value from number order by value")]


def test_a_unit_that_raises_undoes_only_itself(db: sqlite3.Connection) -> None:
    error = ValueError("no")
    results = commit_group(db, [adding(1), adding(2, then=error), adding(3, 3), adding(4)])
    assert results[0] == results[3] == 1
    assert results[1] == Raised(error)
    assert isinstance(results[2].error, sqlite3.IntegrityError)
    assert numbers(db) == [1, 4]
    assert not db.in_transaction


def test_what_must_not_be_caught_undoes_the_group(db: sqlite3.Connection) -> None:
    with pytest.raises(KeyboardInterrupt):
        commit_group(db, [adding(1), adding(2, then=KeyboardInterrupt())])
    assert numbers(db) == []
    assert not db.in_transaction


def test_a_group_whose_transaction_is_gone_fails_as_a_whole(db: sqlite3.Connection) -> None:
    def rolled_back(db: sqlite3.Connection, _: Shared) -> None:
        db.execute("rollback")
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError):
        commit_group(db, [adding(1), rolled_back, adding(2)])
    assert numbers(db) == []
    assert commit_group(db, [adding(3)]) == [1]


# --- the store's own ------------------------------------------------------------------------------------------------


async def on_writer(bench: Bench, statement: str) -> list[Any]:
    return await bench.store._writer.run(lambda db: db.execute(statement).fetchall())


async def statements(bench: Bench) -> list[str]:
    """What the writing connection runs from now on."""
    seen: list[str] = []
    await bench.store._writer.run(lambda db: db.set_trace_callback(seen.append))
    return seen


async def test_those_who_come_together_share_a_commit(bench: Bench) -> None:
    seen = await statements(bench)
    await asyncio.gather(*(bench.post(contact=a_contact(number)) for number in range(300)))
    commits = [one for one in seen if one.lower() == "commit"]
    assert len(commits) == 2, "256 in the first, the rest in the second"
    assert sum(one.lower().startswith("begin") for one in seen) == 2


async def after(turns: int, bench: Bench) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    await bench.post(contact=a_contact(turns))


async def test_those_who_come_a_turn_after_each_other_share_a_commit(bench: Bench) -> None:
    seen = await statements(bench)
    await asyncio.gather(*(after(turn, bench) for turn in range(4)))
    assert [one.lower() for one in seen].count("commit") == 1


async def test_a_stream_without_an_end_holds_nobody_up(bench: Bench) -> None:
    """One comes at every turn of the loop: the first is not kept until the last has come."""
    seen = await statements(bench)
    await asyncio.gather(*(after(turn, bench) for turn in range(200)))
    first = [one.lower() for one in seen].index("commit")
    assert 1 <= sum("insert into message" in one for one in seen[:first]) <= 10


async def test_each_commit_can_be_timed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the long proofs hold their limits against."""
    timed = Timed(monkeypatch)
    await bench.post()
    await bench.post()
    assert len(timed.took) == 2


async def test_one_who_comes_alone_waits_for_nobody(bench: Bench) -> None:
    seen = await statements(bench)
    await bench.post()
    await bench.post()
    assert [one.lower() for one in seen].count("commit") == 2


async def test_an_error_of_one_is_not_another_s(bench: Bench) -> None:
    key = Idempotency(route="r", key="k", fingerprint="f")
    other = Idempotency(route="r", key="k", fingerprint="g")
    results = await asyncio.gather(
        bench.post(idempotency=key), bench.post(idempotency=other), bench.post(), return_exceptions=True
    )
    assert isinstance(results[1], IdempotencyConflict)
    listed = [one.id for one in (await bench.store.messages(MessageQuery())).messages]
    assert listed == [results[2], results[0]]


async def test_a_caller_who_goes_away_disturbs_nobody(bench: Bench) -> None:
    dice = random.Random(7)  # noqa: S311 - no secret
    posts = [asyncio.create_task(bench.post(contact=a_contact(number))) for number in range(400)]
    for post in dice.sample(posts, 200):
        await asyncio.sleep(0)
        post.cancel()
    results = await asyncio.gather(*posts, return_exceptions=True)
    answered = {one for one in results if isinstance(one, int)}
    assert len(answered) >= 200
    page = await bench.store.messages(MessageQuery(limit=1000))
    assert answered <= {one.id for one in page.messages}
    assert await bench.store.is_ready()


async def test_a_unit_whose_caller_went_away_is_written_all_the_same(bench: Bench) -> None:
    post = asyncio.create_task(bench.post())
    await asyncio.sleep(0)
    post.cancel()
    await asyncio.gather(post, return_exceptions=True)
    await bench.post(contact=a_contact(2))
    assert len((await bench.claims()).claims) == 2


async def test_closing_writes_what_waits_and_then_takes_nothing_more(file_bench: Bench) -> None:
    posts = [asyncio.create_task(file_bench.post(contact=a_contact(number))) for number in range(50)]
    await asyncio.sleep(0)
    await file_bench.store.aclose()
    assert len(set(await asyncio.gather(*posts))) == 50
    for verb in (file_bench.post(), file_bench.claims(), file_bench.store.sender_states()):
        with pytest.raises(Stopping):
            await verb
    assert not await file_bench.store.is_ready()
    assert file_bench.query("select count(*) from message") == [(50,)]
    await file_bench.store.aclose()


async def test_what_is_given_back_while_closing_is_written_too(file_bench: Bench) -> None:
    """The last group is answered, and one of those who waited for it is stopped by another before it hears that."""
    store = file_bench.store
    units = Units(StorePolicy(), ticks=lambda: 0.0, draw=random.random)
    begun = units.of(lambda ledger: ledger.write("add_sender", id="One").rowcount)
    undo = units.of(lambda ledger: ledger.write("add_sender", id="Two").rowcount)

    async def first() -> None:
        await store._group.run(units.of(lambda _: None))
        other.cancel()

    stopping = asyncio.create_task(first())
    other = asyncio.create_task(store._group.run(begun, unheard=lambda _: undo))
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(stopping, other, return_exceptions=True)
    assert other.cancelled()
    assert file_bench.query("select id from sender order by id") == [("One",), ("Two",)]


async def test_who_stops_waiting_for_the_close_does_not_stop_it(file_bench: Bench) -> None:
    closing = asyncio.create_task(file_bench.store.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await file_bench.reopen()
    await file_bench.post()


# --- faults ---------------------------------------------------------------------------------------------------------


async def test_a_full_disk_refuses_what_it_can_not_keep_and_recovers(bench: Bench) -> None:
    kept = await bench.post()
    ((pages,),) = await on_writer(bench, "pragma page_count")
    await on_writer(bench, f"pragma max_page_count = {pages}")
    results = await asyncio.gather(
        *(bench.post(content=BIG, contact=a_contact(number)) for number in range(20)), return_exceptions=True
    )
    assert StoreUnavailable in {type(one) for one in results}
    assert not [one for one in results if not isinstance(one, int | StoreUnavailable)]
    assert await bench.heads(limit=1) == [kept]
    await on_writer(bench, "pragma max_page_count = 1000000")
    assert await bench.store.is_ready()
    late = await bench.post(content=BIG, contact=a_contact(99))
    listed = {one.id for one in (await bench.store.messages(MessageQuery())).messages}
    assert listed == {one for one in results if isinstance(one, int)} | {kept, late}


async def test_a_full_disk_leaves_no_half_of_a_callback_batch(bench: Bench) -> None:
    await bench.post()
    ((pages,),) = await on_writer(bench, "pragma page_count")
    await on_writer(bench, f"pragma max_page_count = {pages}")
    batch = [an_inbound(contact=a_contact(number), raw={"text": "x" * 2000}) for number in range(20)]
    with pytest.raises(StoreUnavailable):
        await bench.ingest(*batch)
    await on_writer(bench, "pragma max_page_count = 1000000")
    assert (await bench.ingest(*batch)).applied == 20


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_commit_that_fails_fails_for_all_of_its_group(file_bench: Bench) -> None:
    for number in range(40):
        await file_bench.post(content=BIG, contact=a_contact(number))
    log = file_bench.store.path.with_name("gateway.db-wal")  # type: ignore[union-attr] # a file has a path
    with files_no_larger_than(log.stat().st_size):
        posts = [file_bench.post(contact=a_contact(number)) for number in range(5)]
        results = await asyncio.gather(*posts, return_exceptions=True)
        assert {type(one) for one in results} == {StoreUnavailable}
        assert not await file_bench.store.is_ready()
        assert len((await file_bench.store.messages(MessageQuery(limit=100))).messages) == 40
    await file_bench.post(contact=a_contact(1))
    assert file_bench.query("select count(*) from message") == [(41,)]
    assert file_bench.query("pragma integrity_check") == [("ok",)]


async def test_a_locked_file_is_unavailable_until_it_is_free(file_bench: Bench) -> None:
    await on_writer(file_bench, "pragma busy_timeout = 1")
    assert file_bench.store.path is not None
    other = sqlite3.connect(file_bench.store.path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreUnavailable) as refused:
        await file_bench.post()
    assert refused.value.retry_after > 0
    other.execute("rollback")
    other.close()
    await file_bench.post()


async def test_a_mistake_of_ours_is_no_fault_of_the_store(bench: Bench) -> None:
    def mistaken(ledger: Any) -> None:
        ledger.db.execute("select nothing from nowhere")

    with pytest.raises(sqlite3.OperationalError):
        await bench.store._run(mistaken)


async def test_a_transaction_leaves_no_work_for_the_garbage_collector(bench: Bench) -> None:
    await bench.post()
    gc.collect()
    gc.disable()
    try:
        for number in range(20):
            await bench.post(contact=a_contact(number))
        left = [one for one in gc.get_objects() if isinstance(one, Ledger)]
    finally:
        gc.enable()
    assert left == []
