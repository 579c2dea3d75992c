"""Logs: one JSON object per event on stderr. Ids and facts; never content, secrets or whole numbers."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from gateway.domain.errors import GatewayError
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
_HOLDING = (Mapping, list, tuple, set, frozenset)
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,15}(?![0-9A-Za-z])")
_DROPPED = "[redacted]"


def redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The second wall, should a caller log what it must not."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: Any) -> Any:
    name = key.lower()
    if name in _SECRET:
        return _DROPPED
    if name in _CONTACT and not isinstance(value, _HOLDING):
        return redact(str(value))
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, Mapping):
        return {inner: _shown(str(inner), item) for inner, item in value.items()}
    if isinstance(value, _HOLDING):
        return [_shown(key, item) for item in value]
    return value


def _shown_text(text: str) -> str:
    """A text without the paths of its addresses, which hold callback secrets, and without whole phone numbers."""
    if not _SUSPECT.search(text):
        return text
    without_paths = _ADDRESS.sub(lambda match: _host_of(match[0]), text)
    return _NUMBER.sub(lambda match: redact(match[0]), without_paths)


def _host_of(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return _DROPPED
    is_longer = parts.path not in ("", "/") or parts.query
    return f"{parts.scheme}://{host}{'/…' if is_longer else ''}"


_SPEAKS_OF_CODE = (GatewayError, OSError, sqlite3.Error, AttributeError, ImportError, NameError, TypeError)
"""Whose messages may be logged. Those of others (ValueError, KeyError, a parser's) quote what they could not read."""


def _traceback(exc_info: ExcInfo) -> str:
    """Where it happened and of what kind it was, causes first; its message only if that can't quote a value."""
    chain: list[BaseException] = []
    error: BaseException | None = exc_info[1]
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(_one_traceback(each) for each in reversed(chain))


def _one_traceback(error: BaseException) -> str:
    message = f": {error}" if isinstance(error, _SPEAKS_OF_CODE) else ""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + message


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """aiohttp reports each request that is no HTTP with a traceback: anybody could fill a disk with them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


class _Lines:
    """Writes our events to stderr, without the detour over the standard library's records: it costs as much again."""

    def __init__(self, stderr: TextIO, name: str = "gateway") -> None:
        self.name = name
        self._stderr = stderr

    def write(self, line: str) -> None:
        """A log that nobody reads any more stops nothing."""
        with suppress(OSError, ValueError):  # gone, or closed
            self._stderr.write(line + "\n")
            self._stderr.flush()

    debug = info = warning = error = exception = critical = write


def configure_logging(level: str = "info", *, for_good: bool = False) -> None:
    """Send every event, those of libraries too (from warnings on), to stderr. `for_good` makes each logger once."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.ExceptionRenderer(_traceback),
    ]
    last: list[Processor] = [
        redact_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _renderer(),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=partial(_Lines, sys.stderr),
        cache_logger_on_first_use=for_good,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.PositionalArgumentsFormatter(),
                *shared,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_is_worth_a_line)
    logging.getLogger("aiohttp.access").disabled = True  # its lines hold paths, and paths hold callback secrets


def _renderer() -> Processor:
    """JSON for programs; plain columns for somebody at a terminal."""
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer(timestamp_key="at")
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: Any, default: Any, **_: Any) -> str:
    """With one encoder for all events: making one costs more than most events do."""
    return _encoder(default).encode(event)


@cache
def _encoder(default: Any) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, default=default)
