"""The templates that are registered with the sandbox, as read from their definition files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.domain.errors import CannotStart

_SLOT = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
BUTTONS = frozenset({"QUICK_REPLY", "URL", "PHONE_NUMBER"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    type: str
    text: str
    url: str = ""
    payload: str | None = None
    """What a tap sends along, when the message said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One template definition. `unsupported` names the parts that the sandbox can't show on a phone."""

    name: str
    language: str
    status: str
    category: str = ""
    namespace: str | None = None
    is_named: bool = False
    header_format: str | None = None
    header_text: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
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
    components = {_upper(each, "type"): each for each in definition["components"]}
    header = components.get("HEADER", {})
    buttons = tuple(_read_button(each) for each in components.get("BUTTONS", {}).get("buttons", ()))
    return Registered(
        name=str(definition["name"]),
        language=str(definition["language"]),
        status=_upper(definition, "status", "APPROVED"),
        category=_upper(definition, "category"),
        namespace=definition.get("namespace"),
        is_named=_upper(definition, "parameter_format", "POSITIONAL") == "NAMED",
        header_format=_upper(header, "format", "TEXT") if header else None,
        header_text=str(header.get("text", "")),
        body=str(components.get("BODY", {}).get("text", "")),
        footer=str(components.get("FOOTER", {}).get("text", "")),
        buttons=buttons,
        unsupported=_unsupported(components, header, buttons),
    )


def _read_button(button: Mapping[str, Any]) -> Button:
    return Button(type=_upper(button, "type"), text=str(button.get("text", "")), url=str(button.get("url", "")))


def _unsupported(
    components: Mapping[str, Any], header: Mapping[str, Any], buttons: Sequence[Button]
) -> tuple[str, ...]:
    parts = set(components) - {"HEADER", "BODY", "FOOTER", "BUTTONS"}
    parts |= {_upper(header, "format", "TEXT")} - MEDIA - {"TEXT"}
    parts |= {button.type for button in buttons} - BUTTONS
    return tuple(sorted(parts))


def _upper(definition: Mapping[str, Any], field: str, default: str = "") -> str:
    return str(definition.get(field, default)).upper()


def slots(text: str) -> tuple[str, ...]:
    """The names of the places to fill, each once, in the order of the text."""
    return tuple(dict.fromkeys(_SLOT.findall(text)))


def substituted(text: str, values: Mapping[str, str]) -> str:
    """The text with each slot filled; what stands in a value is never read as a slot."""
    return _SLOT.sub(lambda slot: values[slot.group(1)], text)
