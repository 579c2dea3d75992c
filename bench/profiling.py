"""Where the microseconds go: one round under py-spy."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import stacks
from bench.failing import CannotMeasure
from bench.processes import Server
from bench.rounds import Kind, Measured, Rounds

_PER_SECOND = 250
_TO_ATTACH = 2.0
_TO_WRITE = 60


@dataclass(slots=True, kw_only=True)
class Profiler:
    """Samples a server all the while it is measured. Its figures are lower then, its proportions are right."""

    output: Path
    is_native: bool = False
    _spies: list[subprocess.Popen[str]] = field(default_factory=list)

    def measure(self, rounds: Rounds, kind: Kind) -> Measured:
        """Raises CannotMeasure when py-spy may not look into other processes."""
        self.output.unlink(missing_ok=True)
        try:
            return replace(rounds, watch=self._watch).measure(kind, seed=1)
        finally:
            for spy in self._spies:
                _finish(spy)

    def tables(self) -> str:
        return stacks.tables(self.output.read_text().splitlines())

    def _watch(self, server: Server) -> None:
        program = Path(sys.executable).with_name("py-spy")
        written = ["record", "--pid", str(server.pid), "--format", "raw", "--threads", "--function", "--full-filenames"]
        native = ["--native"] if self.is_native else []
        spy = subprocess.Popen(  # noqa: S603 - our own words
            [str(program), *written, *native, "--rate", str(_PER_SECOND), "--output", str(self.output)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._spies.append(spy)
        time.sleep(_TO_ATTACH)
        if spy.poll() is not None:
            raise CannotMeasure(f"py-spy failed; it needs root, or kernel.yama.ptrace_scope=0: {spy.communicate()[1]}")


def _finish(spy: subprocess.Popen[str]) -> None:
    """It writes what it has seen when it is interrupted, or when what it looked at has ended."""
    if spy.poll() is None:
        spy.send_signal(signal.SIGINT)
    try:
        spy.communicate(timeout=_TO_WRITE)
    except subprocess.TimeoutExpired:
        spy.kill()
        spy.communicate()
