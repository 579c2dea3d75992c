"""The line of a conversation: what is worked out anew whenever one joins, waits or leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from gateway.domain.message import Status
from gateway.ports import Claim
from gateway.store.codec import micros, span, window_of
from gateway.store.ledger import Ledger
from gateway.store.line import Waiting, soonest, walk
from gateway.store.pace import contact_pace

REPLY = 0
"""The class of free-form content into an open window, which goes first."""
OTHER = 1


def refresh(ledger: Ledger, conversation: int, *, now: datetime, ends_lease: bool = False) -> bool:
    """Work out when the conversation has something to do, for whom, and whether it must rest first. Whether it has."""
    return work_out(ledger, ledger.one("conversation_by_id", id=conversation), now=now, ends_lease=ends_lease)


def join(ledger: Ledger, conversation: sqlite3.Row, *, now: datetime) -> None:
    """A message joins at the end of the line: behind one that may go already, that changes nothing."""
    if conversation["due_at"] is None or conversation["due_at"] > micros(now):
        work_out(ledger, conversation, now=now)


def work_out(ledger: Ledger, row: sqlite3.Row, *, now: datetime, ends_lease: bool = False) -> bool:
    """`refresh` for a conversation as it has just been read."""
    conversation, leased_until = row["id"], None if ends_lease else row["leased_until"]
    soon = soonest(_in_line(ledger, conversation))
    due_at, head = soon or (None, None)
    ledger.write(
        "set_line",
        id=conversation,
        due_at=due_at,
        head_class=None if head is None else _class_of(head, row, now),
        head_client=None if head is None else head["client"],
        leased_until=leased_until,
        rests_until=leased_until if head is None or leased_until is not None else _free_at(ledger, row["pace_tat"]),
        latest_tat=contact_pace(ledger.policy.pace).latest(ledger.tick),
    )
    return head is not None


def _class_of(head: sqlite3.Row, conversation: sqlite3.Row, now: datetime) -> int:
    return REPLY if head["is_free_form"] and window_of(conversation).is_open(now) else OTHER


def _free_at(ledger: Ledger, pace_tat: int) -> int | None:
    """When the contact's pace allows the next message, if not now."""
    free_at = contact_pace(ledger.policy.pace).free_at(pace_tat, ledger.tick)
    return free_at if free_at > ledger.tick else None


def head_of(ledger: Ledger, conversation: int, *, now: datetime) -> sqlite3.Row | None:
    """The message to be sent now, if there is one. An unknown whose wait for proof is over leaves the line."""
    found = walk(_in_line(ledger, conversation), micros(now))
    for gone in found.left:
        ledger.write("leave_line", place=gone["place"])
    if found.head is None:
        return None
    message = ledger.one("message_by_place", place=found.head["place"])
    may_go = message["status"] != Status.SENDING and message["expires_at"] > micros(now)
    return message if may_go else None


def _in_line(ledger: Ledger, conversation: int) -> Iterator[Waiting[sqlite3.Row]]:
    block_for = span(ledger.policy.delivery.block_for)
    for row in ledger.rows("line_of", conversation=conversation):
        due_at, blocked_from = row["due_at"], row["blocked_from"]
        yield Waiting(
            subject=row,
            due_at=due_at,
            holds_until=due_at if blocked_from is None else min(due_at, blocked_from + block_for),
            leaves=row["at_due"] == "leave",
        )


def stand_in_line(ledger: Ledger, place: int, *, due_at: int, leaves: bool = False) -> None:
    """Give the message a place in line, in the order of its acceptance."""
    ledger.write("stand_in_line", place=place, due_at=due_at, at_due="leave" if leaves else "send")


def holds(conversation: sqlite3.Row, claim: Claim) -> bool:
    """Whether the claim is still the one that the conversation, or a message joined with its own, belongs to."""
    return conversation["leased_until"] is not None and bool(conversation["epoch"] == claim.epoch)
