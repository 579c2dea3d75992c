"""Strategies for templates of the platform's whole grammar, each with a send that conforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.template_factories import a_document

Drawn = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of a send. `room` is by how many characters its first text may grow; cards are parts themselves."""

    sent: dict[str, Any]
    is_required: bool = True
    room: int | None = None
    cards: tuple[tuple[Part, ...], ...] = ()

    def component(self) -> dict[str, Any]:
        if not self.cards:
            return self.sent
        cards = [{"card_index": index, "components": components_of(parts)} for index, parts in enumerate(self.cards)]
        return {"type": "carousel", "cards": cards}


@dataclass(frozen=True, slots=True)
class Generated:
    definition: dict[str, Any]
    parts: tuple[Part, ...]


def components_of(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [part.component() for part in parts]


# --- values ---------------------------------------------------------------------------------------------------------

WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
CODE = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=15)
SUFFIX = st.text("abcXYZ019-_.~/?=&", min_size=1, max_size=12) | st.sampled_from(["%20", "a%D1%97b", "?a=1&b=%2F"])
_PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
ARGUMENT = st.lists(_PRINTED, min_size=1, max_size=2).map(" ".join)
MEDIUM = st.one_of(
    CODE.map(lambda code: {"id": code}),
    CODE.map(lambda code: {"link": f"https://files.example/{code}"}),
    CODE.map(lambda code: {"link": None, "id": code}),
)


def _amount(fallback: str) -> dict[str, Any]:
    return {"type": "currency", "currency": {"fallback_value": fallback, "code": "UAH", "amount_1000": 1500}}


def _date(fallback: str) -> dict[str, Any]:
    return {"type": "date_time", "date_time": {"fallback_value": fallback}}


TEXT = ARGUMENT.map(lambda words: {"type": "text", "text": words})
BODY_ARGUMENT = TEXT | TEXT | ARGUMENT.map(_amount) | ARGUMENT.map(_date)


# --- texts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Worded:
    """A text with placeholders that stand apart, none of them at an end."""

    pieces: list[str]
    names: list[str]

    @property
    def text(self) -> str:
        marks = [f" {{{{{name}}}}} " for name in self.names]
        return "".join(piece + mark for piece, mark in zip(self.pieces, [*marks, ""], strict=True))

    def room(self, limit: int, parameters: Sequence[dict[str, Any]]) -> int | None:
        """What the limit leaves, where there is a text that can grow."""
        fixed = len("".join(self.pieces)) + 2 * len(self.names)
        taken = sum(len(_read(parameter)) for parameter in parameters)
        grows = any(parameter["type"] == "text" for parameter in parameters)
        return limit - fixed - taken if grows else None


def _read(parameter: dict[str, Any]) -> str:
    value = parameter[parameter["type"]]
    return value if isinstance(value, str) else value["fallback_value"]


def _worded(draw: Drawn, is_named: bool, most: int) -> Worded:
    count = draw(st.integers(0, most))
    names = draw(st.lists(WORD, min_size=count, max_size=count, unique=True)) if is_named else None
    pieces = draw(st.lists(WORD, min_size=count + 1, max_size=count + 1))
    return Worded(pieces, names or [str(number + 1) for number in range(count)])


@dataclass(frozen=True, slots=True)
class Built:
    """What is defined, and what is sent for it."""

    defined: list[dict[str, Any]]
    parts: list[Part]

    def __add__(self, other: Built) -> Built:
        return Built([*self.defined, *other.defined], [*self.parts, *other.parts])


def written(
    draw: Drawn, kind: str, limit: int, *, is_named: bool = False, most: int = 4, argument: Any = BODY_ARGUMENT
) -> Built:
    """A body or a text header, with at most so many placeholders."""
    words = _worded(draw, is_named, most)
    parameters = [draw(argument) for _ in words.names]
    room = words.room(limit, parameters)
    if is_named:
        parameters = [
            parameter | {"parameter_name": name} for parameter, name in zip(parameters, words.names, strict=True)
        ]
        parameters = draw(st.permutations(parameters))
    defined = {"type": kind.upper(), "text": words.text} | ({"format": "TEXT"} if kind == "header" else {})
    part = Part(sent={"type": kind, "parameters": parameters}, room=room)
    return Built([defined], [part] if parameters else [])


# --- headers --------------------------------------------------------------------------------------------------------


def header(kind: str, value: Any) -> Built:
    parameters = [{"type": kind, kind: value}]
    return Built(
        [{"type": "HEADER", "format": kind.upper()}], [Part(sent={"type": "header", "parameters": parameters})]
    )


def place(draw: Drawn) -> Built:
    coordinates = {
        "latitude": draw(st.integers(-9_000_000, 9_000_000)) / 100_000,
        "longitude": draw(st.integers(-18_000_000, 18_000_000)) / 100_000,
    }
    if draw(st.booleans()):
        coordinates = {key: f"{value:.5f}" for key, value in coordinates.items()}
    return header("location", {**coordinates, "name": draw(ARGUMENT), "address": draw(ARGUMENT)})


def product(draw: Drawn) -> Built:
    return header("product", {"product_retailer_id": draw(CODE), "catalog_id": draw(CODE)})


def a_template(built: Built, **fields: Any) -> Generated:
    return Generated(a_document(*built.defined, **fields), tuple(built.parts))
