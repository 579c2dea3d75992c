"""What an operator may see and do: over the socket of a running gateway, or on the file when none runs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import click.testing
import pytest
from aiohttp import web

from gateway.cli import cli
from gateway.clock import SystemClock
from gateway.domain.compliance import Evidence, Reason, Send
from gateway.domain.delivery import Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Draft, FreeForm, Status
from gateway.domain.window import ServiceWindow
from gateway.operator import operator_app
from gateway.ports import Attempt, Store, StorePolicy
from gateway.store import open_store

SENDER = Sender("Shop")
CONTACT = Contact("380501234567")
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TEXT = FreeForm(type="text", text="a text of the desk")
SEND = Send(
    content=TEXT,
    reasons=(Reason.WINDOW_OPEN,),
    evidence=Evidence(
        at=NOW, window=ServiceWindow(anchor=NOW), margin=timedelta(0), downgrades=0, downgrade_limit=None
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(
        "clients: [{name: desk, keys: ['${DESK_KEY:-a-key-of-the-desk}'], senders: [Shop]}]\n"
        "providers: [{name: sandbox, kind: sandbox}]\n"
        "senders: [{id: Shop, provider: sandbox}]\n"
    )
    return tmp_path


@asynccontextmanager
async def store_in(folder: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{folder}/gateway.db", StorePolicy(), lock_timeout=0.2)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def operator_on(folder: Path, store: Store) -> AsyncIterator[aiohttp.ClientSession]:
    """The operator's door, open; and a client that knocks as a program of another kind would."""
    runner = web.AppRunner(operator_app(store, SystemClock()))
    await runner.setup()
    socket = str(folder / "gateway.sock")
    await web.UnixSite(runner, socket).start()
    try:
        async with aiohttp.ClientSession("http://gateway", connector=aiohttp.UnixConnector(socket)) as session:
            yield session
    finally:
        await runner.cleanup()


async def a_message(store: Store, *, client: str = "desk") -> MessageId:
    draft = Draft(client=client, sender=SENDER, contact=CONTACT, content=TEXT)
    return (await store.enqueue(draft, SEND, now=NOW)).receipt.message_id


async def an_unknown_message(store: Store) -> MessageId:
    message_id = await a_message(store)
    (claim,) = (await store.claim(SENDER, limit=1, now=NOW, downgrades_since=NOW)).claims
    attempt = Attempt(message_id=message_id, number=1, token="token", content=TEXT)
    assert await store.begin(claim, attempt, SEND, now=NOW)
    words = ProviderError(name="lost\x1b[31m", message="the answer\twas lost")
    assert await store.record(claim, attempt, Unknown(error=words), now=NOW) is Status.UNKNOWN
    return message_id


async def run(folder: Path, *words: str) -> click.testing.Result:
    """The command line, in a thread of its own: it runs a loop of its own."""
    command = [*words, "--config", str(folder / "config.yaml")]
    return await asyncio.to_thread(click.testing.CliRunner().invoke, cli, command)


# --- while the gateway runs -----------------------------------------------------------------------------------------


