"""What makes a definition unreadable: each problem with its place. What the platform would not register is another
matter, and not looked at here: what it has registered is taken as it is, as far as its arguments are clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.domain.message import JsonObject
from gateway.domain.template import (
    BODY_LIMIT,
    BUTTONS_LIMIT,
    CARD_BODY_LIMIT,
    CARDS,
    FOOTER_LIMIT,
    HEADER_LIMIT,
    MEDIA,
    PLACEHOLDER,
    POSITIONAL,
    URL_LIMIT,
    ButtonType,
    HeaderFormat,
    ParameterFormat,
    Place,
    Wording,
)

Found = tuple[Place, str]

_NAMED = re.compile(r"[a-z_][a-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class _Around:
    """What the reading of a component depends on, besides itself."""

    parameter_format: ParameterFormat
    body_limit: int = BODY_LIMIT
    is_authentication: bool = False


def problems_of(folded: JsonObject) -> Iterator[Found]:
    """The problems of a definition whose words are folded."""
    for key in ("name", "language"):
        if not isinstance(folded.get(key), str) or not folded[key]:
            yield (key,), "expected a text"
    if not _is_one_of(ParameterFormat, folded["parameter_format"]):
        yield ("parameter_format",), "expected POSITIONAL or NAMED"
        return
    around = _Around(
        ParameterFormat(folded["parameter_format"]), is_authentication=folded.get("category") == "AUTHENTICATION"
    )
    if not any(part.get("type") == "BODY" for part in folded["components"]):
        yield ("components",), "expected a BODY component"
    yield from _components_problems(folded["components"], around, _PARTS)


def _components_problems(
    components: Sequence[JsonObject], around: _Around, known: dict[str, _PartProblems]
) -> Iterator[Found]:
    types = [part.get("type") for part in components]
    for index, part in enumerate(components):
        place: Place = ("components", index)
        kind = part.get("type")
        if isinstance(kind, str) and kind in types[:index]:
            yield (*place, "type"), f"expected at most one {kind} component"
        problems = known.get(kind) if isinstance(kind, str) else None
        if problems is None:
            yield (*place, "type"), f"expected one of {', '.join(known)}{_given(kind)}"
            continue
        for inner, problem in problems(part, around):
            yield (*place, *inner), problem


def _is_one_of(words: type[StrEnum], value: Any) -> bool:
    return isinstance(value, str) and value in set(words)


def _given(word: Any) -> str:
    return f"; {word} is not known here" if isinstance(word, str) and word.isidentifier() else ""


# --- component by component -----------------------------------------------------------------------------------------


def _header_problems(part: JsonObject, around: _Around) -> Iterator[Found]:
    form = part.get("format")
    if not _is_one_of(HeaderFormat, form):
        yield ("format",), f"expected one of {', '.join(HeaderFormat)}{_given(form)}"
    elif form == HeaderFormat.TEXT:
        yield from _text_problems(part, HEADER_LIMIT, around.parameter_format)
        if isinstance(part.get("text"), str) and len(Wording(part["text"]).parameters) > 1:
            yield ("text",), "expected at most one placeholder in a header"
    elif form in MEDIA and part.get("text"):
        yield ("text",), f"expected no text in a header of format {form}"


def _body_problems(part: JsonObject, around: _Around) -> Iterator[Found]:
    """The platform writes the body of an authentication template itself."""
    is_written = around.is_authentication or "add_security_recommendation" in part
    if is_written and not part.get("text"):
        return
    yield from _text_problems(part, around.body_limit, around.parameter_format)


def _footer_problems(part: JsonObject, _: _Around) -> Iterator[Found]:
    minutes = part.get("code_expiration_minutes")
    if minutes is None:
        yield from _text_problems(part, FOOTER_LIMIT, None)
    elif not isinstance(minutes, int) or isinstance(minutes, bool):
        yield ("code_expiration_minutes",), "expected a whole number of minutes"


def _offer_problems(part: JsonObject, _: _Around) -> Iterator[Found]:
    inner = part.get("limited_time_offer", {})
    if not isinstance(inner, dict):
        yield ("limited_time_offer",), "expected an object with text and has_expiration"
        return
    within = ("limited_time_offer",) if inner else ()
    for key, kinds, expected in (("text", str, "a text"), ("has_expiration", bool, "true or false")):
        value = (inner or part).get(key)
        if value is not None and not isinstance(value, kinds):
            yield (*within, key), f"expected {expected}"


def _buttons_problems(part: JsonObject, around: _Around) -> Iterator[Found]:
    buttons = part["buttons"]
    if not 1 <= len(buttons) <= BUTTONS_LIMIT:
        yield ("buttons",), f"expected 1 to {BUTTONS_LIMIT} buttons"
    for index, button in enumerate(buttons):
        kind = button.get("type")
        if not _is_one_of(ButtonType, kind):
            yield ("buttons", index, "type"), f"expected one of {', '.join(ButtonType)}{_given(kind)}"
        elif not isinstance(button.get("text") or "", str):
            yield ("buttons", index, "text"), "expected a text"
        elif kind == ButtonType.URL and not _is_url(button.get("url")):
            yield ("buttons", index, "url"), "expected a URL with at most one placeholder, at its end"


def _carousel_problems(part: JsonObject, around: _Around) -> Iterator[Found]:
    cards = part["cards"]
    if not 1 <= len(cards) <= CARDS[1]:
        yield ("cards",), f"expected {CARDS[0]} to {CARDS[1]} cards"
    inside = _Around(around.parameter_format, body_limit=CARD_BODY_LIMIT)
    for index, card in enumerate(cards):
        if not card["components"]:
            yield ("cards", index, "components"), "expected a list of components"
        for place, problem in _components_problems(card["components"], inside, _CARD_PARTS):
            yield ("cards", index, *place), problem


def _no_problems(_: JsonObject, __: _Around) -> Iterator[Found]:
    yield from ()


_PartProblems = Callable[[JsonObject, _Around], Iterator[Found]]
_CARD_PARTS: dict[str, _PartProblems] = {
    "HEADER": _header_problems,
    "BODY": _body_problems,
    "BUTTONS": _buttons_problems,
}
_PARTS: dict[str, _PartProblems] = {
    **_CARD_PARTS,
    "FOOTER": _footer_problems,
    "CAROUSEL": _carousel_problems,
    "LIMITED_TIME_OFFER": _offer_problems,
    "CALL_PERMISSION_REQUEST": _no_problems,
}


# --- texts ----------------------------------------------------------------------------------------------------------


def _text_problems(part: JsonObject, limit: int, parameter_format: ParameterFormat | None) -> Iterator[Found]:
    text = part.get("text")
    if not isinstance(text, str) or not text:
        yield ("text",), "expected a text"
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


def _is_url(url: Any) -> bool:
    if not isinstance(url, str) or not url.lower().startswith(("https://", "http://")):
        return False
    fixed = PLACEHOLDER.split(url)[0]
    return len(fixed) <= URL_LIMIT and bool(re.fullmatch(r"(?:\{\{[a-z0-9_]+\}\})?", url[len(fixed) :]))
