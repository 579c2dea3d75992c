"""The sandbox's clock: real time plus an offset that only grows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FURTHEST = timedelta(days=3660)
"""How far from real time the clock may be sent in all."""

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def read_duration(written: str) -> timedelta:
    """The time meant by ``25h``, ``90s``, ``1h30m`` or ``200ms``. Raises ValueError for anything else."""
    parts = _PART.findall(written)
    if not parts or len(written) > 20 or "".join(number + unit for number, unit in parts) != written:
        raise ValueError("expected a duration such as 90s, 2m or 25h")
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta(0))
    except OverflowError:
        raise ValueError("expected a shorter duration") from None


def written(at: datetime) -> str:
    """An instant as the sandbox shows it: RFC 3339 in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _real_time() -> datetime:
    return datetime.now(UTC)


class TravelClock:
    """Business time that a person or a test may send forwards; meets ``ports.Clock``."""

    def __init__(self, read: Callable[[], datetime] = _real_time) -> None:
        self._read = read
        self._offset = timedelta(0)
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        return self._read() + self._offset

    def real_now(self) -> datetime:
        """Real time, for what comes from programs that don't follow this clock."""
        return self._read()

    def advance(self, by: timedelta) -> datetime:
        """Jump forwards and wake all sleepers; the time after it. Raises ValueError for backwards or too far."""
        if by <= timedelta(0):
            raise ValueError("the clock only goes forwards")
        if self._offset + by > FURTHEST:
            raise ValueError(f"the clock may be at most {FURTHEST.days} days ahead of real time")
        self._offset += by
        jumped, self._jumped = self._jumped, asyncio.Event()
        jumped.set()
        return self.now()

    async def wake(self) -> None:
        """Return when the clock has jumped."""
        await self._jumped.wait()

    async def sleep(self, duration: timedelta) -> None:
        """Return when this much of the clock's time has passed, by waiting or by a jump."""
        ends_at = self.now() + duration
        while (left := ends_at - self.now()) > timedelta(0):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    await self.wake()
            except TimeoutError:
                continue
