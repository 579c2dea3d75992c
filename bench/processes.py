"""Processes of a run: started on a core, waited for, and ended by their ids, whatever happens."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from bench.failing import CannotMeasure
from bench.machine import on_core

ROOT = Path(__file__).resolve().parents[1]
_READY_WITHIN = 20.0
_STOP_WITHIN = 45.0
_LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process that listens on 127.0.0.1."""

    pid: int
    port: int
    path: str = "/v1/api/send-whatsapp"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def start_module(module: str, *arguments: str, core: int, stack: ExitStack) -> Server:
    """One of our own small servers, ready; the port is its first argument."""
    port = free_port()
    process = start(["-m", module, str(port), *arguments], core=core, stack=stack)
    wait_until_listening(process, port, what=module)
    return Server(pid=process.pid, port=port)


def start(
    arguments: list[str], *, core: int, stack: ExitStack, root: Path = ROOT, log: TextIO | None = None
) -> subprocess.Popen[bytes]:
    """Python in a checkout, with what is installed there, ended when the stack unwinds.

    Ctrl-C at the terminal reaches only us, who end it in order.
    """
    installed = root / ".venv" / "bin" / "python"
    program = str(installed) if root != ROOT and installed.exists() else sys.executable
    with on_core(core):
        process = subprocess.Popen(  # noqa: S603 - our own words
            [program, *arguments], cwd=root, stdout=log, stderr=log, start_new_session=True
        )
    stack.callback(end, process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and make it, also when somebody presses Ctrl-C a second time."""
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_WITHIN)
    finally:
        process.kill()
        process.wait()


def wait_until_listening(process: subprocess.Popen[bytes], port: int, *, what: str) -> None:
    """Raises CannotMeasure when it ends before, or takes too long."""
    latest = time.monotonic() + _READY_WITHIN
    while time.monotonic() < latest:
        if process.poll() is not None:
            raise CannotMeasure(f"{what} ended with {process.returncode} while it was started")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_LOOK_EVERY)
        else:
            return
    raise CannotMeasure(f"{what} did not listen within {_READY_WITHIN:.0f} s")
