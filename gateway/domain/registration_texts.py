"""What the platform wants of a header, a body and a footer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gateway.domain.message import JsonObject
from gateway.domain.registration_parts import Broken, items, listed, text_at, word
from gateway.domain.template import CODE_LIMIT, FOOTER_LIMIT, HEADER_LIMIT, PLACEHOLDER, POSITIONAL, Place

_MEDIA = ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
_NAMED = re.compile(r"[a-z_][a-z0-9_]*")
_WORD = re.compile(r"\w+")
_WITHOUT_SPACES = ("zh", "ja", "th", "lo", "km", "my")
"""Languages in which words can't be counted by the spaces between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the rules must know of the definition as a whole."""

    category: str
    language: str
    is_named: bool
    body_limit: int

    @property
    def is_authentication(self) -> bool:
        """Its texts are the platform's own."""
        return self.category == "AUTHENTICATION"

    def within(self, body_limit: int) -> Around:
        return replace(self, body_limit=body_limit)


def text_rules(part: JsonObject, around: Around) -> Iterator[Broken]:
    """The rules that a HEADER, BODY or FOOTER breaks."""
    match word(part, "type"):
        case "HEADER":
            yield from _header(part, around)
        case "BODY" if around.is_authentication:
            yield from _codes(part)
        case "BODY":
            yield from _body(part, around)
        case "FOOTER":
            yield from _footer(text_at(part, "text"))


def _header(part: JsonObject, around: Around) -> Iterator[Broken]:
    if word(part, "format") in _MEDIA:
        if not items(part.get("example"), "header_handle"):
            yield "missing_example", (), "a media header wants an example: the handle of an uploaded file"
        return
    text = text_at(part, "text")
    yield from _too_long(text, "header", HEADER_LIMIT)
    if len(PLACEHOLDER.findall(text)) > 1:
        yield "header_parameters", ("text",), "a header takes at most one parameter"
    yield from _forms(text, around)
    yield from _examples(part, text, "header_text", around)


def _body(part: JsonObject, around: Around) -> Iterator[Broken]:
    text = text_at(part, "text")
    if not text.strip():
        yield "body_missing", (), "a body has a text"
        return
    yield from _too_long(text, "body", around.body_limit)
    yield from _edges(text.strip())
    yield from _forms(text, around)
    yield from _density(text, around)
    yield from _examples(part, text, "body_text", around)


def _footer(text: str) -> Iterator[Broken]:
    yield from _too_long(text, "footer", FOOTER_LIMIT)
    if PLACEHOLDER.search(text):
        yield "footer_parameters", ("text",), "a footer takes no parameters"


def _too_long(text: str, name: str, limit: int) -> Iterator[Broken]:
    length = len(PLACEHOLDER.sub("", text))
    if length > limit:
        yield (
            f"{name}_length",
            ("text",),
            f"this {name} has at most {limit} characters, without its parameters {length}",
        )


def _codes(part: JsonObject) -> Iterator[Broken]:
    """The example of a one-time code."""
    for index, row in enumerate(items(part.get("example"), "body_text")):
        texts = row if isinstance(row, list) else [row]
        if any(isinstance(text, str) and len(text) > CODE_LIMIT for text in texts):
            yield "otp_length", ("example", "body_text", index), f"a code has at most {CODE_LIMIT} characters"


# --- parameters -------------------------------------------------------------------------------------------------------


def _edges(text: str) -> Iterator[Broken]:
    found = list(PLACEHOLDER.finditer(text))
    if found and found[0].start() == 0:
        yield "leading_parameter", ("text",), "the body begins with a parameter; put words before it"
    if found and found[-1].end() == len(text):
        yield "trailing_parameter", ("text",), "the body ends with a parameter; put words or a full stop after it"
    for one, next_one in pairwise(found):
        if not text[one.end() : next_one.start()].strip():
            told = f"{one[0]} and {next_one[0]} stand side by side; put words between them"
            yield "adjacent_parameters", ("text",), told


def _forms(text: str, around: Around) -> Iterator[Broken]:
    names = PLACEHOLDER.findall(text)
    if around.is_named:
        yield from _named(names)
    elif not all(map(POSITIONAL.fullmatch, names)):
        told = "parameters are numbers like {{1}}; for names set parameter_format: NAMED"
        yield "parameter_form", ("text",), told
    elif set(map(int, names)) != set(range(1, len(set(names)) + 1)):
        yield "parameter_gap", ("text",), "parameters count from {{1}} without a gap"


def _named(names: Sequence[str]) -> Iterator[Broken]:
    if not all(map(_NAMED.fullmatch, names)):
        told = "parameters are names like {{order_number}}: lower-case letters, digits and underscores"
        yield "parameter_form", ("text",), told
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield "duplicate_parameter", ("text",), f"{{{{{name}}}}} stands here more than once; names are unique"


def _density(text: str, around: Around) -> Iterator[Broken]:
    """The platform says "too many parameters for the length" and publishes no ratio. Ours: twice as many words as
    parameters, and one more."""
    parameters = len(set(PLACEHOLDER.findall(text)))
    words = len(_WORD.findall(PLACEHOLDER.sub(" ", text)))
    if parameters and words <= 2 * parameters and not around.language.startswith(_WITHOUT_SPACES):
        told = f"{words} words for {parameters} parameters; the platform may want more (we count {2 * parameters + 1})"
        yield "parameter_density", ("text",), told


# --- examples ---------------------------------------------------------------------------------------------------------


def _examples(part: JsonObject, text: str, key: str, around: Around) -> Iterator[Broken]:
    """An example for each parameter; reviewers at the platform look at them."""
    wanted = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    example = part.get("example")
    if around.is_named:
        yield from _named_examples(wanted, example, f"{key}_named_params")
        return
    rows = items(example, key)
    given = rows[0] if rows and isinstance(rows[0], list) else rows
    if len(given) < len(wanted):
        told = f"each parameter wants an example in example.{key}: {len(wanted)}, given {len(given)}"
        yield "missing_example", _example_place(example, key), told


def _named_examples(wanted: Sequence[str], example: object, key: str) -> Iterator[Broken]:
    given = [text_at(entry, "param_name") for _, entry in listed(example, key)]
    missing = [name for name in wanted if name not in given]
    if missing:
        told = f"each parameter wants an example in example.{key}: without one are {', '.join(missing)}"
        yield "missing_example", _example_place(example, key), told
    for name in dict.fromkeys(name for name in given if given.count(name) > 1):
        yield "duplicate_parameter", ("example", key), f"{name} has more than one example"


def _example_place(example: object, key: str) -> Place:
    """Where the examples stand; the component where there are none."""
    return ("example", key) if isinstance(example, dict) and key in example else ()
