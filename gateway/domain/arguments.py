"""The arguments of a template message: one normal form, and what the filled-in texts come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.template import BODY_LIMIT, HEADER_LIMIT, URL_LIMIT, Place, TemplateDefinition, Wording

_ORDER = {"header": 0, "body": 1, "button": 2}


@dataclass(frozen=True, slots=True)
class NormalForm:
    """Components as the contract judges them, and where each stood in the request."""

    components: list[Any]
    origins: tuple[int, ...]

    def as_written(self, place: Place) -> Place:
        """The place in the request that a place in the normal form comes from."""
        return (self.origins[int(place[0])], *place[1:]) if place else place

    def sendable(self) -> NormalForm:
        """Without the components that carry nothing. They fit the contract."""
        kept = [pair for pair in zip(self.components, self.origins, strict=True) if pair[0].get("parameters")]
        return NormalForm([component for component, _ in kept], tuple(origin for _, origin in kept))


def normalise(components: Sequence[Any]) -> NormalForm:
    """Header, body, then buttons by their index; types in lower case, an index as a string of digits.

    Takes anything, and leaves as it is what it doesn't understand: to refuse that is the contract's part.
    """
    numbered = sorted(enumerate(map(_component, components)), key=lambda entry: _rank(entry[1]))
    return NormalForm([component for _, component in numbered], tuple(origin for origin, _ in numbered))


def _component(component: Any) -> Any:
    if not isinstance(component, Mapping):
        return component
    normal = _lower(component, "type", "sub_type")
    if "index" in normal:
        normal["index"] = _index(normal["index"])
    if isinstance(normal.get("parameters"), list | tuple):
        normal["parameters"] = [_lower(parameter, "type") for parameter in normal["parameters"]]
    return normal


def _lower(value: Any, *keys: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {**value, **{key: value[key].lower() for key in keys if isinstance(value.get(key), str)}}


def _index(index: Any) -> Any:
    if isinstance(index, int) and not isinstance(index, bool):
        return str(index)
    is_digits = isinstance(index, str) and index.isascii() and index.isdigit()
    return (index.lstrip("0") or "0") if is_digits else index


def _rank(component: Any) -> tuple[int, int, str]:
    if not isinstance(component, Mapping):
        return (len(_ORDER), 0, "")
    kind, index = component.get("type"), component.get("index")
    place = index if kind == "button" and isinstance(index, str) else ""
    return (_ORDER.get(kind, len(_ORDER)) if isinstance(kind, str) else len(_ORDER), len(place), place)


# --- lengths --------------------------------------------------------------------------------------------------------


def too_long(definition: TemplateDefinition, components: Sequence[JsonObject]) -> tuple[Place, str] | None:
    """The first text that is too long once its arguments are in. The components fit the contract."""
    for index, component in enumerate(components):
        for name, wording, limit in _texts(definition, component):
            length = len(wording.bound(_bindings(wording, component.get("parameters") or ())))
            if length > limit:
                where: Place = (index, "parameters")
                return where, f"expected at most {limit} characters in the {name} with its arguments, got {length}"
    return None


def _texts(definition: TemplateDefinition, component: JsonObject) -> Iterator[tuple[str, Wording, int]]:
    match component["type"]:
        case "header" if definition.header is not None:
            yield "header", definition.header.wording, HEADER_LIMIT
        case "body":
            yield "body", definition.body, BODY_LIMIT
        case "button":
            yield "URL", definition.buttons[int(component["index"])].url, URL_LIMIT


def _bindings(wording: Wording, parameters: Sequence[JsonObject]) -> dict[str, str]:
    names = wording.parameters
    return {
        parameter.get("parameter_name", names[position]): _shown(parameter)
        for position, parameter in enumerate(parameters[: len(names)])
    }


def _shown(parameter: JsonObject) -> str:
    """What the contact reads: the text, or the fallback of an amount or a date."""
    argument = parameter[parameter["type"]]
    return argument if isinstance(argument, str) else str(argument["fallback_value"])
