"""What an operator looks up on the command line: on the file, and through a gateway whose store is in memory."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import click.testing
import pytest
from aiohttp import web

from gateway.cli import cli
from gateway.clock import SystemClock
from gateway.config_file import load_history
from gateway.domain.compliance import observed
from gateway.domain.identity import Contact, Sender
from gateway.operator import operator_app
from gateway.ports import Clock, Store, StorePolicy
from gateway.provider.sandbox import TravelClock
from gateway.store import open_store
from tests.store.asking import enqueue, refuse
from tests.store.factories import TEXT, a_contact, a_downgrade, a_draft, a_refusal, a_send, an_inbound

SENDER = Sender("Shop")
NOW = datetime.now(UTC)
FILE, MEMORY = "sqlite:///gateway.db", "memory:"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path, FILE)
    return tmp_path


def write_config(folder: Path, url: str) -> None:
    (folder / "config.yaml").write_text(
        "clients: [{name: desk, keys: ['${NOT_SET}'], senders: [Shop]}]\n"
        "providers: [{name: sandbox, kind: sandbox}]\n"
        "senders: [{id: Shop, provider: sandbox, mode: observe}]\n"
        f"store: {{url: '{url}'}}\n"
    )


@asynccontextmanager
async def a_store(folder: Path, url: str = FILE) -> AsyncIterator[Store]:
    place = url.replace("sqlite:///", f"sqlite:///{folder}/")
    store = await open_store(place, StorePolicy(observing=frozenset({SENDER})), lock_timeout=0.2)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def gateway_with(folder: Path, store: Store, clock: Clock | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """The operator's door of a running gateway."""
    runner = web.AppRunner(operator_app(store, clock or SystemClock()))
    await runner.setup()
    socket = str(folder / "gateway.sock")
    await web.UnixSite(runner, socket).start()
    try:
        async with aiohttp.ClientSession("http://gateway", connector=aiohttp.UnixConnector(socket)) as session:
            yield session
    finally:
        await runner.cleanup()


async def fill(store: Store, now: datetime = NOW) -> None:
    """One sent, one that would have been downgraded, one that was refused when it came, an hour apart each."""
    hours = [now - timedelta(hours=hours) for hours in (4, 3, 2)]
    await store.ingest("sandbox", [an_inbound(sender=SENDER, opened_at=hours[0] - timedelta(hours=1))], now=hours[0])
    await enqueue(store, a_draft(sender=SENDER), a_send(), now=hours[0])
    await refuse(store, a_draft(sender=SENDER, contact=a_contact(2)), a_refusal(), now=hours[1])
    draft = a_draft(sender=SENDER, contact=a_contact(3), client="bot")
    await enqueue(store, draft, observed(TEXT, a_downgrade()), now=hours[2])


async def run(folder: Path, *words: str) -> click.testing.Result:
    command = [*words, "--config", str(folder / "config.yaml")]
    return await asyncio.to_thread(click.testing.CliRunner().invoke, cli, command)


async def rows(folder: Path, *words: str) -> list[dict[str, Any]]:
    answer = await run(folder, *words, "--json")
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


@asynccontextmanager
async def looked_at(folder: Path, how: str) -> AsyncIterator[None]:
    """A filled store: a file whose gateway runs, a file that nobody serves, or in memory behind the socket."""
    write_config(folder, MEMORY if how == "memory" else FILE)
    async with a_store(folder, MEMORY if how == "memory" else FILE) as store:
        await fill(store)
        if how != "alone":
            async with gateway_with(folder, store):
                yield
    if how == "alone":
        yield


WAYS = pytest.mark.parametrize("how", ["running", "alone", "memory"])


@WAYS
async def test_decisions_are_listed_oldest_first_with_what_was_never_accepted_among_them(
    folder: Path, how: str
) -> None:
    async with looked_at(folder, how):
        found = await rows(folder, "decisions", "--since", "1d")
        assert [(one["action"], one["stage"], one["instead"] and one["instead"]["action"]) for one in found] == [
            ("sent", "accept", None),
            ("refused", "accept", None),
            ("sent", "accept", "downgraded"),
        ]
        assert found[1]["message_id"] is None
        assert found[1]["evidence"]["rungs"][0]["problem"] == "not_approved"
        assert found[2]["instead"]["template"] == "ticket_answer/en_US"
        assert [one["contact"] for one in await rows(folder, "decisions", "--since", "150m")] == [a_contact(3)]


@WAYS
async def test_decisions_are_narrowed(folder: Path, how: str) -> None:
    async with looked_at(folder, how):

        async def found(*words: str) -> list[str]:
            return [one["contact"] for one in await rows(folder, "decisions", *words)]

        everybody = await found()
        assert await found("--action", "refused") == [a_contact(2)]
        assert await found("--instead", "downgraded") == [a_contact(3)]
        assert await found("--client", "bot") == [a_contact(3)]
        assert await found("--contact", f"+{a_contact(2)}") == [a_contact(2)]
        assert await found("--sender", "Nobody") == []
        assert await found("--stage", "send") == []
        assert await found("--stage", "accept") == everybody
        assert await found("--limit", "2") == everybody[:2]
        assert await found("--until", "1h") == everybody


