"""How fast a client may ask."""

from __future__ import annotations

import math
from collections.abc import Callable

from gateway.domain.errors import TooManyRequests

_BURST = 1.0
"""Seconds' worth of requests that may come at once."""


class Rates:
    """A bucket for each client, kept as the moment at which it will be full again (the generic cell rate algorithm)."""

    def __init__(self, per_second: float, ticks: Callable[[], float]) -> None:
        self._interval = 1 / per_second
        self._ticks = ticks
        self._full_at: dict[str, float] = {}

    def take(self, client: str) -> None:
        """Count one request. Raises TooManyRequests, and then it is not counted."""
        now = self._ticks()
        full_at = max(self._full_at.get(client, now), now) + self._interval
        excess = full_at - now - max(_BURST, self._interval)
        if excess > self._interval / 1000:  # a thousandth for rounding
            raise TooManyRequests("Rate limit exceeded", retry_after=math.ceil(excess))
        self._full_at[client] = full_at
