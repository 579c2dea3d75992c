"""Reading a CSV of windows: every line checked before any is used, then in the order of the store, in little memory."""

from __future__ import annotations

import csv
import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import IO

from gateway.domain.identity import parse_contact
from gateway.ingest import Directory

COLUMNS = ("sender", "contact", "last_inbound")
TOLD_AT_MOST = 100
"""So many bad lines are named; the rest is counted."""

_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
"""The year WhatsApp began."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_IN_MEMORY = 200_000
_SENDER = "expected a sender that the configuration names, by its id, an alias or its phone_number_id"
_TIME = "expected a time with its zone, such as 2026-05-04T12:30:00Z or 2026-05-04T14:30:00+02:00"
_LINE = f"expected {len(COLUMNS)} values, separated by commas"

Row = tuple[str, str, int]
"""Sender, contact, and microseconds since 1970."""


class NoWindowFile(ValueError):
    """The first line is not the header of such a file; says what was expected."""


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int
    field: str
    expected: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.field}: {self.expected}" if self.field else f"line {self.line}: {self.expected}"
        )


@dataclass(slots=True)
class Lines:
    """What was read, and what is wrong with it."""

    read: int = 0
    bad: int = 0
    problems: list[BadLine] = field(default_factory=list)
    """The first of them."""

    def note(self, line: int, field: str, expected: str) -> None:
        self.bad += 1
        if self.bad <= TOLD_AT_MOST:
            self.problems.append(BadLine(line, field, expected))


class SortedRows:
    """Rows in the order of the store, each sender and contact once, with its latest time. What memory does not hold
    lies in files without a name, which go with the process."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._runs: list[IO[str]] = []

    def add(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= _IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        run = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - it lasts as long as we
        run.writelines(f"{sender}\t{contact}\t{at}\n" for sender, contact, at in sorted(self._rows))
        self._runs.append(run)
        self._rows.clear()

    def __iter__(self) -> Iterator[Row]:
        merged = heapq.merge(sorted(self._rows), *map(_rows_of, self._runs))
        for _, same in groupby(merged, key=itemgetter(0, 1)):
            *_, latest = same
            yield latest

    def chunks(self, size: int) -> Iterator[list[Row]]:
        rows = iter(self)
        while chunk := list(islice(rows, size)):
            yield chunk


def _rows_of(run: IO[str]) -> Iterator[Row]:
    run.seek(0)
    for line in run:
        sender, contact, at = line.rsplit("\t", 2)
        yield sender, contact, int(at)


_BROKEN: list[str] = []
"""Stands for a line that is no CSV."""


class WindowFile:
    """The good lines of a file, one after the other; `lines` says what there is to say of the others. Raises
    NoWindowFile."""

    def __init__(self, text: Iterable[str], senders: Directory, clock: Callable[[], datetime]) -> None:
        self._reader = csv.reader(text, strict=True)
        self._check = _Check(senders, clock)
        self._places = _places(self._next() or [])
        self.lines = Lines()

    def __iter__(self) -> Iterator[Row]:
        while (values := self._next()) is not None:
            if values or values is _BROKEN:
                self.lines.read += 1
                row = self._row(values)
                if row is not None:
                    yield row

    def _row(self, values: list[str]) -> Row | None:
        try:
            return self._check(values, self._places)
        except _Wrong as wrong:
            self.lines.note(self._reader.line_num, wrong.field, wrong.expected)
            return None

    def _next(self) -> list[str] | None:
        """The next line; None behind the last."""
        try:
            return next(self._reader, None)
        except csv.Error:
            return _BROKEN


def _places(header: Sequence[str]) -> tuple[int, ...]:
    """Where each of our columns stands."""
    names = [name.strip().lower() for name in header]
    expected = f"expected the header {','.join(COLUMNS)} (in any order)"
    if not set(COLUMNS) & set(names):
        raise NoWindowFile(f"line 1: {expected}")
    wrong = [f"no column {name}" for name in COLUMNS if name not in names]
    wrong += [f"an unknown column {_shown(name)}" for name in dict.fromkeys(names) if name not in COLUMNS]
    wrong += [f"the column {name} twice" for name in COLUMNS if names.count(name) > 1]
    if wrong:
        raise NoWindowFile(f"line 1: {expected}, found {', '.join(wrong)}")
    return tuple(names.index(name) for name in COLUMNS)


def _shown(name: str) -> str:
    return repr(name[:40])


class _Check:
    """Whether a line is good. Senders are few and come again and again."""

    def __init__(self, senders: Directory, clock: Callable[[], datetime]) -> None:
        self._senders = senders
        self._known: dict[str, str | None] = {}
        self._clock = clock
        self._now = clock()

    def __call__(self, values: list[str], places: Sequence[int]) -> Row:
        """The row that a line stands for. Raises _Wrong."""
        if len(values) != len(COLUMNS):
            raise _Wrong("", _LINE)
        sender, contact, at = (values[place] for place in places)
        return self._sender(sender), self._contact(contact), self._instant(at)

    def _sender(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = self._senders.sender_of([name]) if name.strip() else None
        sender = self._known[name]
        if sender is None:
            raise _Wrong("sender", _SENDER)
        return sender

    def _contact(self, written: str) -> str:
        try:
            return parse_contact(written)
        except ValueError as error:
            raise _Wrong("contact", str(error)) from None

    def _instant(self, written: str) -> int:
        try:
            at = datetime.fromisoformat(written.strip().upper())
        except ValueError:
            raise _Wrong("last_inbound", _TIME) from None
        if at.tzinfo is None:
            raise _Wrong("last_inbound", _TIME)
        if at > self._now:
            self._now = self._clock()
        if not _EARLIEST <= at <= self._now:
            raise _Wrong("last_inbound", "expected a time since 2009 that is not in the future")
        return (at - _EPOCH) // _MICROSECOND


class _Wrong(Exception):
    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(expected)
