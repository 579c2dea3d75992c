"""The line of a conversation: what is worked out anew whenever one joins, waits or leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from gateway.domain.message import Draft, FreeForm, Status
from gateway.ports import Claim
from gateway.store.codec import micros, span, window_of
from gateway.store.ledger import Ledger
from gateway.store.line import Waiting, soonest, walk

REPLY = 0
"""The class of free-form content into an open window, which goes first."""
OTHER = 1


def refresh(ledger: Ledger, conversation: int, *, now: datetime, ends_lease: bool = False) -> bool:
    """Work out when the conversation has something to do, for whom, and whether it must rest first. Whether it has."""
    return work_out(ledger, ledger.one("conversation_by_id", id=conversation), now=now, ends_lease=ends_lease)


def join(ledger: Ledger, conversation: sqlite3.Row, draft: Draft, *, is_free: bool, now: datetime) -> None:
    """A message joins at the end of the line, which `is_free`: it is the head. Behind one that may go already it
    changes nothing."""
    if is_free:
        is_free_form = isinstance(draft.content, FreeForm)
        head_class = REPLY if is_free_form and window_of(conversation).is_open(now) else OTHER
        leased_until = None if conversation["rests_until"] is None else conversation["leased_until"]
        _set_line(ledger, conversation, leased_until, micros(now), head_class, draft.client)
    elif conversation["due_at"] is None or conversation["due_at"] > micros(now):
        work_out(ledger, conversation, now=now)


def work_out(ledger: Ledger, row: sqlite3.Row, *, now: datetime, ends_lease: bool = False) -> bool:
    """`refresh` for a conversation as it has just been read."""
    leased_until = None if ends_lease else lease_of(ledger, row)
    soon = soonest(_in_line(ledger, row["id"]))
    if soon is None:
        _set_line(ledger, row, leased_until)
    else:
        due_at, head = soon
        _set_line(ledger, row, leased_until, due_at, _class_of(head, row, now), head["client"])
    return soon is not None


def lease_of(ledger: Ledger, row: sqlite3.Row) -> int | None:
    """When the conversation's lease ends, if it has one. That of a message that left at once lets the conversation not
    rest, and lasts only as long as the message is being sent."""
    leased_until: int | None = row["leased_until"]
    if leased_until is None or row["rests_until"] is not None:
        return leased_until
    return None if ledger.row("sending_in_line", conversation=row["id"]) is None else leased_until


def _set_line(
    ledger: Ledger,
    row: sqlite3.Row,
    leased_until: int | None,
    due_at: int | None = None,
    head_class: int | None = None,
    head_client: str | None = None,
) -> None:
    may_rest = leased_until is None and due_at is not None
    ledger.write(
        "set_line",
        id=row["id"],
        due_at=due_at,
        head_class=head_class,
        head_client=head_client,
        leased_until=leased_until,
        rests_until=_free_at(ledger, row["pace_tat"]) if may_rest else leased_until,
        latest_tat=ledger.paces.contact.latest(ledger.tick),
    )


def _class_of(head: sqlite3.Row, conversation: sqlite3.Row, now: datetime) -> int:
    return REPLY if head["is_free_form"] and window_of(conversation).is_open(now) else OTHER


def _free_at(ledger: Ledger, pace_tat: int) -> int | None:
    """When the contact's pace allows the next message, if not now."""
    free_at = ledger.paces.contact.free_at(pace_tat, ledger.tick)
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
