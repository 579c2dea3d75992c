"""Sampled stacks, and the tables that are made of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

_FRAME = re.compile(r"(?P<name>.*) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)")
_THREAD = re.compile(r'thread \((?P<id>[^)]*)\)(?:: "(?P<name>[^"]*)")?')
_SITE = "/site-packages/"
_STANDARD = re.compile(r".*/python3\.\d+/")
_ROWS = 30


@dataclass(frozen=True, slots=True)
class Frame:
    """A function and its file, shortened to what tells it apart."""

    function: str
    file: str

    @property
    def room(self) -> str:
        """The package, and of our own the part of it."""
        parts = self.file.removesuffix(".py").split("/")
        return "/".join(parts[:2]) if parts[0] == "gateway" else parts[0]

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Frames from the outermost on, and in how many samples they were seen."""

    thread: str
    frames: Sequence[Frame]
    samples: int


def read(lines: Iterable[str]) -> Iterator[Stack]:
    """From py-spy's raw format with thread names."""
    for line in lines:
        written, _, samples = line.rpartition(" ")
        thread, *frames = written.split(";")
        if frames:
            yield Stack(thread=_thread(thread), frames=[_frame(frame) for frame in frames], samples=int(samples))


def tables(lines: Iterable[str]) -> str:
    """For each thread that did a noticeable part: by room, by function itself, by function with all that it calls."""
    stacks = list(read(lines))
    everything = sum(stack.samples for stack in stacks)
    threads = Counter[str]()
    for stack in stacks:
        threads[stack.thread] += stack.samples
    told = [f"{everything} samples"]
    for thread, samples in threads.most_common():
        if samples * 50 >= everything:
            told += ["", f"=== {thread}: {samples / everything:.1%} of the samples"]
            told += _of_thread([stack for stack in stacks if stack.thread == thread], everything)
    return "\n".join(told)


def _of_thread(stacks: Sequence[Stack], everything: int) -> Iterator[str]:
    yield from _table("by package, itself", _count(stacks, lambda stack: {stack.frames[-1].room}), everything)
    yield from _table("by function, itself", _count(stacks, lambda stack: {str(stack.frames[-1])}), everything)
    yield from _table("by function of ours, with all below", _count(stacks, _ours), everything)


def _ours(stack: Stack) -> set[str]:
    return {str(frame) for frame in stack.frames if frame.file.startswith("gateway/")}


def _count(stacks: Sequence[Stack], names: Callable[[Stack], set[str]]) -> Counter[str]:
    counted = Counter[str]()
    for stack in stacks:
        for name in names(stack):
            counted[name] += stack.samples
    return counted


def _table(title: str, counted: Counter[str], everything: int) -> Iterator[str]:
    yield f"--- {title}, in % of all samples"
    for name, samples in counted.most_common(_ROWS):
        yield f"{samples / everything:8.1%}  {name}"


def _thread(written: str) -> str:
    found = _THREAD.match(written)
    return written if found is None else found["name"] or found["id"]


def _frame(written: str) -> Frame:
    found = _FRAME.fullmatch(written)
    return Frame(written, "native") if found is None else Frame(found["name"], _short(found["file"]))


def _short(file: str) -> str:
    if _SITE in file:
        return file.rpartition(_SITE)[2]
    if _STANDARD.match(file):
        return "python/" + _STANDARD.sub("", file)
    return "gateway/" + file.rpartition("/gateway/")[2] if "/gateway/" in file else file
