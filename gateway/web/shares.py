"""How much a client may have passing through at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.errors import TooManyRequests

SHARE = 32
"""Requests of one client: what is passed on takes as long as the other side likes."""


class Shares:
    """How much each client has passing at once, so that none takes the others' room."""

    def __init__(self, most: int = SHARE) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def room(self, client: str) -> Iterator[None]:
        """Raises TooManyRequests when the client's share is taken."""
        if self._taken[client] >= self._most:
            raise TooManyRequests(f"{self._most} requests of this key are being passed on", retry_after=1)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
