"""The places of a template at which its messages carry a text, and messages made from a text for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.domain.message import JsonObject
from gateway.domain.template import MEDIA, Button, ButtonType, Face, HeaderFormat, Place, TemplateDefinition

_CODES = {ButtonType.COPY_CODE: ("copy_code", "coupon_code"), ButtonType.QUICK_REPLY: ("quick_reply", "payload")}


def required_places(face: Face) -> Iterator[Place]:
    """Where every message carries a text: the header, a body parameter, a button."""
    if face.header is not None and (face.header.format in MEDIA or _header_name(face)):
        yield ("header",)
    for position, name in enumerate(face.body.parameters):
        yield ("body", name if face.is_named else position)
    for index, button in enumerate(face.buttons):
        if _is_required(button):
            yield ("buttons", index)


def optional_places(face: Face) -> Iterator[Place]:
    """Where a message may carry one: the payloads of quick replies."""
    for index, button in enumerate(face.buttons):
        if button.type is ButtonType.QUICK_REPLY:
            yield ("buttons", index)


def beyond_texts(definition: TemplateDefinition) -> Iterator[str]:
    """What its messages must carry besides texts, which nothing but a request can say."""
    if definition.header is not None and definition.header.format in (HeaderFormat.LOCATION, HeaderFormat.PRODUCT):
        yield f"the {definition.header.format.lower()} of its header"
    if any(button.type is ButtonType.MPM for button in definition.buttons):
        yield "the products of its button"
    if definition.offer is not None and definition.offer.has_expiration:
        yield "the end of its offer"
    if definition.cards:
        yield "the cards of its carousel"


def _is_required(button: Button) -> bool:
    return button.takes_code or button.type is ButtonType.COPY_CODE or bool(button.url.parameters)


def _header_name(face: Face) -> str | None:
    return next(iter(face.header.wording.parameters), None) if face.header is not None else None


def components_from(face: Face, texts: Mapping[Place, str]) -> tuple[JsonObject, ...]:
    """The components, in send grammar, of a message with these texts at their places."""
    return tuple(_components(face, texts))


def _components(face: Face, filled: Mapping[Place, str]) -> Iterator[JsonObject]:
    if face.header is not None and ("header",) in filled:
        yield {"type": "header", "parameters": [_header_parameter(face, filled[("header",)])]}
    body = [_text(text, place[1], face) for place, text in filled.items() if place[0] == "body"]
    if body:
        yield {"type": "body", "parameters": body}
    for place, text in filled.items():
        if place[0] == "buttons":
            yield _button(face, int(place[1]), text)


def _header_parameter(face: Face, text: str) -> JsonObject:
    assert face.header is not None  # noqa: S101 - the caller has looked
    if face.header.format is HeaderFormat.TEXT:
        return _text(text, _header_name(face) or "", face)
    media = face.header.format.value.lower()
    return {"type": media, media: {"link": text}}


def _text(text: str, name: str | int, face: Face) -> JsonObject:
    named = {"parameter_name": name} if face.is_named else {}
    return {"type": "text", **named, "text": text}


def _button(face: Face, index: int, text: str) -> JsonObject:
    kind, parameter = _CODES.get(face.buttons[index].type, ("url", "text"))
    return {
        "type": "button",
        "sub_type": kind,
        "index": str(index),
        "parameters": [{"type": parameter, parameter: text}],
    }
