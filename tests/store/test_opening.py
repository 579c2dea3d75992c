"""Opening: whose file it is, who has it, what it is made of, and readers beside the writer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import CannotStart, NotFound, SchemaTooNew, StoreInUse
from gateway.domain.identity import MessageId
from gateway.ports import MessageQuery, StorePolicy
from gateway.store import open_for_reading, open_store
from gateway.store.opening import wall_clock
from gateway.store.schema import migrate
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import CONTACT, NOW, SENDER, a_contact, a_report

POLICY = StorePolicy()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def at(path: Path) -> str:
    return f"sqlite:///{path}"


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def listed(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def pragma(bench: Bench, name: str) -> object:
    ((value,),) = await bench.store._writer.run(lambda db: db.execute(f"pragma {name}").fetchall())
    return value


async def test_what_is_acknowledged_survives_a_power_cut(file_bench: Bench) -> None:
    full, incremental = 2, 2
    assert await pragma(file_bench, "synchronous") == full
    assert await pragma(file_bench, "journal_mode") == "wal"
    assert await pragma(file_bench, "auto_vacuum") == incremental
    assert await pragma(file_bench, "secure_delete") == 1
    assert await pragma(file_bench, "foreign_keys") == 1


async def test_messages_and_attempts_of_an_older_file_are_found_where_they_stand_now(at: str, path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma auto_vacuum = incremental")
    db.execute("pragma foreign_keys = on")
    migrate(db, 0, to=5)
    db.execute("insert into sender (id) values (?)", (SENDER,))
    db.execute("insert into conversation (sender, contact, bucket) values (?, ?, 7)", (SENDER, CONTACT))
    for number, status in ((77, "submitted"), (78, "queued"), (79, "sending")):
        due_at = None if status == "submitted" else 5
        receipt = json.dumps({"message_id": number, "action": "sent", "window_closes_at": None})
        db.execute(
            "insert into message (id, conversation, client, status, changed_at, content, is_free_form, accepted_at,"
            " expires_at, receipt, told_view, due_at, attempts) values (?, 1, 'desk', ?, 5, ?, 1, 5, 9, ?, 5, ?, 1)",
            (number, status, '{"type":"text","text":"Hello","file_url":null}', receipt, due_at),
        )
    db.execute(
        "insert into attempt (message, number, token, status, is_template, started_at, ended_at, provider_message_id)"
        " values (1, 1, 'old', 'submitted', 0, 6, 7, '429'), (3, 1, 'older', 'sending', 0, 6, null, null)"
    )
    before = db.execute("select * from attempt").fetchall()
    db.close()
    bench = await Bench.open(at)
    assert bench.query("select * from attempt") == before
    assert bench.query("pragma foreign_key_check") == []
    await bench.ingest(a_report(AttemptStatus.DELIVERED, provider_message_id="429"))
    assert await bench.status(MessageId(77)) == "delivered"
    assert await bench.store.expire(now=NOW) == 1, "what is being sent does not"
    assert await bench.status(MessageId(78)) == "expired"
    await bench.store.aclose()


async def test_a_store_is_made_once_and_found_again(at: str, path: Path) -> None:
    first = await open_store(at, POLICY)
    assert (first.created, first.path) == (True, path)
    await first.aclose()
    second = await open_store(at, POLICY)
    assert (second.created, second.path) == (False, path)
    await second.aclose()


async def test_its_files_are_for_the_owner_alone(file_bench: Bench) -> None:
    await file_bench.post()
    assert file_bench.store.path is not None
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in file_bench.store.path.parent.iterdir()}
    assert files == dict.fromkeys(["gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db.lock"], 0o600)


async def test_stores_in_memory_are_strangers(opened_at: Opener) -> None:
    one, other = await opened_at("memory:"), await opened_at("memory:")
    await one.post()
    assert (await other.claims()).claims == ()


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "x#1.db", "%20.db"])
async def test_a_path_may_hold_what_an_address_must_quote(tmp_path: Path, name: str) -> None:
    store = await open_store(f"sqlite:///{quote(str(tmp_path / name))}", POLICY)
    assert await store.sender_states() == ()
    await store.aclose()
    assert name in listed(tmp_path)


# --- what can't be opened -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("postgresql://localhost/gateway", "PostgreSQL is not built yet"),
        ("mysql://localhost/gateway", "unknown kind of store"),
        ("sqlite:///gateway.db", "absolute path"),
    ],
)
async def test_an_address_that_is_no_store_of_ours_says_what_is(url: str, what: str) -> None:
    with pytest.raises(CannotStart, match=what):
        await open_store(url, POLICY)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"missing/gateway\.db"):
        await open_store(f"sqlite:///{tmp_path}/missing/gateway.db", POLICY)


@pytest.fixture
def diary(path: Path) -> bytes:
    """What stands in the file, and is no database."""
    path.write_text("my diary " * 1000)
    return path.read_bytes()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(at: str, path: Path, diary: bytes) -> None:
    with pytest.raises(CannotStart, match=r"gateway\.db can't be read"):
        await open_store(at, POLICY)
    assert content_of(path) == diary


async def test_another_program_s_database_is_refused_and_left_alone(at: str, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("create table diary (day text)")
    db.close()
    before = content_of(path)
    with pytest.raises(CannotStart, match="no store of the gateway"):
        await open_store(at, POLICY)
    assert content_of(path) == before


async def test_a_newer_schema_is_refused_and_left_alone(at: str, path: Path) -> None:
    await (await open_store(at, POLICY)).aclose()
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(SchemaTooNew, match="schema 99"):
        await open_store(at, POLICY)
    with pytest.raises(SchemaTooNew):
        await open_for_reading(path)
    with sqlite3.connect(path) as db:
        assert db.execute("pragma user_version").fetchone() == (99,)
    db.close()


@pytest.mark.usefixtures("diary")
async def test_a_failed_start_leaves_nothing_behind(at: str) -> None:
    for _ in range(2):
        with pytest.raises(CannotStart, match="can't be read"):
            await open_store(at, POLICY, lock_timeout=0)


@pytest.mark.parametrize("spoil", ["path.write_text('x' * 5000)", "pass"])
def test_a_program_that_fails_with_a_store_ends(path: Path, spoil: str) -> None:
    """The database's thread never keeps a process alive."""
    program = f"""
import asyncio, pathlib
from gateway.ports import StorePolicy
from gateway.store import open_store
path = pathlib.Path({str(path)!r})
{spoil}
async def main():
    store = await open_store(f"sqlite:///{{path}}", StorePolicy())
    raise SystemExit(7)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=20, capture_output=True, check=False)
    assert ended.returncode == (7 if spoil == "pass" else 1)


# --- one process per file -------------------------------------------------------------------------------------------


async def test_a_file_in_use_is_refused_and_the_way_out_is_named(file_bench: Bench) -> None:
    with pytest.raises(StoreInUse, match=r"gateway\.db is in use.*PostgreSQL"):
        await open_store(file_bench.url, POLICY, lock_timeout=0.1)


async def test_who_waits_for_a_file_says_so_once_and_for_which(file_bench: Bench, path: Path) -> None:
    with capture_logs() as logs, pytest.raises(StoreInUse):
        await open_store(file_bench.url, POLICY, lock_timeout=0.2)
    (waiting,) = [event for event in logs if event["event"] == "store.waiting"]
    assert (waiting["log_level"], waiting["path"]) == ("warning", str(path))


async def test_who_takes_a_file_at_once_says_nothing(at: str) -> None:
    with capture_logs() as logs:
        await (await open_store(at, POLICY)).aclose()
    assert logs == []


async def test_a_restart_may_overlap(at: str) -> None:
    first = await open_store(at, POLICY)
    second = asyncio.create_task(open_store(at, POLICY, lock_timeout=20))
    await asyncio.sleep(0)
    await first.aclose()
    await (await second).aclose()


async def test_who_stops_waiting_for_a_file_holds_nothing(at: str) -> None:
    first = await open_store(at, POLICY)
    second = asyncio.create_task(open_store(at, POLICY))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await first.aclose()
    await (await open_store(at, POLICY, lock_timeout=0)).aclose()


# --- readers --------------------------------------------------------------------------------------------------------


async def test_a_reader_sees_what_was_committed_beside_the_writer(file_bench: Bench) -> None:
    assert file_bench.store.path is not None
    reader = await open_for_reading(file_bench.store.path)
    message_id = await file_bench.post()
    assert (await reader.message(message_id, client=None)).message.id == message_id
    assert len((await reader.messages(MessageQuery())).messages) == 1
    assert [(state.sender, state.queued) for state in await reader.sender_states()] == [(SENDER, 1)]
    await file_bench.post(contact=a_contact(2))
    await reader.aclose()


async def test_a_reader_can_not_write(file_bench: Bench) -> None:
    assert file_bench.store.path is not None
    reader = await open_for_reading(file_bench.store.path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await reader._reader.run(lambda db: db.execute("delete from message"))
    await reader.aclose()


async def test_a_store_can_be_read_when_nobody_serves_it(at: str, path: Path) -> None:
    await (await open_store(at, POLICY)).aclose()
    reader = await open_for_reading(path)
    with pytest.raises(NotFound):
        await reader.message(MessageId(1), client=None)
    await reader.aclose()


async def test_a_reader_of_no_store_says_so(path: Path) -> None:
    with pytest.raises(CannotStart, match="no such store"):
        await open_for_reading(path)
    assert listed(path.parent) == []


async def test_a_reader_of_a_store_that_is_not_yet_made_says_so(path: Path) -> None:
    sqlite3.connect(path).close()
    with pytest.raises(CannotStart, match="older version"):
        await open_for_reading(path)


# --- time -----------------------------------------------------------------------------------------------------------


def test_the_store_s_own_time_never_goes_back() -> None:
    ticks = wall_clock()
    times = [ticks() for _ in range(1000)]
    assert times == sorted(times)


async def test_a_damaged_file_is_refused_in_one_line(at: str, path: Path) -> None:
    await (await open_store(at, POLICY)).aclose()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096)
    with pytest.raises(CannotStart, match=r"damaged|malformed"):
        await open_store(at, POLICY, lock_timeout=0)
