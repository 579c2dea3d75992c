"""Notices to clients: lanes, of which only the head is given out, and endpoints that take turns."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Set
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest

from gateway.domain.notice import Notice
from gateway.domain.subscription import Format
from gateway.ports import Deliveries, Delivery
from gateway.store.codec import instant, instant_or_none, micros, span, to_ascii_json
from gateway.store.ledger import Ledger
from gateway.store.line import Waiting, soonest, walk


def post(ledger: Ledger, notice: Notice, conversation: int | None, *, now: datetime) -> None:
    """Put a notice at the end of its lane; of no conversation is what is about the account."""
    lane = _lane(ledger, notice.endpoint, conversation)
    ledger.write(
        "add_notice",
        lane=lane,
        event_id=f"evt_{secrets.token_hex(16)}",
        type=notice.type,
        url=notice.url,
        format=notice.format,
        body=to_ascii_json(notice.body),
        at=micros(now),
    )
    refresh_lane(ledger, lane)


def _lane(ledger: Ledger, endpoint: str, conversation: int | None) -> int:
    row = ledger.row("lane_of", endpoint=endpoint, conversation=conversation)
    if row is None:
        ledger.write("add_endpoint", name=endpoint)
        row = ledger.one("add_lane", endpoint=endpoint, conversation=conversation)
    return int(row["id"])


def refresh_lane(ledger: Ledger, lane: int) -> None:
    """Work out anew when the lane, and so its endpoint, has something to give out."""
    soon = soonest(_waiting(ledger, lane))
    row = ledger.one("set_lane_due", id=lane, due_at=None if soon is None else soon[0])
    ledger.write("set_endpoint_due", name=row["endpoint"])


def _waiting(ledger: Ledger, lane: int) -> Iterator[Waiting[sqlite3.Row]]:
    for row in ledger.rows("notices_in_lane", lane=lane):
        held = row["due_at"] if row["hold_at"] is None else min(row["due_at"], row["hold_at"])
        yield Waiting(subject=row, due_at=row["due_at"], holds_until=held)


# --- giving out -----------------------------------------------------------------------------------------------------


def claim_deliveries(ledger: Ledger, *, limit: int, now: datetime, lease: timedelta, excluding: Set[str]) -> Deliveries:
    """Lease the heads of at most `limit` lanes, endpoints in turns."""
    _end_leases(ledger)
    lanes = _due_lanes(ledger, limit=limit, now=now, excluding=excluding)
    taken = (_take(ledger, lane, now=now, until=ledger.tick + span(lease)) for lane in lanes)
    deliveries = tuple(delivery for delivery in taken if delivery is not None)
    return Deliveries(deliveries=deliveries, again_at=_again_at(ledger, now, excluding))


def _end_leases(ledger: Ledger) -> None:
    for row in ledger.rows("lanes_with_lease_over", tick=ledger.tick).fetchall():
        _free(ledger, row["id"])


def forget_leases(ledger: Ledger) -> None:
    """After a start nobody holds a lane."""
    for row in ledger.rows("leased_lanes").fetchall():
        _free(ledger, row["id"])


def _free(ledger: Ledger, lane: int) -> None:
    ledger.write("free_lane", id=lane)
    refresh_lane(ledger, lane)


def _due_lanes(ledger: Ledger, *, limit: int, now: datetime, excluding: Set[str]) -> list[int]:
    """One lane of each endpoint, then a second of each, and so on; those longest without a turn first."""
    names = (row["name"] for row in ledger.rows("due_endpoints", at=micros(now)))
    endpoints = list(islice((name for name in names if name not in excluding), limit))
    queues = [
        [row["id"] for row in ledger.rows("due_lanes_of_endpoint", endpoint=name, at=micros(now), limit=limit)]
        for name in endpoints
    ]
    return list(islice(in_turns(queues), limit))


def in_turns(queues: Iterable[list[int]]) -> Iterator[int]:
    """The first of each queue, then the second of each, and so on."""
    return (one for one in chain.from_iterable(zip_longest(*queues)) if one is not None)


def _take(ledger: Ledger, lane: int, *, now: datetime, until: int) -> Delivery | None:
    head = walk(_waiting(ledger, lane), micros(now)).head
    if head is None:
        refresh_lane(ledger, lane)
        return None
    row = ledger.one("lease_lane", id=lane, until=until)
    ledger.write("set_endpoint_due", name=row["endpoint"])
    ledger.write("give_turn", name=row["endpoint"], tick=ledger.tick)
    return Delivery(
        id=head["id"],
        lane=lane,
        epoch=row["epoch"],
        endpoint=row["endpoint"],
        event_id=head["event_id"],
        type=head["type"],
        url=head["url"],
        format=Format(head["format"]),
        body=head["body"].encode("ascii"),
        tries=head["tries"],
        created_at=instant(head["created_at"]),
    )


def _again_at(ledger: Ledger, now: datetime, excluding: Set[str]) -> datetime | None:
    """The first time after `now` at which an endpoint that may be asked has something due."""
    for row in ledger.rows("endpoints_due_later", at=micros(now)):
        if row["name"] not in excluding:
            return instant_or_none(row["due_at"])
    return None


# --- what came of it ------------------------------------------------------------------------------------------------


def delivered(ledger: Ledger, delivery: Delivery, *, now: datetime) -> None:
    ledger.write("end_notice", id=delivery.id, state="delivered", error=None, at=micros(now))
    _give_back(ledger, delivery)


def deliver_again(ledger: Ledger, delivery: Delivery, *, due_at: datetime, hold_until: datetime, error: str) -> None:
    """A worker that lost its lane has nothing to say here: another try is under way or over."""
    if _is_current(ledger, delivery):
        ledger.write("put_off_notice", id=delivery.id, due_at=micros(due_at), hold_at=micros(hold_until), error=error)
        _give_back(ledger, delivery)


def give_up(ledger: Ledger, delivery: Delivery, *, error: str, now: datetime) -> None:
    if _is_current(ledger, delivery):
        ledger.write("end_notice", id=delivery.id, state="failed", error=error, at=micros(now))
        _give_back(ledger, delivery)


def _is_current(ledger: Ledger, delivery: Delivery) -> bool:
    return ledger.row("lane_held", id=delivery.lane, epoch=delivery.epoch) is not None


def _give_back(ledger: Ledger, delivery: Delivery) -> None:
    if _is_current(ledger, delivery):
        ledger.write("free_lane", id=delivery.lane)
    refresh_lane(ledger, delivery.lane)
