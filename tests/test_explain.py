"""Asking what would become of a message changes nothing, waits for nobody, and is answered while the store is busy."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.config import DowngradeLimit, SenderConfig
from gateway.decision import Decider
from gateway.domain.explanation import Explanation
from gateway.domain.suppression import Scope
from gateway.domain.would_change import Form, What
from gateway.explain import Explain
from gateway.ports import StorePolicy
from gateway.registry import Registry
from gateway.shipped import shipped
from gateway.store import SqliteReader, SqliteStore, open_for_reading, open_store
from tests.store.asking import enqueue
from tests.store.factories import CONTACT, NOW, PROVIDER, SENDER, a_downgrade, a_draft, an_inbound

REGISTRY = Registry.load(shipped("templates"))
LIMIT = DowngradeLimit(count=2, per=timedelta(hours=24))
SETTINGS = SenderConfig(id=SENDER, provider=PROVIDER, ladder=("ticket_answer",), downgrade_limit=LIMIT)


class SetClock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    async def wake(self) -> None:
        raise AssertionError("nobody waits here")


def an_explain(store: SqliteReader, clock: SetClock) -> Explain:
    decider = Decider(REGISTRY, {SENDER: SETTINGS}, timedelta(seconds=60))
    return Explain(store=store, registry=REGISTRY, decider=decider, senders={SENDER: SETTINGS}, clock=clock)


@dataclass
class Desk:
    path: Path
    store: SqliteStore
    clock: SetClock

    async def asks(self) -> Explanation:
        """Through a connection that can't write, as the command does."""
        reader = await open_for_reading(self.path, StorePolicy())
        try:
            return await an_explain(reader, self.clock)(a_draft())
        finally:
            await reader.aclose()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    path = tmp_path / "gateway.db"
    store = await open_store(f"sqlite:///{path}", StorePolicy())
    yield Desk(path, store, SetClock())
    await store.aclose()


def everything_in(db: sqlite3.Connection) -> list[object]:
    tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table' order by name")]
    rows = [db.execute(f"select * from {table}").fetchall() for table in tables]  # noqa: S608 - our own tables
    return [tables, rows, db.execute("pragma data_version").fetchone()]


async def test_nothing_is_stored(desk: Desk) -> None:
    await desk.store.ingest(PROVIDER, [an_inbound()], now=NOW)
    await enqueue(desk.store, a_draft(), a_downgrade(), now=NOW)
    with sqlite3.connect(desk.path) as looking:
        before = everything_in(looking)
        await desk.asks()
        await an_explain(desk.store, desk.clock)(a_draft())
        assert everything_in(looking) == before
    looking.close()


async def test_it_is_answered_while_another_holds_the_store_s_lock(desk: Desk) -> None:
    await desk.store.ingest(PROVIDER, [an_inbound()], now=NOW)
    busy = sqlite3.connect(desk.path, isolation_level=None)
    busy.execute("begin immediate")
    try:
        explanation = await an_explain(desk.store, desk.clock)(a_draft())
        assert explanation.form == Form("send")
        assert (await desk.asks()).form == Form("send")
    finally:
        busy.execute("rollback")
        busy.close()


async def test_when_the_limit_frees_up_is_foretold_to_the_moment(desk: Desk) -> None:
    for minutes in (0, 30, 60):
        await enqueue(desk.store, a_draft(), a_downgrade(), now=NOW + timedelta(minutes=minutes))
    desk.clock.moment = NOW + timedelta(hours=2)
    [_, frees] = (await desk.asks()).would_change
    assert (frees.what, frees.then) == (What.DOWNGRADE_LIMIT_FREES, Form("downgrade", "ticket_answer/en_US"))
    assert frees.at is not None
    desk.clock.moment = frees.at - timedelta(microseconds=1)
    assert (await desk.asks()).form == Form("refuse")
    desk.clock.moment = frees.at
    assert (await desk.asks()).form == frees.then


async def test_taking_the_contact_off_the_list_is_tried_on_the_list_itself(desk: Desk) -> None:
    await desk.store.suppress(CONTACT, Scope.TEMPLATES, sender=None, note=None, by="olena", now=NOW)
    foretold = {change.what: change.then for change in (await desk.asks()).would_change}
    await desk.store.allow(CONTACT, sender=None, by="olena", now=NOW)
    assert (await desk.asks()).form == foretold[What.CONTACT_ALLOWED]
    await desk.store.ingest(PROVIDER, [an_inbound()], now=NOW)
    assert (await desk.asks()).form == foretold[What.CUSTOMER_WRITES]
