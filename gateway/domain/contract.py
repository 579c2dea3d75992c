"""The contract of a template: a JSON Schema that the components of its messages must fit.

It is flat on purpose: no choice between branches stands above a value, so that every validator names the exact place
of an error. Each place is described in the template's own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.domain.contract_parameters import (
    button_parameters,
    header_parameters,
    is_required,
    listed,
    offer_parameters,
    tap_target_parameters,
)
from gateway.domain.contract_values import Schema, has, values
from gateway.domain.template import Button, Face, TemplateDefinition

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_of(definition: TemplateDefinition) -> Schema:
    """The schema of ``template.components`` in normal form: lower-case types, `index` a string of digits, cards in
    the order of their `card_index`, an integer."""
    places = {**_face_places(definition, ""), **_further_places(definition)}
    cards = {
        f"card_{index}_{name}": schema
        for index, card in enumerate(definition.cards)
        for name, schema in _face_places(card, f"card_{index}_").items()
    }
    return {
        "$schema": DIALECT,
        "title": f"{definition.name}/{definition.language}",
        "description": "The components of a message of this template; types in lower case, `index` a string of digits.",
        **_components(places, definition, ""),
        "$defs": {**places, **cards, **_values({**places, **cards}, definition)},
    }


def _components(places: dict[str, Schema], face: Face, prefix: str) -> Schema:
    """A list of components, each at most once, those that carry what must be said at least once."""
    kinds = list(dict.fromkeys(_kind(place) for place in places))
    branches = [{"if": _is(place), "then": {"$ref": f"#/$defs/{prefix}{place}"}} for place in places]
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": kinds}},
            "allOf": [*_button_index(face), *branches],
        },
        "allOf": [_presence(place, schema) for place, schema in places.items()],
    }


def _face_places(face: Face, prefix: str) -> dict[str, Schema]:
    """What may stand in the components of a card, or of the template itself, by the name of its definition."""
    places: dict[str, Schema] = {}
    if face.header is not None:
        places["header"] = _component("header", header_parameters(face.header, face, prefix))
    places["body"] = _component("body", listed("body", face.body, face, prefix))
    for index, button in enumerate(face.buttons):
        places[f"button_{index}"] = _button(button, index)
    return places


def _further_places(definition: TemplateDefinition) -> dict[str, Schema]:
    """What only the template itself has."""
    places: dict[str, Schema] = {}
    if definition.offer is not None:
        places["limited_time_offer"] = _component("limited_time_offer", offer_parameters(definition.offer))
    if definition.cards:
        places["carousel"] = _carousel(definition.cards)
    places["tap_target_configuration"] = _component("tap_target_configuration", tap_target_parameters())
    return places


def _button(button: Button, index: int) -> Schema:
    sub_type, place = {"const": button.sub_type}, {"const": str(index)}
    return _component(f"button {index}", button_parameters(button), sub_type=sub_type, index=place)


def _component(title: str, parameters: Schema, **more: Schema) -> Schema:
    required = [*more, *(["parameters"] if is_required(parameters) else [])]
    properties = {"type": True, **more, "parameters": parameters}
    return {"title": title, "required": required, "properties": properties, "additionalProperties": False}


def _carousel(cards: tuple[Face, ...]) -> Schema:
    """Exactly the cards that are registered, each in its place."""
    return {
        "title": "carousel",
        "required": ["cards"],
        "properties": {
            "type": True,
            "cards": {
                "title": "card",
                "description": f"{len(cards)} cards",
                "type": "array",
                "prefixItems": [_card(card, index) for index, card in enumerate(cards)],
                "minItems": len(cards),
                "maxItems": len(cards),
            },
        },
        "additionalProperties": False,
    }


def _card(card: Face, index: int) -> Schema:
    prefix = f"card_{index}_"
    places = _face_places(card, prefix)
    required = ["components"] if any(_is_needed(schema) for schema in places.values()) else []
    return {
        "type": "object",
        "required": ["card_index", *required],
        "properties": {"card_index": {"const": index}, "components": _components(places, card, prefix)},
        "additionalProperties": False,
    }


def _is_needed(component: Schema) -> bool:
    if "cards" in component["properties"]:
        return True
    return is_required(component["properties"]["parameters"])


def _presence(place: str, component: Schema) -> Schema:
    """How often a component may stand in a message."""
    properties = component["properties"]
    told = properties.get("cards") or properties["parameters"]
    is_needed = _is_needed(component)
    count = "exactly" if is_needed else "at most"
    return {
        "description": f"{count} one {component['title']} component, for: {told['description']}",
        "contains": _is(place),
        "minContains": int(is_needed),
        "maxContains": 1,
    }


# --- which component is which ---------------------------------------------------------------------------------------


def _kind(place: str) -> str:
    return "button" if place.startswith("button_") else place


def _is(place: str) -> Schema:
    return has(type="button", index=place.removeprefix("button_")) if _kind(place) == "button" else has(type=place)


def _button_index(face: Face) -> list[Schema]:
    if not face.buttons:
        return []
    index = {"enum": [str(index) for index, _ in enumerate(face.buttons)]}
    return [{"if": has(type="button"), "then": {"required": ["index"], "properties": {"index": index}}}]


# --- the values that they refer to ----------------------------------------------------------------------------------


def _values(places: dict[str, Schema], definition: TemplateDefinition) -> dict[str, Schema]:
    """The kinds of value that the parameters of this template take, and no others."""
    wanted = (name for name in dict.fromkeys(_references(places)) if name not in places)
    found: dict[str, Schema] = {}
    for name in wanted:
        found |= values(name, definition)
    return found


def _references(part: Any) -> Iterator[str]:
    """The names of the definitions that a part of a schema refers to."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].removeprefix("#/$defs/")
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)