async def test_a_table_of_decisions_says_why_and_that_there_are_more(folder: Path) -> None:
    async with looked_at(folder, "alone"):
        table = await run(folder, "decisions", "--limit", "2")
        head, *lines = table.stdout.splitlines()
        assert head.split("\t")[:4] == ["at", "stage", "action", "instead"]
        assert len(lines) == 2
        assert "window_closed, window_unknown, no_rung" in lines[1]
        assert lines[1].endswith("window unknown; ticket_answer/en_US: not_approved")
        assert table.stderr == "There are more: take a larger --limit, or narrow it down.\n"
        whole = await run(folder, "decisions")
        assert "downgraded ticket_answer/en_US (window_closed, window_unknown, fallback)" in whole.stdout
        assert whole.stderr == ""


@WAYS
async def test_windows_are_listed_as_they_are_now(folder: Path, how: str) -> None:
    async with looked_at(folder, how):
        found = await rows(folder, "windows", "list")
        assert [(one["contact"], one["state"]) for one in found] == [
            (Contact("380501234567"), "open"),
            (a_contact(3), "unknown"),
        ]
        assert found[0]["evidence"] == "message"
        opened, closes = (datetime.fromisoformat(found[0][key]) for key in ("opened_at", "closes_at"))
        assert closes - opened == timedelta(hours=24)
        assert [one["state"] for one in await rows(folder, "windows", "list", "--state", "unknown")] == ["unknown"]
        assert len(await rows(folder, "windows", "list", "--contact", "380 50 123-45-67")) == 1
        assert await rows(folder, "windows", "list", "--sender", "Nobody") == []
        assert await rows(folder, "windows", "list", "--closing-within", "18h") == []
        assert len(await rows(folder, "windows", "list", "--closing-within", "20h")) == 1


async def test_windows_that_close_soon_come_in_the_order_in_which_they_close(folder: Path) -> None:
    now = datetime.now(UTC)  # that of the module is as old as the run is long
    async with a_store(folder) as store:
        for number, minutes in enumerate((30, 5, 50, 10, 120, -5)):
            opened = now + timedelta(minutes=minutes) - timedelta(hours=24)
            arrival = an_inbound(sender=SENDER, contact=a_contact(number), opened_at=opened)
            await store.ingest("sandbox", [arrival], now=now)
    wanted = ("windows", "list", "--closing-within", "1h")
    assert [one["contact"] for one in await rows(folder, *wanted)] == [a_contact(number) for number in (1, 3, 0, 2)]
    assert [one["contact"] for one in await rows(folder, *wanted, "--limit", "2")] == [a_contact(1), a_contact(3)]
    table = await run(folder, *wanted, "--limit", "1")
    assert "There are more" in table.stderr
    assert [one["contact"] for one in await rows(folder, "windows", "list", "--state", "closed")] == [a_contact(5)]


async def test_a_window_is_judged_by_the_clock_of_the_gateway_that_runs(folder: Path) -> None:
    """Beside a sandbox it may have travelled."""
    clock = TravelClock()
    async with a_store(folder) as store:
        await store.ingest("sandbox", [an_inbound(sender=SENDER, opened_at=NOW)], now=NOW)
        async with gateway_with(folder, store, clock):
            assert [one["state"] for one in await rows(folder, "windows", "list")] == ["open"]
            clock.advance(timedelta(hours=25))
            assert [one["state"] for one in await rows(folder, "windows", "list")] == ["closed"]
            assert await rows(folder, "decisions", "--since", "1h") == []
    assert [one["state"] for one in await rows(folder, "windows", "list")] == ["open"]


@WAYS
async def test_a_report_sums_up_both_modes(folder: Path, how: str) -> None:
    async with looked_at(folder, how):
        answer = await run(folder, "report", "--since", "7d", "--json")
        report = json.loads(answer.stdout)
        enforced, watched = report["sections"]
        assert (enforced["mode"], enforced["free_form"]["inside"], enforced["free_form"]["refused"]) == (
            "enforce",
            1,
            1,
        )
        assert (watched["mode"], watched["free_form"]["downgraded"]) == ("observe", 1)
        assert watched["stood_in"] == [{"template": "ticket_answer/en_US", "count": 1}]
        assert (report["history_days"], report["is_cut"]) == (180, False)
        nobody = json.loads((await run(folder, "report", "--sender", "Nobody", "--json")).stdout)
        assert nobody["sections"] == []
        table = await run(folder, "report")
        assert "free-form, would be downgraded\t1\t" in table.stdout
        assert "Templates that would have stood in\ntemplate\tcount\nticket_answer/en_US\t1\n" in table.stdout


