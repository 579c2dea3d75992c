"""``gateway templates sync`` and ``diff``: what a provider lists, beside the files, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp.test_utils import TestServer
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.provider.sandbox import TravelClock, sandbox_app
from tests.template_factories import BODY, a_document, write_template

THREE = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} ships on {{3}} from us."}
OTHER = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} has left."}
TOKEN = "a-graph-token-that-nobody-may-see"


@dataclass
class Account:
    """An account at the sandbox, and an operator's folder."""

    folder: Path
    server: TestServer

    def config(self, *names: str) -> None:
        listed = {"base_url": str(self.server.make_url("/v24.0")), "account": "1", "token": "${GRAPH_TOKEN}"}
        providers = [{"name": name, "kind": "sandbox", "templates": listed} for name in names]
        (self.folder / "config.yaml").write_text(yaml.safe_dump({"providers": providers}))

    async def run(self, *words: str) -> Result:
        told = await asyncio.to_thread(
            CliRunner(env={"GRAPH_TOKEN": TOKEN}).invoke,
            cli,
            ["templates", *words, "--config", str(self.folder / "config.yaml")],
        )
        assert TOKEN not in told.output
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        return told

    async def synced(self, *words: str) -> dict[str, Any]:
        return dict(json.loads((await self.run("sync", "--json", *words)).stdout))

    async def differing(self) -> dict[str, list[str]]:
        return {f"{row['name']}/{row['language']}": row["what"] for row in (await self.synced())["templates"]}

    async def change(self, name: str = "order_sent", **fields: Any) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.server.make_url("/templates"), json={"template": name, **fields}) as answer,
        ):
            assert answer.status == 200

    async def refuse(self, code: int) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.server.make_url("/faults"), json={"refuse_list": code}) as answer,
        ):
            assert answer.status == 200

    def file(self, name: str = "order_sent.en_US.yaml") -> Any:
        return yaml.safe_load((self.folder / "templates" / name).read_text())


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    """One template at the provider, and its file with a fill of the operator's."""
    templates = tmp_path / "templates"
    templates.mkdir()
    write_template(templates, {**a_document(), "fill": {"body": ["you", "{{ message.reference }}"]}})
    server = TestServer(sandbox_app(clock=TravelClock(), templates=[a_document()]))
    await server.start_server()
    account = Account(tmp_path, server)
    account.config("dt")
    yield account
    await server.close()


# --- what differs -----------------------------------------------------------------------------------------------------


async def test_what_is_the_same_there_and_here_is_not_told(account: Account) -> None:
    told = await account.run("sync")
    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr == "What is listed and what the files say is the same.\n"


async def test_what_differs_is_told_with_how(account: Account) -> None:
    await account.change(status="REJECTED", category="UTILITY", components=[THREE])
    told = await account.run("sync")
    assert told.exit_code == 1
    heads, row = (line.split("\t") for line in told.stdout.splitlines())
    assert heads == ["provider", "name", "language", "what", "details"]
    assert row == [
        "dt",
        "order_sent",
        "en_US",
        "status, category, contract, texts",
        "REJECTED there, APPROVED here; UTILITY there, MARKETING here; body takes 3 parameters there, 2 here",
    ]


async def test_what_is_only_there_or_only_here_is_told(account: Account) -> None:
    path = account.folder / "templates" / "order_sent.en_US.yaml"
    path.rename(path.with_name("order_gone.en_US.yaml"))
    write_template(account.folder / "templates", a_document(name="order_gone"))
    assert await account.differing() == {"order_gone/en_US": ["only here"], "order_sent/en_US": ["only there"]}


async def test_what_is_listed_and_not_understood_is_named(account: Account) -> None:
    await account.change(components=[{"type": "BODY", "text": "Hello {{1}} and {{3}}!"}])
    (row,) = (await account.synced())["templates"]
    assert (row["what"], row["details"][0].startswith("components[0].text: ")) == (["unreadable"], True)


async def test_without_write_nothing_is_written(account: Account) -> None:
    await account.change(components=[OTHER])
    assert (await account.run("sync")).stderr == "Nothing was written; --write writes what is there into the files.\n"
    assert account.file()["components"] == [BODY]


# --- writing ----------------------------------------------------------------------------------------------------------


