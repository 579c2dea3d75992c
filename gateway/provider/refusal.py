"""How providers word their refusals: the 24-hour refusal, and what they say in general."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from gateway.domain.errors import ProviderError
from gateway.provider.lenient import clean, integral

LONGEST_WORDS = 500
"""How much of a provider's own words we keep."""

_SENTENCES = (
    "more than 24 hours have passed since the customer last replied",
    "more than 24 hours have passed since the recipient last replied",
)
_CODES = ("code", "error_code", "error")
_NAMES = ("name", "title")
_MESSAGES = ("message", "description", "details", "reason", "error")
_SPEAKING = ("code", "error_code", *_NAMES, *_MESSAGES, "errors", "error_data")
_UNMISTAKABLE = 10_000
"""A code from here on is recognised inside a text too; a smaller one might be any number."""
_DEEPEST = 8


def provider_error(said: Mapping[str, Any], *, status: int | None = None) -> ProviderError:
    """What the provider said, from its own error shape or from nested error objects; its words cut and cleaned."""
    objects = list(_objects(said))
    codes = (integral(said.get(key)) for said in objects for key in _CODES)
    return ProviderError(
        code=next((code for code in codes if code is not None), None),
        status=status,
        name=_first_words(objects, _NAMES),
        message=_first_words(objects, _MESSAGES),
    )


def refuses_window(said: Mapping[str, Any], codes: Set[int]) -> bool:
    """Whether it is the 24-hour refusal, by its sentence or by one of the codes."""
    return says_window_closed(said) or any(_names_code(value, codes) for value in _spoken(said))


def says_window_closed(said: Mapping[str, Any]) -> bool:
    """Whether the 24-hour sentence stands in it, case and spacing folded."""
    return any(isinstance(value, str) and _is_sentence(value) for value in _spoken(said))


def _is_sentence(text: str) -> bool:
    folded = " ".join(text.casefold().split())
    return any(sentence in folded for sentence in _SENTENCES)


def _names_code(value: Any, codes: Set[int]) -> bool:
    if isinstance(value, str) and not value.strip().isdigit():
        return any(code >= _UNMISTAKABLE and code in codes for code in _numbers_in(value))
    return integral(value.strip() if isinstance(value, str) else value) in codes


def _numbers_in(text: str) -> Iterator[int]:
    spaced = "".join(character if character.isascii() and character.isdigit() else " " for character in text)
    return (int(number) for number in spaced.split() if len(number) <= len("131047") + 3)


def _spoken(said: Mapping[str, Any]) -> Iterator[Any]:
    return (_plain(said, key) for said in _objects(said) for key in _SPEAKING)


def _plain(said: Mapping[str, Any], key: str) -> Any:
    value = said.get(key)
    return value if isinstance(value, str | int | float) else None


def _objects(value: Any, depth: int = _DEEPEST) -> Iterator[Mapping[str, Any]]:
    """The object itself and the error objects inside it, outermost first."""
    if depth and isinstance(value, dict):
        yield value
        for key in _SPEAKING:
            if isinstance(value.get(key), dict | list):
                yield from _objects(value[key], depth - 1)
    elif depth and isinstance(value, list):
        for item in value:
            yield from _objects(item, depth - 1)


def _first_words(objects: list[Mapping[str, Any]], keys: tuple[str, ...]) -> str:
    found = (said[key] for said in objects for key in keys if isinstance(said.get(key), str) and said[key].strip())
    return clean(next(found, "").strip(), LONGEST_WORDS)
