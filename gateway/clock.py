"""Business time as it is: the clock of every gateway that talks to a real provider."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """The machine's own time. It never jumps."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wake(self) -> None:
        await asyncio.Event().wait()
