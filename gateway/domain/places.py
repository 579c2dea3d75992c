"""The places of a template at which its messages carry arguments, and messages made from a text for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.domain.message import JsonObject
from gateway.domain.template import ButtonType, HeaderFormat, Place, TemplateDefinition


def required_places(definition: TemplateDefinition) -> Iterator[Place]:
    """Where every message carries an argument: the header, a body parameter, a button."""
    if definition.header is not None and (
        definition.header.format is not HeaderFormat.TEXT or _header_name(definition)
    ):
        yield ("header",)
    for position, name in enumerate(definition.body.parameters):
        yield ("body", name if definition.is_named else position)
    for index, button in enumerate(definition.buttons):
        if button.url.parameters:
            yield ("buttons", index)


def optional_places(definition: TemplateDefinition) -> Iterator[Place]:
    """Where a message may carry one: the payloads of quick replies."""
    for index, button in enumerate(definition.buttons):
        if button.type is ButtonType.QUICK_REPLY:
            yield ("buttons", index)


def _header_name(definition: TemplateDefinition) -> str | None:
    return next(iter(definition.header.wording.parameters), None) if definition.header is not None else None


def components_from(definition: TemplateDefinition, texts: Mapping[Place, str]) -> tuple[JsonObject, ...]:
    """The components, in send grammar, of a message with these texts at their places."""
    return tuple(_components(definition, texts))


def _components(definition: TemplateDefinition, filled: Mapping[Place, str]) -> Iterator[JsonObject]:
    if definition.header is not None and ("header",) in filled:
        yield {"type": "header", "parameters": [_header_parameter(definition, filled[("header",)])]}
    body = [_text(text, place[1], definition) for place, text in filled.items() if place[0] == "body"]
    if body:
        yield {"type": "body", "parameters": body}
    for place, text in filled.items():
        if place[0] == "buttons":
            yield _button(definition, int(place[1]), text)


def _header_parameter(definition: TemplateDefinition, text: str) -> JsonObject:
    assert definition.header is not None  # noqa: S101 - the caller has looked
    if definition.header.format is HeaderFormat.TEXT:
        return _text(text, _header_name(definition) or "", definition)
    media = definition.header.format.value.lower()
    return {"type": media, media: {"link": text}}


def _text(text: str, name: str | int, definition: TemplateDefinition) -> JsonObject:
    named = {"parameter_name": name} if definition.is_named else {}
    return {"type": "text", **named, "text": text}


def _button(definition: TemplateDefinition, index: int, text: str) -> JsonObject:
    is_reply = definition.buttons[index].type is ButtonType.QUICK_REPLY
    kind, parameter = ("quick_reply", "payload") if is_reply else ("url", "text")
    return {
        "type": "button",
        "sub_type": kind,
        "index": str(index),
        "parameters": [{"type": parameter, parameter: text}],
    }
