"""The arguments of a template message, as clients write them, in one normal form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.template import ButtonType, Face, Place, TemplateDefinition

_ORDER = {
    "header": 0,
    "body": 1,
    "limited_time_offer": 2,
    "carousel": 3,
    "tap_target_configuration": 4,
    "button": 5,
}
_NESTED = frozenset({"image", "video", "document", "gif", "location", "product", "action"})
"""Kinds of parameter that are an object of which parts may be left out: null there is the same as nothing."""
_SAID_BY_STANDING_THERE = frozenset({"flow", "catalog"})
"""Buttons of which a component without parameters says something: that they are there."""
_WHOLE = {"limited_time_offer": "expiration_time_ms", "currency": "amount_1000"}
"""What is a whole number in a kind of parameter, however JSON writes it."""
MOST_ITEMS = 400
"""Components, cards, parameters, sections and products of one message, all counted: more than any template has."""
_COORDINATE = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a component or a card stood in the request, and where what is in it stood."""

    index: int
    inner: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class NormalForm:
    """Components as the contract judges them, and where each stood in the request."""

    components: list[Any]
    origins: tuple[Origin, ...]

    def as_written(self, place: Place) -> Place:
        """The place in the request that a place in the normal form comes from."""
        return _written(place, self.origins)

    def sendable(self) -> NormalForm:
        """Without the components that carry nothing, in cards as well. They fit the contract."""
        kept = [_without_idle(*pair) for pair in zip(self.components, self.origins, strict=True) if not _is_idle(pair)]
        return NormalForm([component for component, _ in kept], tuple(origin for _, origin in kept))


def normalise(components: Sequence[Any]) -> NormalForm:
    """Header, body, what else there is, then buttons by their index; types in lower case, an index as a string of
    digits, cards by their index, coordinates as numbers.

    Takes anything, and leaves as it is what it doesn't understand: to refuse that is the contract's part.
    """
    made = [_component(component, index) for index, component in enumerate(components)]
    made.sort(key=lambda entry: _rank(entry[0]))
    return NormalForm([component for component, _ in made], tuple(origin for _, origin in made))


def has_too_many(components: Sequence[Any]) -> bool:
    """Whether there is more in it than can be looked at for each request: what is wrong with all of it is not told."""
    return _items_in(components, MOST_ITEMS) > MOST_ITEMS


def _items_in(value: Any, most: int) -> int:
    """How many items lists have, down to the last; counted no further than `most`, and not in the data of flows."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        part = waiting.pop()
        if isinstance(part, list | tuple):
            count += len(part)
            waiting.extend(part if count <= most else ())
        elif isinstance(part, Mapping):
            waiting.extend(inner for key, inner in part.items() if key != "flow_action_data")
    return count


def completed(definition: TemplateDefinition, components: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """With the components that the platform wants although nothing is to be said in them: those of flows.

    Source: integrators' reports of refused messages without, and delivered messages with, such a component.
    """
    whole = (
        {**component, "cards": [*map(_completed_card, definition.cards, component["cards"])]}
        if component.get("cards")
        else component
        for component in components
    )
    return _with_flows(definition, tuple(whole))


def _completed_card(face: Face, card: JsonObject) -> JsonObject:
    return {**card, "components": list(_with_flows(face, card["components"]))}


def _with_flows(face: Face, components: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    flows = [str(index) for index, button in enumerate(face.buttons) if button.type is ButtonType.FLOW]
    if not flows:
        return tuple(components)
    said = {component["index"] for component in components if component["type"] == "button"}
    unsaid = [{"type": "button", "sub_type": "flow", "index": index} for index in flows if index not in said]
    return tuple(sorted([*components, *unsaid], key=_rank))


# --- one spelling ---------------------------------------------------------------------------------------------------


def _component(component: Any, index: int) -> tuple[Any, Origin]:
    if not isinstance(component, Mapping):
        return component, Origin(index)
    normal = _lower(_without_nulls(component, "type"), ("type", "sub_type"))
    if "index" in normal:
        normal = _with(normal, "index", _digits(normal["index"]))
    parameters = normal.get("parameters")
    if isinstance(parameters, list | tuple):
        is_reply = normal.get("sub_type") == "quick_reply"
        made = [_parameter(each, is_reply=is_reply) for each in parameters]
        if any(one is not other for one, other in zip(made, parameters, strict=True)):  # 1.0 is another 1
            normal = {**normal, "parameters": made}
    if isinstance(normal.get("cards"), list | tuple):
        return _with_cards(normal, index)
    return normal, Origin(index)


def _with(value: Mapping[str, Any], key: str, changed: Any) -> Mapping[str, Any]:
    """The value itself if that is no change: most requests are in normal form already."""
    return value if value[key] == changed else {**value, key: changed}


def _with_cards(component: Mapping[str, Any], index: int) -> tuple[Any, Origin]:
    made = _in_places([_card(card, position) for position, card in enumerate(component["cards"])])
    return {**component, "cards": [card for card, _ in made]}, Origin(index, tuple(origin for _, origin in made))


def _card(card: Any, index: int) -> tuple[Any, Origin]:
    if not isinstance(card, Mapping):
        return card, Origin(index)
    written = card.get("card_index")
    digits = str(_digits(int(written) if isinstance(written, float) and written in range(1000) else written))
    is_index = not isinstance(written, bool) and _is_small(digits)
    normal = {**card, "card_index": int(digits)} if is_index else dict(card)
    if not isinstance(card.get("components"), list | tuple):
        return normal, Origin(index)
    inner = normalise(card["components"])
    return {**normal, "components": inner.components}, Origin(index, inner.origins)


def _without_nulls(value: Mapping[str, Any], kept: Any) -> Mapping[str, Any]:
    """Typed clients write null for what they leave out. What is asked for stays, so that it can be told."""
    if None not in value.values():
        return value
    return {key: inner for key, inner in value.items() if inner is not None or key == kept}


def _lower(value: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    for key in keys:
        word = value.get(key)
        if isinstance(word, str) and word != (lower := word.lower()):
            value = {**value, key: lower}
    return value


def _digits(index: Any) -> Any:
    if isinstance(index, int) and not isinstance(index, bool):
        return str(index)
    is_digits = isinstance(index, str) and index.isascii() and index.isdigit()
    return (index.lstrip("0") or "0") if is_digits else index


def _is_small(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= 3


def _parameter(parameter: Any, *, is_reply: bool) -> Any:
    if not isinstance(parameter, Mapping):
        return parameter
    normal = _lower(parameter, ("type",))
    kind = normal.get("type")
    normal = _without_nulls(normal, kind)
    if is_reply and kind == "text":
        return _reply(normal)
    if isinstance(kind, str) and kind in _NESTED and isinstance(normal.get(kind), Mapping):
        return _with(normal, kind, _inner(kind, normal[kind]))
    if isinstance(kind, str) and kind in _WHOLE and isinstance(normal.get(kind), Mapping):
        return {**normal, kind: _with_whole(normal[kind], _WHOLE[kind])}
    return normal


def _with_whole(inner: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    number = inner.get(key)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return {**inner, key: int(number)}
    return inner


def _inner(kind: str, inner: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without its nulls; of a place, the coordinates as numbers."""
    given = {key: value for key, value in inner.items() if value is not None}
    if kind == "location":
        given |= {key: _coordinate(given[key]) for key in ("latitude", "longitude") if key in given}
    return given


