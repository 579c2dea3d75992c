"""What a template comes to with its arguments in: the texts that the contact reads, and what may be wrong with them
although each argument fits: rules that no JSON Schema can say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from gateway.domain.message import JsonObject
from gateway.domain.template import (
    HEADER_LIMIT,
    PLACEHOLDER,
    PRODUCTS_LIMIT,
    URL_LIMIT,
    ButtonType,
    Face,
    Place,
    TemplateDefinition,
    Wording,
)

Found = tuple[Place, str]

_RESERVED = "!#$%&'()*+,/:;=?@[]~"
"""What stands for itself in a URL that is percent-encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of a template, and what its arguments make of it."""

    name: str
    wording: Wording
    limit: int
    parameters: Sequence[JsonObject]

    def length(self) -> int:
        """In characters; those of a URL as they are when it is percent-encoded, as its argument is already."""
        fixed = _encoded_length(self.wording) if self.name == "URL" else self.wording.fixed
        uses, arguments = self.wording.uses, bindings(self.wording, self.parameters)
        return fixed + sum(uses[name] * len(argument) for name, argument in arguments.items())


@lru_cache(maxsize=4096)
def _encoded_length(url: Wording) -> int:
    return len(quote(PLACEHOLDER.sub("", url.text), safe=_RESERVED))


Numbered = Sequence[tuple[int, JsonObject]]
"""Components, each with its place in the list."""


def ill_filled(
    definition: TemplateDefinition, components: Sequence[JsonObject], *, without: Collection[int] = ()
) -> Iterator[Found]:
    """What is wrong with components that fit the contract: texts too long, products too many, codes that differ.

    `without` are the places of those that don't fit it.
    """
    fitting = [(index, component) for index, component in enumerate(components) if index not in without]
    yield from _face_problems(definition, fitting)
    yield from _code_problems(definition, fitting)
    for index, component in fitting:
        for position, card in enumerate(component.get("cards") or ()):
            inner = enumerate(card.get("components") or ())
            for place, problem in _face_problems(definition.cards[position], list(inner)):
                yield (index, "cards", position, "components", *place), problem


def _face_problems(face: Face, components: Numbered) -> Iterator[Found]:
    for index, component in components:
        place: Place = (index, "parameters")
        text = text_of(face, component)
        length = 0 if text is None else text.length()
        if text is not None and length > text.limit:
            yield place, f"expected at most {text.limit} characters in the {text.name} with its arguments, got {length}"
        count = _products(face, component)
        if count > PRODUCTS_LIMIT:
            yield place, f"expected at most {PRODUCTS_LIMIT} products in all sections, got {count}"


def text_of(face: Face, component: JsonObject) -> Text | None:
    """The text into which the arguments of a component go."""
    parameters = component.get("parameters") or ()
    match component["type"]:
        case "header" if face.header is not None:
            return Text(name="header", wording=face.header.wording, limit=HEADER_LIMIT, parameters=parameters)
        case "body":
            return Text(name="body", wording=face.body, limit=face.body_limit, parameters=parameters)
        case "button":
            wording = face.buttons[int(component["index"])].url
            return Text(name="URL", wording=wording, limit=URL_LIMIT, parameters=parameters)
    return None


def _products(face: Face, component: JsonObject) -> int:
    if component["type"] != "button" or face.buttons[int(component["index"])].type is not ButtonType.MPM:
        return 0
    return sum(len(section["product_items"]) for section in component["parameters"][0]["action"]["sections"])


def offer_is_over(components: Sequence[JsonObject], at: datetime) -> bool:
    """Whether a limited-time offer that fits the contract has run out. It is sent all the same: the platform's own
    example is such a time, and a library writes seconds where milliseconds are meant."""
    ends = (
        component["parameters"][0]["limited_time_offer"]["expiration_time_ms"]
        for component in components
        if component["type"] == "limited_time_offer" and component.get("parameters")
    )
    return any(end < at.timestamp() * 1000 for end in ends)


def _code_problems(definition: TemplateDefinition, components: Numbered) -> Iterator[Found]:
    """The button of an authentication template copies the code that its body shows."""
    if not any(button.takes_code for button in definition.buttons):
        return
    codes = {
        index: str(component["parameters"][0].get("text"))
        for index, component in components
        if component["type"] == "button" and definition.buttons[int(component["index"])].takes_code
    }
    body = next((component for _, component in components if component["type"] == "body"), None)
    if not codes or body is None or not body.get("parameters"):
        return
    shown_codes = set(map(shown_argument, body["parameters"]))
    for index, code in codes.items():
        if code not in shown_codes:
            yield (index, "parameters", 0, "text"), "expected the same code as in the body"


def bindings(wording: Wording, parameters: Sequence[JsonObject]) -> Mapping[str, str]:
    """What stands for each placeholder, by its name."""
    names = wording.parameters
    return {
        parameter.get("parameter_name", names[position]): shown_argument(parameter)
        for position, parameter in enumerate(parameters[: len(names)])
    }


def shown_argument(parameter: JsonObject) -> str:
    """What the contact reads: the text, or the fallback of an amount or a date."""
    argument = parameter[parameter["type"]]
    return argument if isinstance(argument, str) else str(argument["fallback_value"])
