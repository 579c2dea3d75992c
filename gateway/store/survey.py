"""A look at the whole store on a connection of its own, so that no other look-up and no writer waits for it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gateway.domain.errors import CannotStart, Stopping, StoreUnavailable
from gateway.ports import Census
from gateway.store.group import Database, Unit, outside, read_whole

T = TypeVar("T")


class Survey:
    """Opened at the first look. Looks come one after another."""

    def __init__(self, opener: Callable[[], Awaitable[Database]]) -> None:
        self._opener = opener
        self._turn = asyncio.Lock()
        self._database: Database | None = None
        self._is_closed = False

    async def look(self, unit: Unit[T]) -> T:
        """Raises StoreUnavailable, and Stopping after the end."""
        async with self._turn:
            if self._is_closed:
                raise Stopping
            database = self._database = self._database or await self._open()
            try:
                return await database.run(read_whole, unit)
            except sqlite3.Error as error:
                raise outside(error) from error

    async def _open(self) -> Database:
        try:
            return await self._opener()
        except CannotStart as error:  # it could when the gateway started
            raise StoreUnavailable from error

    async def aclose(self) -> None:
        """After the look that is under way."""
        self._is_closed = True
        async with self._turn:
            if self._database is not None:
                await self._database.close()


def with_sizes(census: Census, path: Path) -> Census:
    """The census, with the sizes of the store's file and log and the room on its disk."""
    disk = os.statvfs(path)
    return replace(
        census,
        file_bytes=path.stat().st_size,
        wal_bytes=_size(path.with_name(f"{path.name}-wal")),
        free_bytes=disk.f_bavail * disk.f_frsize,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
