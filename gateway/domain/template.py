"""A registered template as values: its texts with their placeholders, its header, its buttons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.message import JsonObject

Place = tuple[str | int, ...]
"""Where a value stands: keys and indices from the top."""

BODY_LIMIT = 1024
HEADER_LIMIT = 60
FOOTER_LIMIT = 60
URL_LIMIT = 2000
BUTTONS_LIMIT = 10
"""Source: Meta, template components (2026): lengths count after the arguments are filled in."""

PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
POSITIONAL = re.compile(r"[1-9][0-9]{0,2}")


def shown(place: Place, *, under: str = "") -> str:
    """A place as people write it: ``components[1].text``, or a path that goes on from `under`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{under}{steps}" if under else steps.removeprefix(".")


class ParameterFormat(StrEnum):
    POSITIONAL = "POSITIONAL"
    NAMED = "NAMED"


class HeaderFormat(StrEnum):
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"


class ButtonType(StrEnum):
    QUICK_REPLY = "QUICK_REPLY"
    URL = "URL"
    PHONE_NUMBER = "PHONE_NUMBER"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with placeholders."""

    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names between the braces, each once: numbers in their order, names in order of appearance."""
        names = tuple(dict.fromkeys(PLACEHOLDER.findall(self.text)))
        return tuple(sorted(names, key=int)) if all(map(POSITIONAL.fullmatch, names)) else names

    def bound(self, arguments: Mapping[str, str]) -> str:
        """The text with its arguments in place; nothing in an argument is taken for a placeholder."""
        return PLACEHOLDER.sub(lambda match: arguments.get(match[1], match[0]), self.text)


@dataclass(frozen=True, slots=True)
class Header:
    format: HeaderFormat
    wording: Wording
    """Empty for media."""


@dataclass(frozen=True, slots=True)
class Button:
    type: ButtonType
    url: Wording
    """Empty unless it opens one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDefinition:
    """A template as it is registered. `document` is the whole definition, fields we don't know included."""

    name: str
    language: str
    category: str
    status: str
    parameter_format: ParameterFormat
    namespace: str | None
    header: Header | None
    body: Wording
    buttons: tuple[Button, ...]
    document: JsonObject

    @property
    def is_approved(self) -> bool:
        """Only an approved template can be sent."""
        return self.status == "APPROVED"

    @property
    def is_named(self) -> bool:
        return self.parameter_format is ParameterFormat.NAMED


def fold_language(language: str) -> str:
    """The one spelling of a language: ``en-US`` is ``en_US``."""
    return language.replace("-", "_")
