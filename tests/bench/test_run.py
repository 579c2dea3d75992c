"""A run as small as can be: real processes, real load, and figures that stand for something."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bench import body, stored
from bench.__main__ import prepare
from bench.failing import CannotMeasure
from bench.load import AUTHORIZATION, Generator
from bench.machine import Cores, on_core
from bench.options import parse
from bench.rounds import Kind, Rounds
from bench.stored import Stored, problems

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("orjson", reason="the group bench is not installed")
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
needs_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core only")

GOOD = Stored(messages=100, submitted=100, to_closed=50, attempts=100, ids=100, templates=50)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    folder = tmp_path_factory.mktemp("bench")
    with ExitStack() as stack:
        cores = Cores.choose()
        stack.enter_context(on_core(cores.load))
        generator = Generator(body_file=folder / "body.json", seconds=1)
        generator.body_file.write_text(body.template())
        prepared = prepare(parse([]), cores, generator, folder, stack)
        yield replace(prepared, ours=replace(prepared.ours, warm_up=2))


def test_a_body_has_its_1100_bytes_and_its_contact() -> None:
    for number in (0, 1, body.CONTACTS - 1):
        written = body.body(body.contact(number))
        assert len(written) == 1_100
        assert json.loads(written)["destination_addr"] == body.contact(number)


@needs_cores
def test_the_gateway_accepts_the_body_and_sends_it_as_the_window_demands(rounds: Rounds) -> None:
    async def post(url: str, contact: str) -> str:
        headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as http, http.post(url, data=body.body(contact), headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return answer.headers["Gateway-Decision"]

    with ExitStack() as stack:
        gateway, _ = rounds.ours.start("one", f"http://127.0.0.1:{rounds.stub.port}/take", stack)
        decisions = [asyncio.run(post(gateway.url, body.contact(number))) for number in (5000, 5001)]
    assert decisions == ["sent", "downgraded"]


@needs_wrk
@needs_cores
def test_a_round_of_each_kind_is_measured_and_what_was_accepted_has_arrived(rounds: Rounds) -> None:
    for kind in (Kind.BARE, Kind.PROXY, Kind.ACCEPT, Kind.E2E):
        one = rounds.measure(kind, seed=1)
        assert one.count > 10
        assert one.per_second > 10
        assert 0 < one.cpu_micros < 1e5
        assert 0 < one.p50 <= one.p99 <= one.longest
    assert not list(rounds.ours.folder.glob("e2e*"))


def test_without_wrk_the_run_ends_with_the_way_to_get_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "apt-get install wrk" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--only", "bare,fast"], ["--dir", "/nowhere"], ["--profile", "x"]]
)
def test_a_wrong_argument_ends_the_run_before_it_begins(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    assert stopped.value.code == 2


def test_a_good_run_has_no_problems() -> None:
    assert problems(GOOD, answered=90, in_flight=64, taken=100, templates=50) == []


@pytest.mark.parametrize(
    ("stored_as", "said"),
    [
        ({"submitted": 99}, "lost or doubled"),
        ({"attempts": 101}, "lost or doubled"),
        ({"ids": 99}, "lost or doubled"),
        ({"templates": 49}, "had to leave as templates"),
        ({"messages": 89}, "requests were answered"),
        ({"messages": 155}, "requests were answered"),
    ],
)
def test_what_was_lost_doubled_or_sent_in_the_wrong_form_is_told(stored_as: dict[str, int], said: str) -> None:
    told = problems(replace(GOOD, **stored_as), answered=90, in_flight=64, taken=100, templates=50)
    assert any(said in line for line in told)


@pytest.mark.parametrize(
    "arrived", [{"taken": 99, "templates": 50}, {"taken": 101, "templates": 50}, {"taken": 100, "templates": 51}]
)
def test_what_the_provider_took_has_to_agree(arrived: dict[str, int]) -> None:
    assert problems(GOOD, answered=90, in_flight=64, **arrived)


def test_a_store_that_is_never_drained_ends_the_run(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "x.db")
    db.execute("create table message (status text)")
    db.execute("insert into message values ('queued')")
    db.commit()
    db.close()
    with pytest.raises(CannotMeasure, match="1 messages were not submitted"):
        stored.wait_until_submitted(tmp_path / "x.db", within=0)
