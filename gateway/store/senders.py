"""A sender's pace, and its pause: one probing message at a time, further and further apart."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.domain.delivery import PauseCause
from gateway.domain.errors import ProviderError
from gateway.domain.settlement import Settlement
from gateway.store.codec import error_text, span
from gateway.store.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many conversations a sender may be given now, and when more of them; None: after news."""

    count: int
    again_in: timedelta | None


SenderRow = dict[str, Any]
"""A row of the sender, shared by all units of a transaction."""


def sender_row(ledger: Ledger, sender: str) -> SenderRow:
    known = ledger.shared.senders.get(sender)
    if known is not None:
        return known
    row = ledger.row("sender_by_id", id=sender)
    if row is None:
        ledger.write("add_sender", id=sender)
        row = ledger.one("sender_by_id", id=sender)
    shared = ledger.shared.senders[sender] = dict(row)
    return shared


def change(ledger: Ledger, query: str, **values: object) -> None:
    """Change senders; who has read one reads it anew."""
    ledger.shared.write(ledger.db)
    ledger.write(query, **values)


def room(ledger: Ledger, sender: SenderRow, limit: int) -> Room:
    if sender["pause"] is not None:
        return _room_of_paused(ledger, sender, limit)
    pace = ledger.paces.sender
    count = min(limit, pace.room(sender["pace_tat"], ledger.tick))
    tat = pace.charged(sender["pace_tat"], ledger.tick, count)
    return Room(count=count, again_in=until(ledger, pace.free_at(tat, ledger.tick)))


def may_send_one(ledger: Ledger, sender: SenderRow) -> bool:
    """Whether one more conversation of a sender may be given out now, and not as a probe."""
    return sender["pause"] is None and ledger.paces.sender.room(sender["pace_tat"], ledger.tick) > 0


def _room_of_paused(ledger: Ledger, sender: SenderRow, limit: int) -> Room:
    if sender["probe_conversation"] is not None:
        return Room(count=0, again_in=None)
    if sender["probe_from"] > ledger.tick:
        return Room(count=0, again_in=until(ledger, sender["probe_from"]))
    return Room(count=min(limit, 1), again_in=None)


def until(ledger: Ledger, tick: int) -> timedelta:
    return timedelta(microseconds=max(0, tick - ledger.tick))


def charge(ledger: Ledger, sender: SenderRow, conversations: list[int], last_client: str) -> None:
    """Count what was given out: against the pace, for the turns of clients, and as the probe of a paused sender."""
    tat = ledger.paces.sender.charged(sender["pace_tat"], ledger.tick, len(conversations))
    ledger.shared.charge(sender, pace_tat=tat, last_client=last_client)
    if sender["pause"] is not None:
        change(ledger, "send_probe", id=sender["id"], conversation=conversations[0])


def is_stopped(sender: SenderRow, conversation: int) -> bool:
    """Whether the sender is paused and this conversation is not its probe."""
    return sender["pause"] is not None and sender["probe_conversation"] != conversation


def end_probe(ledger: Ledger, conversation: int) -> None:
    """A probe that was given back without an attempt, or lost, is due again at once."""
    change(ledger, "end_probe", conversation=conversation)


def note(
    ledger: Ledger, sender: SenderRow, conversation: int, settlement: Settlement, error: ProviderError | None
) -> None:
    """What an outcome says of the sender. Only its probe ends a pause, or changes what it is for."""
    is_probe = sender["pause"] is not None and sender["probe_conversation"] == conversation
    if settlement.failures_in_row != sender["failures_in_row"]:
        change(ledger, "set_failures_in_row", id=sender["id"], failures=settlement.failures_in_row)
    if is_probe:
        end_probe(ledger, conversation)
    if settlement.lets_others_probe:
        ledger.write("note_probe", id=conversation, tick=ledger.tick)
    if settlement.pause is not None:
        _pause(ledger, sender, settlement, error, is_probe=is_probe)
    elif is_probe and settlement.resumes:
        change(ledger, "resume_sender", id=sender["id"])


def _pause(
    ledger: Ledger, sender: SenderRow, settlement: Settlement, error: ProviderError | None, *, is_probe: bool
) -> None:
    least = 0 if settlement.probe_in is None else span(settlement.probe_in)
    if sender["pause"] is not None and not is_probe:
        change(ledger, "put_off_probe", id=sender["id"], probe_from=ledger.tick + least)
        return
    interval = _next_interval(ledger, sender)
    change(
        ledger,
        "pause_sender",
        id=sender["id"],
        pause=settlement.pause,
        error=error_text(error),
        tick=ledger.tick,
        probe_from=ledger.tick + max(interval, least),
        interval=interval,
    )


def _next_interval(ledger: Ledger, sender: SenderRow) -> int:
    policy = ledger.policy.delivery
    if sender["pause"] is None:
        return span(policy.probe_from)
    return min(2 * int(sender["probe_interval"]), span(policy.probe_to))


def pause_of(row: SenderRow | sqlite3.Row | None) -> PauseCause | None:
    return None if row is None or row["pause"] is None else PauseCause(row["pause"])
