"""An event as a line, in one go: each message writes two, and six steps one after another cost four times as much."""

from __future__ import annotations

import json
import time
from contextvars import copy_context
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from structlog.contextvars import merge_contextvars
from structlog.processors import ExceptionRenderer
from structlog.typing import EventDict, WrappedLogger

from gateway.log.failures import traceback_of
from gateway.log.outlet import Outlet
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


def line_of(_: WrappedLogger, __: str, text: Any) -> bytes:
    """The last step of an event of ours at a terminal."""
    return f"{text}\n".encode(errors="backslashreplace")


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
    """Writes our events, without the detour over the standard library's records: it costs as much again."""

    def __init__(self, outlet: Outlet, name: str = "gateway") -> None:
        self.name = name
        # Each message makes two lines of these, and nobody waits for them.
        self.debug = self.info = outlet.write_soon
        self.warning = self.error = self.exception = self.critical = outlet.write
