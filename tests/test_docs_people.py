"""The pages about contacts and about switching on: what they tell to type is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gateway.cli import cli
from gateway.cli.window_file import COLUMNS
from gateway.domain.suppression import Scope

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [DOCS / "contacts.md", DOCS / "switching-on.md"]
COMMANDS = [
    line
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_one_of_ours_with_its_options(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "gateway"
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_commands_were_found() -> None:
    assert len(COMMANDS) >= 6


def test_scopes_and_columns_are_those_of_the_code() -> None:
    contacts, switching = (page.read_text("utf-8") for page in PAGES)
    assert all(f"| `{scope}`" in contacts for scope in Scope)
    assert ",".join(COLUMNS) in switching


def test_pages_fit_a_terminal() -> None:
    assert [line for page in PAGES for line in page.read_text("utf-8").splitlines() if len(line) > 200] == []
