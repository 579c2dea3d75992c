"""Who goes next, in a line where one that waits holds back those behind it only for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Generic[T]):
    """One in line. Before `holds_until` nobody behind it may pass; at `due_at` it may go, or `leaves` without going."""

    subject: T
    due_at: int
    holds_until: int
    leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk(Generic[T]):
    """What a walk along a line found: its head, if one may go, and those before it that have left."""

    head: T | None = None
    left: tuple[T, ...] = ()


def walk(line: Iterable[Waiting[T]], now: int) -> Walk[T]:
    """The first that is due, unless one before it still holds it back."""
    left: list[T] = []
    for one in line:
        if one.due_at <= now and not one.leaves:
            return Walk(head=one.subject, left=tuple(left))
        if one.due_at <= now:
            left.append(one.subject)
        elif one.holds_until > now:
            break
    return Walk(left=tuple(left))


def soonest(line: Iterable[Waiting[T]]) -> tuple[int, T] | None:
    """The earliest time at which a walk finds a head, and which. It reads no further than the answer depends on."""
    best: tuple[int, T] | None = None
    held_until = 0
    for one in line:
        if best is not None and best[0] <= held_until:
            break
        at = max(one.due_at, held_until)
        if not one.leaves and (best is None or at < best[0]):
            best = (at, one.subject)
        held_until = max(held_until, one.holds_until)
    return best
