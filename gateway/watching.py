"""A running gateway that watches takes changed template files by itself, once they have come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import structlog
from watchfiles import Change, awatch

log = structlog.get_logger()

AT_REST = 300
"""Milliseconds without a change, after which what has changed is taken: an editor or a copy writes in several steps."""
AT_LATEST = 10_000
"""The same for folders that don't come to rest."""
LOOK_EACH = 5_000
"""How often to see whether the folders are still the ones that are watched."""
AGAIN = 60.0
"""Seconds until it is tried again, where folders can't be watched."""

_MOUNTED = "..data"
"""A link that is given another target when a mounted configuration changes; the files in it are links through it."""

Folders = Mapping[Path, tuple[int, int]]
"""Those that are there, each with its device and inode: one that was replaced is another one."""


async def keep_watching(templates: Path, schemas: Path | None, reload: Callable[[], Awaitable[object]]) -> None:
    """Until cancelled."""
    paths = [templates, *([] if schemas is None else [schemas / "templates"])]
    while True:
        try:
            await _watch(await asyncio.to_thread(_folders, paths), paths, reload)
        except Exception as error:  # such as too many watches for the system; SIGHUP does what this would have done
            log.error("templates.watch_failed", error=type(error).__name__, again_in=AGAIN)  # noqa: TRY400 - not ours
            await asyncio.sleep(AGAIN)


async def _watch(watched: Folders, paths: list[Path], reload: Callable[[], Awaitable[object]]) -> None:
    """As long as the folders are these."""
    news = awatch(
        *watched,
        watch_filter=_is_ours,
        debounce=AT_LATEST,
        step=AT_REST,
        rust_timeout=LOOK_EACH,
        yield_on_timeout=True,
        recursive=False,
    )
    is_first = True  # whatever has changed since the files were read, and before they were watched, is no news
    async with aclosing(news):
        async for changes in news:
            if changes or is_first:
                await reload()
            is_first = False
            if await asyncio.to_thread(_folders, paths) != watched:
                return


def _folders(paths: list[Path]) -> Folders:
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # it may come yet
            continue
        found[path] = status.st_dev, status.st_ino
    return found


def _is_ours(_: Change, path: str) -> bool:
    name = Path(path).name
    is_read = name.endswith((".yaml", ".yml", ".json")) and not name.startswith(".")
    return is_read or name == _MOUNTED
