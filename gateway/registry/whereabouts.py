"""Where an argument goes, in the words of its template: for people who are told that it doesn't fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.domain.contract_parameters import around
from gateway.domain.template import Face, HeaderFormat, Place, TemplateDefinition, Wording


def whereabouts(definition: TemplateDefinition, components: Sequence[Any], place: Place) -> str | None:
    """For what is a place in the normal form; None where the template has no words for it."""
    match place:
        case (int(index), "cards", int(card), "components", *inner) if inner and card < len(definition.cards):
            told = _in_face(definition.cards[card], components[index]["cards"][card]["components"], tuple(inner))
            return f"card {card + 1}" if told is None else f"card {card + 1}, {told}"
        case (int(), "cards", int(card), *_):
            return f"card {card + 1}"
    return _in_face(definition, components, place)


def _in_face(face: Face, components: Sequence[Any], place: Place) -> str | None:
    match place:
        case (int(component), "parameters", int(index), *_):
            return _parameter(face, components[component], index)
        case (int(component), "parameters"):
            return _button(face, components[component])
    return None


def _parameter(face: Face, component: Any, index: int) -> str | None:
    if component["type"] == "body":
        return _in_wording("body", face.body, face, component["parameters"][index], index)
    if component["type"] == "header" and face.header is not None and face.header.format is HeaderFormat.TEXT:
        return _in_wording("header", face.header.wording, face, component["parameters"][index], index)
    return _button(face, component)


def _in_wording(what: str, wording: Wording, face: Face, parameter: Any, index: int) -> str | None:
    names = wording.parameters
    if face.is_named:
        name = parameter.get("parameter_name") if isinstance(parameter, dict) else None
        return f"{what} parameter {name}, in “{around(wording, name)}”" if name in names else None
    if index >= len(names):
        return None
    number = f" {index + 1} of {len(names)}" if len(names) > 1 else ""
    return f"{what} parameter{number}, in “{around(wording, names[index])}”"


def _button(face: Face, component: Any) -> str | None:
    if component["type"] != "button":
        return None
    index = str(component.get("index"))
    is_known = index.isascii() and index.isdigit() and len(index) < 3 and int(index) < len(face.buttons)
    label = face.buttons[int(index)].label if is_known else ""
    return f"the button “{label}”" if label else None
