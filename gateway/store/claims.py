"""Giving conversations out: what is due and rested, replies first, clients in turns, within the sender's pace."""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from datetime import datetime, timedelta
from itertools import islice, takewhile

import structlog

from gateway.domain.compliance import Refuse
from gateway.domain.delivery import SENT_BACK, AttemptStatus
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.message import Failure, Status
from gateway.ports import Claim, Claims
from gateway.store.attempts import lose_lease, may_go_on, withdraw
from gateway.store.codec import content_or, error_of, instant_or_none, message_with, micros, span, window_of
from gateway.store.contested import come_back, is_out
from gateway.store.deciding import add_decision, count_downgrades
from gateway.store.digests import is_erased
from gateway.store.ledger import Ledger
from gateway.store.lines import OTHER, REPLY, head_of, holds, refresh
from gateway.store.outbox import in_turns
from gateway.store.senders import SenderRow, charge, end_probe, pause_of, room, sender_row, until
from gateway.store.statuses import end
from gateway.store.suppressions import in_force_for
from gateway.store.template_health import refused_templates

log = structlog.get_logger(__name__)

_STEP = 256
"""So many rested conversations or expired messages are seen to in one claim; the rest in the next."""


def claim(
    ledger: Ledger, sender: Sender, *, limit: int, now: datetime, downgrades_since: datetime | None, holding: Set[int]
) -> Claims:
    """Lease at most `limit` conversations, with the head of each."""
    expire(ledger, now=now, limit=_STEP)
    _wake(ledger, sender, holding, now=now)
    row = sender_row(ledger, sender)
    may = room(ledger, row, limit)
    choose = _choose if row["pause"] is None else _choose_probe
    due = choose(ledger, row, may.count + 1, now=now, holding=holding)
    taken = [_take(ledger, one, now=now, downgrades_since=downgrades_since) for one in due[: may.count]]
    claims = tuple(one for one in taken if one is not None)
    if claims:
        charge(ledger, row, [one.conversation for one in claims], claims[-1].message.client)
    is_more = len(due) > may.count or len(claims) < len(taken)
    rest = _next_rest(ledger, sender, holding | {one.conversation for one in claims})
    return Claims(
        claims=claims,
        pause=pause_of(row),
        pause_error=error_of(row["pause_error"]),
        is_more=is_more,
        again_in=_first(may.again_in if is_more else None, rest),
        again_at=_next_due(ledger, sender, now=now),
    )


def _first(*waits: timedelta | None) -> timedelta | None:
    return min((wait for wait in waits if wait is not None), default=None)


def _wake(ledger: Ledger, sender: Sender, holding: Set[int], *, now: datetime) -> None:
    """End the rest of those whose pace allows more, and the claims of workers that did not come back."""
    over = ledger.rows("rested", sender=sender, tick=ledger.tick)
    for row in list(islice((row for row in over if row["id"] not in holding), _STEP)):
        if row["leased_until"] is None:
            refresh(ledger, row["id"], now=now)
        else:
            lose_lease(ledger, row["id"], now=now)
    for conversation in _overdue(ledger) - holding:
        lose_lease(ledger, conversation, now=now)


def _overdue(ledger: Ledger) -> Set[int]:
    """Conversations that don't rest, as their message left at once, and whose lease is over. They are looked for as far
    as leases are over: the first one is mostly not."""
    over = takewhile(lambda row: row["leased_until"] <= ledger.tick, ledger.rows("leases_of_sending"))
    return {row["id"] for row in over if row["rests_until"] is None}


def _choose(ledger: Ledger, sender: SenderRow, count: int, *, now: datetime, holding: Set[int]) -> list[int]:
    chosen: list[int] = []
    for head_class in (REPLY, OTHER):
        clients = _clients_in_turn(ledger, sender, head_class)
        queues = [_due_of_client(ledger, sender["id"], head_class, name, count, now, holding) for name in clients]
        chosen += islice(in_turns(queues), count - len(chosen))
    return chosen


def _choose_probe(ledger: Ledger, sender: SenderRow, count: int, *, now: datetime, holding: Set[int]) -> list[int]:
    """Of whatever class and client: those due longest, but one that failed as a probe only after the others.

    One message that the provider always stumbles over must not be the only one that is tried."""
    rows = ledger.rows("due_probes", sender=sender["id"], at=micros(now))
    return list(islice((row["id"] for row in rows if row["id"] not in holding), count))


def _clients_in_turn(ledger: Ledger, sender: SenderRow, head_class: int) -> list[str]:
    """Those with something in line, the one after the last that was served first."""
    clients = [row["name"] for row in ledger.rows("clients_in_line", sender=sender["id"], head_class=head_class)]
    last = sender["last_client"] or ""
    return [name for name in clients if name > last] + [name for name in clients if name <= last]


def _due_of_client(
    ledger: Ledger, sender: str, head_class: int, client: str, count: int, now: datetime, holding: Set[int]
) -> list[int]:
    rows = ledger.rows("due_of_client", sender=sender, head_class=head_class, client=client, at=micros(now))
    return list(islice((row["id"] for row in rows if row["id"] not in holding), count))


