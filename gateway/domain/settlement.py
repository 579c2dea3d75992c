"""What follows from the outcome of an attempt: for its message, its window, and its sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.delivery import (
    AttemptStatus,
    Cause,
    DeliveryPolicy,
    Failed,
    OnUnknown,
    Outcome,
    PauseCause,
    Retry,
    Submitted,
    Unknown,
    WindowWasClosed,
)
from gateway.domain.message import Status
from gateway.domain.template_refusal import template_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is known of a message and its sender when the outcome of an attempt comes in."""

    is_template: bool
    """Whether the attempt carried a template."""
    is_stand_in: bool = False
    """Whether that template stood in for free-form content."""
    was_refused_so: bool = False
    """Whether the provider refused an earlier attempt of this message with the same template as unfit to be sent."""
    refusals: int = 0
    """Refusals that counted against this message so far."""
    was_refuted: bool = False
    """Whether an earlier attempt of this message was already refused for the closed window."""
    had_unknown: bool = False
    """Whether an earlier attempt of this message ended unknown."""
    is_awaited: bool = False
    """Whether its client still waits for the provider's answer."""
    is_observed: bool = False
    """Whether its sender only observes: nothing stands in for what is refused."""
    is_paused: bool = False
    """Whether the sender was paused when the outcome came in."""
    failures_in_row: int = 0
    """Unknown or 5xx answers to the sender in a row, before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What follows from an outcome. Exactly one of these holds for the message: handed over, ended, or back in line."""

    attempt: AttemptStatus
    again_in: timedelta | None = None
    """Back in line after this long; None: not at all, unless an unknown is resolved."""
    lets_others_probe: bool = False
    """It may be this message that the provider stumbles over: the next probe is another conversation's."""
    resolve_unknown_in: timedelta | None = None
    """An unknown waits this long for proof, in the head's place; None: it does not wait."""
    then_retry: bool = False
    """After that wait the message goes out once more."""
    verdict: Status | None = None
    is_counted: bool = False
    """Whether it uses up a step of the retry schedule."""
    pause: PauseCause | None = None
    probe_in: timedelta | None = None
    """The earliest moment of the next probe, when the provider named one."""
    resumes: bool = False
    """The provider answered as one that works: a paused sender goes on."""
    failures_in_row: int = 0
    refutes_window: bool = False


_PAUSES = {
    Cause.NOT_WRITTEN: PauseCause.NOT_WRITTEN,
    Cause.THROTTLED: PauseCause.THROTTLED,
    Cause.UNAUTHORIZED: PauseCause.UNAUTHORIZED,
    Cause.BALANCE: PauseCause.BALANCE,
}


def settle(outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float) -> Settlement:
    """What follows from the outcome of an attempt, for its message and its sender."""
    match outcome:
        case Submitted():
            return Settlement(attempt=AttemptStatus.SUBMITTED, resumes=True)
        case Failed():
            return _settle_failed(outcome, tried)
        case WindowWasClosed():
            return _settle_window_closed(tried)
        case Unknown():
            return _settle_unknown(tried, policy)
        case Retry():
            return _settle_retry(outcome, tried, policy, jitter)


def _settle_retry(outcome: Retry, tried: Tried, policy: DeliveryPolicy, jitter: float) -> Settlement:
    if outcome.at_most is not None and tried.refusals >= outcome.at_most:
        return _settle_failed(Failed(error=outcome.error), tried)
    match outcome.cause:
        case Cause.SERVER:
            return _settle_server_trouble(outcome, tried, policy, jitter)
        case Cause.LIMITED:
            return _settle_limited(outcome, tried)
        case _:
            return _settle_pause(outcome, tried)


def _settle_failed(outcome: Failed, tried: Tried) -> Settlement:
    """It is over, unless a fallback was refused by a code that names the template: then the next rung may stand in,
    once for each template, and not where an earlier attempt may have arrived."""
    is_named = tried.is_stand_in and template_code(outcome.error) is not None
    if not is_named or tried.was_refused_so or tried.had_unknown:
        return Settlement(attempt=AttemptStatus.FAILED, resumes=True)
    return Settlement(attempt=AttemptStatus.TEMPLATE_REFUSED, again_in=timedelta(0), resumes=True)


