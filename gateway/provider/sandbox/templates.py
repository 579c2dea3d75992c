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


Templates = Mapping[tuple[str, str], Registered]


def load_templates(source: Path | Iterable[Mapping[str, Any]]) -> Templates:
    """The definitions in a folder, or those given, by name and language. Raises CannotStart for a file that is none."""
    if isinstance(source, Path):
        read = [_read_file(path) for path in sorted(source.glob("*.y*ml"))]
    else:
        read = [read_template(definition) for definition in source]
    return {(template.name, template.language): template for template in read}


def _read_file(path: Path) -> Registered:
    try:
        return read_template(yaml.safe_load(path.read_text(encoding="utf-8")))
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
