"""Filling a registered template in, by the platform's rules for what a message supplies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.provider.sandbox.templates import MEDIA, Button, Registered, slots, substituted

BODY_LENGTH = 1024
HEADER_LENGTH = 60
URL_LENGTH = 2000

_UNFIT = re.compile(r"[\n\r\t]| {5}")
_FALLBACKS = {"currency", "date_time"}

Parameter = Mapping[str, Any]


class Misfit(Exception):
    """The arguments don't fit the template; the text says where and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A template message as a phone shows it: its parts, and all of them as one text."""

    header: str = ""
    medium: str | None = None
    """The link or the id of a header that is a picture, a video or a document."""
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()

    @property
    def text(self) -> str:
        labels = " ".join(f"[{button.text}{' ' + button.url if button.url else ''}]" for button in self.buttons)
        return "\n".join(part for part in (self.header, self.body, self.footer, labels) if part)


@dataclass(slots=True, kw_only=True)
class _Arguments:
    header: Sequence[Parameter] = ()
    body: Sequence[Parameter] = ()
    buttons: dict[int, tuple[str, Sequence[Parameter]]] = field(default_factory=dict)


def fill(template: Registered, components: Any) -> Filled:
    """The message that these components make of the template. Raises Misfit."""
    if template.unsupported:
        raise Misfit(f"the sandbox does not know {', '.join(template.unsupported)}")
    arguments = _read(components)
    header, medium = _header(template, arguments.header)
    return Filled(
        header=header,
        medium=medium,
        body=_text(template, "body", template.body, arguments.body, BODY_LENGTH),
        footer=template.footer,
        buttons=_buttons(template.buttons, arguments.buttons),
    )


def _read(components: Any) -> _Arguments:
    arguments = _Arguments()
    seen: set[object] = set()
    for number, component in enumerate(_objects(components, "components")):
        place = f"components[{number}]"
        kind = str(component.get("type", "")).lower()
        slot = (kind, str(component.get("index"))) if kind == "button" else kind
        if slot in seen:
            raise Misfit(f"{place}: a second {kind}")
        seen.add(slot)
        _put(arguments, kind, component, place)
    return arguments


def _put(arguments: _Arguments, kind: str, component: Parameter, place: str) -> None:
    parameters = _objects(component.get("parameters"), f"{place}.parameters")
    match kind:
        case "header":
            arguments.header = parameters
        case "body":
            arguments.body = parameters
        case "button":
            sub_type = str(component.get("sub_type", "")).upper()
            arguments.buttons[_index(component.get("index"), place)] = sub_type, parameters
        case _:
            raise Misfit(f"{place}.type: expected header, body or button")


def _objects(value: Any, place: str) -> list[Parameter]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Misfit(f"{place}: expected a list of objects")
    return value


def _index(value: Any, place: str) -> int:
    written = str(value)
    if isinstance(value, bool) or not (written.isascii() and written.isdigit() and len(written) < 3):
        raise Misfit(f"{place}.index: expected the button's position")
    return int(written)


def _header(template: Registered, parameters: Sequence[Parameter]) -> tuple[str, str | None]:
    if template.header_format in MEDIA:
        medium = _medium(template.header_format, parameters)
        return f"<{template.header_format.lower()} {medium}>", medium
    return _text(template, "header", template.header_text, parameters, HEADER_LENGTH), None


def _medium(header_format: str, parameters: Sequence[Parameter]) -> str:
    kind = header_format.lower()
    if len(parameters) != 1 or parameters[0].get("type") != kind:
        raise Misfit(f"header: expected one parameter of type {kind}")
    medium = parameters[0].get(kind)
    if not isinstance(medium, dict) or ("link" in medium) == ("id" in medium):
        raise Misfit(f"header: expected the link or the id of the {kind}")
    if "link" in medium and not str(medium["link"]).startswith(("https://", "http://")):
        raise Misfit(f"header: expected an http link to the {kind}")
    return str(medium.get("link") or medium.get("id"))


def _text(template: Registered, part: str, text: str, parameters: Sequence[Parameter], longest: int) -> str:
    names = slots(text)
    if len(parameters) != len(names):
        raise Misfit(f"{part}: expected {len(names)} parameters, not {len(parameters)}")
    values = [_value(parameter, f"{part}.parameters[{number}]") for number, parameter in enumerate(parameters)]
    if template.is_named:
        given = dict(zip((str(parameter.get("parameter_name")) for parameter in parameters), values, strict=True))
    else:
        given = {str(number): value for number, value in enumerate(values, start=1)}
    if set(given) != set(names):
        raise Misfit(f"{part}: expected the parameters {', '.join(names)}")
    return _within(substituted(text, given), longest, part)


def _value(parameter: Parameter, place: str) -> str:
    kind = parameter.get("type")
    if kind == "text":
        value = parameter.get("text")
    elif kind in _FALLBACKS and isinstance(parameter.get(kind), dict):
        value = parameter[kind].get("fallback_value")
    else:
        raise Misfit(f"{place}.type: expected text, currency or date_time")
    if not isinstance(value, str) or not value.strip():
        raise Misfit(f"{place}: expected a text that is not empty")
    if _UNFIT.search(value):
        raise Misfit(f"{place}: expected no new line, tab or more than four spaces in a row")
    return value


def _within(text: str, longest: int, part: str) -> str:
    if len(text) > longest:
        raise Misfit(f"{part}: at most {longest} characters, not {len(text)}")
    return text


def _buttons(buttons: Sequence[Button], arguments: Mapping[int, tuple[str, Sequence[Parameter]]]) -> tuple[Button, ...]:
    for index in arguments:
        if index >= len(buttons):
            raise Misfit(f"button {index}: the template has {len(buttons)}")
    return tuple(_button(button, index, arguments.get(index)) for index, button in enumerate(buttons))


def _button(button: Button, index: int, argument: tuple[str, Sequence[Parameter]] | None) -> Button:
    sub_type, parameters = argument or (button.type, ())
    if sub_type != button.type:
        raise Misfit(f"button {index}: expected sub_type {button.type.lower()}")
    if button.type == "QUICK_REPLY" and parameters:
        return replace(button, payload=_payload(parameters, index))
    if names := slots(button.url):
        return replace(button, url=_url(button.url, names[0], parameters, index))
    if parameters:
        raise Misfit(f"button {index}: expected no parameters")
    return button


def _payload(parameters: Sequence[Parameter], index: int) -> str:
    payload = parameters[0].get("payload")
    if len(parameters) != 1 or parameters[0].get("type") != "payload" or not isinstance(payload, str):
        raise Misfit(f"button {index}: expected one parameter of type payload")
    return payload


def _url(url: str, name: str, parameters: Sequence[Parameter], index: int) -> str:
    if len(parameters) != 1 or parameters[0].get("type") != "text":
        raise Misfit(f"button {index}: expected one parameter of type text")
    suffix = _value(parameters[0], f"button {index}")
    if " " in suffix:
        raise Misfit(f"button {index}: expected a percent-encoded suffix")
    return _within(substituted(url, {name: suffix}), URL_LENGTH, f"button {index}")
