"""The second wall, should a caller log what it must not: content, secrets, whole numbers, paths of addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from structlog.typing import EventDict, WrappedLogger

from gateway.domain.identity import redact

_SECRET = frozenset(
    {
        "answer",
        "arguments",
        "authorization",
        "body",
        "caption",
        "components",
        "content",
        "cookie",
        "headers",
        "key",
        "keys",
        "params",
        "password",
        "payload",
        "query",
        "raw",
        "secret",
        "signature",
        "template_params",
        "text",
        "token",
    }
)
"""Whose values never stand in a log, whatever they are."""

_CONTACT = frozenset(["contact", "contacts", "destination_addr", "from", "msisdn", "phone", "recipient", "to", "wa_id"])
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_SUSPECT = re.compile(r"://|[0-9]{7}")
"""Most texts hold neither an address nor a number."""
_ROWS = (list, tuple, set, frozenset)
_HOLDING = (*_ROWS, dict, Mapping)
"""Asked in this order, and last of all: whether something is a Mapping takes longest to say."""
_NUMBERS = frozenset({int, bool, float, type(None)})
"""Kinds of values that are shown as they are. Exactly these: a kind made of them may be rendered as anything."""
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,15}(?![0-9A-Za-z])")
_DROPPED = "[redacted]"

_REMEMBERED = 1024
_SHORT = 64
_open_keys: set[str] = set()
"""Keys that were looked at, and whose values may be shown."""
_open_texts: set[str] = set()
"""Short texts that were looked at, and are shown as they are: names of events, senders, statuses come all the time.
None of them came under a key whose values are dropped."""


def redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event as it may be shown. Never raises."""
    redact_facts(event)
    return event


def redact_facts(facts: MutableMapping[str, Any]) -> None:
    """Put what may be shown in place of each value. Never raises."""
    for key, value in facts.items():
        kind = type(value)
        if key in _open_keys and (value in _open_texts if kind is str else kind in _NUMBERS):
            continue
        facts[key] = _walled(key, value)


def _walled(key: str, value: Any) -> Any:
    try:
        return _shown(key, value)
    except Exception:  # of the value's own methods, or of one that holds itself: the event is told without it
        return type(value).__name__


def _shown(key: str, value: Any) -> Any:
    if key not in _open_keys:
        name = key.lower()
        if name in _SECRET:
            return _DROPPED
        if name not in _CONTACT:
            _remember(key, _open_keys)
        elif not isinstance(value, _HOLDING):
            return redact(str(value))
    if isinstance(value, str):
        return _shown_text(str.__str__(value))
    return _shown_inside(key, value) if isinstance(value, _HOLDING) else _shown_alone(value)


def _shown_inside(key: str, value: Any) -> Any:
    if isinstance(value, _ROWS):
        return [_shown(key, item) for item in value]
    return {inner: _shown(str(inner), item) for inner, item in value.items()}


def _shown_alone(value: Any) -> Any:
    """What holds nothing else: a number, or else what it says of itself."""
    if value is None or isinstance(value, (int, float)):
        return value
    return _shown_text(repr(value))


def _shown_text(text: str) -> str:
    """A text without the paths of its addresses, which hold callback secrets, and without whole phone numbers."""
    if text in _open_texts:
        return text
    if not _SUSPECT.search(text):
        return _remember(text, _open_texts)
    without_paths = _ADDRESS.sub(lambda match: _host_of(match[0]), text)
    return _NUMBER.sub(lambda match: redact(match[0]), without_paths)


def _remember(text: str, among: set[str]) -> str:
    if len(text) <= _SHORT:
        if len(among) >= _REMEMBERED:
            among.clear()  # what comes all the time is soon back
        among.add(text)
    return text


def _host_of(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return _DROPPED
    is_longer = parts.path not in ("", "/") or parts.query
    return f"{parts.scheme}://{host}{'/…' if is_longer else ''}"
