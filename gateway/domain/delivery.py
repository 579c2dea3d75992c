"""Attempts at the provider: where one stands, what may come of it, and the policies it is made under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from gateway.domain.errors import ProviderError
from gateway.domain.message import ENDED, Status


class AttemptStatus(StrEnum):
    """Where one attempt stands. It only moves forward.

    sending ─► withdrawn · retry ─► unknown ─► submitted ─► sent ─► delivered ─► read
                                                  └────────────┴─► failed · window_closed · template_refused
    """

    SENDING = "sending"
    WITHDRAWN = "withdrawn"
    """Surely not written: the message is as untouched as before."""
    RETRY = "retry"
    """The provider refused it for now, by its own word."""
    UNKNOWN = "unknown"
    """It was written, and the answer was lost."""
    SUBMITTED = "submitted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    WINDOW_CLOSED = "window_closed"
    TEMPLATE_REFUSED = "template_refused"
    """A template that stood in can't be sent: another one may."""


_RANK = {
    AttemptStatus.SENDING: 0,
    AttemptStatus.WITHDRAWN: 1,
    AttemptStatus.RETRY: 1,
    AttemptStatus.UNKNOWN: 2,
    AttemptStatus.SUBMITTED: 3,
    AttemptStatus.SENT: 4,
    AttemptStatus.FAILED: 5,
    AttemptStatus.WINDOW_CLOSED: 5,
    AttemptStatus.TEMPLATE_REFUSED: 5,
    AttemptStatus.DELIVERED: 5,
    AttemptStatus.READ: 6,
}
SENT_BACK = (AttemptStatus.WINDOW_CLOSED, AttemptStatus.TEMPLATE_REFUSED)
"""The provider refused an attempt so that its message may leave in another form."""
_REFUSED = frozenset({AttemptStatus.FAILED, *SENT_BACK})
TAKEN = (AttemptStatus.SUBMITTED, AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.READ)
"""An attempt in one of these was taken by the provider, each more surely than the one before."""
VERDICTS_THAT_STAND = ENDED - {Status.UNKNOWN}
"""No news of an attempt moves a message that was ended so."""


def advance(current: AttemptStatus, reported: AttemptStatus) -> AttemptStatus:
    """The status after news, whatever the order it comes in.

    Nothing moves an attempt that was refused for good, and a refusal doesn't undo what arrived on a phone: of two
    such contrary reports the first stands.
    """
    if current in _REFUSED or _RANK[reported] <= _RANK[current]:
        return current
    return reported


def message_status(attempts: Sequence[AttemptStatus], verdict: Status | None = None) -> Status:
    """The message's status from its attempts, oldest first, and from our own `verdict`, if one was given.

    A verdict ends a message by our rule or an operator's word (refused, failed, expired, cancelled), puts it back in
    the queue (queued), or gives it up while an attempt of it may have arrived (unknown). What any attempt proved counts
    before what the latest one left open, and before that giving up.
    """
    if verdict in VERDICTS_THAT_STAND:
        return verdict
    taken = [status for status in attempts if status in TAKEN]
    if taken:
        return Status(max(taken, key=_RANK.__getitem__))
    if verdict is Status.UNKNOWN:
        return Status.UNKNOWN if AttemptStatus.UNKNOWN in attempts else Status.FAILED
    if verdict is Status.QUEUED or not attempts:
        return Status.QUEUED
    return _OF_LATEST[attempts[-1]]


_OF_LATEST = {
    AttemptStatus.SENDING: Status.SENDING,
    AttemptStatus.WITHDRAWN: Status.QUEUED,
    AttemptStatus.RETRY: Status.QUEUED,
    AttemptStatus.WINDOW_CLOSED: Status.QUEUED,
    AttemptStatus.TEMPLATE_REFUSED: Status.QUEUED,
    AttemptStatus.UNKNOWN: Status.UNKNOWN,
    AttemptStatus.FAILED: Status.FAILED,
}


class Cause(StrEnum):
    """Why an attempt should be tried again. All but ``server`` and ``limited`` are surely not the message's own
    fault."""

    NOT_WRITTEN = "not_written"
    """Connection refused, DNS, TLS, no connection in time: nothing was written."""
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    BALANCE = "balance"
    SERVER = "server"
    """The provider's own word for trouble on its side (code 2, 4, 5, 6 in a well-formed error)."""
    LIMITED = "limited"
    """The contact, or what is to be sent, has reached a limit of its own: the message waits, its sender goes on."""


class PauseCause(StrEnum):
    """Why a sender is paused."""

    NOT_WRITTEN = "not_written"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    BALANCE = "balance"
    FAILING = "failing"
    """Several unknown or 5xx answers in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The provider took it and gave it an id."""

    provider_message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The provider surely did not take it, and may at another time."""

    cause: Cause
    error: ProviderError
    retry_after: timedelta | None = None
    at_most: int | None = None
    """After so many refusals of its message it is no longer worth trying; None: as long as the message may live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The provider refused it for good."""

    error: ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowWasClosed:
    """The provider refused it because the window is closed."""

    error: ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It was written, and what came of it is not known."""

    error: ProviderError


Outcome = Submitted | Retry | Failed | WindowWasClosed | Unknown


class OnUnknown(StrEnum):
    """What follows a lost answer."""

    HOLD = "hold"
    RETRY = "retry"
    CLOSE = "close"


def _default_schedule() -> tuple[timedelta, ...]:
    minutes = timedelta(minutes=1)
    return (minutes / 12, minutes / 2, 2 * minutes, 10 * minutes, 60 * minutes, 180 * minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """The ``delivery`` part of the configuration."""

    retry_schedule: tuple[timedelta, ...] = field(default_factory=_default_schedule)
    block_for: timedelta = timedelta(minutes=2)
    pause_after: int = 3
    probe_from: timedelta = timedelta(seconds=1)
    probe_to: timedelta = timedelta(seconds=60)
    stop_timeout: timedelta = timedelta(seconds=30)
    message_ttl: timedelta = timedelta(hours=24)
    timeout: timedelta = timedelta(seconds=30)
    on_unknown: OnUnknown = OnUnknown.HOLD
    unknown_wait: timedelta = timedelta(seconds=60)
    retry_templates: bool = False

    @property
    def lease(self) -> timedelta:
        """How long a claimed conversation belongs to its worker: longer than any attempt can take."""
        return self.timeout + timedelta(seconds=15)

    def retry_delay(self, refusals: int, jitter: float) -> timedelta:
        """The wait after this many refusals of one message (1 is the first); `jitter` in [0, 1) adds up to a fifth."""
        step = self.retry_schedule[min(refusals, len(self.retry_schedule)) - 1]
        return step * (1 + jitter / 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacePolicy:
    """The ``pace`` part of the configuration. Source: Meta, platform rate limits: 80/s per number, one in 6 s per pair,
    45 at once borrowed from later."""

    sender_per_second: float = 80
    contact_interval: timedelta = timedelta(seconds=6)
    contact_burst: int = 45
