"""One writing connection and its group commit: a transaction is one plain function on the database thread."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite

from gateway.domain.errors import Stopping, StoreUnavailable
from gateway.ports import StoreObserver

T = TypeVar("T")
Unit = Callable[[sqlite3.Connection], T]

GROUP = 256
"""So many units share one commit at most."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The error of a unit that undid only itself."""

    error: Exception


def is_fault(error: BaseException) -> bool:
    """Whether it is the database that can't (full, locked, broken), and no mistake in what was asked of it."""
    if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
        return False
    return getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def outside(error: Exception) -> Exception:
    """The error as callers of the store see it; a fault is a new StoreUnavailable for each of them."""
    if not is_fault(error):
        return error
    unavailable = StoreUnavailable()
    unavailable.__cause__ = error
    return unavailable


def commit_group(db: sqlite3.Connection, units: Sequence[Unit[Any]]) -> list[Any]:
    """Run them in one transaction, each in a savepoint of its own; what each returned, or how it Raised."""
    db.execute("begin immediate")
    try:
        results = [_in_savepoint(db, unit) for unit in units]
        db.execute("commit")
    except BaseException:
        roll_back(db)
        raise
    return results


def roll_back(db: sqlite3.Connection) -> None:
    """End an open transaction, if SQLite has not already done so by itself."""
    if db.in_transaction:
        db.execute("rollback")


def _in_savepoint(db: sqlite3.Connection, unit: Unit[Any]) -> Any:
    db.execute("savepoint unit")
    try:
        result = unit(db)
    except Exception as error:  # the one who asked is told, the others of the group go on
        if not db.in_transaction:  # SQLite has undone the whole group by itself
            raise
        db.execute("rollback to unit")
        result = Raised(error)
    db.execute("release unit")
    return result


def read_whole(db: sqlite3.Connection, unit: Unit[T]) -> T:
    """Run a look-up on one state of the database."""
    db.execute("begin")
    try:
        return unit(db)
    finally:
        roll_back(db)


class Database(aiosqlite.Connection):
    """A connection whose transactions are plain functions. Its thread never keeps a process alive."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call it with the sqlite3 connection on the database thread; whoever stops waiting does not stop it."""
        result: T = await self._execute(function, self._conn, *args)  # type: ignore[no-untyped-call] # aiosqlite's
        return result


class GroupCommit:
    """The queue before the one writing connection. A unit is answered when its group is committed, not before."""

    def __init__(self, database: Database, observer: StoreObserver | None = None) -> None:
        self._database = database
        self._observer = observer
        self._queue: asyncio.Queue[tuple[Unit[Any], asyncio.Future[Any]] | None] = asyncio.Queue()
        self._is_closing = False
        self._writer = asyncio.create_task(self._write(), name="store-writer")

    async def run(self, unit: Unit[T]) -> T:
        if self._is_closing:
            raise Stopping
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((unit, future))
        return await future

    async def aclose(self) -> None:
        """Commit what waits, then take nothing more."""
        if not self._is_closing:
            self._is_closing = True
            self._queue.put_nowait(None)
        await asyncio.shield(self._writer)

    async def _write(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = await self._next_group()
            if group:
                await self._commit(group)

    async def _next_group(self) -> tuple[list[tuple[Unit[Any], asyncio.Future[Any]]], bool]:
        """What waits, one at least, and whether it is the last."""
        group: list[tuple[Unit[Any], asyncio.Future[Any]]] = []
        item = await self._queue.get()
        while item is not None:
            group.append(item)
            if len(group) == GROUP or self._queue.empty():
                return group, False
            item = self._queue.get_nowait()
        return group, True

    async def _commit(self, group: Sequence[tuple[Unit[Any], asyncio.Future[Any]]]) -> None:
        started = time.perf_counter()
        try:
            results = await self._database.run(commit_group, [unit for unit, _ in group])
        except Exception as error:  # the top of the writer's loop: all of the group are told
            results = [Raised(error)] * len(group)
            self._observe(len(group), None)
        else:
            self._observe(len(group), time.perf_counter() - started)
        for (_, future), result in zip(group, results, strict=True):
            _answer(future, result)

    def _observe(self, units: int, seconds: float | None) -> None:
        if self._observer is not None and seconds is not None:
            self._observer.committed(units, seconds)
        elif self._observer is not None:
            self._observer.commit_failed()


def _answer(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():  # its caller was cancelled; the unit is committed all the same
        return
    if isinstance(result, Raised):
        future.set_exception(outside(result.error))
    else:
        future.set_result(result)
