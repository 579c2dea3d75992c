"""What an operator may see and do: over the socket of a running gateway, or on the file when none runs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import click.testing
import pytest
import structlog
from aiohttp import web
from structlog.testing import capture_logs

from gateway.cli import cli
from gateway.clock import SystemClock
from gateway.domain.compliance import Evidence, Reason, Send
from gateway.domain.delivery import Submitted, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender, draw_token
from gateway.domain.message import Draft, FreeForm, Status
from gateway.domain.window import ServiceWindow
from gateway.operator import operator_app
from gateway.ports import Attempt, Claim, Store, StorePolicy
from gateway.store import open_store
from gateway.web.views import message_view
from tests.store.asking import enqueue

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


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The commands send logs to the standard error of their own run; afterwards it goes where it went before."""
    root, ours, access = logging.getLogger(), logging.getLogger("gateway"), logging.getLogger("aiohttp.access")
    before = (root.handlers, root.level, ours.level, access.disabled)
    yield
    root.handlers, root.level, ours.level, access.disabled = before
    structlog.reset_defaults()


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
    return (await enqueue(store, draft, SEND, now=NOW)).receipt.message_id


async def an_unknown_message(store: Store) -> MessageId:
    message_id = await a_message(store)
    claim, attempt = await begun(store, message_id)
    words = ProviderError(name="lost\x1b[31m", message="the answer\twas lost")
    assert (await store.record(claim, attempt, Unknown(error=words), now=NOW)).status is Status.UNKNOWN
    return message_id


async def begun(store: Store, message_id: MessageId) -> tuple[Claim, Attempt]:
    (claim,) = (await store.claim(SENDER, limit=1, now=NOW, downgrades_since=NOW)).claims
    attempt = Attempt(message_id=message_id, number=1, token=draw_token(message_id), content=TEXT)
    assert await store.begin(claim, attempt, SEND, now=NOW)
    return claim, attempt


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
        expected = {"id": str(second), "before": "queued", "status": "cancelled", "done": True}
        assert json.loads(cancelled.output) == expected
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


@pytest.mark.parametrize(
    ("verb", "only"),
    [
        ("retry", "unknown, and still has its content, can be sent again"),
        ("close", "unknown can be closed"),
        ("cancel", "queued or held can be cancelled"),
    ],
)
@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_a_command_that_changes_nothing_says_so_and_fails(folder: Path, verb: str, only: str, runs: bool) -> None:
    async with store_in(folder) as store:
        message_id = await an_unknown_message(store)
        await store.close(message_id, by="test", now=NOW)
        if runs:
            async with operator_on(folder, store):
                answer = await run(folder, "messages", verb, str(message_id))
    if not runs:
        answer = await run(folder, "messages", verb, str(message_id))
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"Error: nothing was changed: {message_id} is failed; only one that is {only}\n"


