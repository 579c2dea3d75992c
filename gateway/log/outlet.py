"""Where all lines leave: each write is a call of the system's, and lets other threads go first."""

from __future__ import annotations

import asyncio
import atexit
import threading
from typing import TextIO

_MOST = 4096
"""Bytes that are written together: a pipe takes so many whole, whoever else writes to it."""


class Outlet:
    """Writes lines to stderr in their order; those that may wait with one write for a whole turn of the event loop."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr
        # Lines are UTF-8 already; what stands in for stderr may have no bytes below, or others.
        is_utf8 = (getattr(stderr, "encoding", None) or "").lower() == "utf-8"
        self._bytes = getattr(stderr, "buffer", None) if is_utf8 else None
        # Copies, not a list of lines: the memory in which one was made is free for the next, which is much faster.
        self._waiting = bytearray()
        self._asked: asyncio.AbstractEventLoop | None = None
        """The loop that is going to write what waits."""
        # A finalizer that runs in the middle of this may have something to tell, too.
        self._lock = threading.RLock()
        atexit.register(self.flush)  # the last loop may have ended before it wrote

    def write(self, line: str | bytes) -> None:
        """Write a line now, behind those that wait."""
        with self._lock:
            self._add(line if isinstance(line, bytes) else line.encode(errors="backslashreplace"))
            self.flush()

    def write_soon(self, line: bytes) -> None:
        """Write a line when the turn of this thread's event loop ends; now, where there is none."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.write(line)
        with self._lock:
            self._add(line)
            if self._asked is not loop:
                self._asked = loop
                loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits. A log that nobody reads any more stops nothing."""
        with self._lock:
            self._asked = None
            lines, self._waiting = self._waiting, bytearray()
            if lines:
                self._write(lines)

    def _add(self, line: bytes) -> None:
        if len(self._waiting) + len(line) > _MOST:
            self.flush()
        self._waiting += line

    def _write(self, lines: bytearray) -> None:
        try:
            if self._bytes is None:
                self._stderr.write(lines.decode())
                self._stderr.flush()
            else:
                self._bytes.write(lines)
                self._bytes.flush()
        except (OSError, ValueError):
            return  # gone, or closed
