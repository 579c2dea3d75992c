"""A message with every argument that a template takes: from the examples with which it was registered, and made up
where it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.places import components_from, optional_places, required_places
from gateway.domain.template import MEDIA, ButtonType, Face, HeaderFormat, Place, TemplateDefinition

EXAMPLE_LINK = "https://www.example.com/example.jpg"
_CODE = "123456"
_PRODUCT = "example"
_LOCATION = {"latitude": 50.4501, "longitude": 30.5234, "name": "example", "address": "example"}
_SECTION = {"title": "example", "product_items": [{"product_retailer_id": _PRODUCT}]}
_OFFER_END = 4102444800000
"""The end of the century's first hundred years, in milliseconds: an offer that has not run out."""


@dataclass(frozen=True, slots=True)
class Example:
    """Components in send grammar; `is_own` when all texts that the platform wants an example of are its own."""

    components: tuple[JsonObject, ...]
    is_own: bool


def example_of(definition: TemplateDefinition) -> Example:
    """An example of a whole message."""
    face, parts = _face_example(definition, definition.document["components"])
    further = tuple(_further(definition))
    cards, documents = definition.cards, _part(definition.document["components"], "CAROUSEL").get("cards", ())
    made = [_face_example(card, told["components"]) for card, told in zip(cards, documents, strict=True)]
    carousel = [_carousel([components for components, _ in made])] if made else []
    return Example((*face, *further, *carousel), is_own=parts and all(is_own for _, is_own in made))


def _face_example(face: Face, components: Sequence[JsonObject]) -> tuple[tuple[JsonObject, ...], bool]:
    own = dict(_examples(face, components))
    places = [*required_places(face), *optional_places(face)]
    texts = {place: own.get(place) or _made_up(face, place) for place in places}
    is_own = all(place in own or not _has_example(face, place) for place in places)
    return (*_special_header(face), *components_from(face, texts), *_special_buttons(face)), is_own


def _special_header(face: Face) -> Iterator[JsonObject]:
    kind = None if face.header is None else face.header.format
    inner: dict[HeaderFormat | None, JsonObject] = {
        HeaderFormat.LOCATION: _LOCATION,
        HeaderFormat.PRODUCT: {"product_retailer_id": _PRODUCT, "catalog_id": "1"},
    }
    if kind is not None and kind in inner:
        yield {"type": "header", "parameters": [{"type": kind.lower(), kind.lower(): inner[kind]}]}


def _special_buttons(face: Face) -> Iterator[JsonObject]:
    action = {"thumbnail_product_retailer_id": _PRODUCT, "sections": [_SECTION]}
    for index, button in enumerate(face.buttons):
        if button.type is ButtonType.MPM:
            yield {
                "type": "button",
                "sub_type": button.sub_type,
                "index": str(index),
                "parameters": [{"type": "action", "action": action}],
            }


def _further(definition: TemplateDefinition) -> Iterator[JsonObject]:
    if definition.offer is not None and definition.offer.has_expiration:
        kind = "limited_time_offer"
        yield {"type": kind, "parameters": [{"type": kind, kind: {"expiration_time_ms": _OFFER_END}}]}


def _carousel(cards: Sequence[Sequence[JsonObject]]) -> JsonObject:
    told = [{"card_index": index, "components": list(components)} for index, components in enumerate(cards)]
    return {"type": "carousel", "cards": told}


def _made_up(face: Face, place: Place) -> str:
    if place == ("header",) and face.header is not None and face.header.format in MEDIA:
        return EXAMPLE_LINK
    return _CODE if any(button.takes_code for button in face.buttons) else "example"


def _has_example(face: Face, place: Place) -> bool:
    """Whether the platform wants an example of it; media have handles of its own, payloads and codes have none."""
    if any(button.takes_code for button in face.buttons):
        return False
    if place == ("header",):
        return face.header is not None and face.header.format is HeaderFormat.TEXT
    return place[0] == "body" or face.buttons[int(place[1])].type is ButtonType.URL


# --- those of the definition ----------------------------------------------------------------------------------------


def _part(components: Sequence[JsonObject], kind: str) -> JsonObject:
    return next((part for part in components if part["type"] == kind), {})


def _examples(face: Face, components: Sequence[JsonObject]) -> Iterator[tuple[Place, str]]:
    header, body = (_part(components, kind).get("example") for kind in ("HEADER", "BODY"))
    for text in [*_listed(header, "header_text"), *_named(header, "header_text_named_params").values()][:1]:
        yield ("header",), text
    for key, text in _body_examples(body):
        yield ("body", key), text
    if not any(button.takes_code for button in face.buttons):
        yield from _button_examples(face, _part(components, "BUTTONS").get("buttons", ()))


def _body_examples(example: Any) -> Iterator[tuple[str | int, str]]:
    yield from _named(example, "body_text_named_params").items()
    rows = _listed(example, "body_text")
    yield from enumerate(rows[0] if rows and isinstance(rows[0], list) else rows)


def _listed(example: Any, key: str) -> Sequence[Any]:
    found = example.get(key) if isinstance(example, dict) else None
    return found if isinstance(found, list) else ()


def _named(example: Any, key: str) -> dict[str, str]:
    return {entry["param_name"]: entry["example"] for entry in _listed(example, key)}


def _button_examples(face: Face, buttons: Sequence[JsonObject]) -> Iterator[tuple[Place, str]]:
    """The platform takes the whole URL for an example, or only its end; of a coupon code, the code."""
    for index, button in enumerate(buttons):
        fixed = face.buttons[index].url.text.partition("{{")[0]
        example = button.get("example") or ()
        for text in [example] if isinstance(example, str) else example[:1]:
            yield ("buttons", index), text.removeprefix(fixed)