async def test_a_program_sees_that_nothing_was_done(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        message_id = await a_message(store)
        answer = await run(folder, "messages", "close", str(message_id), "--json")
        expected = {"id": str(message_id), "before": "queued", "status": "queued", "done": False}
        assert (answer.exit_code, json.loads(answer.stdout)) == (1, expected)


async def test_a_message_that_is_not_there_is_said_so_in_one_line(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        for command in (["retry"], ["show"]):
            answer = await run(folder, "messages", *command, "4711")
            assert answer.exit_code == 1
            assert answer.output.count("\n") == 1
            assert answer.output.startswith("gateway: ")


@pytest.mark.parametrize("number", [2**53, 99999999999999999999999, 0])
@pytest.mark.parametrize("command", ["show", "retry", "close", "cancel"])
async def test_a_number_that_is_no_id_is_refused_in_one_line(folder: Path, command: str, number: int) -> None:
    answer = await run(folder, "messages", command, str(number))
    assert answer.exit_code == 2
    assert f"{number} is not in the range 1<=x<=9007199254740991" in answer.output


async def test_who_did_what_is_shown_to_operators_and_not_to_the_client(folder: Path) -> None:
    async with store_in(folder) as store, operator_on(folder, store) as session:
        message_id = await a_message(store)
        for name, verb in (("olena", "cancel"), ("taras", "close")):
            path, headers = f"/messages/{message_id}/{verb}", {"Gateway-Operator": name}
            async with session.post(path, headers=headers) as answer:
                assert answer.status == 200
        async with session.get(f"/messages/{message_id}") as answer:
            told = await answer.json()
        shown = json.loads((await run(folder, "messages", "show", str(message_id), "--json")).output)
        table = (await run(folder, "messages", "show", str(message_id))).output
        record = await store.message(message_id, client="desk")
    expected = [
        {"by": "operator olena", "act": "cancel", "before": "queued", "after": "cancelled"},
        {"by": "operator taras", "act": "close", "before": "cancelled", "after": "cancelled"},
    ]
    assert [{key: act[key] for key in ("by", "act", "before", "after")} for act in told["acts"]] == expected
    assert shown["acts"] == told["acts"]
    assert "\nActs\nat\tby\tact\tbefore\tafter\n" in table
    assert "\toperator taras\tclose\tcancelled\tcancelled\n" in table
    assert "acts" not in message_view(record)


@pytest.mark.parametrize(
    ("verb", "event"),
    [("retry", "message.resent"), ("close", "message.closed"), ("cancel", "message.cancelled")],
)
async def test_what_an_operator_did_is_logged_and_what_was_not_done_is_not(folder: Path, verb: str, event: str) -> None:
    async with store_in(folder) as store, operator_on(folder, store) as session:
        message_id = await (a_message(store) if verb == "cancel" else an_unknown_message(store))
        with capture_logs() as logs:
            for name in ("olena", "taras"):
                path, headers = f"/messages/{message_id}/{verb}", {"Gateway-Operator": name}
                async with session.post(path, headers=headers) as answer:
                    assert answer.status == 200
    logged = [(each["event"], each["message_id"], each["operator"]) for each in logs]
    assert logged == [(event, message_id, "olena")]


@pytest.mark.parametrize("name", [b"\xff\xfe", "Олена".encode(), b"x" * 5000, b"a\x01b"])
async def test_a_name_of_any_bytes_is_taken_as_far_as_it_can_be_shown(folder: Path, name: bytes) -> None:
    async with store_in(folder) as store, operator_on(folder, store):
        message_id = await a_message(store)
        request = b"POST /messages/%d/cancel HTTP/1.1\r\nHost: gateway\r\nGateway-Operator: %s\r\n\r\n"
        reader, writer = await asyncio.open_unix_connection(folder / "gateway.sock")
        writer.write(request % (message_id, name))
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
        acts = (await store.message(message_id, client=None)).acts
    assert b" 500 " not in status
    assert all(act.by.isprintable() and len(act.by) <= 80 for act in acts)


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
            ("GET", f"/messages?limit={'9' * 5000}", 400),
            ("GET", "/messages?limit=%D9%A3", 400),
            ("GET", f"/messages?cursor={'9' * 5000}", 400),
            ("GET", "/messages/99999999999999999999999", 404),
            ("GET", f"/messages/{2**53}", 404),
            ("GET", "/messages/0", 404),
            ("GET", "/messages/%D9%A3", 404),
            ("GET", f"/messages/{'9' * 5000}", 404),
            ("POST", "/messages/99999999999999999999999/cancel", 404),
            ("GET", "/messages?client=%ED%A0%80", 200),
            ("GET", "/messages?contact=%FF%00", 200),
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
    assert "\naccepted_at:  2026-05-04 12:00:00Z\n" in shown
    for expected in (f"id:           {message_id}", "client:       desk", "window_open", "1\tunknown", "unknown"):
        assert expected in shown
    assert "lost [31m the answer was lost" in shown
    assert "\x1b" not in shown


async def test_what_the_provider_calls_an_attempt_is_shown(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
        claim, attempt = await begun(store, message_id)
        await store.record(claim, attempt, Submitted(provider_message_id="wamid.HBgMMzgw"), now=NOW)
    shown = (await run(folder, "messages", "show", str(message_id))).output
    assert "\twamid.HBgMMzgw\t" in shown


async def at_a_terminal(folder: Path, columns: int, *words: str) -> list[str]:
    """The lines that a terminal of this width gets, without the signs for bold."""
    command = [*words, "--config", str(folder / "config.yaml")]
    environ = {"FORCE_COLOR": "1", "COLUMNS": str(columns)}
    answer = await asyncio.to_thread(click.testing.CliRunner(env=environ).invoke, cli, command)
    assert answer.exit_code == 0, answer.output
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", answer.output).splitlines()]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
async def test_a_terminal_of_any_width_gets_whole_ids_and_contacts(folder: Path, columns: int) -> None:
    async with store_in(folder) as store:
        ids = [await a_message(store, client="a client with a rather long name") for _ in range(3)]
    listed = await at_a_terminal(folder, columns, "messages", "list")
    assert max(map(len, listed)) <= columns
    for message_id in ids:
        (line,) = [line for line in listed if str(message_id) in line.split()]
        assert columns < 80 or CONTACT in line.split()
    assert sum(CONTACT in line for line in listed) == len(ids)


async def test_a_wide_table_has_a_line_per_message_with_instants_to_the_second(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
    head, line = await at_a_terminal(folder, 120, "messages", "list")
    assert head.split() == ["id", "status", "client", "sender", "contact", "accepted_at", "changed_at"]
    instant = "2026-05-04 12:00:00Z"
    assert line.split() == [str(message_id), "queued", "desk", "Shop", CONTACT, *instant.split(), *instant.split()]


async def test_a_table_of_80_columns_folds_what_is_not_copied(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store, client="a-client-with-a-rather-long-name")
    _, *lines = await at_a_terminal(folder, 80, "messages", "list")
    first, second, *_ = lines
    assert (first.split()[0], first.split()[-2:]) == (str(message_id), ["2026-05-04", "2026-05-04"])
    assert second.split()[-2:] == ["12:00:00Z", "12:00:00Z"]
    assert "".join(line.split()[2 if line is first else 0] for line in lines) == "a-client-with-a-rather-long-name"


async def test_a_narrow_terminal_gets_a_block_per_message(folder: Path) -> None:
    async with store_in(folder) as store:
        message_id = await a_message(store)
    assert await at_a_terminal(folder, 40, "messages", "list") == [
        f"id:          {message_id}",
        "status:      queued",
        "client:      desk",
        "sender:      Shop",
        f"contact:     {CONTACT}",
        "accepted_at: 2026-05-04 12:00:00Z",
        "changed_at:  2026-05-04 12:00:00Z",
        "",
    ]


@pytest.mark.parametrize("columns", [40, 80])
async def test_a_message_fits_any_terminal(folder: Path, columns: int) -> None:
    async with store_in(folder) as store:
        message_id = await an_unknown_message(store)
        await store.close(message_id, by="olena", now=NOW)
    shown = await at_a_terminal(folder, columns, "messages", "show", str(message_id))
    assert max(map(len, shown)) <= columns
    assert [line for line in shown if line in ("Decisions", "Attempts", "Statuses", "Acts")] == [
        "Decisions",
        "Attempts",
        "Statuses",
        "Acts",
    ]