def _take(ledger: Ledger, conversation: int, *, now: datetime, downgrades_since: datetime | None) -> Claim | None:
    head = head_of(ledger, conversation, now=now)
    if head is None:
        refresh(ledger, conversation, now=now)
        return None
    if is_erased(head["contact"]):  # it came back after the erasure, and there is nobody to send it to
        end(ledger, head["place"], Status.CANCELLED, now=now)
        refresh(ledger, conversation, now=now)
        return None
    content = content_or(head["content"], None)
    if content is None:
        _park(ledger, head, now=now)
        return None
    row = ledger.one("lease_conversation", id=conversation, until=ledger.tick + span(ledger.policy.delivery.lease))
    return Claim(
        conversation=conversation,
        epoch=row["epoch"],
        revision=row["revision"],
        message=message_with(head, content),
        attempts=head["attempts"],
        template_started=head["attempts"] > 0 and _is_template_started(ledger, head["place"]),
        window=window_of(row),
        contact_name=row["contact_name"],
        downgrades=count_downgrades(ledger, row, downgrades_since, before=head["place"]),
        suppression=in_force_for(ledger, head, row),
        refused_templates=refused_templates(ledger, head) if head["attempts"] else frozenset(),
    )


def _is_template_started(ledger: Ledger, place: int) -> bool:
    return bool(ledger.one("template_started", message=place, withdrawn=AttemptStatus.WITHDRAWN)["is_true"])


def _park(ledger: Ledger, message: sqlite3.Row, *, now: datetime) -> None:
    """What can't be read any more ends, visibly, and stops nobody else."""
    log.error("message.unreadable", message_id=message["id"])
    error = ProviderError(name="Unreadable", message="what was stored of this message can't be read any more")
    end(ledger, message["place"], Status.FAILED, now=now, failure=Failure.CLOSED, error=error)
    refresh(ledger, message["conversation"], now=now)


def _next_rest(ledger: Ledger, sender: Sender, skipping: Set[int]) -> timedelta | None:
    for row in ledger.rows("resting_of_sender", sender=sender):
        if row["id"] not in skipping:
            return until(ledger, row["rests_until"])
    return None


def _next_due(ledger: Ledger, sender: Sender, *, now: datetime) -> datetime | None:
    """The first business time after `now` at which something becomes due."""
    times = [
        ledger.one("next_due_of_client", sender=sender, head_class=head_class, client=row["name"], at=micros(now))[
            "due_at"
        ]
        for head_class in (REPLY, OTHER)
        for row in ledger.rows("clients_in_line", sender=sender, head_class=head_class).fetchall()
    ]
    return instant_or_none(min((time for time in times if time is not None), default=None))


# --- giving back ----------------------------------------------------------------------------------------------------


def release(ledger: Ledger, claim: Claim, *, now: datetime) -> None:
    """Give it back; an attempt whose commit seemed to fail, and did not, is known not to have been written."""
    if not holds(ledger.one("conversation_by_id", id=claim.conversation), claim):
        _release_lost(ledger, claim, now=now)
        return
    for row in ledger.rows("sending_in_conversation", conversation=claim.conversation).fetchall():
        withdraw(ledger, row, now=now)
    _give_back(ledger, claim.conversation, now=now)


def _release_lost(ledger: Ledger, claim: Claim, *, now: datetime) -> None:
    """Of a claim that was lost as its conversation became one with another that was held, nothing else can be sending
    on its message but its own attempt."""
    message = ledger.row("message_by_id", id=claim.message.id)
    if message is None or not is_out(message, claim):
        return
    for row in ledger.rows("attempts_of", message=message["place"]).fetchall():
        if row["status"] == AttemptStatus.SENDING:
            withdraw(ledger, row, now=now)
    come_back(ledger, message["conversation"], claim, now=now)


def _give_back(ledger: Ledger, conversation: int, *, now: datetime) -> None:
    end_probe(ledger, conversation)
    refresh(ledger, conversation, now=now, ends_lease=True)


def refuse(ledger: Ledger, claim: Claim, decision: Refuse, *, now: datetime) -> bool:
    """End the message by our rule; as failed, when it was the provider that refused the form it had before."""
    conversation = ledger.one("conversation_by_id", id=claim.conversation)
    message = ledger.row("message_by_id", id=claim.message.id)
    if message is None or not may_go_on(ledger, claim, conversation, message, now=now):
        return False
    add_decision(ledger, message["place"], "send", decision, now=now)
    _end_refused(ledger, message["place"], now=now)
    _give_back(ledger, claim.conversation, now=now)
    return True


def _end_refused(ledger: Ledger, place: int, *, now: datetime) -> None:
    attempts = ledger.rows("attempts_of", message=place).fetchall()
    back = [attempt for attempt in attempts if attempt["status"] in SENT_BACK]
    if back:
        failure = Failure.REPORTED if back[-1]["is_reported"] else Failure.REFUSED
        end(ledger, place, Status.FAILED, now=now, failure=failure, error=error_of(back[-1]["error"]))
    else:
        end(ledger, place, Status.REFUSED, now=now)


def expire(ledger: Ledger, *, now: datetime, limit: int) -> int:
    """End what has stood in line for too long."""
    rows = ledger.rows("expired", at=micros(now), limit=limit).fetchall()
    for row in rows:
        end(ledger, row["place"], Status.EXPIRED, now=now)
    for conversation in {row["conversation"] for row in rows}:
        refresh(ledger, conversation, now=now)
    return len(rows)