async def test_a_running_gateway_does_what_the_command_asks(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        first, second, third = await an_unknown_message(store), await a_message(store), await a_message(store)
        retried = await run(folder, "messages", "retry", str(first))
        cancelled = await run(folder, "messages", "cancel", str(second), "--json")
        assert (retried.exit_code, retried.output) == (0, f"{first} is queued\n")
        assert json.loads(cancelled.output) == {"id": str(second), "status": "cancelled"}
        assert [(await store.message(each, client=None)).status for each in (first, second, third)] == [
            Status.QUEUED,
            Status.CANCELLED,
            Status.QUEUED,
        ]


async def test_an_unknown_message_can_be_closed(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        message_id = await an_unknown_message(store)
        closed = await run(folder, "messages", "close", str(message_id))
        assert (closed.exit_code, closed.output) == (0, f"{message_id} is failed\n")


@pytest.mark.parametrize(("verb", "only"), [("retry", "unknown"), ("close", "unknown")])
async def test_a_command_that_changes_nothing_says_so_and_fails(folder: Path, verb: str, only: str) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        message_id = await a_message(store)
        await store.cancel(message_id, by="test", now=NOW)
        answer = await run(folder, "messages", verb, str(message_id))
        assert answer.exit_code == 1
        assert f"nothing was changed: only one that is {only}" in answer.output


async def test_a_message_that_is_not_there_is_said_so_in_one_line(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        for command in (["retry"], ["show"]):
            answer = await run(folder, "messages", *command, "4711")
            assert answer.exit_code == 1
            assert answer.output.count("\n") == 1
            assert answer.output.startswith("gateway: ")


async def test_the_store_keeps_who_did_it(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store) as session:
        message_id = await a_message(store)
        async with session.post(f"/messages/{message_id}/cancel", headers={"Gateway-Operator": "olena"}) as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "cancelled"})
    assert b"operator olena" in (folder / "gateway.db").read_bytes()


async def test_the_door_takes_only_what_it_knows(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store) as session:
        message_id = await a_message(store)
        for method, path, status in (
            ("POST", f"/messages/{message_id}/delete", 404),
            ("GET", f"/messages/{message_id}/cancel", 405),
            ("POST", "/messages/x/cancel", 404),
            ("GET", "/messages?status=lost", 400),
            ("GET", "/messages?limit=all", 400),
            ("GET", "/messages?limit=100000", 400),
        ):
            async with session.request(method, path) as answer:
                assert answer.status == status, path
        assert (await store.message(message_id, client=None)).status is Status.QUEUED


async def test_the_door_lists_and_shows_what_a_store_in_memory_holds(folder: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(config.read_text() + "store: {url: 'memory:'}\n")
    store = await open_store("memory:", StorePolicy())
    try:
        async with operator_on(folder, store):
            message_id = await a_message(store)
            listed = await run(folder, "messages", "list", "--json", "--client", "desk", "--status", "queued")
            shown = await run(folder, "messages", "show", str(message_id), "--json")
        assert [row["id"] for row in json.loads(listed.output)["messages"]] == [str(message_id)]
        assert json.loads(shown.output)["content"]["text"] == TEXT.text
    finally:
        await store.aclose()


# --- while none runs ------------------------------------------------------------------------------------------------


async def test_without_a_gateway_the_command_works_on_the_file_itself(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
    cancelled = await run(folder, "messages", "cancel", str(message_id))
    assert (cancelled.exit_code, cancelled.output) == (0, f"{message_id} is cancelled\n")
    async with store_in(folder) as store:
        assert (await store.message(message_id, client=None)).status is Status.CANCELLED


async def test_a_socket_that_a_dead_gateway_left_behind_counts_as_none(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
        async with operator_on(folder, store):
            left = folder / "gateway.sock"
            os.link(left, folder / "copy.sock")
    os.replace(folder / "copy.sock", left)
    assert (await run(folder, "messages", "cancel", str(message_id))).exit_code == 0


async def test_without_a_gateway_a_store_in_memory_is_out_of_reach(folder: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(config.read_text() + "store: {url: 'memory:'}\n")
    for command in (["list"], ["show", "1"], ["cancel", "1"]):
        answer = await run(folder, "messages", *command)
        assert answer.exit_code == 1
        assert answer.output.startswith(f"gateway: no gateway listens on {folder}/gateway.sock")


async def test_a_command_makes_no_store(folder: Path) -> None:
    for command in (["list"], ["show", "1"], ["cancel", "1"]):
        answer = await run(folder, "messages", *command)
        assert (answer.exit_code, "there is no such store" in answer.output) == (1, True)
    assert os.listdir(folder) == ["config.yaml"]


async def test_looking_up_needs_no_secret_and_no_complete_configuration(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
    (folder / "config.yaml").write_text("clients: [{keys: ['${NOT_SET}']}]\nserver: {public_url: '${NOT_SET}'}\n")
    listed = await run(folder, "messages", "list", "--json")
    assert [row["id"] for row in json.loads(listed.output)["messages"]] == [str(message_id)]


# --- how it is shown ------------------------------------------------------------------------------------------------


async def test_a_list_that_a_program_reads_has_one_line_per_message_and_tabs(folder: Path) -> None:
    async with store_in(folder) as store:
        first, second = await a_message(store), await a_message(store, client="a client with a rather long name " * 4)
    listed = (await run(folder, "messages", "list")).output.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["id", str(second), str(first)]
    assert len({line.count("\t") for line in listed}) == 1


async def test_a_list_goes_on_where_the_page_before_ended(folder: Path) -> None:
    async with store_in(folder) as store:
        ids = [str(await a_message(store)) for _ in range(3)]
    page = json.loads((await run(folder, "messages", "list", "--limit", "2", "--json")).output)
    rest = json.loads((await run(folder, "messages", "list", "--cursor", page["next_cursor"], "--json")).output)
    assert [row["id"] for row in page["messages"] + rest["messages"]] == ids[::-1]


async def test_a_contact_is_found_whatever_its_spelling(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
    found = await run(folder, "messages", "list", "--json", "--contact", "+380 50 123-45-67")
    wrong = await run(folder, "messages", "list", "--contact", "050 123")
    assert [row["id"] for row in json.loads(found.output)["messages"]] == [str(message_id)]
    assert (wrong.exit_code, "international form" in wrong.output) == (2, True)


async def test_a_message_is_shown_with_its_decision_its_attempts_and_its_statuses(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await an_unknown_message(store)
    shown = (await run(folder, "messages", "show", str(message_id))).output
    for expected in (f"id:           {message_id}", "client:       desk", "window_open", "1\tunknown", "unknown"):
        assert expected in shown
    assert "lost [31m the answer was lost" in shown
    assert "\x1b" not in shown
