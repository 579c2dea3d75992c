"""What the table of refusals is made of: a kind of template, sends that conform, and the changes that don't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.platform.changes import MARK, MARKED_NUMBER, Change, Components, beside, put, renamed, twice, without
from tests.platform.rules import COUNT, EXTRA, INDEX, INVALID, MISSING, TEXT, Rule
from tests.template_factories import a_document, text


@dataclass(frozen=True, slots=True)
class Refusal:
    rule: Rule
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of template. Each refusal changes `send`; `more` are other sends that conform."""

    name: str
    definition: Mapping[str, Any]
    send: Components
    more: Mapping[str, Components] = field(default_factory=dict)
    refusals: tuple[Refusal, ...]

    def sends(self) -> dict[str, Components]:
        return {"as told": self.send, **self.more}

    def rows(self) -> list[Refusal]:
        """Each change once, however many families make it."""
        return list({row.change.told: row for row in reversed(self.refusals)}.values())[::-1]


def a_registered(*components: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A definition with what else the platform's API tells of it."""
    told = {"id": "1192339204654487", "sub_category": "CUSTOM", "quality_score": {"score": "GREEN", "date": 1737000000}}
    return a_document(*map(dict, components), **{**told, **fields})


# --- families of refusals -------------------------------------------------------------------------------------------


def by(rule: Rule, *changes: Change) -> Iterator[Refusal]:
    for change in changes:
        yield Refusal(rule, change)


def missing(rule: Rule, *paths: str) -> Iterator[Refusal]:
    yield from by(rule, *map(without, paths))


def wrong_types(rule: Rule, path: str, *taken: type) -> Iterator[Refusal]:
    """Every kind of JSON value that is not one of those that are taken."""
    values = (MARK, MARKED_NUMBER, True, [MARK], {"colour": MARK})
    yield from by(rule, *(put(path, value) for value in values if type(value) not in taken))


def null(rule: Rule, path: str) -> Iterator[Refusal]:
    yield from by(rule, put(path, None, "null"))


def bad_texts(path: str) -> Iterator[Refusal]:
    spoilt = {
        "empty": "",
        "blank": "   ",
        "with a newline": f"{MARK}\n{MARK}",
        "with a tab": f"{MARK}\t{MARK}",
        "with five spaces": f"{MARK}     {MARK}",
        "ending in a newline": f"{MARK}\n",
    }
    yield from by(TEXT, *(put(path, value, told) for told, value in spoilt.items()))


def spelling(rule: Rule, path: str, kind: str) -> Iterator[Refusal]:
    """Of a parameter ``{"type": kind, kind: ...}``: each key, and the whole."""
    yield from missing(MISSING, f"{path}/type", f"{path}/{kind}")
    yield from by(INVALID, renamed(f"{path}/type", "kind"), renamed(f"{path}/{kind}", "colour"))
    yield from by(INVALID, put(f"{path}/colour", MARK))
    yield from by(rule, put(f"{path}/type", MARK), put(f"{path}/type", MARKED_NUMBER))
    yield from by(rule, put(f"{path}/type", "video" if kind == "audio" else "audio"))
    yield from null(MISSING, f"{path}/type")
    yield from null(MISSING, f"{path}/{kind}")
    yield from wrong_types(rule, path)
    yield from null(rule, path)


def text_argument(rule: Rule, path: str) -> Iterator[Refusal]:
    """Of a parameter that is a text."""
    yield from spelling(rule, path, "text")
    yield from wrong_types(rule, f"{path}/text", str)
    yield from bad_texts(f"{path}/text")


def component(rule: Rule, path: str) -> Iterator[Refusal]:
    """Of a component that must be there once, with its parameters."""
    yield from by(rule, without(path), twice(path))
    yield from lone_component(rule, path)
    yield from by(rule, without(f"{path}/parameters"), put(f"{path}/parameters", []))
    yield from null(rule, f"{path}/parameters")


def lone_component(rule: Rule, path: str) -> Iterator[Refusal]:
    """Of a component wherever it stands: what it is made of."""
    yield from missing(MISSING, f"{path}/type")
    yield from by(EXTRA, put(f"{path}/type", MARK), put(f"{path}/type", "footer"), renamed(f"{path}/type", "kind"))
    yield from by(EXTRA, put(f"{path}/colour", MARK), put(f"{path}/type", MARKED_NUMBER))
    yield from wrong_types(EXTRA, path, dict)
    yield from null(EXTRA, path)
    yield from by(INVALID, renamed(f"{path}/parameters", "parameter"))
    yield from wrong_types(rule, f"{path}/parameters", list)


def exactly(rule: Rule, path: str, count: int, extra: Any) -> Iterator[Refusal]:
    """Of a component that has `count` parameters."""
    for index in range(count):
        yield from by(rule, without(f"{path}/parameters/{index}"), twice(f"{path}/parameters/{index}"))
    yield from by(rule, beside(f"{path}/parameters/0", extra, "another"))


def positional(count: int, path: str = "body", rule: Rule = COUNT) -> Iterator[Refusal]:
    """Of a body with `count` texts."""
    yield from component(rule, path)
    yield from exactly(rule, path, count, text(MARK))
    for index in range(count):
        yield from text_argument(rule, f"{path}/parameters/{index}")
        yield from by(COUNT, put(f"{path}/parameters/{index}/parameter_name", "customer"))


def button(rule: Rule, path: str, others: Iterable[str] = ()) -> Iterator[Refusal]:
    """Of a button's component wherever it stands; `others` are kinds of button that this one is not."""
    yield from lone_component(rule, path)
    yield from by(rule, twice(path))
    yield from missing(MISSING, f"{path}/sub_type", f"{path}/index")
    yield from by(INVALID, renamed(f"{path}/sub_type", "subtype"), renamed(f"{path}/index", "position"))
    yield from by(rule, *(put(f"{path}/sub_type", other) for other in (*others, MARK, MARKED_NUMBER)))
    yield from by(INDEX, *(put(f"{path}/index", index) for index in (9, "9", -1, "-1", 0.5, MARK, True, "", [0])))
    yield from null(MISSING, f"{path}/index")
    yield from null(MISSING, f"{path}/sub_type")


def required_button(rule: Rule, path: str, others: Iterable[str], extra: Any) -> Iterator[Refusal]:
    """Of a button that takes exactly one parameter."""
    yield from button(rule, path, others)
    yield from missing(rule, path, f"{path}/parameters")
    yield from by(rule, put(f"{path}/parameters", []))
    yield from null(rule, f"{path}/parameters")
    yield from exactly(rule, path, 1, extra)
