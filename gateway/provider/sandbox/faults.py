"""What goes wrong at the provider, because somebody asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from gateway.provider.sandbox.reading import Asked, Misuse, known_only, read_count, read_period, read_text

MOST_FAULTS = 100
MOST_COPIES = 10
LARGEST_BATCH = 1_000
LONGEST_LATENCY = timedelta(minutes=5)


class Kind(StrEnum):
    LATENCY = "latency"
    """Requests wait this long, in real time, before anything is done."""
    RESET = "reset"
    """The connection is reset; the message is not taken."""
    ERROR = "error"
    """Requests are answered with this HTTP status."""
    BALANCE_EMPTY = "balance_empty"
    REFUSE_WINDOW = "refuse_window"
    """Free-form is refused as too late though the window is open."""
    REFUSE_TEMPLATE = "refuse_template"
    """Templates are refused with this code: the one that ``template`` names, or all."""
    REFUSE_LIST = "refuse_list"
    """The list of templates is answered with this code."""
    REFUSE = "refuse"
    """Messages of every type are refused with this code of the platform's."""
    LATE_REFUSALS = "late_refusals"
    """What is too late, not wanted, or a refused template is taken, and said to have failed in a status."""
    LOST_ANSWERS = "lost_answers"
    """The message is taken, and the connection closed without an answer."""
    LATE_CALLBACKS = "late_callbacks"
    """Callbacks wait this long, by the sandbox's clock."""
    LOST_CALLBACKS = "lost_callbacks"
    DUPLICATE_CALLBACKS = "duplicate_callbacks"
    """Callbacks are posted this many times more."""
    BATCH_CALLBACKS = "batch_callbacks"
    """The platform's callbacks wait until there are this many, and come in one envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`left` is how often it still happens, None without end; `sender` None means all of them."""

    kind: Kind
    period: timedelta = timedelta(0)
    number: int = 0
    left: int | None = None
    sender: str | None = None
    template: str | None = None

    def to_json(self) -> Mapping[str, Any]:
        value: Any = f"{self.period.total_seconds():g}s" if self.period else self.number or True
        named = {} if self.template is None else {"template": self.template}
        return {"fault": self.kind.value, "value": value, "left": self.left, "sender": self.sender, **named}


Change = tuple[Kind, Fault | None]


class Faults:
    """The faults in force, at most one of a kind for each sender and one for all."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._faults: dict[tuple[Kind, str | None], Fault] = {}
        self._changed = changed

    def clear(self) -> None:
        self._faults.clear()
        self._changed()

    def listed(self) -> list[Fault]:
        return list(self._faults.values())

    def order(self, asked: Asked) -> None:
        """Change what goes wrong as a request asks; nothing is changed by one that is wrong. Raises Misuse."""
        known_only(asked, *Kind, "count", "sender", "template", "clear")
        sender = read_text(asked, "sender", 64) if asked.get("sender") is not None else None
        changes = [(kind, _read(kind, asked, sender)) for kind in Kind if kind.value in asked]
        if not isinstance(asked.get("clear", False), bool):
            raise Misuse("clear", "expected true or false")
        if asked.get("clear"):
            self.clear()
        if len(self._faults) + len(changes) > MOST_FAULTS:
            raise Misuse("sender", f"expected at most {MOST_FAULTS} faults at a time")
        for kind, fault in changes:
            self._put(kind, sender, fault)

    def take(self, kind: Kind, sender: str, *, template: str | None = None) -> Fault | None:
        """The fault of this kind that happens now to the sender, if one does; it is used up by one."""
        for key in ((kind, sender), (kind, None)):
            fault = self._faults.get(key)
            if fault is not None and fault.template in (None, template):
                self._use_up(key, fault)
                return fault
        return None

    def _put(self, kind: Kind, sender: str | None, fault: Fault | None) -> None:
        self._faults.pop((kind, sender), None)
        if fault is not None:
            self._faults[kind, sender] = fault
        self._changed()

    def _use_up(self, key: tuple[Kind, str | None], fault: Fault) -> None:
        if fault.left is None:
            return
        self._put(*key, replace(fault, left=fault.left - 1) if fault.left > 1 else None)


def _read(kind: Kind, asked: Asked, sender: str | None) -> Fault | None:
    """The fault that a field asks for; None for one that is switched off."""
    if not asked[kind.value]:
        return None
    fault = replace(_READERS[kind](kind, asked), sender=sender)
    return fault if asked.get("count") is None else replace(fault, left=read_count(asked, "count"))


def _read_wait(kind: Kind, asked: Asked) -> Fault:
    period = read_period(asked, kind.value)
    if kind is Kind.LATENCY and period > LONGEST_LATENCY:
        raise Misuse(kind.value, "expected at most 5m")
    return Fault(kind=kind, period=period)


def _read_status(kind: Kind, asked: Asked) -> Fault:
    status = read_count(asked, kind.value, most=599)
    if status < 400 or status not in set(HTTPStatus):
        raise Misuse(kind.value, "expected an HTTP status from 400 on")
    return Fault(kind=kind, number=status)


def _read_code(kind: Kind, asked: Asked) -> Fault:
    template = read_text(asked, "template", 512) if asked.get("template") is not None else None
    return Fault(kind=kind, number=read_count(asked, kind.value), template=template)


def _read_copies(kind: Kind, asked: Asked) -> Fault:
    return Fault(kind=kind, number=read_count(asked, kind.value, most=MOST_COPIES))


def _read_batch(kind: Kind, asked: Asked) -> Fault:
    return Fault(kind=kind, number=read_count(asked, kind.value, most=LARGEST_BATCH))


def _read_times(kind: Kind, asked: Asked) -> Fault:
    if asked[kind.value] is True:
        return Fault(kind=kind)
    return Fault(kind=kind, left=read_count(asked, kind.value))


_READERS: Mapping[Kind, Callable[[Kind, Asked], Fault]] = {
    Kind.LATENCY: _read_wait,
    Kind.RESET: _read_times,
    Kind.ERROR: _read_status,
    Kind.BALANCE_EMPTY: _read_times,
    Kind.REFUSE_WINDOW: _read_times,
    Kind.REFUSE_TEMPLATE: _read_code,
    Kind.REFUSE_LIST: _read_code,
    Kind.REFUSE: _read_code,
    Kind.LATE_REFUSALS: _read_times,
    Kind.LOST_ANSWERS: _read_times,
    Kind.LATE_CALLBACKS: _read_wait,
    Kind.LOST_CALLBACKS: _read_times,
    Kind.DUPLICATE_CALLBACKS: _read_copies,
    Kind.BATCH_CALLBACKS: _read_batch,
}
