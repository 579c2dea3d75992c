"""``gateway windows import``: all is checked first, nothing is half-done, and it can be repeated."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.gateway.people import CONTACT, Shop, a_shop, furnish, run
from tests.timing import Timed

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
"""The commands and the sandbox go by real time."""


def ago(hours: float) -> str:
    return (NOW - hours * HOUR).isoformat()


def a_file(folder: Path, *lines: str, header: str = "sender,contact,last_inbound") -> str:
    path = folder / "windows.csv"
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return str(path)


def windows(folder: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(folder / "gateway.db")
    rows = db.execute("select sender, contact from conversation where anchor is not null order by sender, contact")
    found = rows.fetchall()
    db.close()
    return found


@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_running_conversations_are_not_downgraded_after_an_import(tmp_path: Path, runs: bool) -> None:
    furnish(tmp_path)
    file = a_file(
        tmp_path,
        f"Shop,+380 50 123-45-67,{ago(2)}",
        f"380441234567,380670000001,{ago(3)}",
        f"1063,380670000002,{(NOW - HOUR).strftime('%Y-%m-%d %H:%M:%SZ')}",
        f"Other,380670000002,{(NOW - HOUR).astimezone().isoformat()}",
        f"Shop,380670000003,{ago(25)}",
    )
    if not runs:
        imported = await run(tmp_path, "windows", "import", file, "--json")
    async with a_shop(tmp_path) as shop:
        if runs:
            imported = await shop.run("windows", "import", file, "--json")
        assert imported.exit_code == 0, imported.output
        summary = {"read": 5, "opened": 4, "known": 0, "closed": 1, "repeated": 0, "bad": 0}
        assert json.loads(imported.stdout) == {**summary, "imported": True, "problems": []}
        message = (await shop.post())[1]["message_id"]
        decision = (await shop.get(f"/v1/messages/{message}"))["decision"]
        assert (decision["action"], decision["evidence"]["window"]["evidence"]) == ("send", "imported")
        again = await shop.run("windows", "import", file)
        # The gateway logs in the same process.
        assert (
            "read 5, opened 0, already known as new or newer 4, closed already 1, repeated 0, bad 0\n" in again.output
        )


async def test_columns_may_stand_in_any_order_and_the_latest_of_two_lines_counts(tmp_path: Path) -> None:
    furnish(tmp_path)
    lines = [f"{ago(5)},Shop,{CONTACT}", "", f"{ago(1)},380441234567,{CONTACT}", f"{ago(9)},Shop,{CONTACT}"]
    file = a_file(tmp_path, *lines, header="\ufeffLast_Inbound, sender ,contact")
    imported = await run(tmp_path, "windows", "import", file)
    assert imported.output.startswith("read 3, opened 1, already known as new or newer 0, closed already 0, repeated 2")
    async with a_shop(tmp_path) as shop:
        window = await shop.get(f"/v1/windows/Shop/{CONTACT}")
        assert window["opened_at"][:19] == (NOW - HOUR).isoformat()[:19]


SOMEBODY = "380509998877"
BAD_LINES = [
    (f"Nobody,{SOMEBODY},{ago(1)}", "sender: expected a sender that the configuration names"),
    (f",{SOMEBODY},{ago(1)}", "sender: expected a sender"),
    (f"Shop,0501234567,{ago(1)}", "contact: expected a phone number in international form"),
    (f"Shop,Olena,{ago(1)}", "contact: expected a phone number"),
    (f"Shop,{SOMEBODY},2026-05-04T12:30:00", "last_inbound: expected a time with its zone"),
    (f"Shop,{SOMEBODY},2026-05-04", "last_inbound: expected a time with its zone"),
    (f"Shop,{SOMEBODY},yesterday", "last_inbound: expected a time with its zone"),
    (f"Shop,{SOMEBODY},1731705721", "last_inbound: expected a time with its zone"),
    (f"Shop,{SOMEBODY},", "last_inbound: expected a time with its zone"),
    (f"Shop,{SOMEBODY},{ago(-1)}", "last_inbound: expected a time since 2009 that is not in the future"),
    (f"Shop,{SOMEBODY},0001-01-01T00:00:00+14:00", "last_inbound: expected a time since 2009"),
    (f"Shop,{SOMEBODY},9999-12-31T23:59:59-14:00", "last_inbound: expected a time since 2009"),
    (f"Shop,{SOMEBODY}", "expected 3 values, separated by commas"),
    (f"Shop,{SOMEBODY},{ago(1)},more", "expected 3 values, separated by commas"),
    (f'Shop,"{SOMEBODY}"x,{ago(1)}', "expected 3 values, separated by commas"),
    (f"Shop,{SOMEBODY}\0,{ago(1)}", "contact: expected a phone number"),
]


@pytest.mark.parametrize(("line", "told"), BAD_LINES, ids=[told for _, told in BAD_LINES])
async def test_a_bad_line_is_named_and_nothing_is_taken_over(tmp_path: Path, line: str, told: str) -> None:
    furnish(tmp_path)
    file = a_file(tmp_path, f"Shop,380670000001,{ago(1)}", line, f"Shop,380670000002,{ago(1)}")
    refused = await run(tmp_path, "windows", "import", file)
    assert refused.exit_code == 2
    assert f"line 3: {told}" in refused.output
    assert "Nothing was taken over" in refused.output
    assert SOMEBODY not in refused.output
    assert not (tmp_path / "gateway.db").exists() or windows(tmp_path) == []


async def test_all_bad_lines_are_named_at_once_and_the_good_ones_taken_over_if_asked(tmp_path: Path) -> None:
    furnish(tmp_path)
    file = a_file(tmp_path, *(line for line, _ in BAD_LINES), f"Shop,380670000001,{ago(1)}")
    refused = json.loads((await run(tmp_path, "windows", "import", file, "--json")).stdout)
    assert (refused["imported"], refused["bad"], refused["opened"]) == (False, len(BAD_LINES), 0)
    assert [problem["line"] for problem in refused["problems"]] == list(range(2, len(BAD_LINES) + 2))
    skipped = await run(tmp_path, "windows", "import", file, "--skip-bad-lines")
    assert skipped.exit_code == 0
    assert f"read {len(BAD_LINES) + 1}, opened 1" in skipped.output
    assert f"line {len(BAD_LINES) + 1}: contact: " in skipped.output
    assert windows(tmp_path) == [("Shop", "380670000001")]


async def test_of_very_many_bad_lines_a_hundred_are_named(tmp_path: Path) -> None:
    furnish(tmp_path)
    file = a_file(tmp_path, *["Shop,x,y"] * 250)
    refused = (await run(tmp_path, "windows", "import", file)).output.splitlines()
    assert len([line for line in refused if line.startswith("line ")]) == 100
    assert "and 150 more" in refused


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("sender,contact", "no column last_inbound"),
        ("sender,contact,last_inbound,name", "an unknown column 'name'"),
        ("sender,contact,contact,last_inbound", "the column contact twice"),
        ("sender;contact;last_inbound", "expected the header sender,contact,last_inbound"),
        pytest.param(f"Shop,{SOMEBODY},{ago(1)}", "expected the header sender,contact,last_inbound", id="values"),
        ("", "expected the header sender,contact,last_inbound"),
    ],
)
async def test_a_wrong_header_is_explained(tmp_path: Path, header: str, told: str) -> None:
    furnish(tmp_path)
    refused = await run(tmp_path, "windows", "import", a_file(tmp_path, header=header))
    assert refused.exit_code == 2
    assert told in refused.output
    assert SOMEBODY not in refused.output


async def test_a_list_may_come_from_standard_input(tmp_path: Path) -> None:
    furnish(tmp_path)
    command = [sys.executable, "-m", "gateway", "windows", "import", "-", "--config", str(tmp_path / "config.yaml")]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    told, _ = await process.communicate(f"sender,contact,last_inbound\nShop,{CONTACT},{ago(1)}\n".encode())
    assert (process.returncode, told.decode()[:16]) == (0, "read 1, opened 1")
    assert windows(tmp_path) == [("Shop", CONTACT)]


# --- many -----------------------------------------------------------------------------------------------------------


def many(folder: Path, count: int) -> str:
    drawn = random.Random(7)  # noqa: S311 - any numbers will do
    numbers = drawn.sample(range(1_000_000_000), count)
    return a_file(folder, *(f"Shop,380{number:09d},{ago(drawn.random() * 23)}" for number in numbers))


async def test_an_import_that_is_stopped_says_so_and_is_simply_repeated(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        file = many(tmp_path, 60_000)
        command = [
            sys.executable,
            "-m",
            "gateway",
            "windows",
            "import",
            file,
            "--config",
            str(tmp_path / "config.yaml"),
        ]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        while not windows(tmp_path):
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = await process.communicate()
        assert process.returncode == 130
        assert b"Run the same command again: nothing is taken over twice." in told
        taken = len(windows(tmp_path))
        assert 0 < taken < 60_000
        again = json.loads((await shop.run("windows", "import", file, "--json")).stdout)
        assert (again["opened"], again["known"]) == (60_000 - taken, taken)
        assert len(windows(tmp_path)) == 60_000


@pytest.mark.prove
@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_a_million_windows_are_taken_over_in_a_minute_and_hold_nobody_up(
    tmp_path: Path, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
    file = many(tmp_path, 1_000_000)
    command = [sys.executable, "-m", "gateway", "windows", "import", file, "--config", str(tmp_path / "config.yaml")]
    if not runs:
        took = await timed_run(command)
    else:
        timed = Timed(monkeypatch)
        async with a_shop(tmp_path) as shop:
            task = asyncio.create_task(timed_run(command))
            waits = await posts_while(shop, task)
            took = await task
        print(f"{timed}; posts: {waits}")
        assert timed.at(0.99) < 0.05
    print(f"a million windows in {took:.1f} s")
    assert took < 60
    assert len(windows(tmp_path)) == 1_000_000


async def timed_run(command: list[str]) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0
    return time.perf_counter() - began


async def posts_while(shop: Shop, task: asyncio.Task[float]) -> str:
    """Somebody else's messages, one after the other, and how long they took."""
    took: list[float] = []
    while not task.done():
        began = time.perf_counter()
        assert (await shop.post(destination_addr=f"38067{len(took):07d}"))[0] == 200
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    took.sort()
    half, most = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    return f"{len(took)}, half within {half:.0f} ms, 99 % within {most:.0f} ms"
