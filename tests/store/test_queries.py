"""The queries: all of them used, and those that stand in a busy loop answered along an index."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.store
from gateway.ports import StorePolicy
from gateway.store.digests import teach_digests
from gateway.store.ledger import QUERIES
from gateway.store.schema import migrate
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, SENDER, TEMPLATE, a_contact, an_inbound

FOLDER = Path(gateway.store.__file__).parent
CODE = "\n".join(file.read_text("utf-8") for file in sorted(FOLDER.glob("*.py")))
NO_TABLE = {"free_pages", "give_back_page"}
NO_SCAN = ("SCAN CONSTANT ROW", "SCAN client", "SCAN rung VIRTUAL TABLE", "SCAN json_each VIRTUAL TABLE")
"""What was made or unpacked by the query itself."""
WHOLE_TABLE_BY_NATURE = {"senders", "senders_watched", "clients", "beat", "clamp_senders", "probe_at_once", "end_probe"}
WHOLE_TABLE_BY_NATURE |= {"move_probe"}
WHOLE_TABLE_BY_NATURE |= {"forget_pause_words", "any_suppression", "first_erasure", "erasure_of_run"}
"""Small tables, or asked once at a start."""


def test_every_query_is_used_and_every_used_one_is_there() -> None:
    called = set(re.findall(r'(?:ledger\.(?:rows|row|one|write)\(|change\(\s*ledger,|\brun\(db,)\s*"(\w+)"', CODE))
    listed = set(re.findall(r'\("(old_\w+)", ', CODE))
    assert called | listed == set(QUERIES)


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, 0)
    teach_digests(db)
    yield db
    db.close()


@pytest.mark.parametrize("name", sorted(set(QUERIES) - WHOLE_TABLE_BY_NATURE - NO_TABLE))
def test_no_query_reads_a_whole_table(schema: sqlite3.Connection, name: str) -> None:
    query = QUERIES[name]
    wanted = dict.fromkeys(re.findall(r":(\w+)", query))
    plan = [detail for *_, detail in schema.execute(f"explain query plan {query}", wanted)]
    scans = [step for step in plan if step.startswith("SCAN") and not step.startswith(NO_SCAN)]
    assert [step for step in scans if "USING" not in step] == []


async def steps_of_a_claim(bench: Bench) -> int:
    """How much the database does for one claim and its release, in hundreds of its instructions."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    await bench.store._writer.run(lambda db: db.set_progress_handler(count, 100))
    await bench.store.release((await bench.claims(1)).claims[0], now=bench.now)
    await bench.deliveries(1)
    await bench.store._writer.run(lambda db: db.set_progress_handler(None, 0))
    return steps


@pytest.mark.parametrize("shape", ["one contact", "many contacts", "out of pace", "a dead endpoint"])
async def test_a_claim_costs_no_more_over_a_long_queue(opened: Opener, shape: str) -> None:
    bench = await opened(StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT,)}))
    await bench.post(contact=a_contact(0))
    await bench.ingest(an_inbound(contact=a_contact(0)))
    alone = await steps_of_a_claim(bench)
    await fill(bench, shape, 1000)
    assert await steps_of_a_claim(bench) <= alone + 10


async def fill(bench: Bench, shape: str, count: int) -> None:
    if shape == "a dead endpoint":
        await bench.ingest(*(an_inbound(contact=a_contact(number)) for number in range(1, count)))
        return
    contacts = [a_contact(1 if shape == "one contact" else number) for number in range(1, count)]
    await asyncio.gather(*(bench.post(contact=contact, content=TEMPLATE) for contact in contacts))
    if shape == "out of pace":
        claims = (await bench.claims(count - 10)).claims
        assert len(claims) == count - 10
