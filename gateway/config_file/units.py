"""Durations, sizes and places to listen at, as the configuration writes them."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_SIZE = re.compile(r"([0-9]+)(B|KB|MB|GB|)")
_INTERNAL = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]/]+)):([0-9]{1,5})")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_BYTES = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


def duration(text: str) -> timedelta:
    """``500ms``, ``60s``, ``2m``, ``24h``, ``30d``. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("expected a duration such as 60s")
    return int(match[1]) * _UNITS[match[2]]


def size(written: str | int) -> int:
    """``256KB``, ``4MB``, or a number of bytes. Raises ValueError."""
    if isinstance(written, int):
        return written
    match = _SIZE.fullmatch(written)
    if match is None:
        raise ValueError("expected a size such as 256KB")
    return int(match[1]) * _BYTES[match[2]]


def host_and_port(text: str) -> tuple[str, int]:
    """``127.0.0.1:9090``, ``[::1]:9090``. Raises ValueError."""
    match = _INTERNAL.fullmatch(text)
    if match is None or int(match[3]) > 65535:
        raise ValueError("expected host:port, such as 127.0.0.1:9090 or [::1]:9090")
    return match[1] or match[2], int(match[3])
