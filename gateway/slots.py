"""How many requests may be under way to each provider, shared between its senders."""

from __future__ import annotations

from collections import Counter

from gateway.domain.identity import Sender


class Slots:
    """The in-flight share of one provider.

    Where several senders share it, each may hold no more than what is left free: a sender whose requests all hang
    leaves half to the others, two of them a quarter, and nobody is ever left with nothing.
    """

    def __init__(self, in_flight: int, *, shared: bool) -> None:
        self._in_flight = in_flight
        self._shared = shared
        self._held: Counter[Sender] = Counter()
        self._in_use = 0

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def in_use(self) -> int:
        return self._in_use

    def room(self, sender: Sender) -> int:
        """How many more requests this sender may start now."""
        free = self._in_flight - self._in_use
        if not self._shared:
            return free
        return max(0, (free - self._held[sender] + 1) // 2)

    def take(self, sender: Sender, count: int = 1) -> None:
        self._held[sender] += count
        self._in_use += count

    def give_back(self, sender: Sender, count: int = 1) -> None:
        self._held[sender] -= count
        self._in_use -= count
