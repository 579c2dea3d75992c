"""Reading a definition as the platform's API returns it.

In scope are headers (text, image, video, document), body, static footer, and quick-reply, URL and phone-number
buttons. Everything else of the platform's grammar is a problem that says "not supported yet" by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.template import (
    BODY_LIMIT,
    BUTTONS_LIMIT,
    FOOTER_LIMIT,
    HEADER_LIMIT,
    PLACEHOLDER,
    POSITIONAL,
    URL_LIMIT,
    Button,
    ButtonType,
    Header,
    HeaderFormat,
    ParameterFormat,
    Place,
    TemplateDefinition,
    Wording,
    fold_language,
)

_NAMED = re.compile(r"[a-z_][a-z0-9_]{0,99}")


class DefinitionInvalid(ValueError):
    """Every problem of a definition, each with its place."""

    def __init__(self, problems: Sequence[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(text for _, text in problems))


def define(document: JsonObject) -> TemplateDefinition:
    """Read a definition, words in upper or lower case. Raises DefinitionInvalid with all problems."""
    folded = _folded(document)
    problems = tuple(_problems(folded))
    if problems:
        raise DefinitionInvalid(problems)
    parts = {part["type"]: part for part in folded["components"]}
    return TemplateDefinition(
        name=folded["name"],
        language=folded["language"],
        category=folded.get("category", ""),
        status=folded.get("status", ""),
        parameter_format=ParameterFormat(folded["parameter_format"]),
        namespace=folded.get("namespace"),
        header=_header(parts["HEADER"]) if "HEADER" in parts else None,
        body=Wording(parts["BODY"]["text"]),
        buttons=tuple(map(_button, parts["BUTTONS"]["buttons"])) if "BUTTONS" in parts else (),
        document=folded,
    )


def _header(part: JsonObject) -> Header:
    return Header(HeaderFormat(part["format"]), Wording(part.get("text", "")))


def _button(part: JsonObject) -> Button:
    return Button(ButtonType(part["type"]), Wording(part["url"] if part["type"] == ButtonType.URL else ""))


# --- one spelling ---------------------------------------------------------------------------------------------------


def _folded(document: JsonObject) -> dict[str, Any]:
    folded = _upper(document, "category", "status", "parameter_format")
    folded.setdefault("parameter_format", ParameterFormat.POSITIONAL.value)
    if isinstance(folded.get("language"), str):
        folded["language"] = fold_language(folded["language"])
    folded["components"] = [_folded_part(part) for part in _listed(folded.get("components"))]
    return folded


def _folded_part(part: Any) -> dict[str, Any]:
    folded = _upper(part, "type", "format")
    if folded.get("type") == "BUTTONS":
        folded["buttons"] = [_upper(button, "type") for button in _listed(folded.get("buttons"))]
    return folded


def _upper(document: Any, *keys: str) -> dict[str, Any]:
    folded = dict(document) if isinstance(document, Mapping) else {}
    return folded | {key: folded[key].upper() for key in keys if isinstance(folded.get(key), str)}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


# --- problems -------------------------------------------------------------------------------------------------------


def _problems(folded: JsonObject) -> Iterator[tuple[Place, str]]:
    for key in ("name", "language"):
        if not isinstance(folded.get(key), str) or not folded[key]:
            yield (key,), "expected a text"
    if folded["parameter_format"] not in set(ParameterFormat):
        yield ("parameter_format",), "expected POSITIONAL or NAMED"
        return
    types = [part.get("type") for part in folded["components"]]
    if "BODY" not in types:
        yield ("components",), "expected a BODY component"
    for index, part in enumerate(folded["components"]):
        place: Place = ("components", index)
        if part.get("type") in types[:index]:
            yield (*place, "type"), f"expected at most one {part.get('type')} component"
        for inner, problem in _part_problems(part, ParameterFormat(folded["parameter_format"])):
            yield (*place, *inner), problem


def _part_problems(part: JsonObject, parameter_format: ParameterFormat) -> Iterator[tuple[Place, str]]:
    match part.get("type"):
        case "HEADER":
            yield from _header_problems(part, parameter_format)
        case "BODY":
            yield from _text_problems(part, "BODY", BODY_LIMIT, parameter_format)
        case "FOOTER":
            yield from _text_problems(part, "FOOTER", FOOTER_LIMIT, None)
        case "BUTTONS":
            yield from _buttons_problems(part["buttons"])
        case other:
            yield ("type",), _unsupported("component", other)


def _unsupported(what: str, name: Any) -> str:
    return f"{what} {name} is not supported yet" if isinstance(name, str) else f"expected a {what} type"


def _header_problems(part: JsonObject, parameter_format: ParameterFormat) -> Iterator[tuple[Place, str]]:
    if part.get("format") == HeaderFormat.TEXT:
        yield from _text_problems(part, "HEADER", HEADER_LIMIT, parameter_format)
        if isinstance(part.get("text"), str) and len(Wording(part["text"]).parameters) > 1:
            yield ("text",), "expected at most one placeholder in a header"
    elif part.get("format") not in set(HeaderFormat):
        yield ("format",), _unsupported("header format", part.get("format"))


def _text_problems(
    part: JsonObject, name: str, limit: int, parameter_format: ParameterFormat | None
) -> Iterator[tuple[Place, str]]:
    text = part.get("text")
    if not isinstance(text, str) or not text:
        yield ("text",), f"a {name} without text of its own is not supported yet"
        return
    if len(PLACEHOLDER.sub("", text)) > limit:
        yield ("text",), f"expected at most {limit} characters"
    for problem in _placeholder_problems(text, parameter_format):
        yield ("text",), problem


def _placeholder_problems(text: str, parameter_format: ParameterFormat | None) -> Iterator[str]:
    found = PLACEHOLDER.findall(text)
    if parameter_format is None:
        if found:
            yield "expected no placeholder here"
    elif parameter_format is ParameterFormat.NAMED:
        if not all(map(_NAMED.fullmatch, found)):
            yield "expected placeholders like {{order_number}}: lower-case letters, digits, underscores"
    elif not all(map(POSITIONAL.fullmatch, found)):
        yield "expected placeholders like {{1}}; for names set parameter_format: NAMED"
    elif set(map(int, found)) != set(range(1, len(set(found)) + 1)):
        yield "expected placeholders {{1}}, {{2}}, ... without a gap"


def _buttons_problems(buttons: Sequence[JsonObject]) -> Iterator[tuple[Place, str]]:
    if not 1 <= len(buttons) <= BUTTONS_LIMIT:
        yield ("buttons",), f"expected 1 to {BUTTONS_LIMIT} buttons"
    for index, button in enumerate(buttons):
        if button.get("type") not in set(ButtonType):
            yield ("buttons", index, "type"), _unsupported("button", button.get("type"))
        elif button["type"] == ButtonType.URL and not _is_url(button.get("url")):
            yield ("buttons", index, "url"), "expected a URL with at most one placeholder, at its end"


def _is_url(url: Any) -> bool:
    if not isinstance(url, str) or not url.lower().startswith(("https://", "http://")):
        return False
    fixed = PLACEHOLDER.split(url)[0]
    return len(fixed) <= URL_LIMIT and bool(re.fullmatch(r"(?:\{\{[a-z0-9_]+\}\})?", url[len(fixed) :]))
