"""A message as a customer reads it, drawn for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.cli.tables import shown

_WIDTH = 56
_ELSEWHERE = ("link", "id", "filename", "latitude", "longitude", "name", "address", "product_retailer_id")
"""What a header holds that the terminal can't draw."""


def bubble(rendered: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a message as ``domain.rendered`` has it: a frame, and the cards of a carousel below it."""
    yield from _framed(_inside(rendered))
    for number, card in enumerate(rendered.get("cards", ()), start=1):
        yield f"card {number}"
        yield from _framed(_inside(card))


def _inside(face: Mapping[str, Any]) -> Iterator[str]:
    header, offer = face.get("header"), face.get("offer")
    if header is not None:
        yield from _paragraph(header["text"] if header["type"] == "text" else _told(header))
        yield ""
    if offer is not None:
        yield from _paragraph(" ".join(str(value) for value in offer.values()))
        yield ""
    yield from _paragraph(face.get("body") or "")
    if face.get("footer"):
        yield ""
        yield from _paragraph(face["footer"])
    for button in face.get("buttons", ()):
        yield "─" * _WIDTH
        yield from _paragraph(_labelled(button))


def _told(header: Mapping[str, Any]) -> str:
    what = ", ".join(str(header[key]) for key in _ELSEWHERE if key in header)
    return f"[{header['type']}: {what}]" if what else f"[{header['type']}]"


def _labelled(button: Mapping[str, Any]) -> str:
    label = button.get("text") or button["type"].replace("_", " ")
    where = button.get("url") or button.get("code") or button.get("coupon_code")
    return f"[ {label} ]" if where is None else f"[ {label} ]  {where}"


def _paragraph(text: str) -> Iterator[str]:
    for line in text.splitlines() or [""]:
        yield from _wrapped(shown(line).split(" "))


def _wrapped(words: Sequence[str]) -> Iterator[str]:
    """Lines of at most so many columns; a word that is longer than a line is cut."""
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if _columns(longer) <= _WIDTH:
            line = longer
            continue
        if line:
            yield line
        *whole, line = _pieces(word)
        yield from whole
    yield line


def _pieces(word: str) -> list[str]:
    pieces = [""]
    for character in word:
        if _columns(pieces[-1] + character) > _WIDTH:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _framed(lines: Iterator[str]) -> Iterator[str]:
    yield f"╭{'─' * (_WIDTH + 2)}╮"
    for line in lines:
        is_rule = line == "─" * _WIDTH
        yield f"├{'─' * (_WIDTH + 2)}┤" if is_rule else f"│ {line}{' ' * (_WIDTH - _columns(line))} │"
    yield f"╰{'─' * (_WIDTH + 2)}╯"


def _columns(line: str) -> int:
    """How many columns of a terminal a line takes: two for each wide character, none for a mark on another."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in line)
    return len(line) + wide - sum(bool(unicodedata.combining(character)) for character in line)
