"""The machine: its cores, and what its processes use of them, as Linux tells it under /proc."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.failing import CannotMeasure

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_IDLE = (3, 4)
"""Of the numbers of a core in /proc/stat: idle, and waiting for a disk."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where: the server under test alone on one core, everything else on the other."""

    server: int
    load: int

    @classmethod
    def choose(cls) -> Cores:
        """Raises CannotMeasure on a machine with one core."""
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise CannotMeasure("two cores are needed: one for the server, one for the load")
        return cls(allowed[0], allowed[1])


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """What is started within the block runs on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far."""
    return _used(Path(f"/proc/{pid}/stat"))


def threads_cpu_seconds(pid: int) -> dict[int, float]:
    """What each thread of a process has used so far."""
    return {int(task.name): _used(task / "stat") for task in Path(f"/proc/{pid}/task").iterdir()}


def _used(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def busy_seconds(core: int) -> float:
    """What everybody has used of a core so far."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            spent = [int(tick) for index, tick in enumerate(ticks[:8]) if index not in _IDLE]
            return sum(spent) / _TICK
    raise CannotMeasure(f"/proc/stat says nothing of core {core}")


def description() -> str:
    """The processor, and the versions that matter."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return (
        f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python {platform.python_version()}, "
        f"aiohttp {aiohttp.__version__}, SQLite {sqlite3.sqlite_version}"
    )
