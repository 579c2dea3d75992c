"""Statuses of attempts and messages: forward only, whatever the order in which news comes."""

from __future__ import annotations

from itertools import pairwise, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import AttemptStatus, advance, message_status
from gateway.domain.message import ENDED, HANDED_OVER, OPEN, Status

FINAL = {"failed", "window_closed", "template_refused"}
REPORTED = {"sent", "delivered", "read"} | FINAL
AFTER = {
    "sending": {"withdrawn", "retry", "unknown", "submitted"} | REPORTED,
    "withdrawn": {"unknown", "submitted"} | REPORTED,
    "retry": {"unknown", "submitted"} | REPORTED,
    "unknown": {"submitted"} | REPORTED,
    "submitted": REPORTED,
    "sent": REPORTED - {"sent"},
    "delivered": {"read"},
    "read": set(),
    "failed": set(),
    "window_closed": set(),
    "template_refused": set(),
}
"""For each status those that news may move it to: the drawing, followed to its ends. What arrived on a phone can't be
refused any more, and what was refused for good stays so."""

STATUSES = st.sampled_from(list(AttemptStatus))
ATTEMPTS = st.lists(STATUSES, max_size=5)
VERDICTS = st.sampled_from([Status.REFUSED, Status.FAILED, Status.EXPIRED, Status.CANCELLED])
WAY = ["submitted", "sent", "delivered", "read"]


def after(*reports: str) -> str:
    status = AttemptStatus.SENDING
    for report in reports:
        status = advance(status, AttemptStatus(report))
    return status.value


def test_the_drawing_names_every_status() -> None:
    assert set(AFTER) == {status.value for status in AttemptStatus}


@pytest.mark.parametrize(("current", "reported"), list(product(AttemptStatus, AttemptStatus)))
def test_news_moves_an_attempt_along_the_drawing_or_not_at_all(current: AttemptStatus, reported: AttemptStatus) -> None:
    allowed = reported.value in AFTER[current.value]
    assert advance(current, reported) is (reported if allowed else current)


@given(st.lists(STATUSES, min_size=1, max_size=8))
def test_an_attempt_never_comes_back_to_a_status_that_it_left(reports: list[AttemptStatus]) -> None:
    seen = [AttemptStatus.SENDING]
    for report in reports:
        seen.append(advance(seen[-1], report))
    moves = [status for place, status in enumerate(seen) if place == 0 or status is not seen[place - 1]]
    assert len(moves) == len(set(moves))


TRUE_STORIES = [
    *[WAY[: end + 1] for end in range(len(WAY))],
    *[[*WAY[:end], refusal] for end in range(3) for refusal in sorted(FINAL)],
    ["unknown", *WAY],
    ["unknown", "failed"],
    ["withdrawn"],
    ["retry"],
]


@pytest.mark.parametrize("story", TRUE_STORIES, ids="-".join)
def test_news_that_can_be_true_together_ends_the_same_in_every_order(story: list[str]) -> None:
    assert {after(*told) for told in permutations(story)} == {story[-1]}


@pytest.mark.parametrize("story", TRUE_STORIES, ids="-".join)
def test_news_that_is_told_again_changes_nothing(story: list[str]) -> None:
    assert all(after(*story, *again) == story[-1] for again in permutations(story))


@pytest.mark.parametrize(
    ("first", "second"), [("delivered", "failed"), ("failed", "read"), ("failed", "window_closed")]
)
def test_of_two_contrary_reports_the_first_stands(first: str, second: str) -> None:
    assert after(first, second) == first


@given(ATTEMPTS, VERDICTS)
def test_nothing_undoes_a_verdict(attempts: list[AttemptStatus], verdict: Status) -> None:
    assert message_status(attempts, verdict) is verdict


@given(
    st.lists(st.sampled_from(["withdrawn", "retry", "unknown", "window_closed", "template_refused"]), max_size=4),
    st.data(),
)
def test_what_was_given_up_is_unknown_until_there_is_proof_of_the_lost_attempt(
    others: list[str], data: st.DataObject
) -> None:
    attempts = [AttemptStatus(attempt) for attempt in others]
    place = data.draw(st.integers(0, len(attempts)))
    attempts.insert(place, AttemptStatus.UNKNOWN)
    assert message_status(attempts, Status.UNKNOWN) is Status.UNKNOWN
    for proof in WAY:
        attempts[place] = advance(attempts[place], AttemptStatus(proof))
        assert message_status(attempts, Status.UNKNOWN).value == proof


