"""What must hold of a message's whole story, and of what its client was told of it, when everything came to rest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from gateway.ports import Delivery, MessageRecord
from tests.model.posted import GIVEN_UP, VIEW, WAY, Posted
from tests.model.world import FALLBACKS

ONLY_OURS = {"queued", "sending"}
NEXT = {
    "queued": {"sending", "unknown", *WAY, *GIVEN_UP},
    "sending": {"queued", "unknown", *WAY, "failed"},
    "unknown": {"queued", "sending", *WAY, "failed"},
    "submitted": {*WAY, "queued", "failed"},
    "sent": {*WAY, "queued", "failed"},
    "delivered": {"read"},
    "read": set(),
    "failed": set(),
    "refused": set(),
    "expired": set(),
    "cancelled": set(),
}
"""The drawing of statuses, for a message of which one attempt at most can have been taken."""

NEXT_OF_REPEATED = NEXT | {
    "submitted": {*NEXT["submitted"], "sending", "unknown"},
    "sent": {*NEXT["sent"], "sending", "unknown"},
    "failed": set(WAY),
}
"""One that was sent again after a lost answer: when one attempt fails, what another proved or left open counts."""


def check_story(record: MessageRecord, posted: Posted) -> None:
    history = [change.status.value for change in record.history]
    assert history == posted.history
    assert record.status.value == history[-1] == posted.status
    assert [attempt.status.value for attempt in record.attempts] == [attempt.status for attempt in posted.tries]
    check_moves(history, is_repeated=posted.was_repeated)
    check_attempts(posted)
    assert record.status.value not in ONLY_OURS, "nothing that was acknowledged is left in line for ever"


def check_moves(history: Sequence[str], *, is_repeated: bool) -> None:
    """Forward only, but for a step from handed over back to the queue after the 24-hour refusal, and after that of each
    fallback."""
    moves = list(pairwise(history))
    allowed = NEXT_OF_REPEATED if is_repeated else NEXT
    assert all(then in allowed[before] for before, then in moves)
    if not is_repeated:
        assert sum(before in WAY and then == "queued" for before, then in moves) <= 1 + len(FALLBACKS)
        assert all(WAY.index(then) > WAY.index(before) for before, then in moves if before in WAY and then in WAY)


def check_attempts(posted: Posted) -> None:
    """One downgrade after the provider's refusal, each fallback refused once at most, one template taken, never back to
    free-form from what was written."""
    statuses = [attempt.status for attempt in posted.tries]
    templates = [attempt.template for attempt in posted.tries if attempt.status != "withdrawn"]
    assert statuses.count("window_closed") <= 1
    assert templates == sorted(templates)
    assert statuses.count("template_refused") == len(posted.unfit)
    taken = [attempt for attempt in posted.tries if attempt.template and attempt.status in WAY]
    assert len(taken) <= 1 or posted.was_repeated


def check_told(deliveries: Iterable[Delivery], posted: dict[int, Posted]) -> None:
    """Each message's own URL gets every change of its view in order, the client's webhook every status that is told."""
    views: dict[int, list[int]] = defaultdict(list)
    statuses: dict[int, list[str]] = defaultdict(list)
    sequences: dict[str, list[int]] = defaultdict(list)
    for delivery in deliveries:
        body = json.loads(delivery.body)
        if delivery.type == "callback":
            views[body["message_id"]].append(body["status"])
            continue
        sequences[body["data"]["contact"]].append(body["data"]["sequence"])
        if delivery.type == "message.status":
            statuses[int(body["data"]["message_id"])].append(body["data"]["status"])
    for number, message in posted.items():
        expected = views_of(message)
        assert len(views[number]) == len(expected)
        assert all(view in allowed for view, allowed in zip(views[number], expected, strict=True))
        assert statuses[number] == [status for status in message.history if status not in ONLY_OURS]
    assert all(sequence == sorted(set(sequence)) for sequence in sequences.values())


def views_of(message: Posted) -> list[set[int]]:
    """What the URL is told: each view that differs from the one before, but not the pending one that it begins with."""
    views = [{VIEW["queued"]}, *message.views]
    return [view for view, _ in groupby(views)][1:]
