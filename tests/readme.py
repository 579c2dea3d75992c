"""The README as it stands, and a stage on which what it says is done: real processes, on ports that are free."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

OWN = "Try a configuration of your own"
PRODUCTION = "In production with DecisionTelecom"
PORTS = ("8080", "8090", "8091")
"""Those that the README names: the gateway's, the sandbox's and the receiver's."""


def sections() -> dict[str, str]:
    """The text under each heading."""
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fenced(language: str, section: str) -> list[str]:
    found = FENCE.findall(sections()[section])
    return [textwrap.dedent(body) for _, name, body in found if name == language]


def commands(section: str) -> list[str]:
    """Each command of the ``sh`` blocks, continued lines joined."""
    joined = [block.replace("\\\n", " ") for block in fenced("sh", section)]
    return [line for block in joined for line in block.splitlines() if line.strip()]


@dataclass
class Stage:
    """A folder as a new user has it, in which the README's lines are typed. What was started runs until the end."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=lambda: dict(zip(PORTS, _free_ports(len(PORTS)), strict=True)))
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def save(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(self.placed(text), encoding="utf-8")
        return file

    def placed(self, text: str) -> str:
        """The text with our ports in place of the README's."""
        return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda port: self.ports[port[1]], text)

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", self.placed(line)],  # noqa: S607 - the line is one of the README's
            cwd=self.folder,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def told(self, line: str) -> str:
        """What a line that succeeds prints."""
        done = self.type(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, line: str, *, port: str, log: str) -> Path:
        """Start what a line starts, and wait until it listens on that port of the README's; the file of its output."""
        file = self.folder / log
        with file.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {self.placed(line)}"],  # noqa: S607 - the same
                cwd=self.folder,
                env=self._environ(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.running.append(process)
        until(lambda: process.poll() is not None or _listens(self.ports[port]), f"{line} listens on {port}")
        assert process.poll() is None, file.read_text()
        return file

    def stop(self) -> list[int]:
        """Stop what runs, the last that was started first; their exit codes."""
        codes = []
        while self.running:
            process = self.running.pop()
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(timeout=30))
        return codes

    def _environ(self) -> dict[str, str]:
        """As after the README's installation: `gateway` and `python3` are those that run this test."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "PYTHONPATH": str(ROOT), **self.environ}


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A stage with the repository's templates and schemas, and the programs that an installation brings."""
    for name in ("templates", "schemas"):
        shutil.copytree(ROOT / name, folder / name)
    programs = folder / "bin"
    programs.mkdir()
    _program(programs / "python3", f'exec "{sys.executable}" "$@"')
    _program(programs / "gateway", f'exec "{sys.executable}" -m gateway "$@"')
    stage = Stage(folder)
    try:
        yield stage
    finally:
        for process in stage.running:
            process.kill()
            process.wait()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def _program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def _free_ports(count: int) -> list[str]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


def _listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