async def test_what_is_listed_is_written_and_the_fill_stays(account: Account) -> None:
    await account.change(components=[OTHER])
    told = await account.synced("--write")
    assert [(row["outcome"], row["what"]) for row in told["templates"]] == [("replaced", ["texts"])]
    assert account.file()["components"] == [OTHER]
    assert account.file()["fill"] == {"body": ["you", "{{ message.reference }}"]}
    assert (await account.run("sync")).exit_code == 0


async def test_a_template_without_a_file_gets_one(account: Account) -> None:
    (account.folder / "templates" / "order_sent.en_US.yaml").unlink()
    told = await account.run("sync", "--write")
    assert told.exit_code == 0
    assert account.file()["status"] == "APPROVED"


async def test_a_fill_that_no_longer_fits_is_told_and_its_file_stays_as_it_is(account: Account) -> None:
    await account.change(components=[THREE])
    told = await account.run("sync", "--write")
    assert told.exit_code == 1
    assert "order_sent/en_US: fill" in told.stderr
    assert account.file()["components"] == [BODY]


async def test_a_pause_is_told_and_never_written_into_a_file_that_would_keep_it(account: Account) -> None:
    await account.change(status="PAUSED", components=[OTHER])
    (told,) = (await account.synced("--write"))["templates"]
    assert (told["outcome"], told["differs"]) == ("replaced", True)
    assert (account.file()["status"], account.file()["components"]) == ("APPROVED", [OTHER])
    await account.change(status="DISABLED")
    await account.run("sync", "--write")
    assert account.file()["status"] == "DISABLED"


# --- the difference of one --------------------------------------------------------------------------------------------


async def test_the_difference_is_shown_in_words_and_as_a_diff(account: Account) -> None:
    await account.change(components=[THREE])
    told = await account.run("diff")
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "order_sent/en_US at dt",
        "  body takes 3 parameters there, 2 here",
        "  --- here",
        "  +++ there",
        "  @@ -1,2 +1,2 @@",
        "   body",
        "  -  Hello {{1}}, your order {{2}} is on its way.",
        "  +  Hello {{1}}, your order {{2}} ships on {{3}} from us.",
        "",
    ]


async def test_programs_get_both_contracts(account: Account) -> None:
    await account.change(components=[THREE])
    told = json.loads((await account.run("diff", "order_sent", "--json")).stdout)
    assert told["contract"] == ["body takes 3 parameters there, 2 here"]
    counts = {side: schema["$defs"]["body"]["properties"]["parameters"] for side, schema in told["schemas"].items()}
    assert {side: parameters["minItems"] for side, parameters in counts.items()} == {"there": 3, "here": 2}


async def test_a_pause_is_no_difference_of_that_kind(account: Account) -> None:
    await account.change(status="PAUSED")
    told = await account.run("diff", "order_sent/en_US")
    assert (told.exit_code, told.stdout) == (0, "")


async def test_a_name_that_is_not_registered_is_told(account: Account) -> None:
    told = await account.run("diff", "nobody_s")
    assert (told.exit_code, "there is no template nobody_s" in told.stderr) == (1, True)


# --- what can't be done -----------------------------------------------------------------------------------------------


async def test_half_a_list_is_none_and_who_refused_is_told(account: Account) -> None:
    await account.refuse(190)
    told = await account.run("sync", "--write")
    assert told.exit_code == 1
    assert told.stderr.startswith("gateway: dt: the list of templates answered HTTP 401 with code 190: look at ")


async def test_a_configuration_without_a_list_says_where_it_would_stand(account: Account) -> None:
    (account.folder / "config.yaml").write_text("providers: [{name: dt, kind: sandbox}]\n")
    told = await account.run("sync")
    assert (told.exit_code, told.stderr.startswith("providers: none lists its templates")) == (2, True)


async def test_of_several_lists_one_is_written(account: Account) -> None:
    account.config("dt", "other")
    await account.change(status="REJECTED")
    assert [row["provider"] for row in (await account.synced())["templates"]] == ["dt", "other"]
    assert "say with --provider whose to write (dt, other)" in (await account.run("sync", "--write")).stderr
    assert (await account.run("sync", "--write", "--provider", "other")).exit_code == 0
    assert "none is called far" in (await account.run("sync", "--provider", "far")).stderr
