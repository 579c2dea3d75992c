"""The straight way of an answer, which nearly all take: the provider took the only message in line at the first try.

It comes to the same as the way of all others (``attempts.record``), with less to read: nothing else follows from it.
"""

from __future__ import annotations

from datetime import datetime

from gateway.domain.delivery import Outcome, Submitted
from gateway.domain.message import OutboundMessage, Status
from gateway.ports import Attempt, Claim, Recorded
from gateway.store.codec import micros
from gateway.store.ledger import Ledger
from gateway.store.senders import sender_row
from gateway.store.statuses import count_open, history_line
from gateway.store.telling import hears_of_submitted


def hand_over(ledger: Ledger, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Recorded | None:
    """Write that the provider took it; None, and nothing written, where more may follow than that."""
    told = outcome.provider_message_id if isinstance(outcome, Submitted) else None
    if told is None or attempt.number != 1 or not _is_quiet(ledger, claim.message):
        return None
    row = ledger.row(
        "to_hand_over",
        message=claim.message.id,
        token=attempt.token,
        conversation=claim.conversation,
        epoch=claim.epoch,
        contact=claim.message.contact,
        provider_message_id=told,
    )
    if row is None:
        return None
    at = micros(now)
    ledger.write("hand_over_attempt", id=row["attempt"], at=at, provider_message_id=told)
    ledger.write("hand_over_message", place=row["place"], at=at, line=history_line(Status.SUBMITTED, at))
    if row["rests_until"] is not None:  # else its lease has just ended
        ledger.write("empty_line", id=claim.conversation)
    count_open(ledger, claim.message.client, claim.message.sender, -1)
    return Recorded(Status.SUBMITTED, has_more=False)


def _is_quiet(ledger: Ledger, message: OutboundMessage) -> bool:
    """Whether nobody is to be told of it, and its sender has nothing to recover from."""
    sender = sender_row(ledger, message.sender)
    return (
        message.callback_url is None
        and not hears_of_submitted(ledger, message.client, message.sender)
        and sender["pause"] is None
        and sender["failures_in_row"] == 0
    )