def _coordinate(written: Any) -> Any:
    is_number = isinstance(written, str) and _COORDINATE.fullmatch(written.strip())
    return float(written) if is_number else written


def _reply(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """A quick reply's payload that was written as a text, or as a truth value: the platform's own example does so."""
    text = parameter.get("text")
    payload = str(text).lower() if isinstance(text, bool) else text
    rest = {key: value for key, value in parameter.items() if key != "text"}
    return {**rest, "type": "payload", "payload": payload} if isinstance(payload, str) else parameter


# --- order and origin -----------------------------------------------------------------------------------------------


def _rank(component: Any) -> tuple[int, int, str]:
    if not isinstance(component, Mapping):
        return (len(_ORDER), 0, "")
    kind, index = component.get("type"), component.get("index")
    place = index if kind == "button" and isinstance(index, str) else ""
    return (_ORDER.get(kind, len(_ORDER)) if isinstance(kind, str) else len(_ORDER), len(place), place)


def _in_places(made: Sequence[tuple[Any, Origin]]) -> list[tuple[Any, Origin]]:
    """Each card in the place that it names, one that stands there already before others; those that name none, or one
    that is taken, in what is left."""
    placed: dict[int, tuple[Any, Origin]] = {}
    others: list[tuple[Any, Origin]] = []
    for entry in sorted(made, key=lambda entry: _card_place(entry[0]) != entry[1].index):
        place = _card_place(entry[0])
        if place is None or not 0 <= place < len(made) or place in placed:
            others.append(entry)
        else:
            placed[place] = entry
    rest = iter(others)
    return [placed[place] if place in placed else next(rest) for place in range(len(made))]


def _card_place(card: Any) -> int | None:
    index = card.get("card_index") if isinstance(card, Mapping) else None
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _written(place: Place, origins: Sequence[Origin]) -> Place:
    if not place or not isinstance(place[0], int):
        return place
    origin = origins[place[0]]
    if len(place) > 1 and origin.inner:
        return (origin.index, place[1], *_written(place[2:], origin.inner))
    return (origin.index, *place[1:])


def _is_idle(entry: tuple[Any, Origin]) -> bool:
    component = entry[0]
    is_said = bool(component.get("parameters")) or bool(component.get("cards"))
    return not is_said and component.get("sub_type") not in _SAID_BY_STANDING_THERE


def _without_idle(component: Any, origin: Origin) -> tuple[Any, Origin]:
    if not component.get("cards"):
        return component, origin
    cards = [_sendable_card(*pair) for pair in zip(component["cards"], origin.inner, strict=True)]
    return {**component, "cards": [card for card, _ in cards]}, Origin(origin.index, tuple(told for _, told in cards))


def _sendable_card(card: Any, origin: Origin) -> tuple[Any, Origin]:
    inner = NormalForm(list(card.get("components") or ()), origin.inner).sendable()
    return {**card, "components": inner.components}, Origin(origin.index, inner.origins)
