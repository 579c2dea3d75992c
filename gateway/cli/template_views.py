"""A registered template as people and programs look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.tables import shown as printable
from gateway.config_file import Ladder
from gateway.domain.ladder import steps_of
from gateway.domain.places import optional_places, required_places
from gateway.domain.template import Place, shown
from gateway.registry import RegisteredTemplate, key_of, template_paths, tightening_paths

View = dict[str, Any]
Part = Mapping[str, Any]

_INDENT = 14


def row_view(template: RegisteredTemplate, ladders: Sequence[Ladder]) -> View:
    """What a list says of it."""
    definition = template.definition
    return {
        "name": definition.name,
        "language": definition.language,
        "category": definition.category,
        "status": definition.status,
        "fill": template.fill is not None,
        "rungs": list(_rungs(template, ladders)),
    }


def _rungs(template: RegisteredTemplate, ladders: Sequence[Ladder]) -> Iterator[View]:
    """Whose ladder it stands on, and where: 1 is tried first."""
    own = (template.definition.name, template.definition.language)
    for ladder in ladders:
        for place, step in enumerate(steps_of(ladder.rungs, ladder.languages), start=1):
            if own in step:
                intent = {} if ladder.intent is None else {"intent": ladder.intent}
                yield {"sender": ladder.sender, **intent, "place": place}


def rungs_told(rungs: Sequence[View]) -> str:
    """Whose rung it is, for people: ``Shop (1), Shop (order_news, 1)``."""
    return ", ".join(
        f"{rung['sender']} ({rung['intent']}, {rung['place']})"
        if "intent" in rung
        else f"{rung['sender']} ({rung['place']})"
        for rung in rungs
    )


def whole_view(
    template: RegisteredTemplate, ladders: Sequence[Ladder], *, templates: Path, schemas: Path | None
) -> View:
    """All that there is to say of it, the definition as its file has it."""
    return {
        **row_view(template, ladders),
        "parameter_format": template.definition.parameter_format.value,
        "file": _file_of(template, template_paths(templates)),
        "tightening": _file_of(template, tightening_paths(schemas)),
        "parameters": list(_parameters(template)),
        "definition": template.definition.document,
    }


def _file_of(template: RegisteredTemplate, paths: Sequence[Path]) -> str | None:
    own = (template.definition.name, template.definition.language)
    return next((str(path) for path in paths if key_of(path) == own), None)


def _parameters(template: RegisteredTemplate) -> Iterator[View]:
    """Each place that takes an argument, and the text that fills it."""
    for is_required, places in (
        (True, required_places(template.definition)),
        (False, optional_places(template.definition)),
    ):
        for place in places:
            yield {"place": shown(place), "required": is_required, "fill": _filled_by(template, place)}


def _filled_by(template: RegisteredTemplate, place: Place) -> str | None:
    text = template.fill.texts.get(place) if template.fill is not None else None
    return None if text is None else text.source


# --- for people -------------------------------------------------------------------------------------------------------


def lines_of(view: View) -> Iterator[str]:
    """A page of it."""
    yield f"{view['name']}/{view['language']}  {view['category']}  {view['status']}  {view['parameter_format']}"
    yield from _line("file", view["file"])
    yield from _line("tightened by", view["tightening"])
    yield from _line("rung of", rungs_told(view["rungs"]))
    yield ""
    yield from _components(view["definition"]["components"])
    yield ""
    yield from _arguments(view)


def _line(label: str, text: object, *, depth: int = 0) -> Iterator[str]:
    """A label and its text, continued lines under the first."""
    if text is None or text == "":
        return
    first, *rest = (printable(line) for line in str(text).splitlines())
    yield f"{'  ' * depth}{label:<{_INDENT - 2 * depth}}{first}".rstrip()
    yield from (f"{'':<{_INDENT}}{line}".rstrip() for line in rest)


def _components(parts: Sequence[Part], depth: int = 0) -> Iterator[str]:
    for part in parts:
        match part:
            case {"type": "BUTTONS", "buttons": buttons}:
                for index, button in enumerate(buttons):
                    yield from _line(f"button {index}", _button(button), depth=depth)
            case {"type": str(kind), "cards": cards}:
                yield from _cards(kind, cards, depth)
            case {"type": str(kind)}:
                yield from _line(kind.lower(), _wording(part), depth=depth)


def _cards(kind: str, cards: Sequence[Part], depth: int) -> Iterator[str]:
    for index, card in enumerate(cards):
        yield f"{'  ' * depth}{kind.lower()}, card {index}"
        yield from _components(card.get("components", ()), depth + 1)


def _wording(part: Part) -> str:
    """What a customer reads there; the format of a header that has no text."""
    for key in ("text", "format"):
        if part.get(key):
            return str(part[key])
    inner = part.get("limited_time_offer")
    return str(inner["text"]) if isinstance(inner, Mapping) and "text" in inner else "by the platform"


def _button(button: Part) -> str:
    told = (button.get("type"), button.get("text"), button.get("url"), button.get("phone_number"))
    return "  ".join(str(word) for word in told if word)


def _arguments(view: View) -> Iterator[str]:
    if not view["parameters"]:
        yield "It takes no arguments."
    else:
        yield "Its arguments, and the text that fills each:"
    for parameter in view["parameters"]:
        optional = "" if parameter["required"] else "(optional)"
        yield from _line(parameter["place"] + " ", parameter["fill"] or optional or "an argument of the message")
    if not view["fill"]:
        yield "It has no fill, so it can't stand in for free-form content."
