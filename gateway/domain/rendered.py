"""A message as the contact will read it: what stands on the phone, without how it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.hydration import bindings
from gateway.domain.message import FreeForm, JsonObject
from gateway.domain.template import Button, Face, Header, HeaderFormat, TemplateDefinition

Components = Sequence[JsonObject]


def rendered_free_form(content: FreeForm) -> JsonObject:
    """Free-form content: a text, or a medium with what stands below it; of other kinds also what they hold."""
    header = None if content.file_url is None else {"type": content.type, "link": content.file_url}
    shown: dict[str, Any] = {"header": header, "body": content.text, "footer": None, "buttons": []}
    return shown if content.payload is None or content.type == "text" else {**shown, content.type: content.payload}


def rendered(definition: TemplateDefinition, components: Components) -> JsonObject:
    """A template message in normal form that fits its contract:
    ``{header, body, footer, buttons}``, and where the template has them `offer` and `cards`."""
    said = _by_kind(components)
    whole: dict[str, Any] = {**_face(definition, components), "footer": definition.footer or None}
    whole["buttons"] = whole.pop("buttons")  # below the footer, as on the phone
    if definition.offer is not None:
        whole["offer"] = {"text": definition.offer.text, **_inner(said.get("limited_time_offer"))}
    if definition.cards:
        cards = said.get("carousel", {}).get("cards", ())
        whole["cards"] = [_face(face, card["components"]) for face, card in zip(definition.cards, cards, strict=False)]
    return whole


def _face(face: Face, components: Components) -> dict[str, Any]:
    said = _by_kind(components)
    body = said.get("body", {}).get("parameters", ())
    return {
        "header": None if face.header is None else _header(face.header, said.get("header")),
        "body": face.body.bound(bindings(face.body, body)) or None,
        "buttons": [_button(button, _said_of(index, components)) for index, button in enumerate(face.buttons)],
    }


def _header(header: Header, component: JsonObject | None) -> JsonObject:
    if header.format is HeaderFormat.TEXT:
        parameters = () if component is None else component.get("parameters", ())
        return {"type": "text", "text": header.wording.bound(bindings(header.wording, parameters))}
    return {"type": header.format.lower(), **_inner(component)}


def _button(button: Button, component: JsonObject | None) -> JsonObject:
    parameters: Components = () if component is None else component.get("parameters", ())
    shown: dict[str, Any] = {"type": button.type.lower(), "text": button.label or None}
    argument = parameters[0].get(parameters[0]["type"]) if parameters else None
    if button.takes_code:
        return {**shown, "code": argument}
    if button.url.text:
        return {**shown, "url": button.url.bound(bindings(button.url, parameters))}
    return shown if argument is None else {**shown, parameters[0]["type"]: argument}


def _by_kind(components: Components) -> Mapping[str, JsonObject]:
    return {component["type"]: component for component in components if component["type"] != "button"}


def _said_of(index: int, components: Components) -> JsonObject | None:
    buttons = (component for component in components if component["type"] == "button")
    return next((component for component in buttons if component["index"] == str(index)), None)


def _inner(component: JsonObject | None) -> JsonObject:
    """What the only parameter of a component holds."""
    parameter = None if component is None else next(iter(component.get("parameters", ())), None)
    return {} if parameter is None else dict(parameter[parameter["type"]])
