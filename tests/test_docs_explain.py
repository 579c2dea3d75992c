"""The page about explaining: its commands and its example are asked, its tables name what there is."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.domain.would_change import Action, What
from gateway.ports import StorePolicy
from gateway.store import open_store
from tests.readme import FENCE, ROOT

PAGE = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
LINES = [line for _, _, body in FENCE.findall(SECTIONS["gateway explain"]) for line in body.splitlines()]
CONFIG = """
providers: [{name: sandbox, kind: sandbox}]
clients: [{name: desk, keys: [some-key-of-the-desk-for-tests], senders: [Shop]}]
senders: [{id: Shop, provider: sandbox, ladder: [ticket_answer]}]
intents: [{name: order_news, templates: [ticket_answer]}]
"""


def first_column(section: str, head: str) -> list[str]:
    table = SECTIONS[section].partition(f"| {head} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def posted() -> dict[str, Any]:
    """The body of the example."""
    (example,) = re.findall(r"-d '(\{.*\})'", PAGE)
    body: dict[str, Any] = json.loads(example)
    return body


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    for name in ("templates", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    await (await open_store(f"sqlite:///{tmp_path}/gateway.db", StorePolicy())).aclose()
    (tmp_path / "message.json").write_text(json.dumps(posted()), encoding="utf-8")
    return tmp_path


async def told(words: list[str]) -> str:
    answer = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize("line", LINES)
async def test_each_command_answers(folder: Path, line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "gateway"
    assert await told(words)


async def test_the_keys_of_the_answer_are_those_of_the_table(folder: Path) -> None:
    view = json.loads(await told(["explain", "--body", "message.json", "--json"]))
    assert list(view) == first_column("The answer", "key | holds")
    for key in ("window", "pace"):
        row = re.search(rf"^\| `{key}` \|(.*)\|$", PAGE, re.MULTILINE)
        assert row is not None
        assert set(view[key]) <= set(re.findall(r"`(\w+)`", row[1]))


def test_every_change_and_every_decision_is_told() -> None:
    assert first_column("The answer", "what | means") == [what.value for what in What]
    assert {action for action in get_args(Action) if f"`{action}`" not in PAGE} == {"hold"}


def test_the_options_that_are_named_are_those_of_the_command() -> None:
    found = CliRunner().invoke(cli, ["explain", "--help"]).output
    assert [option for option in set(re.findall(r"`(--[a-z-]+)", PAGE)) if option not in found] == []


def test_the_page_fits_a_terminal() -> None:
    assert [line for line in PAGE.splitlines() if len(line) > 200] == []
