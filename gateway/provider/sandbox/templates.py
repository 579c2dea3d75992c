"""The templates that are registered with the sandbox, as read from their definition files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from gateway.domain.errors import CannotStart

_SLOT = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT", "GIF"})
HEADERS = MEDIA | {"TEXT", "LOCATION", "PRODUCT"}
CODES = frozenset({"OTP", "COPY_CODE"})
BUTTONS = CODES | {
    *("QUICK_REPLY", "URL", "PHONE_NUMBER", "FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL", "APP"),
    *("REQUEST_CONTACT_INFO", "CALL_PERMISSION_REQUEST"),
}
COMPONENTS = frozenset(
    {"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"}
)
BODY_LENGTH = 1024
OFFER_BODY_LENGTH = 600
MOST = 6_000
CARD_BODY_LENGTH = 160

_CODE_TEXT = "*{{1}}* is your verification code."
"""What the platform writes itself in an authentication template, in English and at its shortest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    type: str
    text: str
    url: str = ""
    payload: str | None = None
    """What a tap sends along, when the message said so."""
    code: str | None = None
    """What a tap copies."""
    description: str = ""
    """What stands under a row of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What is shown together: a card of a carousel, or the template itself."""

    is_named: bool = False
    header_format: str | None = None
    header_text: str = ""
    body: str = ""
    body_length: int = BODY_LENGTH
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Face):
    """One template definition. `unsupported` names the parts that the sandbox can't show on a phone."""

    name: str
    language: str
    status: str
    category: str = ""
    namespace: str | None = None
    footer: str = ""
    offer: str | None = None
    """The words of a limited-time offer."""
    offer_ends: bool = False
    cards: tuple[Face, ...] = ()
    unsupported: tuple[str, ...] = ()


Definition = Mapping[str, Any]
"""As it is written, and as the platform's API gives it."""

Templates = Mapping[tuple[str, str], Registered]


class Catalogue:
    """The templates by name and language, each as it is written and as it was read. Raises CannotStart for a file that
    is none."""

    def __init__(self, source: Path | Iterable[Definition]) -> None:
        if isinstance(source, Path):
            read = [_read_file(path) for path in sorted(source.glob("*.y*ml"))]
        else:
            read = [(definition, read_template(definition)) for definition in source]
        self._written = {(template.name, template.language): definition for definition, template in read}
        self._read = {(template.name, template.language): template for _, template in read}

    @property
    def templates(self) -> Templates:
        """As they are now, also later on."""
        return self._read

    def written(self) -> list[Definition]:
        """In the order of their names."""
        return [self._written[key] for key in sorted(self._written)]

    def add(self, definition: Definition) -> Registered:
        """One more is registered. Raises KeyError when there is one of this name and language, ValueError for what is
        no definition, or one too many."""
        try:
            read = read_template(definition)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError("expected a name, a language and components") from None
        key = (read.name, read.language)
        if key in self._written:
            raise KeyError(key)
        if len(self._written) >= MOST:
            raise ValueError(f"expected at most {MOST} templates")
        self._written[key], self._read[key] = definition, read
        return read

    def change(self, key: tuple[str, str], **fields: Any) -> None:
        """From now on the template says something else. Raises KeyError when there is none, ValueError for a change
        that makes it none."""
        definition = {**self._written[key], **fields}
        try:
            self._read[key] = read_template(definition)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError("expected what makes a template definition") from None
        self._written[key] = definition


def _read_file(path: Path) -> tuple[Definition, Registered]:
    try:
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        return definition, read_template(definition)
    except OSError as error:
        raise CannotStart(f"{path} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
        raise CannotStart(f"{path}: is no template definition; it needs a name, a language and components") from None


def read_template(definition: Mapping[str, Any]) -> Registered:
    """A definition in the form in which the platform's API gives it."""
    components = _by_kind(definition["components"])
    is_named = _upper(definition, "parameter_format", "POSITIONAL") == "NAMED"
    is_of_codes = _upper(definition, "category") == "AUTHENTICATION"
    offer = components.get("LIMITED_TIME_OFFER")
    told = {} if offer is None else offer.get("limited_time_offer", offer)
    cards = [_by_kind(card["components"]) for card in components.get("CAROUSEL", {}).get("cards", ())]
    length = BODY_LENGTH if offer is None else OFFER_BODY_LENGTH
    return Registered(
        name=str(definition["name"]),
        language=str(definition["language"]),
        status=_upper(definition, "status", "APPROVED"),
        category=_upper(definition, "category"),
        namespace=definition.get("namespace"),
        footer=_footer(components.get("FOOTER", {})),
        offer=None if offer is None else str(told.get("text", "")),
        offer_ends=told.get("has_expiration") is True,
        cards=tuple(Face(**_face(card, is_named=is_named, length=CARD_BODY_LENGTH)) for card in cards),
        unsupported=tuple(sorted(_unsupported([components, *cards]))),
        **_face(components, is_named=is_named, length=length, is_of_codes=is_of_codes),
    )


def _by_kind(components: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {_upper(each, "type"): each for each in components}


def _face(components: Mapping[str, Any], *, is_named: bool, length: int, is_of_codes: bool = False) -> dict[str, Any]:
    header, body = components.get("HEADER", {}), components.get("BODY", {})
    buttons = (_read_button(each) for each in components.get("BUTTONS", {}).get("buttons", ()))
    return {
        "is_named": is_named,
        "header_format": _upper(header, "format", "TEXT") if header else None,
        "header_text": str(header.get("text") or ""),
        "body": str(body.get("text") or (_CODE_TEXT if is_of_codes else "")),
        "body_length": length,
        "buttons": tuple(_of_code(button) if is_of_codes else button for button in buttons),
    }


def _of_code(button: Button) -> Button:
    """A one-time code's button comes back from the platform's API as one that opens a URL."""
    return replace(button, type="OTP", url="") if button.type == "URL" and slots(button.url) else button


def _footer(part: Mapping[str, Any]) -> str:
    minutes = part.get("code_expiration_minutes")
    return str(part.get("text") or ("" if minutes is None else f"This code expires in {minutes} minutes."))


def _read_button(button: Mapping[str, Any]) -> Button:
    return Button(type=_upper(button, "type"), text=str(button.get("text") or ""), url=str(button.get("url") or ""))


def _unsupported(faces: Sequence[Mapping[str, Any]]) -> set[str]:
    parts: set[str] = set()
    for components in faces:
        buttons = components.get("BUTTONS", {}).get("buttons", ())
        parts |= set(components) - COMPONENTS
        parts |= {_upper(components.get("HEADER", {}), "format", "TEXT")} - HEADERS
        parts |= {_upper(button, "type") for button in buttons} - BUTTONS
    return parts


def _upper(definition: Mapping[str, Any], field: str, default: str = "") -> str:
    return str(definition.get(field, default)).upper()


def slots(text: str) -> tuple[str, ...]:
    """The names of the places to fill, each once, in the order of the text."""
    return tuple(dict.fromkeys(_SLOT.findall(text)))


def substituted(text: str, values: Mapping[str, str]) -> str:
    """The text with each slot filled; what stands in a value is never read as a slot."""
    return _SLOT.sub(lambda slot: values[slot.group(1)], text)
