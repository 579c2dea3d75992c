"""Filling a registered template in, by the platform's rules for what a message supplies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.provider.sandbox.filling_buttons import filled_buttons
from gateway.provider.sandbox.misfit import Miscount, Misfit, Overlong
from gateway.provider.sandbox.templates import MEDIA, Button, Face, Registered, slots, substituted

HEADER_LENGTH = 60

_UNFIT = re.compile(r"[\n\r\t]| {5}")
_FALLBACKS = ("currency", "date_time")

Parameter = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A template message as a phone shows it: its parts, and all of them as one text."""

    header: str = ""
    medium: str | None = None
    """The link or the id of a header that is a picture, a video or a document."""
    body: str = ""
    footer: str = ""
    offer: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Filled, ...] = ()

    @property
    def text(self) -> str:
        labels = " ".join(f"[{_label(button)}]" for button in self.buttons)
        parts = (self.header, self.offer, self.body, self.footer, labels, *(card.text for card in self.cards))
        return "\n".join(part for part in parts if part)


def _label(button: Button) -> str:
    return " ".join(part for part in (button.text or button.type, button.url, button.code) if part)


@dataclass(slots=True, kw_only=True)
class _Arguments:
    header: Sequence[Parameter] = ()
    body: Sequence[Parameter] = ()
    offer: Sequence[Parameter] = ()
    cards: Sequence[Any] = ()
    buttons: dict[int, tuple[str, Sequence[Parameter]]] = field(default_factory=dict)


def fill(template: Registered, components: Any) -> Filled:
    """The message that these components make of the template. Raises Misfit."""
    if template.unsupported:
        raise Misfit(f"the sandbox does not know {', '.join(template.unsupported)}")
    arguments = _read(components)
    filled = _face(template, arguments)
    _same_code(filled)
    return replace(
        filled,
        footer=template.footer,
        offer=_offer(template, arguments.offer),
        cards=tuple(_cards(template.cards, arguments.cards)),
    )


def _face(face: Face, arguments: _Arguments) -> Filled:
    header, medium = _header(face, arguments.header)
    return Filled(
        header=header,
        medium=medium,
        body=_text(face, "body", face.body, arguments.body, face.body_length),
        buttons=filled_buttons(face.buttons, arguments.buttons),
    )


def _same_code(filled: Filled) -> None:
    """The button of a one-time code copies the code that the text shows."""
    codes = [button.code or "" for button in filled.buttons if button.type == "OTP"]
    if any(code not in filled.body for code in codes):
        raise Misfit("button: expected the code of the body")


def _offer(template: Registered, parameters: Sequence[Parameter]) -> str:
    if template.offer is None or not template.offer_ends:
        if parameters:
            raise Misfit("limited_time_offer: expected no parameters")
        return template.offer or ""
    inner = parameters[0].get("limited_time_offer") if len(parameters) == 1 else None
    end = inner.get("expiration_time_ms") if isinstance(inner, dict) else None
    if not isinstance(end, int) or isinstance(end, bool) or end < 1:
        raise Misfit("limited_time_offer: expected its expiration_time_ms")
    return f"{template.offer} (ends at {end})"


def _cards(faces: Sequence[Face], cards: Sequence[Any]) -> Iterator[Filled]:
    if len(cards) != len(faces):
        raise Miscount(f"carousel: expected {len(faces)} cards, not {len(cards)}")
    given = {str(card.get("card_index")): card for card in cards}
    for index, face in enumerate(faces):
        if str(index) not in given:
            raise Misfit(f"carousel: expected a card with card_index {index}")
        yield _face(face, _read(given[str(index)].get("components")))


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
        case "limited_time_offer":
            arguments.offer = parameters
        case "carousel":
            arguments.cards = _objects(component.get("cards"), f"{place}.cards")
        case "tap_target_configuration":
            pass
        case "button":
            sub_type = str(component.get("sub_type", "")).upper()
            arguments.buttons[_index(component.get("index"), place)] = sub_type, parameters
        case _:
            raise Misfit(f"{place}.type: expected a component of the template")


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


def _header(face: Face, parameters: Sequence[Parameter]) -> tuple[str, str | None]:
    match face.header_format:
        case str(kind) if kind in MEDIA:
            medium = _medium(kind, parameters)
            return f"<{kind.lower()} {medium}>", medium
        case "LOCATION":
            return _place(_only(parameters, "location", ("latitude", "longitude", "name", "address"))), None
        case "PRODUCT":
            product = _only(parameters, "product", ("product_retailer_id", "catalog_id"))
            return f"<product {product['product_retailer_id']}>", None
    return _text(face, "header", face.header_text, parameters, HEADER_LENGTH), None


def _only(parameters: Sequence[Parameter], kind: str, keys: Sequence[str]) -> Parameter:
    inner = parameters[0].get(kind) if len(parameters) == 1 and parameters[0].get("type") == kind else None
    if not isinstance(inner, dict) or not all(inner.get(key) not in (None, "") for key in keys):
        raise Misfit(f"header: expected one {kind} with {', '.join(keys)}")
    return inner


def _place(location: Parameter) -> str:
    return f"<location {location['latitude']}, {location['longitude']}> {location['name']}, {location['address']}"


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


def _text(face: Face, part: str, text: str, parameters: Sequence[Parameter], longest: int) -> str:
    names = slots(text)
    if len(parameters) != len(names):
        raise Miscount(f"{part}: expected {len(names)} parameters, not {len(parameters)}")
    values = [_value(parameter, f"{part}.parameters[{number}]") for number, parameter in enumerate(parameters)]
    if face.is_named:
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
        raise Overlong(f"{part}: at most {longest} characters, not {len(text)}")
    return text
