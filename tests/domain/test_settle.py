"""What follows from an outcome, for the message and for its sender: a table, and what holds in all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import (
    TAKEN,
    AttemptStatus,
    Cause,
    DeliveryPolicy,
    Failed,
    OnUnknown,
    Outcome,
    PacePolicy,
    PauseCause,
    Retry,
    Submitted,
    Unknown,
    WindowWasClosed,
)
from gateway.domain.errors import ProviderError
from gateway.domain.message import Status
from gateway.domain.settlement import Settlement, Tried, settle, settle_lost

ERROR = ProviderError(code=2, status=500, name="Internal server error")
AT_ONCE = timedelta(0)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

SUBMITTED = Submitted(provider_message_id="429")
FAILED = Failed(error=ERROR)
PAUSED = Failed(error=ProviderError(code=132015, status=400, name="Template paused"))
TOO_LATE = WindowWasClosed(error=ERROR)
LOST = Unknown(error=ERROR)


def retry(cause: str, after: timedelta | None = None) -> Retry:
    return Retry(cause=Cause(cause), error=ERROR, retry_after=after)


def settled(outcome: Outcome, tried: dict[str, Any], policy: dict[str, Any]) -> Settlement:
    return settle(outcome, Tried(**({"is_template": False} | tried)), DeliveryPolicy(**policy), 0.0)


def follows(attempt: str, **what: Any) -> Settlement:
    return Settlement(attempt=AttemptStatus(attempt), **what)


TABLE: dict[str, tuple[Outcome, dict[str, Any], dict[str, Any], Settlement]] = {
    "taken": (SUBMITTED, {}, {}, follows("submitted", resumes=True)),
    "taken, by a sender that was failing": (
        SUBMITTED,
        {"failures_in_row": 2, "is_paused": True},
        {},
        follows("submitted", resumes=True),
    ),
    "refused for good": (FAILED, {"failures_in_row": 2}, {}, follows("failed", resumes=True)),
    "refused as too late: back in line, once": (
        TOO_LATE,
        {},
        {},
        follows("window_closed", again_in=AT_ONCE, refutes_window=True, resumes=True),
    ),
    "refused as too late again: failed": (
        TOO_LATE,
        {"was_refuted": True},
        {},
        follows("failed", refutes_window=True, resumes=True),
    ),
    "a fallback that can't be sent: the next one": (
        PAUSED,
        {"is_template": True, "is_stand_in": True},
        {},
        follows("template_refused", again_in=AT_ONCE, resumes=True),
    ),
    "the same fallback again: failed": (
        PAUSED,
        {"is_template": True, "is_stand_in": True, "was_refused_so": True},
        {},
        follows("failed", resumes=True),
    ),
    "a fallback that can't be sent, where an earlier attempt may have arrived": (
        PAUSED,
        {"is_template": True, "is_stand_in": True, "had_unknown": True},
        {},
        follows("failed", resumes=True),
    ),
    "a template that was asked for and can't be sent": (
        PAUSED,
        {"is_template": True},
        {},
        follows("failed", resumes=True),
    ),
    "a fallback that is refused for another reason": (
        FAILED,
        {"is_template": True, "is_stand_in": True},
        {},
        follows("failed", resumes=True),
    ),
    "a template refused as too late says nothing of the window": (
        TOO_LATE,
        {"is_template": True},
        {},
        follows("failed", resumes=True),
    ),
    "lost, to wait for proof": (LOST, {}, {}, follows("unknown", resolve_unknown_in=MINUTE, failures_in_row=1)),
    "lost, to be ended at once": (
        LOST,
        {},
        {"on_unknown": OnUnknown.CLOSE},
        follows("unknown", failures_in_row=1),
    ),
    "lost, to go out once more": (
        LOST,
        {},
        {"on_unknown": OnUnknown.RETRY},
        follows("unknown", resolve_unknown_in=MINUTE, then_retry=True, failures_in_row=1),
    ),
    "lost a second time": (
        LOST,
        {"had_unknown": True},
        {"on_unknown": OnUnknown.RETRY},
        follows("unknown", resolve_unknown_in=MINUTE, failures_in_row=1),
    ),
    "a lost template does not go out twice": (
        LOST,
        {"is_template": True},
        {"on_unknown": OnUnknown.RETRY},
        follows("unknown", resolve_unknown_in=MINUTE, failures_in_row=1),
    ),
    "a lost template goes out once more where the operator says so": (
        LOST,
        {"is_template": True},
        {"on_unknown": OnUnknown.RETRY, "retry_templates": True},
        follows("unknown", resolve_unknown_in=MINUTE, then_retry=True, failures_in_row=1),
    ),
    "the third lost in a row pauses the sender": (
        LOST,
        {"failures_in_row": 2},
        {},
        follows("unknown", resolve_unknown_in=MINUTE, failures_in_row=3, pause=PauseCause.FAILING),
    ),
    "a row pauses nobody where the operator says never": (
        LOST,
        {"failures_in_row": 99},
        {"pause_after": 0},
        follows("unknown", resolve_unknown_in=MINUTE, failures_in_row=100),
    ),
    "5xx: the first step of the schedule": (
        retry("server"),
        {},
        {},
        follows("retry", again_in=5 * SECOND, is_counted=True, failures_in_row=1),
    ),
    "5xx: the third step of the schedule": (
        retry("server"),
        {"refusals": 2},
        {},
        follows("retry", again_in=2 * MINUTE, is_counted=True, failures_in_row=1),
    ),
    "5xx: the last step repeats": (
        retry("server"),
        {"refusals": 40},
        {},
        follows("retry", again_in=3 * HOUR, is_counted=True, failures_in_row=1),
    ),
    "5xx that asks for more time than the schedule": (
        retry("server", after=MINUTE),
        {},
        {},
        follows("retry", again_in=MINUTE, is_counted=True, failures_in_row=1),
    ),
    "5xx that asks for less time than the schedule": (
        retry("server", after=SECOND),
        {},
        {},
        follows("retry", again_in=5 * SECOND, is_counted=True, failures_in_row=1),
    ),
    "the third 5xx in a row is the sender's trouble, not the message's": (
        retry("server", after=MINUTE),
        {"failures_in_row": 2},
        {},
        follows(
            "retry",
            again_in=AT_ONCE,
            failures_in_row=3,
            pause=PauseCause.FAILING,
            probe_in=MINUTE,
            lets_others_probe=True,
        ),
    ),
    "5xx to a probe keeps the pause and uses nothing up": (
        retry("server"),
        {"is_paused": True, "refusals": 1},
        {},
        follows("retry", again_in=AT_ONCE, failures_in_row=1, pause=PauseCause.FAILING, lets_others_probe=True),
    ),
    "nothing written": (
        retry("not_written"),
        {"failures_in_row": 1},
        {},
        follows("withdrawn", again_in=AT_ONCE, pause=PauseCause.NOT_WRITTEN, failures_in_row=1),
    ),
    "too many requests": (
        retry("throttled", after=MINUTE),
        {},
        {},
        follows("retry", again_in=AT_ONCE, pause=PauseCause.THROTTLED, probe_in=MINUTE, lets_others_probe=True),
    ),
    "a bad key": (
        retry("unauthorized"),
        {"is_awaited": True},
        {},
        follows("retry", again_in=AT_ONCE, pause=PauseCause.UNAUTHORIZED, lets_others_probe=True),
    ),
    "an empty balance": (
        retry("balance"),
        {},
        {},
        follows("retry", again_in=AT_ONCE, pause=PauseCause.BALANCE, lets_others_probe=True),
    ),
    "an empty balance is told to a client that waits": (
        retry("balance", after=MINUTE),
        {"is_awaited": True, "failures_in_row": 1},
        {},
        follows("failed", verdict=Status.FAILED, pause=PauseCause.BALANCE, probe_in=MINUTE, failures_in_row=1),
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_what_follows_is_as_the_table_says(row: str) -> None:
    outcome, tried, policy, expected = TABLE[row]
    assert settled(outcome, tried, policy) == expected


RETRIES = st.builds(
    retry,
    st.sampled_from([cause.value for cause in Cause]),
    st.none() | st.timedeltas(min_value=AT_ONCE, max_value=HOUR),
)
OUTCOMES = st.sampled_from([SUBMITTED, FAILED, PAUSED, TOO_LATE, LOST]) | RETRIES
TRIED = st.builds(
    Tried,
    is_template=st.booleans(),
    is_stand_in=st.booleans(),
    was_refused_so=st.booleans(),
    refusals=st.integers(0, 9),
    was_refuted=st.booleans(),
    had_unknown=st.booleans(),
    is_awaited=st.booleans(),
    is_paused=st.booleans(),
    failures_in_row=st.integers(0, 4),
)
POLICIES = st.builds(
    DeliveryPolicy,
    on_unknown=st.sampled_from(OnUnknown),
    retry_templates=st.booleans(),
    pause_after=st.integers(0, 3),
)
JITTER = st.floats(0, 1, exclude_max=True)


@given(OUTCOMES, TRIED, POLICIES, JITTER)
def test_a_message_is_handed_over_ended_unknown_or_back_in_line_and_only_one_of_them(
    outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    follow = settle(outcome, tried, policy, jitter)
    fates = [
        follow.attempt in TAKEN,
        follow.attempt is AttemptStatus.FAILED,
        follow.attempt is AttemptStatus.UNKNOWN,
        follow.again_in is not None,
    ]
    assert fates.count(True) == 1
    assert follow.verdict is None or follow.attempt is AttemptStatus.FAILED
    assert follow.attempt is AttemptStatus.UNKNOWN or follow.resolve_unknown_in is None


@given(OUTCOMES, TRIED, POLICIES, JITTER)
def test_a_pause_uses_up_no_attempt_and_a_step_of_the_schedule_pauses_nobody(
    outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    follow = settle(outcome, tried, policy, jitter)
    assert not (follow.is_counted and follow.pause)
    assert not (follow.resumes and follow.pause)
    if follow.pause:
        assert follow.again_in in (None, AT_ONCE)


@given(RETRIES, TRIED, POLICIES, JITTER)
def test_what_is_not_the_message_s_fault_always_pauses_the_sender(
    outcome: Retry, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    if outcome.cause not in (Cause.SERVER, Cause.LIMITED):
        pause = settle(outcome, tried, policy, jitter).pause
        assert pause is not None
        assert pause.value == outcome.cause.value


@given(TRIED, POLICIES, JITTER)
def test_what_has_reached_a_limit_of_its_own_waits_alone(tried: Tried, policy: DeliveryPolicy, jitter: float) -> None:
    follow = settle(retry("limited"), tried, policy, jitter)
    assert (follow.pause, follow.resumes, follow.is_counted) == (None, True, True)
    assert follow.again_in is not None
    assert SECOND <= follow.again_in <= HOUR


@pytest.mark.parametrize(("refusals", "seconds"), [(0, 1), (1, 4), (2, 16), (3, 64), (4, 256), (5, 1024), (6, 3600)])
def test_a_contact_that_was_written_to_too_often_is_left_alone_four_times_as_long_each_time(
    refusals: int, seconds: int
) -> None:
    follow = settled(retry("limited"), {"refusals": refusals}, {})
    assert follow.again_in == timedelta(seconds=seconds)


@pytest.mark.parametrize(("refusals", "attempt"), [(0, "retry"), (1, "retry"), (2, "failed"), (9, "failed")])
def test_a_refusal_that_is_worth_few_tries_is_one_for_good_after_them(refusals: int, attempt: str) -> None:
    outcome = replace(retry("server"), at_most=2)
    assert settled(outcome, {"refusals": refusals}, {}).attempt == AttemptStatus(attempt)


def test_a_stand_in_that_has_reached_a_limit_of_its_own_gives_way_to_the_next() -> None:
    limited = Retry(cause=Cause.LIMITED, error=ProviderError(code=132069, status=400), retry_after=HOUR)
    stand_in = settled(limited, {"is_template": True, "is_stand_in": True}, {})
    assert (stand_in.attempt, stand_in.again_in) == (AttemptStatus.TEMPLATE_REFUSED, AT_ONCE)
    asked_for = settled(limited, {"is_template": True}, {})
    assert (asked_for.attempt, asked_for.again_in) == (AttemptStatus.RETRY, HOUR)


@given(RETRIES, TRIED, POLICIES, JITTER)
def test_the_provider_is_not_asked_again_before_the_time_that_it_named(
    outcome: Retry, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    follow = settle(outcome, tried, policy, jitter)
    if outcome.retry_after is not None:
        named = follow.again_in if follow.pause is None else follow.probe_in
        assert named is not None
        assert named >= outcome.retry_after


@given(OUTCOMES, TRIED, POLICIES, JITTER)
def test_only_a_free_form_refusal_refutes_the_window_and_only_the_first_one_goes_back(
    outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    follow = settle(outcome, tried, policy, jitter)
    refused_late = isinstance(outcome, WindowWasClosed)
    assert follow.refutes_window == (refused_late and not tried.is_template)
    if refused_late:
        assert (follow.again_in is not None) == (not tried.is_template and not tried.was_refuted)


@given(OUTCOMES, TRIED, POLICIES, JITTER)
def test_a_lost_message_is_never_sent_again_unless_the_operator_chose_that(
    outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    follow = settle(outcome, tried, policy, jitter)
    chosen = policy.on_unknown is OnUnknown.RETRY and (policy.retry_templates or not tried.is_template)
    assert not follow.then_retry or (chosen and not tried.had_unknown)


@given(OUTCOMES, TRIED, POLICIES, JITTER)
def test_what_follows_for_the_sender_does_not_depend_on_whether_a_client_waits(
    outcome: Outcome, tried: Tried, policy: DeliveryPolicy, jitter: float
) -> None:
    def for_the_sender(is_awaited: bool) -> tuple[Any, ...]:
        follow = settle(outcome, replace(tried, is_awaited=is_awaited), policy, jitter)
        return follow.pause, follow.probe_in, follow.resumes, follow.failures_in_row, follow.refutes_window

    assert for_the_sender(True) == for_the_sender(False)


@given(TRIED, POLICIES)
def test_what_a_crash_left_without_a_result_is_unknown_and_nobody_s_failure(
    tried: Tried, policy: DeliveryPolicy
) -> None:
    lost = settle_lost(tried, policy)
    assert lost.attempt is AttemptStatus.UNKNOWN
    assert (lost.failures_in_row, lost.pause, lost.resumes) == (tried.failures_in_row, None, False)
    assert (lost.resolve_unknown_in is None) == (policy.on_unknown is OnUnknown.CLOSE)


@given(st.integers(1, 50), JITTER)
def test_each_refusal_waits_its_step_of_the_schedule_and_at_most_a_fifth_more(refusals: int, jitter: float) -> None:
    seconds = [5, 30, 120, 600, 3600, 10800]
    step = seconds[refusals - 1] if refusals <= len(seconds) else seconds[-1]
    policy = DeliveryPolicy()
    assert policy.retry_delay(refusals, 0.0).total_seconds() == step
    assert policy.retry_delay(refusals, 0.5).total_seconds() == pytest.approx(1.1 * step)
    assert step <= policy.retry_delay(refusals, jitter).total_seconds() <= 1.2 * step


def test_the_operator_s_schedule_is_the_one_that_counts() -> None:
    policy = DeliveryPolicy(retry_schedule=(SECOND, MINUTE))
    assert [policy.retry_delay(refusals, 0.0) for refusals in (1, 2, 3)] == [SECOND, MINUTE, MINUTE]


def test_a_lease_outlasts_the_provider_s_timeout_by_15_seconds() -> None:
    assert DeliveryPolicy(timeout=MINUTE).lease == 75 * SECOND


def test_what_the_operator_leaves_out_is_as_documented() -> None:
    policy, pace = DeliveryPolicy(), PacePolicy()
    assert (policy.block_for, policy.message_ttl, policy.timeout) == (2 * MINUTE, 24 * HOUR, 30 * SECOND)
    assert (policy.pause_after, policy.probe_from, policy.probe_to) == (3, SECOND, MINUTE)
    assert (policy.on_unknown.value, policy.unknown_wait, policy.retry_templates) == ("hold", MINUTE, False)
    assert policy.stop_timeout == 30 * SECOND
    assert (pace.sender_per_second, pace.contact_interval, pace.contact_burst) == (80, 6 * SECOND, 45)
