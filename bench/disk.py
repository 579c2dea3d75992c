"""The disk that the store stands on: a real one, and how long it takes to make something durable."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.failing import CannotMeasure

_IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "zram"})
_APPENDS = 500
_BLOCK = 4096
_NO_DISK_IS_SO_FAST = 10e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of /proc/mounts."""

    device: str
    point: Path
    kind: str
    options: str

    @property
    def upper(self) -> Path | None:
        """Where an overlay writes to."""
        found = [option.partition("=")[2] for option in self.options.split(",") if option.startswith("upperdir=")]
        return Path(found[0]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """What a folder stands on. Times of one ``fdatasync`` are in milliseconds."""

    mount: Mount
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.mount.kind} on {self.mount.device}, fdatasync of 4 KB p50 {self.p50:.2f} p99 {self.p99:.2f} ms"


def look_at(folder: Path) -> Disk:
    """Measure a folder's disk. Raises CannotMeasure for one that is memory."""
    mounts = read_mounts(Path("/proc/mounts").read_text())
    refuse_memory(folder, mounts)
    times = sorted(_append(folder / "fdatasync"))
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    if p50 < _NO_DISK_IS_SO_FAST:
        raise CannotMeasure(f"{folder}: fdatasync takes {p50 * 1e6:.1f} µs, as on no disk; choose another with --dir")
    return Disk(mount=mount_of(folder, mounts), p50=p50 * 1e3, p99=p99 * 1e3)


def read_mounts(text: str) -> Sequence[Mount]:
    lines = (line.split() for line in text.splitlines())
    return [
        Mount(device=device, point=Path(_unescaped(point)), kind=kind, options=_unescaped(options))
        for device, point, kind, options, *_ in lines
    ]


def mount_of(folder: Path, mounts: Sequence[Mount]) -> Mount:
    """The mount that a folder is on; the later of two at the same place hides the earlier."""
    parents = {folder, *folder.parents}
    found = [mount for mount in mounts if mount.point in parents]
    if not found:
        raise CannotMeasure(f"{folder}: it can't be seen what it stands on")
    return max(enumerate(found), key=lambda numbered: (len(numbered[1].point.parts), numbered[0]))[1]


def refuse_memory(folder: Path, mounts: Sequence[Mount]) -> None:
    """Raises CannotMeasure when what is written there is only ever in memory."""
    mount = mount_of(folder, mounts)
    if mount.kind in _IN_MEMORY:
        raise CannotMeasure(f"{folder} is on {mount.kind}, which is memory; choose a folder on a disk with --dir")
    if mount.upper is not None and mount.upper != folder:
        try:
            refuse_memory(mount.upper, [other for other in mounts if other is not mount])
        except CannotMeasure as error:
            raise CannotMeasure(f"{folder} is an overlay; {error}") from None


def _append(path: Path) -> list[float]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return [_appended(descriptor) for _ in range(_APPENDS)]
    finally:
        os.close(descriptor)
        path.unlink()


def _appended(descriptor: int) -> float:
    os.write(descriptor, b"\0" * _BLOCK)
    start = time.perf_counter()
    os.fdatasync(descriptor)
    return time.perf_counter() - start


def _unescaped(written: str) -> str:
    """/proc/mounts writes white space in octal."""
    for octal, meant in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        written = written.replace(octal, meant)
    return written
