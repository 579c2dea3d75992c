"""The media that were uploaded, or that customers sent: files in a temporary folder, bounded in size and number."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.provider.sandbox.clock import TravelClock

LARGEST = 100 * 2**20
LARGEST_TOGETHER = 512 * 2**20
MOST = 1_000
UPLOADED_FOR, RECEIVED_FOR = timedelta(days=30), timedelta(days=7)
URL_FOR = timedelta(minutes=5)

_MEGA = 2**20
_LIMITS = {"image": 5 * _MEGA, "video": 16 * _MEGA, "audio": 16 * _MEGA, "image/webp": 500 * 2**10}


class TooLarge(Exception):
    """The file is larger than its type may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    id: str
    sender: str
    mime_type: str
    sha256: bytes
    size: int
    ends_at: datetime
    path: Path


def largest(mime_type: str) -> int:
    """How large a file of this type may be."""
    return _LIMITS.get(mime_type) or _LIMITS.get(mime_type.partition("/")[0], LARGEST)


class Draft:
    """A file that is being written: it has a size and a sum already."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._sum = hashlib.sha256()
        self._file = path.open("wb")

    def write(self, piece: bytes) -> None:
        """Raises TooLarge."""
        self.size += len(piece)
        if self.size > LARGEST:
            raise TooLarge
        self._sum.update(piece)
        self._file.write(piece)

    def end(self) -> bytes:
        self._file.close()
        return self._sum.digest()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class Media:
    """What is kept is bounded: the oldest is forgotten first."""

    def __init__(self, clock: TravelClock) -> None:
        self._clock = clock
        self._kept: dict[str, Medium] = {}
        self._folder: Path | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The folder is gone at the end."""
        try:
            yield
        finally:
            self._kept.clear()
            if self._folder is not None:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
                self._folder = None

    async def draft(self) -> Draft:
        return await asyncio.to_thread(self._draft)

    async def keep(self, draft: Draft, *, sender: str, mime_type: str, is_received: bool = False) -> Medium:
        """The file is a medium from now on. Raises TooLarge."""
        sha256 = await asyncio.to_thread(draft.end)
        if draft.size > largest(mime_type):
            raise TooLarge
        medium = Medium(
            id=str(10**15 + secrets.randbelow(8 * 10**15)),
            sender=sender,
            mime_type=mime_type,
            sha256=sha256,
            size=draft.size,
            ends_at=self._clock.now() + (RECEIVED_FOR if is_received else UPLOADED_FOR),
            path=draft.path,
        )
        self._kept[medium.id] = medium
        await asyncio.to_thread(self._make_room)
        return medium

    async def receive(self, content: bytes, *, sender: str, mime_type: str) -> Medium:
        """A customer sent this."""
        draft = await self.draft()
        await asyncio.to_thread(draft.write, content)
        return await self.keep(draft, sender=sender, mime_type=mime_type, is_received=True)

    def get(self, media_id: str) -> Medium | None:
        medium = self._kept.get(media_id)
        return medium if medium is not None and self._clock.now() < medium.ends_at else None

    async def delete(self, media_id: str) -> None:
        medium = self._kept.pop(media_id, None)
        if medium is not None:
            await asyncio.to_thread(medium.path.unlink, missing_ok=True)

    def clear(self) -> None:
        for medium in self._kept.values():
            medium.path.unlink(missing_ok=True)
        self._kept.clear()

    def _draft(self) -> Draft:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sandbox-media-"))
        return Draft(self._folder / secrets.token_hex(16))

    def _make_room(self) -> None:
        while len(self._kept) > MOST or sum(each.size for each in self._kept.values()) > LARGEST_TOGETHER:
            oldest = self._kept.pop(next(iter(self._kept)))
            oldest.path.unlink(missing_ok=True)
