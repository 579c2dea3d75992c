"""One process per file: an operating system lock beside it, which ends with the process that holds it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path

import structlog

from gateway.domain.errors import StoreInUse

log = structlog.get_logger(__name__)

_POLL = 0.05


class FileLock:
    """A held lock on ``<file>.lock``. The lock file stays: removing it would let two processes hold two of them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    async def take(cls, path: Path, patience: float) -> FileLock:
        """Wait for another process to end, at most `patience` seconds. Raises StoreInUse."""
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await _wait_for(descriptor, path, time.monotonic() + patience)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)


async def _wait_for(descriptor: int, path: Path, until: float) -> None:
    is_told = False
    while not _try(descriptor):
        if time.monotonic() >= until:
            raise StoreInUse(
                f"{path} is in use by another process: a file is served by one gateway at a time. "
                "To run several gateways on one store use PostgreSQL."
            )
        if not is_told:
            log.warning("store.waiting", path=str(path), seconds=round(until - time.monotonic()))
            is_told = True
        await asyncio.sleep(_POLL)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
