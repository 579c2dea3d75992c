"""Notices as an operator looks through them, a bounded stretch at a time, and has them posted again."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime

from gateway.domain.identity import Contact, Sender
from gateway.domain.instant import rfc3339
from gateway.ports import NoticePage, NoticeQuery, NoticeRecord, Replay, Replayed
from gateway.store.codec import instant, instant_or_none, micros
from gateway.store.deeds import count_deed, counts_of, note_deed
from gateway.store.ledger import Ledger
from gateway.store.outbox import refresh_lane
from gateway.store.spans import first_notice

STEP = 1000
"""A page, and a step of a replay, looks through so many at most."""


def notices(ledger: Ledger, query: NoticeQuery) -> NoticePage:
    first = max(query.after + 1, first_notice(ledger, query.since))
    end = first_notice(ledger, query.until)
    last = min(first + STEP, end) - 1
    rows = ledger.rows(
        "notices_between",
        first=first,
        last=last,
        since=micros(query.since),
        until=micros(query.until),
        client=query.client,
        state=query.state,
    )
    return NoticePage(notices=tuple(map(_record, rows)), next=last if last + 1 < end else None)


def _record(row: sqlite3.Row) -> NoticeRecord:
    return NoticeRecord(
        event_id=row["event_id"],
        type=row["type"],
        endpoint=row["endpoint"],
        state=row["state"],
        created_at=instant(row["created_at"]),
        tries=row["tries"],
        sender=None if row["sender"] is None else Sender(row["sender"]),
        contact=None if row["contact"] is None else Contact(row["contact"]),
        due_at=instant(row["due_at"]) if row["state"] == "waiting" else None,
        ended_at=instant_or_none(row["ended_at"]),
        error=row["error"],
    )


# --- posting again --------------------------------------------------------------------------------------------------

_LOOKED_TO = "looked_to"
"""Among the counts of a run: the number of the last notice that it has looked at."""
_END = "end"
"""The number at which it ends: what is made while it runs is none of its business."""


def post_again(ledger: Ledger, replay: Replay, *, by: str, now: datetime, limit: int) -> Replayed:
    counts = counts_of(ledger, replay.run) or _begin(ledger, replay, by=by, now=now)
    last = min(counts[_LOOKED_TO] + STEP, counts[_END] - 1)
    rows = _ended(ledger, replay, counts[_LOOKED_TO] + 1, last)[:limit]
    if len(rows) == limit:
        last = rows[-1]["id"]
    more = _wait_again(ledger, rows, now=now)
    more[_LOOKED_TO] = max(last - counts[_LOOKED_TO], 0)
    counts = count_deed(ledger, replay.run, more)
    told = {kind: counts[kind] for kind in ("replayed", "erased")}
    return Replayed(counts=told, is_done=counts[_LOOKED_TO] + 1 >= counts[_END])


def _begin(ledger: Ledger, replay: Replay, *, by: str, now: datetime) -> Counter[str]:
    """What is noted says whose notices and of which time, so that it can be known later what was done."""
    deed = f"replay webhooks of {replay.client} from {rfc3339(replay.since)} to {rfc3339(replay.until)}"
    what = deed if replay.failed_only else f"{deed}, delivered ones too"
    first, end = first_notice(ledger, replay.since), first_notice(ledger, replay.until)
    counts = Counter({_LOOKED_TO: first - 1, _END: end, "replayed": 0, "erased": 0})
    note_deed(ledger, replay.run, what, by=by, now=now, facts=counts)
    return counts


def _ended(ledger: Ledger, replay: Replay, first: int, last: int) -> list[sqlite3.Row]:
    return ledger.rows(
        "ended_of_client",
        first=first,
        last=last,
        since=micros(replay.since),
        until=micros(replay.until),
        client=replay.client,
        failed_only=replay.failed_only,
    ).fetchall()


def _wait_again(ledger: Ledger, rows: list[sqlite3.Row], *, now: datetime) -> Counter[str]:
    """All that still say something; what was erased says nothing to anybody."""
    speaking = [row for row in rows if not row["is_empty"]]
    for row in speaking:
        ledger.write("post_notice_again", id=row["id"], at=micros(now))
    for lane in {row["lane"] for row in speaking}:
        refresh_lane(ledger, lane)
    return Counter(replayed=len(speaking), erased=len(rows) - len(speaking))
