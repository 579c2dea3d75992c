"""Where the microseconds go: one round under py-spy."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import stacks
from bench.failing import CannotMeasure
from bench.machine import threads_cpu_seconds
from bench.processes import Server
from bench.rounds import Kind, Measured, Rounds

_PER_SECOND = 250
_TO_ATTACH = 2.0
_TO_WRITE = 60


@dataclass(slots=True, kw_only=True)
class Profiler:
    """Samples a server all the while it is measured.

    The kernel says how much each thread used, the samples on what. The server is not stopped for a look, which would
    change what is seen on one core; the price is that a stack may lack its outer frames.
    """

    output: Path
    _used: Mapping[int, float] = field(default_factory=dict)

    def measure(self, rounds: Rounds, kind: Kind) -> Measured:
        """Raises CannotMeasure when py-spy may not look into other processes."""
        self.output.unlink(missing_ok=True)
        return replace(rounds, watch=self._watch).measure(kind, seed=1)

    def tables(self, count: int) -> str:
        """Microseconds for each of so many requests or messages."""
        micros = {thread: seconds / count * 1e6 for thread, seconds in self._used.items()}
        return stacks.tables(self.output.read_text().splitlines(), micros)

    @contextmanager
    def _watch(self, server: Server) -> Iterator[None]:
        spy = self._attach(server)
        before = threads_cpu_seconds(server.pid)
        try:
            yield
            after = threads_cpu_seconds(server.pid)
            self._used = {thread: seconds - before.get(thread, 0) for thread, seconds in after.items()}
        finally:
            _finish(spy)

    def _attach(self, server: Server) -> subprocess.Popen[str]:
        spy = subprocess.Popen(  # noqa: S603 - our own words
            [
                *(str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(server.pid)),
                *("--format", "raw", "--threads", "--function", "--full-filenames", "--nonblocking"),
                *("--rate", str(_PER_SECOND), "--output", str(self.output)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        time.sleep(_TO_ATTACH)
        if spy.poll() is not None:
            raise CannotMeasure(f"py-spy failed; it needs root, or kernel.yama.ptrace_scope=0: {spy.communicate()[1]}")
        return spy


def _finish(spy: subprocess.Popen[str]) -> None:
    """It writes what it has seen when it is interrupted."""
    if spy.poll() is None:
        spy.send_signal(signal.SIGINT)
    try:
        spy.communicate(timeout=_TO_WRITE)
    except subprocess.TimeoutExpired:
        spy.kill()
        spy.communicate()
