"""Every way to break a send that was generated: by what the platform's grammar asks of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.platform.changes import Components
from tests.platform.generated import Generated, Part, components_of

Broken = tuple[str, Components]
_IMAGE = {"type": "image", "image": {"id": "1"}}
_COUPON = {"type": "coupon_code", "coupon_code": "1"}
_TITLE = 24


def breakages(generated: Generated) -> Iterator[Broken]:
    yield from _broken(generated.parts)
    components = components_of(generated.parts)
    for told, extra in (("a footer", {"type": "footer"}), ("a text", "body"), ("nothing", None), ("a list", [])):
        yield f"with {told} too", [*components, extra]
    if not any(part.sent["type"] == "header" for part in generated.parts):
        yield "with a header too", [*components, {"type": "header", "parameters": [_IMAGE]}]
    if not any(part.sent["type"] == "body" for part in generated.parts):
        yield "with a body too", [*components, {"type": "body", "parameters": [{"type": "text", "text": "x"}]}]
    yield "with a button too", [*components, _button_too(10)]


def grown(generated: Generated) -> Components:
    """The same send, each text as long as it can be."""
    return components_of([_grown(part, 0) for part in generated.parts])


def _grown(part: Part, more: int) -> Part:
    cards = tuple(tuple(_grown(inner, more) for inner in card) for card in part.cards)
    if part.room is None:
        return replace(part, cards=cards)
    parameters = list(part.sent["parameters"])
    index = next(at for at, parameter in enumerate(parameters) if parameter["type"] in ("text", "coupon_code"))
    key = parameters[index]["type"]
    parameters[index] = parameters[index] | {key: parameters[index][key] + "x" * (part.room + more)}
    return replace(part, sent=part.sent | {"parameters": parameters})


def _button_too(index: int) -> dict[str, Any]:
    return {"type": "button", "sub_type": "url", "index": index, "parameters": [{"type": "text", "text": "x"}]}


# --- components -----------------------------------------------------------------------------------------------------


def _broken(parts: Sequence[Part]) -> Iterator[Broken]:
    components = components_of(parts)
    for at, part in enumerate(parts):
        name = f"{part.sent['type']} {part.sent.get('index', '')}".rstrip()
        if part.is_required:
            yield f"without {name}", components[:at] + components[at + 1 :]
        yield f"twice {name}", [*components, components[at]]
        for told, component in _broken_part(part):
            yield f"{name}: {told}", [*components[:at], component, *components[at + 1 :]]


def _broken_part(part: Part) -> Iterator[tuple[str, Any]]:
    component = part.component()
    yield "another type", component | {"type": "footer"}
    yield "no type", {key: value for key, value in component.items() if key != "type"}
    yield "one more key", component | {"colour": "x"}
    yield "no object", "x"
    if part.cards:
        yield from _broken_cards(part.cards)
        return
    if part.room is not None:
        yield "one character too long", _grown(part, 1).sent
    if component["type"] == "button":
        yield from _misplaced(component)
    for told, parameters in _broken_parameters(part):
        yield told, component | {"parameters": parameters}


def _misplaced(button: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for index in (10, "10", -1, "x", None, True):
        yield f"index {index}", button | {"index": index}
    yield "another sub_type", button | {"sub_type": "phone_number"}
    yield "no sub_type", {key: value for key, value in button.items() if key != "sub_type"}


def _broken_cards(cards: Sequence[Sequence[Part]]) -> Iterator[tuple[str, Any]]:
    whole = [{"card_index": at, "components": components_of(parts)} for at, parts in enumerate(cards)]
    for told, broken in _wrong_cards(whole):
        yield told, {"type": "carousel", "cards": broken}
    for at, parts in enumerate(cards):
        strange = [("a body that is not there", [*components_of(parts), {"type": "body", "parameters": [_IMAGE]}])]
        for told, components in (*_broken(parts), *strange):
            card = whole[at] | {"components": components}
            yield f"card {at}: {told}", {"type": "carousel", "cards": [*whole[:at], card, *whole[at + 1 :]]}


def _wrong_cards(whole: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    yield "no cards", []
    yield "one card more", [*whole, whole[0] | {"card_index": len(whole)}]
    for at, card in enumerate(whole):
        others = whole[:at] + whole[at + 1 :]
        yield f"without card {at}", others
        yield f"twice card {at}", [*whole, card]
        for index in (len(whole), (at + 1) % len(whole), -1, "x", None):
            yield f"card {at} as {index}", [*others, card | {"card_index": index}]
        yield f"card {at} without its components", [*others, {"card_index": at}]


# --- parameters -----------------------------------------------------------------------------------------------------


def _broken_parameters(part: Part) -> Iterator[tuple[str, Any]]:
    parameters = part.sent["parameters"]
    for wrong in (None, "x", {}) if part.is_required else ("x", {}):
        yield f"parameters {wrong}", wrong
    yield "a strange parameter too", [*parameters, {"type": "order_status", "order_status": {}}]
    if part.sent.get("sub_type") != "voice_call":
        yield "the last parameter twice", [*parameters, parameters[-1]]
    for at, parameter in enumerate(parameters):
        if part.is_required:
            yield f"without parameter {at}", parameters[:at] + parameters[at + 1 :]
        for told, broken in _broken_parameter(parameter):
            yield f"parameter {at}: {told}", [*parameters[:at], broken, *parameters[at + 1 :]]


def _broken_parameter(parameter: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    kind = parameter["type"]
    yield "of another kind", _COUPON if kind == "image" else _IMAGE
    yield "without its type", {key: value for key, value in parameter.items() if key != "type"}
    yield "without its value", {key: value for key, value in parameter.items() if key != kind}
    yield "no object", "x"
    yield "one more key", parameter | {"colour": "x"}
    if "parameter_name" in parameter:
        yield "without its name", {key: value for key, value in parameter.items() if key != "parameter_name"}
        yield "under another name", parameter | {"parameter_name": "nobody_is_called_so"}
    for told, value in _broken_value(kind, parameter[kind]):
        yield told, parameter | {kind: value}


def _broken_value(kind: str, value: Any) -> Iterator[tuple[str, Any]]:
    if kind in ("text", "coupon_code"):
        for told in ("", "  ", f"{value}\n", f"a\t{value}", f"a     {value}", "x" * 2001):
            yield f"the text {told[:10]!r}", told
    elif kind != "payload":
        yield from (("a text", "x"), ("a list", [value]), ("nothing", None))
    if isinstance(value, dict):
        yield from _broken_object(kind, value)


_NEEDED = {
    "currency": ("fallback_value", "code", "amount_1000"),
    "date_time": ("fallback_value",),
    "location": ("latitude", "longitude", "name", "address"),
    "product": ("product_retailer_id", "catalog_id"),
    "limited_time_offer": ("expiration_time_ms",),
}
_WRONG: dict[str, list[dict[str, Any]]] = {
    "location": [{"latitude": 91}, {"longitude": "-181"}, {"latitude": "north"}],
    "limited_time_offer": [{"expiration_time_ms": 0}, {"expiration_time_ms": "soon"}, {"expiration_time_ms": 1.5}],
}


def _broken_object(kind: str, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in _NEEDED.get(kind, ()):
        yield f"without {key}", {other: inner for other, inner in value.items() if other != key}
        yield f"{key} null", value | {key: None}
    for wrong in _WRONG.get(kind, ()):
        yield f"with {wrong}", value | wrong
    if kind in ("image", "video", "document", "gif"):
        yield from (("neither", {}), ("both", {"id": "1", "link": "https://files.example/1"}))
    if "sections" in value:
        yield from _broken_selection(value)


def _broken_selection(action: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    item = {"product_retailer_id": "1"}
    for told, sections in {
        "no sections": [],
        "eleven sections": [{"title": "x", "product_items": [item]}] * 11,
        "31 products": [{"title": "x", "product_items": [item] * 31}],
        "a section without products": [{"title": "x", "product_items": []}],
        "a section without a title": [{"product_items": [item]}],
        "a title too long": [{"title": "x" * (_TITLE + 1), "product_items": [item]}],
    }.items():
        yield told, action | {"sections": sections}
    yield "without a thumbnail", {"sections": action["sections"]}
