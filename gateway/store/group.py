"""One writing connection and its group commit: a transaction is one plain function on the database thread."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import aiosqlite

from gateway.domain.errors import Stopping, StoreUnavailable
from gateway.ports import StoreObserver
from gateway.store.ledger import Shared

T = TypeVar("T")
Unit = Callable[[sqlite3.Connection, Shared], T]

GROUP = 256
"""So many units share one commit at most."""

_TURNS = 4
"""So many turns of the event loop a group waits for more at most, and no longer than each turn brings some."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The error of a unit that undid only itself."""

    error: BaseException


def is_fault(error: BaseException) -> bool:
    """Whether it is the database that can't (full, locked, broken), and no mistake in what was asked of it."""
    if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
        return False
    return getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def outside(error: BaseException) -> Exception:
    """The error as callers of the store see it; a fault, or what ends more than one unit, is a new StoreUnavailable for
    each of them."""
    if isinstance(error, Exception) and not is_fault(error):
        return error
    unavailable = StoreUnavailable()
    unavailable.__cause__ = error
    return unavailable


def commit_group(db: sqlite3.Connection, units: Sequence[Unit[Any]], *, expects_errors: bool = False) -> list[Any]:
    """Run them in one transaction; what each returned, or how it Raised, which undoes only itself.

    Savepoints cost as much as two statements of each unit, and most groups need none: they are run without, and anew
    with a savepoint for each if one raised. A unit changes nothing but the database, so it may be run twice.
    """
    if not expects_errors:
        try:
            return _commit_all(db, [partial(unit, db) for unit in units])
        except Exception as error:  # whose it was, and whether it is one unit's own, shows in the second run
            if is_fault(error):
                raise
    return _commit_all(db, [partial(_in_savepoint, db, unit) for unit in units])


def _commit_all(db: sqlite3.Connection, units: Sequence[Callable[[Shared], Any]]) -> list[Any]:
    shared = Shared()
    db.execute("begin immediate")
    try:
        results = [unit(shared) for unit in units]
        shared.write(db)
        db.execute("commit")
    except BaseException:
        roll_back(db)
        raise
    finally:
        shared.ledger = None  # they refer to each other, and nobody should have to look for that
    return results


def roll_back(db: sqlite3.Connection) -> None:
    """End an open transaction, if SQLite has not already done so by itself."""
    if db.in_transaction:
        db.execute("rollback")


def _in_savepoint(db: sqlite3.Connection, unit: Unit[Any], shared: Shared) -> Any:
    """`shared` stays empty: what an undone unit knew is undone with it."""
    own = Shared()
    db.execute("savepoint unit")
    try:
        result = unit(db, own)
        own.write(db)
    except Exception as error:  # the one who asked is told, the others of the group go on
        if not db.in_transaction:  # SQLite has undone the whole group by itself
            raise
        db.execute("rollback to unit")
        result = Raised(error)
    finally:
        own.ledger = None
    db.execute("release unit")
    return result


def read_whole(db: sqlite3.Connection, unit: Unit[T]) -> T:
    """Run a look-up on one state of the database."""
    shared = Shared()
    db.execute("begin")
    try:
        return unit(db, shared)
    finally:
        shared.ledger = None
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


class _Asked(NamedTuple):
    unit: Unit[Any]
    future: asyncio.Future[Any]
    unheard: Callable[[Any], Unit[Any] | None] | None


class GroupCommit:
    """The queue before the one writing connection. A unit is answered when its group is committed, not before."""

    def __init__(self, database: Database, observer: StoreObserver | None = None) -> None:
        self._database = database
        self._observer = observer
        self._waiting: list[_Asked] = []
        self._news = asyncio.Event()
        self._is_closing = False
        self._expects_errors = False
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.create_task(self._write(), name="store-writer")

    async def run(self, unit: Unit[T], *, unheard: Callable[[T], Unit[Any] | None] | None = None) -> T:
        """What the unit returned. If whoever asked no longer waits by then, `unheard` is given it, and the unit that it
        gives back is committed in turn, also while closing."""
        if self._is_closing:
            raise Stopping
        future = self._ask(unit, unheard)
        try:
            return await future
        except asyncio.CancelledError:
            if unheard is not None and future.done() and not future.cancelled() and future.exception() is None:
                self._undo(unheard(future.result()))  # it was answered, and cancelled before it could be heard
            raise

    def _ask(self, unit: Unit[T], unheard: Callable[[T], Unit[Any] | None] | None = None) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Asked(unit, future, unheard))
        self._news.set()
        return future

    def _undo(self, unit: Unit[Any] | None) -> None:
        if unit is not None:
            self._ask(unit)

    async def aclose(self) -> None:
        """Commit what waits, then take nothing more."""
        self._is_closing = True
        self._news.set()
        await asyncio.shield(self._writer)

    async def _write(self) -> None:
        while not await self._is_over():
            self._news.clear()
            await self._gather()
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            if group:
                await self._commit(group)
            else:
                await self._news.wait()

    async def _is_over(self) -> bool:
        if self._is_closing and not self._waiting:
            await asyncio.sleep(0)  # who was answered last may have stopped waiting, and give something back
        return self._is_closing and not self._waiting

    async def _gather(self) -> None:
        """Let more join as long as each turn of the loop brings some: what a commit costs hardly grows with them."""
        known, turns = 0, 0
        while known < len(self._waiting) < GROUP and turns < _TURNS:
            known, turns = len(self._waiting), turns + 1
            await asyncio.sleep(0)

    async def _commit(self, group: Sequence[_Asked]) -> None:
        started = time.perf_counter()
        try:
            results = await self._database.run(self._commit_group, [asked.unit for asked in group])
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # the top of the writer's loop, where nothing ends it: all of the group are told
            results = [Raised(error)] * len(group)
            self._observe(len(group), None)
        else:
            self._observe(len(group), time.perf_counter() - started)
        # errors come in swarms, as when a client is over its limit
        self._expects_errors = any(isinstance(result, Raised) for result in results)
        undoing = [unit for asked, result in zip(group, results, strict=True) if (unit := _answer(asked, result))]
        if undoing:
            await self._commit([_Asked(unit, self._loop.create_future(), None) for unit in undoing])

    def _commit_group(self, db: sqlite3.Connection, units: Sequence[Unit[Any]]) -> list[Any]:
        return commit_group(db, units, expects_errors=self._expects_errors)

    def _observe(self, units: int, seconds: float | None) -> None:
        if self._observer is not None and seconds is not None:
            self._observer.committed(units, seconds)
        elif self._observer is not None:
            self._observer.commit_failed()


def _answer(asked: _Asked, result: Any) -> Unit[Any] | None:
    """Tell whoever asked; if nobody listens any more, what must be undone."""
    is_raised = isinstance(result, Raised)
    if asked.future.done():  # its caller was cancelled; the unit is committed all the same
        return None if asked.unheard is None or is_raised else asked.unheard(result)
    if is_raised:
        asked.future.set_exception(outside(result.error))
    else:
        asked.future.set_result(result)
    return None