async def test_a_report_is_written_as_a_page(folder: Path) -> None:
    async with looked_at(folder, "alone"):
        written = await run(folder, "report", "--html", str(folder / "report.html"))
        assert (written.exit_code, written.stdout) == (0, f"{folder / 'report.html'} is written\n")
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert "<!doctype html>" in text
        assert "380501234567" not in text
        refused = await run(folder, "report", "--html", str(folder / "nowhere" / "report.html"))
        assert (refused.exit_code, f"there is no folder {folder / 'nowhere'}" in refused.stderr) == (2, True)


async def test_a_report_says_what_retention_has_removed(folder: Path) -> None:
    config = folder / "config.yaml"
    async with looked_at(folder, "alone"):
        config.write_text(config.read_text() + "retention: {content: 1d, history: 2d}\n")
        assert load_history(config, {}) == timedelta(days=2)
        report = await run(folder, "report", "--since", "7d")
        assert "History is kept 2 days: what is older is no longer counted." in report.stdout
        assert "History is kept" not in (await run(folder, "report", "--since", "1d")).stdout


@WAYS
async def test_messages_are_narrowed_by_sender_and_time(folder: Path, how: str) -> None:
    async with looked_at(folder, how):

        async def found(*words: str) -> list[str]:
            page = json.loads((await run(folder, "messages", "list", "--json", *words)).stdout)
            return [one["contact"] for one in page["messages"]]

        both = [a_contact(3), "380501234567"]
        assert await found("--since", "1d") == both
        assert await found("--since", "3h") == both[:1]
        assert await found("--until", "3h") == both[1:]
        assert await found("--since", "3h", "--contact", "380501234567") == []
        assert await found("--sender", "Shop") == both
        assert await found("--sender", "Nobody") == []
        assert await found("--sender", "Nobody", "--contact", "380501234567") == []


# --- what can't be asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decisions", "--since", "yesterday"], "expected 7d, a day such as 2026-11-01, or an instant such as"),
        (["decisions", "--since", "2026-11-01T08:00"], "its zone is missing; write 2026-11-01T08:00Z for UTC"),
        (["decisions", "--since", "99999999d"], "expected 7d, a day"),
        (["decisions", "--since", "2026-13-01"], "expected 7d, a day"),
        (["decisions", "--since", "0001-01-01T00:00+14:00"], "expected an instant of our time"),
        (["decisions", "--since", "1h", "--until", "2h"], "nothing lies between it and"),
        (["report", "--since", "2200-01-01"], "nothing lies between it and"),
        (["decisions", "--contact", "050 123"], "international form"),
        (["decisions", "--action", "held"], "'held' is not one of 'sent', 'downgraded', 'refused'"),
        (["decisions", "--limit", "5000"], "a table takes at most 1000; use --json for more"),
        (["windows", "list", "--closing-within", "soon"], "expected a time such as 30m, 24h or 7d"),
        (["windows", "list", "--limit", "0"], "0 is not in the range x>=1"),
        (["messages", "list", "--since", "later"], "expected 7d, a day"),
    ],
)
async def test_what_is_not_understood_is_said_with_what_was_expected(folder: Path, words: list[str], told: str) -> None:
    async with looked_at(folder, "alone"):
        answer = await run(folder, *words)
        assert (answer.exit_code, told in answer.stderr) == (2, True), answer.output
        option = "--since" if "between" in told else words[-2]
        assert option in answer.stderr.partition("Invalid value")[2]


@pytest.mark.parametrize("words", [["decisions"], ["windows", "list"], ["report"]])
async def test_a_look_up_makes_no_store_and_needs_one(folder: Path, words: list[str]) -> None:
    alone = await run(folder, *words)
    assert (alone.exit_code, "there is no such store" in alone.output) == (1, True)
    write_config(folder, MEMORY)
    memory = await run(folder, *words)
    assert (memory.exit_code, "no gateway listens on" in memory.output) == (1, True)
    assert os.listdir(folder) == ["config.yaml"]


async def test_a_look_up_writes_nothing(folder: Path) -> None:
    async with looked_at(folder, "alone"):
        before = (folder / "gateway.db").read_bytes()
        for words in (["decisions"], ["windows", "list"], ["report"]):
            assert (await run(folder, *words)).exit_code == 0
        assert (folder / "gateway.db").read_bytes() == before


async def test_the_door_refuses_what_it_can_not_read(folder: Path) -> None:
    async with a_store(folder) as store, gateway_with(folder, store) as session:
        since = "since=2026-11-01T00:00:00%2B00:00"
        for path, status in (
            ("/clock", 200),
            (f"/decisions?{since}", 200),
            ("/decisions", 400),
            ("/decisions?since=yesterday", 400),
            (f"/decisions?{since}&action=held", 400),
            (f"/decisions?{since}&stage=x", 400),
            (f"/decisions?{since}&after=-1", 400),
            (f"/decisions?{since}&after={'9' * 5000}", 400),
            (f"/refusals?{since}&sender=%ED%A0%80", 200),
            ("/windows?state=ajar", 400),
            ("/windows?closing_within=1h", 400),
            ("/windows?contact=%FF%00", 200),
            (f"/report?{since}", 400),
            ("/messages?since=yesterday", 400),
        ):
            async with session.get(path) as answer:
                assert answer.status == status, path
