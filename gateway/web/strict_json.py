"""JSON that every reader reads the same: UTF-8, no repeated names, no numbers or characters that some stores refuse.

Most texts pass in one run of the standard decoder. Only a text that looks suspicious, or failed, is walked through
slowly, and that walk knows the place of what is wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from gateway.domain.errors import InvalidRequest
from gateway.web.json_path import ROOT, inside
from gateway.web.wire_errors import UnreadableBody

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
"""Source: RFC 8259, section 6: beyond it implementations disagree on the value."""

_INTEGER_DIGITS = 17
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNFIT = re.compile("[\0\ud800-\udfff]")


def parse_body(body: bytes, *, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The object that a body holds. Raises UnreadableBody."""
    try:
        return _parse(_decoded(body), depth)
    except _Flaw as flaw:
        raise UnreadableBody(flaw.expected, flaw.path) from None


def parse_field(text: str, *, field: str, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The object that a field holds as a string. Raises InvalidRequest, with the path inside the field."""
    try:
        return _parse(text, depth)
    except _Flaw as flaw:
        raise InvalidRequest(field, flaw.expected, path=flaw.path) from None


class _Flaw(Exception):
    def __init__(self, path: str, expected: str) -> None:
        self.path = path
        self.expected = expected


def _decoded(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _Flaw(ROOT, f"expected UTF-8; byte {error.start + 1} is not") from None
    if text.startswith("\ufeff"):
        raise _Flaw(ROOT, "expected UTF-8 without a byte order mark")
    return text


def _parse(text: str, depth: int) -> dict[str, Any]:
    try:
        document = _QUICK.decode(text)
    except (ValueError, RecursionError):
        raise _why_not(text, depth) from None
    if not isinstance(document, dict):
        raise _Flaw(ROOT, "expected an object")
    if _is_suspect(text, depth):
        for flaw in _flaws(document, ROOT, depth):
            raise flaw
    return document


def _is_suspect(text: str, depth: int) -> bool:
    """Whether a text that was decoded may still hold what we refuse; False is sure."""
    # One character is found much faster than two are, or than it is counted.
    has_escape = "\\" in text and _SUSPECT_ESCAPE.search(text) is not None
    is_nested = "[" in text or "{" in text[1:]
    return has_escape or (is_nested and text.count("{") + text.count("[") > depth)


def _why_not(text: str, depth: int) -> _Flaw:
    try:
        document = _SLOW.decode(text)
    except json.JSONDecodeError as error:
        return _Flaw(ROOT, f"expected JSON; line {error.lineno} column {error.colno}: {error.msg}")
    except RecursionError:
        return _Flaw(ROOT, _too_deep(depth))
    return next(_flaws(document, ROOT, depth), _Flaw(ROOT, "expected strict JSON"))


# --- the quick decoder: gives up at anything unusual ------------------------------------------------------------------


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS or abs(number := int(digits)) > MAX_INTEGER:
        raise ValueError
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError
    return number


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


_QUICK = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_no_constant
)


# --- the slow decoder: marks what is wrong, so that the walk finds its place ------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """The members of an object as they were written, repetitions included."""


@dataclass(frozen=True, slots=True)
class _Wrong:
    expected: str


def _marked_integer(digits: str) -> int | _Wrong:
    try:
        return _integer(digits)
    except ValueError:
        return _Wrong(f"expected an integer between -{MAX_INTEGER} and {MAX_INTEGER}")


def _marked_float(digits: str) -> float | _Wrong:
    try:
        return _float(digits)
    except ValueError:
        return _Wrong("expected a number that fits 64 bits")


def _marked_constant(_name: str) -> _Wrong:
    return _Wrong("expected a finite number")


_SLOW = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_marked_integer, parse_float=_marked_float, parse_constant=_marked_constant
)


def _too_deep(depth: int) -> str:
    return f"expected at most {depth} levels of objects and arrays"


def _flaws(value: object, path: str, depth: int, room: int | None = None) -> Iterator[_Flaw]:
    """What is wrong in a decoded document, in its order; `room` is how many levels may still open."""
    room = depth if room is None else room
    match value:
        case _Wrong(expected):
            yield _Flaw(path, expected)
        case str() if _UNFIT.search(value):
            yield _Flaw(path, "expected text without NUL and lone surrogates")
        case dict() | list() if room == 0:
            yield _Flaw(path, _too_deep(depth))
        case dict() | _Pairs():
            members = value if isinstance(value, _Pairs) else value.items()
            yield from _name_flaws(members, path)
            for name, member in members:
                yield from _flaws(member, inside(path, name), depth, room - 1)
        case list():
            for place, item in enumerate(value):
                yield from _flaws(item, inside(path, place), depth, room - 1)


def _name_flaws(members: Iterable[tuple[str, Any]], path: str) -> Iterator[_Flaw]:
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            yield _Flaw(inside(path, name), "expected each name once in an object")
        if _UNFIT.search(name):
            yield _Flaw(path, "expected names without NUL and lone surrogates")
        seen.add(name)