@given(st.lists(st.sampled_from(["withdrawn", "retry", "failed", "window_closed", "template_refused"]), max_size=4))
def test_what_was_given_up_has_failed_when_none_of_its_attempts_can_have_arrived(attempts: list[str]) -> None:
    assert message_status([AttemptStatus(attempt) for attempt in attempts], Status.UNKNOWN) is Status.FAILED


@given(ATTEMPTS.flatmap(lambda attempts: st.tuples(st.just(attempts), st.permutations(attempts))))
def test_what_one_attempt_proved_counts_whichever_attempt_it_was(
    told: tuple[list[AttemptStatus], list[AttemptStatus]],
) -> None:
    attempts, in_another_order = told
    reached = [way for way in WAY if way in attempts]
    for status in (message_status(attempts), message_status(in_another_order, Status.QUEUED)):
        assert (status.value == reached[-1]) if reached else (status not in HANDED_OVER)


LEFT_OPEN = {
    "sending": "sending",
    "withdrawn": "queued",
    "retry": "queued",
    "unknown": "unknown",
    "failed": "failed",
    "window_closed": "queued",
}


@given(st.lists(st.sampled_from(sorted(LEFT_OPEN)), min_size=1, max_size=5))
def test_where_nothing_was_proved_the_latest_attempt_says_where_the_message_stands(attempts: list[str]) -> None:
    assert message_status([AttemptStatus(attempt) for attempt in attempts]).value == LEFT_OPEN[attempts[-1]]


@given(st.lists(st.sampled_from(sorted(LEFT_OPEN)), max_size=5))
def test_put_back_in_line_it_is_queued_until_an_attempt_proves_that_it_was_taken(attempts: list[str]) -> None:
    assert message_status([AttemptStatus(attempt) for attempt in attempts], Status.QUEUED) is Status.QUEUED


def test_a_message_without_an_attempt_is_queued() -> None:
    assert message_status([]) is Status.QUEUED


@given(st.lists(st.sampled_from(sorted(LEFT_OPEN)), min_size=2, max_size=5), st.data())
def test_a_refusal_of_an_earlier_attempt_never_moves_what_a_later_one_left(
    attempts: list[str], data: st.DataObject
) -> None:
    statuses = [AttemptStatus(attempt) for attempt in attempts]
    earlier = data.draw(st.integers(0, len(statuses) - 2))
    told = statuses.copy()
    told[earlier] = advance(told[earlier], AttemptStatus(data.draw(st.sampled_from(sorted(FINAL)))))
    assert message_status(told) is message_status(statuses)


@pytest.mark.parametrize(
    ("proof", "status"),
    [("submitted", "submitted"), ("sent", "sent"), ("delivered", "delivered"), ("read", "read"), ("failed", "failed")],
)
@pytest.mark.parametrize("before", [[], ["window_closed"], ["retry"], ["unknown"]], ids=str)
def test_an_unknown_is_settled_by_proof(before: list[str], proof: str, status: str) -> None:
    earlier = [AttemptStatus(attempt) for attempt in before]
    assert message_status([*earlier, AttemptStatus.UNKNOWN]) is Status.UNKNOWN
    proved = advance(AttemptStatus.UNKNOWN, AttemptStatus(proof))
    assert message_status([*earlier, proved]).value == status


@given(
    st.lists(st.sampled_from([AttemptStatus(word) for word in ["submitted", "unknown", *sorted(REPORTED)]]), max_size=8)
)
def test_the_message_of_one_attempt_moves_only_as_drawn(reports: list[AttemptStatus]) -> None:
    attempt, seen = AttemptStatus.SENDING, [Status.SENDING]
    for report in reports:
        attempt = advance(attempt, report)
        seen.append(message_status([attempt]))
    forward = ["sending", "unknown", *WAY]
    for before, then in pairwise(seen):
        if then.value in forward:
            assert forward.index(then.value) >= forward.index(before.value)
        assert before not in (Status.FAILED, Status.READ) or then is before


def test_every_status_is_open_handed_over_or_ended_and_only_one_of_them() -> None:
    assert {status.value for status in OPEN} == {"queued", "held", "sending"}
    assert {status.value for status in HANDED_OVER} == set(WAY)
    assert {status.value for status in ENDED} == {"refused", "failed", "expired", "cancelled", "unknown"}
    assert len(Status) == len(OPEN) + len(HANDED_OVER) + len(ENDED)
