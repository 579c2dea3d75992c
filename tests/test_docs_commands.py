"""The pages on switching on and on look-ups: each command is run, each configuration is loaded, each link followed."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from gateway.cli import cli
from gateway.config_file import config_from
from gateway.demo import demo_config
from gateway.domain.compliance import Mode
from gateway.ports import StorePolicy
from gateway.store import open_store
from tests.readme import FENCE, ROOT
from tests.store.asking import enqueue
from tests.store.factories import a_draft, a_send

PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("switching-on.md", "commands.md", "templates.md")
}
WATCH = PAGES["switching-on.md"].partition("## Watch first: observe mode")[2].partition("\n## ")[0]
COMMANDS = [
    line
    for text in (WATCH, PAGES["commands.md"], PAGES["templates.md"])
    for _, language, body in FENCE.findall(text)
    if language == "sh"
    for line in body.splitlines()
]


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as an operator has it, with a store in which there is a message."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"senders": [{"id": "Custom Company"}]}))
    for name in ("templates", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    exported = yaml.safe_load((ROOT / "templates" / "ticket_answer.en_US.yaml").read_text(encoding="utf-8"))
    (tmp_path / "export.json").write_text(json.dumps({"data": [exported]}))
    store = await open_store(f"sqlite:///{tmp_path}/gateway.db", StorePolicy())
    draft, now = a_draft(), a_send().evidence.at
    await enqueue(store, draft, a_send(), now=now)
    await store.aclose()
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
async def test_each_command_does_what_it_is_there_for(folder: Path, line: str) -> None:
    program, *words = shlex.split(line)
    answer = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert (program, answer.exit_code) == ("gateway", 0), answer.output


def test_every_option_that_the_page_names_is_one_of_its_command() -> None:
    parts = [part for name in ("commands.md", "templates.md") for part in PAGES[name].split("\n## gateway ")[1:]]
    for part in parts:
        title, _, text = part.partition("\n")
        found = CliRunner().invoke(cli, [*title.split(), "--help"]).output
        assert [option for option in set(re.findall(r"`(--[a-z-]+)", text)) if option not in found] == []


def test_the_sender_that_is_shown_observes(tmp_path: Path) -> None:
    (shown,) = [body for _, language, body in FENCE.findall(WATCH) if language == "yaml"]
    tree = {**demo_config(8080), **yaml.safe_load(shown)}
    tree["providers"] = [{"name": "dt", "kind": "sandbox"}]
    tree["clients"] = [{**tree["clients"][0], "senders": ["Custom Company"]}]
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    assert config_from(tree, {}, folder=tmp_path, name="shown").senders[0].mode is Mode.OBSERVE


def test_links_lead_to_headings_that_are_there() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGES["switching-on.md"], re.MULTILINE)
    }
    links = re.findall(r"\]\(switching-on\.md#([^)]+)\)", PAGES["commands.md"])
    assert links
    assert set(links) <= headings
