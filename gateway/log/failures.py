"""What a log tells of an exception: where it happened and of what kind it was."""

from __future__ import annotations

import logging
import sqlite3
import traceback

from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import ExcInfo

from gateway.domain.errors import GatewayError

_SPEAKS_OF_CODE = (GatewayError, OSError, sqlite3.Error, AttributeError, ImportError, NameError, TypeError)
"""Whose messages may be logged. Those of others (ValueError, KeyError, a parser's) quote what they could not read."""


def traceback_of(exc_info: ExcInfo) -> str:
    """Where it happened and of what kind it was, causes first; its message only if that can't quote a value."""
    chain: list[BaseException] = []
    error: BaseException | None = exc_info[1]
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(_one_traceback(each) for each in reversed(chain))


def _one_traceback(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + _message(error)


def _message(error: BaseException) -> str:
    try:
        return f": {error}" if isinstance(error, _SPEAKS_OF_CODE) else ""
    except Exception:  # one that can't even say what it is: its kind stands in the line
        return ""


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """aiohttp reports each request that is no HTTP with a traceback: anybody could fill a disk with them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
