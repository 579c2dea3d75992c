"""Pace, by the generic cell rate algorithm: one per interval, a burst at once borrowed from later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.delivery import PacePolicy
from gateway.store.codec import span

_SECOND = 1_000_000
_SENDER_BURST = 0.05
"""So many seconds' worth of a sender's rate may go at once, one at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """All in microseconds of the store's own time. `tat` is when the next one would be due without any burst."""

    interval: int
    burst: int

    def free_at(self, tat: int, tick: int) -> int:
        """When the next one may go; in the past if it may go now."""
        return min(tat, self.latest(tick)) - (self.burst - 1) * self.interval

    def room(self, tat: int, tick: int) -> int:
        """How many may go now."""
        return max(0, self.latest(tick) - max(tat, tick)) // self.interval

    def wait(self, tat: int, tick: int, *, ahead: int = 0) -> int:
        """For how long the next one has to wait, if so many go before it."""
        due = max(min(tat, self.latest(tick)), tick) + ahead * self.interval
        return max(0, due - (self.burst - 1) * self.interval - tick)

    def charged(self, tat: int, tick: int, count: int = 1) -> int:
        """`tat` after so many more have gone."""
        return max(tat, tick) + count * self.interval

    def latest(self, tick: int) -> int:
        """What `tat` is after a full burst: it can't be later, unless the clock was set back."""
        return tick + self.burst * self.interval


class Paces(NamedTuple):
    """That of each contact, and that of each sender."""

    contact: Pace
    sender: Pace


def paces_of(policy: PacePolicy) -> Paces:
    return Paces(_contact_pace(policy), _sender_pace(policy))


def _contact_pace(policy: PacePolicy) -> Pace:
    return Pace(interval=max(1, span(policy.contact_interval)), burst=max(1, policy.contact_burst))


def _sender_pace(policy: PacePolicy) -> Pace:
    rate = policy.sender_per_second
    return Pace(interval=max(1, round(_SECOND / rate)), burst=max(1, int(rate * _SENDER_BURST)))
