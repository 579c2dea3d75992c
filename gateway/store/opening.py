"""Opening a store: whose file it is, who else has it, its schema, its connections."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote

from gateway.domain.errors import CannotStart
from gateway.ports import StoreObserver, StorePolicy
from gateway.store import schema
from gateway.store.codec import span
from gateway.store.digests import teach_digests
from gateway.store.group import Database, Unit, commit_group
from gateway.store.ledger import Ledger
from gateway.store.lock import FileLock
from gateway.store.outbox import forget_leases
from gateway.store.reader import SqliteReader, Units
from gateway.store.sqlite import SqliteStore
from gateway.store.survey import Survey

MEMORY = "memory:"
_SCHEME = "sqlite:///"
_STATEMENTS = 256
_PAGES_LOOKED_AT = 65_536
"""256 MB of pages are looked through in about a second; a larger file would keep a restart waiting."""


async def open_store(
    url: str,
    policy: StorePolicy,
    *,
    ticks: Callable[[], float] | None = None,
    draw: Callable[[], float] = random.random,
    lock_timeout: float = 30,
    observer: StoreObserver | None = None,
) -> SqliteStore:
    """Open ``memory:`` or ``sqlite:////absolute/path``. Raises CannotStart, StoreInUse, SchemaTooNew."""
    units = Units(policy, ticks=ticks or wall_clock(), draw=draw)
    if url == MEMORY:
        writer = await _open_writer(MEMORY, partial(_connect, ":memory:"), units)
        return SqliteStore(
            writer, units, reader=None, survey=None, lock=None, path=None, created=True, observer=observer
        )
    path = _path_of(url)
    lock = await _lock(path, lock_timeout)
    try:
        return await _open_file(path, units, lock, observer)
    except BaseException:
        lock.release()
        raise


async def open_for_reading(
    path: Path, policy: StorePolicy | None = None, *, ticks: Callable[[], float] | None = None
) -> SqliteReader:
    """Open a store's file for look-ups, whoever serves it. Raises CannotStart when there is none, or none of ours.

    The `policy` counts only for what is said of pace and limits.
    """
    _check_file(path)
    units = Units(policy or StorePolicy(), ticks=ticks or wall_clock(), draw=random.random)
    return SqliteReader(await _open(partial(_connect_read_only, path), partial(_check_version, name=str(path))), units)


def wall_clock() -> Callable[[], float]:
    """Seconds that never step: wall time now, monotonic from here on, so that they compare over restarts."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise CannotStart(f"{path}: there is no such store; `gateway serve` makes it")


def _path_of(url: str) -> Path:
    if not url.startswith(_SCHEME):
        is_postgres = url.startswith(("postgres:", "postgresql:"))
        what = "PostgreSQL is not built yet" if is_postgres else "unknown kind of store"
        raise CannotStart(f"store.url: {what}; expected sqlite:////absolute/path or memory:")
    path = Path(unquote(url.removeprefix(_SCHEME)))
    if not path.is_absolute():
        raise CannotStart("store.url: expected an absolute path, as in sqlite:////absolute/path")
    return path


async def _lock(path: Path, patience: float) -> FileLock:
    try:
        return await FileLock.take(path, patience)
    except OSError as error:
        raise CannotStart(f"{path}.lock can't be made: {error.strerror}") from error


async def _open_file(path: Path, units: Units, lock: FileLock, observer: StoreObserver | None) -> SqliteStore:
    created = _make_file(path)
    writer = await _open_writer(str(path), partial(_connect, str(path)), units)
    open_reader = partial(_open, partial(_connect_read_only, path), teach_digests)
    try:
        reader = await open_reader()
    except BaseException:
        await asyncio.shield(writer.close())
        raise
    survey = Survey(open_reader)
    return SqliteStore(
        writer, units, reader=reader, survey=survey, lock=lock, path=path, created=created, observer=observer
    )


def _make_file(path: Path) -> bool:
    """Make the file for the owner alone; SQLite gives those beside it the same mode. Whether it was not there."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"{path} can't be opened: {error.strerror}") from error
    try:
        return os.fstat(descriptor).st_size == 0
    finally:
        os.close(descriptor)


# --- connections ----------------------------------------------------------------------------------------------------


async def _open_writer(name: str, connect: Callable[[], sqlite3.Connection], units: Units) -> Database:
    return await _open(connect, partial(_prepare, name=name, start=units.of(_start)))


async def _open(connect: Callable[[], sqlite3.Connection], prepare: Callable[[sqlite3.Connection], None]) -> Database:
    """A connection that is ready for use, or none, and no thread left behind."""
    database = Database(connect)
    try:
        await database
    except sqlite3.Error as error:
        raise CannotStart(f"the store can't be opened: {error}") from error
    try:
        await database.run(prepare)
    except BaseException as error:
        await asyncio.shield(database.close())
        if isinstance(error, sqlite3.Error | UnicodeError):  # a damaged schema may not even be text
            raise CannotStart(f"the store can't be opened: {error}") from error
        raise
    return database


def _connect(target: str) -> sqlite3.Connection:
    db = sqlite3.connect(target, isolation_level=None, cached_statements=_STATEMENTS)
    db.row_factory = sqlite3.Row
    return db


def _connect_read_only(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=_STATEMENTS)
    db.row_factory = sqlite3.Row
    return db


def _prepare(db: sqlite3.Connection, *, name: str, start: Unit[None]) -> None:
    version = schema.check(db, name)
    _look_for_damage(db, name)
    for pragma in _PRAGMAS:
        db.execute(pragma).fetchall()
    schema.migrate(db, version)
    teach_digests(db)
    for result in commit_group(db, [start]):
        if result is not None:
            raise result.error


def _look_for_damage(db: sqlite3.Connection, name: str) -> None:
    """A damaged file is not served: what it would lose or answer wrongly, nobody would see."""
    if int(db.execute("pragma page_count").fetchone()[0]) > _PAGES_LOOKED_AT:
        return
    (found,) = db.execute("pragma quick_check(1)").fetchone()
    if found != "ok":
        raise CannotStart(f"{name} is damaged; restore it from a backup, or move it away to start anew")


_PRAGMAS = (
    "pragma auto_vacuum = incremental",  # only counts before the first table
    "pragma journal_mode = wal",
    "pragma synchronous = full",  # an acknowledged message survives a power cut
    "pragma secure_delete = on",
    "pragma foreign_keys = on",
    "pragma cache_size = -65536",  # KB: what is written again and again stays in memory
    "pragma wal_autocheckpoint = 4000",  # pages: most are written many times before they need to be copied once
)


def _start(ledger: Ledger) -> None:
    """Nobody holds a lane yet, and a clock that was set back holds no sender up."""
    forget_leases(ledger)
    ledger.write(
        "clamp_senders",
        tick=ledger.tick,
        latest_tat=ledger.paces.sender.latest(ledger.tick),
        latest_probe=ledger.tick + span(ledger.policy.delivery.probe_to),
    )


def _check_version(db: sqlite3.Connection, *, name: str) -> None:
    if schema.check(db, name) != schema.LATEST:
        raise CannotStart(f"{name} was made by an older version of the gateway; `gateway serve` brings it up to date")
    teach_digests(db)