def _settle_window_closed(tried: Tried) -> Settlement:
    """Back to the queue once, refuting the window. A template can't be refused for that reason: then it failed, and so
    did what nothing may stand in for."""
    if tried.is_template or tried.was_refuted or tried.is_observed:
        return Settlement(attempt=AttemptStatus.FAILED, resumes=True, refutes_window=not tried.is_template)
    return Settlement(attempt=AttemptStatus.WINDOW_CLOSED, again_in=timedelta(0), resumes=True, refutes_window=True)


def settle_lost(tried: Tried, policy: DeliveryPolicy) -> Settlement:
    """What follows for an attempt that a crash left without a result: unknown at once, and nobody's failure."""
    wait = None if policy.on_unknown is OnUnknown.CLOSE else policy.unknown_wait
    may_retry = policy.retry_templates or not tried.is_template
    return Settlement(
        attempt=AttemptStatus.UNKNOWN,
        resolve_unknown_in=wait,
        then_retry=policy.on_unknown is OnUnknown.RETRY and may_retry and not tried.had_unknown,
        failures_in_row=tried.failures_in_row,
    )


def _settle_unknown(tried: Tried, policy: DeliveryPolicy) -> Settlement:
    lost = settle_lost(tried, policy)
    row = tried.failures_in_row + 1
    return Settlement(
        attempt=lost.attempt,
        resolve_unknown_in=lost.resolve_unknown_in,
        then_retry=lost.then_retry,
        failures_in_row=row,
        pause=_pause_of_row(row, tried, policy),
    )


def _settle_server_trouble(outcome: Retry, tried: Tried, policy: DeliveryPolicy, jitter: float) -> Settlement:
    row = tried.failures_in_row + 1
    pause = _pause_of_row(row, tried, policy)
    is_counted = pause is None
    delay = policy.retry_delay(tried.refusals + 1, jitter) if is_counted else timedelta(0)
    if outcome.retry_after is not None and is_counted:
        delay = max(delay, outcome.retry_after)
    return Settlement(
        attempt=AttemptStatus.RETRY,
        again_in=delay,
        lets_others_probe=not is_counted,
        is_counted=is_counted,
        failures_in_row=row,
        pause=pause,
        probe_in=None if is_counted else outcome.retry_after,
    )


_MOST_STEPS = 6
"""Four to the sixth is more than an hour of seconds."""


def limited_wait(refusals: int) -> timedelta:
    """How long to leave a contact alone after so many refusals before: 1 s, 4 s, 16 s, ... Source: Meta, platform rate
    limits (retry after 4^X seconds, X from 0)."""
    return min(timedelta(seconds=4 ** min(refusals, _MOST_STEPS)), timedelta(hours=1))


def _settle_limited(outcome: Retry, tried: Tried) -> Settlement:
    """The provider works, so nobody else waits. Where the limit is that of a template that stood in, another may."""
    if tried.is_stand_in and template_code(outcome.error) is not None:
        return _settle_failed(Failed(error=outcome.error), tried)
    wait = max(limited_wait(tried.refusals), outcome.retry_after or timedelta(0))
    return Settlement(attempt=AttemptStatus.RETRY, again_in=wait, is_counted=True, resumes=True)


def _pause_of_row(row: int, tried: Tried, policy: DeliveryPolicy) -> PauseCause | None:
    if tried.is_paused or (policy.pause_after and row >= policy.pause_after):
        return PauseCause.FAILING
    return None


def _settle_pause(outcome: Retry, tried: Tried) -> Settlement:
    not_written = outcome.cause is Cause.NOT_WRITTEN
    attempt = AttemptStatus.WITHDRAWN if not_written else AttemptStatus.RETRY
    if outcome.cause is Cause.BALANCE and tried.is_awaited and not tried.had_unknown:
        # told so, its client may post it again: not where the contact may have it already
        return Settlement(
            attempt=AttemptStatus.FAILED,
            verdict=Status.FAILED,
            pause=PauseCause.BALANCE,
            probe_in=outcome.retry_after,
            failures_in_row=tried.failures_in_row,
        )
    return Settlement(
        attempt=attempt,
        again_in=timedelta(0),
        lets_others_probe=not not_written,
        pause=_PAUSES[outcome.cause],
        probe_in=outcome.retry_after,
        failures_in_row=tried.failures_in_row,
    )
