"""The README does what it says: each fenced command is run, each fenced configuration is loaded."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.config_file import load_config, warnings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GATEWAY = [sys.executable, "-m", "gateway"]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def fenced(language: str) -> list[str]:
    return [textwrap.dedent(body) for _, name, body in _FENCE.findall(README) if name == language]


def commands() -> list[str]:
    """Each command of the ``sh`` blocks, continued lines joined."""
    return [line for block in fenced("sh") for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def test_every_fence_says_what_it_holds() -> None:
    assert {language for _, language, _ in _FENCE.findall(README)} == {"sh", "yaml", "text"}
    assert README.count("```") == 2 * len(_FENCE.findall(README))


def test_the_two_commands_come_first() -> None:
    assert commands()[:2] == ["make demo", "make test"]


# --- configuration --------------------------------------------------------------------------------------------------

ENVIRON = {"DESK_WEBHOOK_SECRET": "whsec_ZGVzaw==", "DT_KEY": "dt-key", "DT_CALLBACK_SECRET": "long-and-random-secret"}


def test_the_configuration_of_the_readme_loads_without_a_warning(tmp_path: Path) -> None:
    (shown,) = fenced("yaml")
    (tmp_path / "config.yaml").write_text(shown, encoding="utf-8")
    assert warnings(load_config(tmp_path / "config.yaml", ENVIRON)) == []


def test_the_readme_and_the_example_name_the_same_variables() -> None:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    (shown,) = fenced("yaml")
    assert set(re.findall(r"\$\{(\w+)\}", shown)) == set(ENVIRON)
    assert set(ENVIRON) < set(re.findall(r"\$\{(\w+)\}", example))


# --- commands -------------------------------------------------------------------------------------------------------


@dataclass
class Shell:
    """A folder as a new user has it, and the ways in which the README's commands are run there."""

    folder: Path
    environ: dict[str, str] = field(
        default_factory=lambda: {**ENVIRON, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    )

    def run(self, command: str) -> None:
        first = shlex.split(command)
        runner: Callable[[list[str]], None] = {
            "make": self.make,
            "pip": self.pip,
            "cp": self.plain,
            "gateway": self.gateway,
        }[first[0]]
        runner(first)

    def make(self, words: list[str]) -> None:
        """Only looked at: a target that installs or runs these tests can't be run from within them."""
        subprocess.run([*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)

    def pip(self, words: list[str]) -> None:
        """Run by the tests of the package."""
        assert words == ["pip", "install", "."]

    def plain(self, words: list[str]) -> None:
        subprocess.run(words, cwd=self.folder, env=self.environ, check=True)
        if words[0] == "cp":
            self.fill_in()

    def fill_in(self) -> None:
        """Step 3 of the README, on a port that is free."""
        (shown,) = fenced("yaml")
        (self.folder / "config.yaml").write_text(shown.replace("server:\n", "server:\n  port: 0\n"), encoding="utf-8")

    def gateway(self, words: list[str]) -> None:
        if words[1] in ("serve", "sandbox"):
            self.until_stopped(["0" if word == "8090" else word for word in words])
        else:
            done = subprocess.run(
                [*GATEWAY, *words[1:]], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
            )
            self.judge(words, done)

    def judge(self, words: list[str], done: subprocess.CompletedProcess[str]) -> None:
        """All succeed, but for those about a message that nobody sent: they say so."""
        told = done.stdout + done.stderr
        if "123456789" in words:
            assert (done.returncode, "gateway: " in done.stderr) == (1, True), told
        else:
            assert done.returncode == 0, told

    def until_stopped(self, words: list[str]) -> None:
        process = subprocess.Popen(
            [*GATEWAY, *words[1:]],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            self.wait_until_ready(process)
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=20)
            assert process.returncode == 0, rest
        finally:
            process.kill()
            process.communicate()

    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "base_url" in line or (line.startswith("{") and json.loads(line)["event"] == "gateway.started"):
                return
        pytest.fail("".join(seen))


def test_every_command_of_the_readme_is_run(tmp_path: Path) -> None:
    for name in ("templates", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "config.example.yaml", tmp_path)
    shell = Shell(tmp_path)
    for command in commands():
        shell.run(command)


def test_the_make_targets_that_the_readme_names_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets


def test_the_readme_names_every_command(tmp_path: Path) -> None:
    from gateway.cli import cli

    named = {shlex.split(command)[1] for command in commands() if command.startswith("gateway ")}
    assert set(cli.commands) - named == {"demo"}
    assert "make demo" in commands()


# --- the rest -------------------------------------------------------------------------------------------------------


def test_links_to_files_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_changelog_says_of_every_dependency_what_it_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[=<>]", dependency)[0] for dependency in project["dependencies"]}
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([a-z0-9-]+) \| \S", changelog, re.MULTILINE)) - {"package"} == names


def test_the_changelog_knows_this_version() -> None:
    from gateway import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_runner_of_commands_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Shell(tmp_path).run("rm -rf /")
