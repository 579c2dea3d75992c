"""Sampled stacks, and the tables that are made of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)")
_THREAD = re.compile(r"thread \((?P<id>\d+)\)(?:: (?P<name>.*))?")
_SITE = "/site-packages/"
_STANDARD = re.compile(r".*/python3\.\d+/")
_ROWS = 30
_WAITING = frozenset({"EpollSelector.select", "Condition.wait", "Queue.get", "_connection_worker_thread"})
"""Where threads wait for something to do. One that is seen there was woken, and waits for the core: it uses nothing.
What these places use themselves is not told apart from that, and counts for all others in proportion."""
_NOTICEABLE = 0.5
"""Microseconds. What takes less has no row."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A function and its file, shortened to what tells it apart."""

    function: str
    file: str

    @property
    def room(self) -> str:
        """Its package, and of our own the part."""
        parts = self.file.removesuffix(".py").split("/")
        return "/".join(parts[:2]) if parts[0] in ("gateway", "python") else parts[0]

    @property
    def is_ours(self) -> bool:
        return self.file.startswith("gateway/")

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Frames from the outermost on, and in how many samples they were seen."""

    thread: int
    name: str
    frames: Sequence[Frame]
    samples: int

    @property
    def is_waiting(self) -> bool:
        return self.leaf.function in _WAITING

    @property
    def leaf(self) -> Frame:
        return self.frames[-1]


def read(lines: Iterable[str]) -> Iterator[Stack]:
    """From py-spy's raw format with thread names. A stack that could not be read has no frames, and is left out."""
    for line in lines:
        written, _, samples = line.rpartition(" ")
        thread, *frames = written.split(";")
        known = _THREAD.fullmatch(thread)
        if frames and known is not None:
            yield Stack(
                thread=int(known["id"]),
                name=known["name"] or known["id"],
                frames=[_frame(frame) for frame in frames],
                samples=int(samples),
            )


def tables(lines: Iterable[str], micros: Mapping[int, float]) -> str:
    """For each thread by package, by function itself, and by function of ours with all that it calls.

    `micros` says what each thread used in all.
    """
    stacks = list(read(lines))
    told = []
    for thread, used in sorted(micros.items(), key=lambda item: -item[1]):
        of_thread = [stack for stack in stacks if stack.thread == thread and not stack.is_waiting]
        if of_thread and used >= _NOTICEABLE:
            told += ["", f"=== {of_thread[0].name}: {used:.0f} µs", *_of_thread(of_thread, used)]
    return "\n".join(told)


def _of_thread(stacks: Sequence[Stack], used: float) -> Iterator[str]:
    yield from _table("by package, itself", _counted(stacks, lambda stack: {stack.leaf.room}), stacks, used)
    yield from _table("by function, itself", _counted(stacks, lambda stack: {str(stack.leaf)}), stacks, used)
    yield from _table("by function of ours, with all below", _counted(stacks, _ours), stacks, used)


def _ours(stack: Stack) -> set[str]:
    return {str(frame) for frame in stack.frames if frame.is_ours}


def _counted(stacks: Sequence[Stack], names: Callable[[Stack], set[str]]) -> Counter[str]:
    counted = Counter[str]()
    for stack in stacks:
        for name in names(stack):
            counted[name] += stack.samples
    return counted


def _table(title: str, counted: Counter[str], stacks: Sequence[Stack], used: float) -> Iterator[str]:
    each = used / sum(stack.samples for stack in stacks)
    yield f"--- {title}"
    for name, samples in counted.most_common(_ROWS):
        if samples * each >= _NOTICEABLE:
            yield f"{samples * each:8.1f} µs  {name}"


def _frame(written: str) -> Frame:
    found = _FRAME.fullmatch(written)
    return Frame(written, "native") if found is None else Frame(found["function"], _short(found["file"]))


def _short(file: str) -> str:
    if _SITE in file:
        return file.rpartition(_SITE)[2]
    if _STANDARD.match(file):
        return "python/" + _STANDARD.sub("", file)
    return "gateway/" + file.rpartition("/gateway/")[2] if "/gateway/" in file else file
