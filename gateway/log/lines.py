"""An event as a line, in one go: each message writes two, and six steps one after another cost four times as much."""

from __future__ import annotations

import json
import time
from contextvars import copy_context
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import orjson
from structlog.contextvars import merge_contextvars
from structlog.processors import ExceptionRenderer
from structlog.typing import EventDict, WrappedLogger

from gateway.log.failures import traceback_of
from gateway.log.wall import redact_facts

render_exception = ExceptionRenderer(traceback_of)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_line(logger: WrappedLogger, method: str, event: EventDict) -> bytes:
    """The whole way of an event of ours to its line."""
    if len(copy_context()):
        event = merge_contextvars(logger, method, event)
    failure = event.pop("exc_info", None)
    redact_facts(event)
    event["logger"] = logger.name
    event["level"] = method
    if failure:
        _tell_failure(event, render_exception(logger, method, {"exc_info": failure}))
    event["at"] = _now()
    return _line(event)


def _tell_failure(event: EventDict, rendered: EventDict) -> None:
    redact_facts(rendered)
    event.update(rendered)


def json_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    """The last step of a record of a library's: the standard library's handlers write texts, and end lines."""
    return _line(event).decode().removesuffix("\n")


def stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["at"] = _now()
    return event


def _now() -> str:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second(seconds)}.{nanoseconds // 1000:06d}Z"


@lru_cache(maxsize=2)
def _second(since_epoch: int) -> str:
    return datetime.fromtimestamp(since_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _line(event: EventDict) -> bytes:
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, an integer over 64 bits, a key that is no text
        # JSON spells what UTF-8 has no bytes for just as Python does.
        return f"{_spelled(event)}\n".encode(errors="backslashreplace")


def _spelled(event: EventDict) -> str:
    """By the standard library, which takes more; the kind of a value is told where it doesn't take that either."""
    try:
        return _ENCODER.encode(event)
    except (TypeError, ValueError, RecursionError):
        return _ENCODER.encode({str(key): _spellable(value) for key, value in event.items()})


def _spellable(value: Any) -> Any:
    try:
        _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__
    return value


class Lines:
    """Writes our events to stderr, without the detour over the standard library's records: it costs as much again."""

    def __init__(self, stderr: TextIO, name: str = "gateway") -> None:
        self.name = name
        self._stderr = stderr
        # Lines are UTF-8 already; what stands in for stderr may have no bytes below, or others.
        is_utf8 = (getattr(stderr, "encoding", None) or "").lower() == "utf-8"
        self._bytes = getattr(stderr, "buffer", None) if is_utf8 else None

    def write(self, line: str | bytes) -> None:
        """A log that nobody reads any more stops nothing."""
        try:
            if isinstance(line, str):
                self._write_text(line + "\n")
            elif self._bytes is None:
                self._write_text(line.decode())
            else:
                self._bytes.write(line)
                self._bytes.flush()
        except (OSError, ValueError):
            return  # gone, or closed

    def _write_text(self, text: str) -> None:
        self._stderr.write(text)
        self._stderr.flush()

    debug = info = warning = error = exception = critical = write
