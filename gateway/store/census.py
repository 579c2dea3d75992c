"""How things stand, counted along indexes; and who was heard, worked out from what came since the last look."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.identity import Sender
from gateway.domain.notice import Kind, whose
from gateway.domain.window import LENGTH
from gateway.ports import Census, EndpointCensus, Hearing, SenderCensus, WindowCounts
from gateway.store.codec import instant, instant_or_none, micros
from gateway.store.ledger import Ledger
from gateway.store.senders import pause_of

# --- how things stand -----------------------------------------------------------------------------------------------


def census(ledger: Ledger, *, now: datetime) -> Census:
    """Of all senders, clients and endpoints that the store knows."""
    return Census(
        at=now,
        senders=tuple(_senders(ledger, now)),
        endpoints=tuple(_endpoints(ledger)),
        unknown=tuple(_unknown(ledger)),
    )


def _senders(ledger: Ledger, now: datetime) -> Iterator[SenderCensus]:
    waiting = {row["sender"]: row["open"] for row in ledger.rows("open_by_sender")}
    oldest = {row["sender"]: row["accepted_at"] for row in ledger.rows("oldest_by_sender")}
    windows = _windows(ledger, now)
    heard = {one.sender: one for one in hearings(ledger, news(ledger))}
    for row in ledger.rows("senders_watched").fetchall():
        sender = Sender(row["id"])
        yield SenderCensus(
            sender=sender,
            open=waiting.get(sender, 0),
            oldest=instant_or_none(oldest.get(sender)),
            windows=windows.get(sender, WindowCounts()),
            pause=pause_of(row),
            paused_for=_paused_for(ledger, row),
            silent_from=heard[sender].silent_from,
        )


def _windows(ledger: Ledger, now: datetime) -> Mapping[str, WindowCounts]:
    contacts = {row["sender"]: row["contacts"] for row in ledger.rows("contacts_by_sender")}
    heard = {row["sender"]: row for row in ledger.rows("windows_by_sender", open_after=micros(now - LENGTH))}
    return {
        sender: _counts(count, heard[sender]) if sender in heard else WindowCounts(unknown=count)
        for sender, count in contacts.items()
    }


def _counts(contacts: int, heard: sqlite3.Row) -> WindowCounts:
    return WindowCounts(
        open=heard["open"],
        closed=heard["heard"] - heard["open"] - heard["refuted"],
        refuted=heard["refuted"],
        unknown=contacts - heard["heard"],
    )


def _paused_for(ledger: Ledger, row: sqlite3.Row) -> timedelta | None:
    return None if row["pause"] is None else timedelta(microseconds=max(0, ledger.tick - row["paused_from"]))


def _unknown(ledger: Ledger) -> Iterator[tuple[str, int]]:
    for row in ledger.rows("clients").fetchall():
        yield row["client"], ledger.one("unknown_of_client", client=row["client"])["unknown"]


def _endpoints(ledger: Ledger) -> Iterator[EndpointCensus]:
    """A client's callback URLs are one, however many servers they lead to."""
    count: dict[tuple[Kind, str], tuple[int, int]] = {}
    for row in (*ledger.rows("waiting_of_endpoints"), *ledger.rows("underway_of_endpoints")):
        key = whose(row["endpoint"])
        waiting, first = count.get(key, (0, row["first"]))
        count[key] = waiting + row["waiting"], min(first, row["first"])
    for (kind, client), (waiting, first) in count.items():
        made = ledger.one("notice_made", id=first)["created_at"]
        yield EndpointCensus(kind=kind, client=client, waiting=waiting, oldest=instant(made))


# --- who was heard --------------------------------------------------------------------------------------------------

_ROWS_AT_ONCE = 100_000
"""More news than this is worked out in the next looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What callbacks and attempts say of senders, since the rows up to which it was worked out before."""

    heard: Mapping[str, int]
    tried: Mapping[str, Tried]
    heard_to: int
    tried_to: int
    is_any: bool


def news(ledger: Ledger) -> News:
    """Read what came since it was last kept; as much work as there are callbacks and attempts since then."""
    known = ledger.one("worked_out")
    arrivals = _span(known["heard_to"], known["last_arrival"])
    attempts = _span(known["tried_to"], known["last_attempt"])
    tried = {
        row["sender"]: Tried(first=row["first"], last=row["last"])
        for row in ledger.rows("tried_since", after=attempts[0], upto=attempts[1])
    }
    return News(
        heard=_heard(ledger, *arrivals),
        tried=tried,
        heard_to=arrivals[1],
        tried_to=attempts[1],
        is_any=(arrivals[1], attempts[1]) != (known["heard_to"], known["tried_to"]),
    )


def _span(worked_out: int, last: int | None) -> tuple[int, int]:
    """Rows that are removed give their numbers back: where the last is before what was worked out, all are new."""
    last = last or 0
    after = worked_out if worked_out <= last else 0
    return after, min(last, after + _ROWS_AT_ONCE)


def _heard(ledger: Ledger, after: int, upto: int) -> Mapping[str, int]:
    heard: dict[str, int] = {}
    rows = (
        *ledger.rows("heard_since", after=after, upto=upto),
        *ledger.rows("reported_since", after=after, upto=upto),
        *ledger.rows("named_since", after=after, upto=upto),
    )
    for row in rows:
        heard[row["sender"]] = max(row["at"], heard.get(row["sender"], 0))
    return heard


def keep(ledger: Ledger, found: News) -> tuple[Hearing, ...]:
    """Write the news down, so that it outlives the process and is not read again."""
    for sender, tried in found.tried.items():
        ledger.write("note_tried", id=sender, first=tried.first, last=tried.last)
    for sender, at in found.heard.items():
        ledger.write("note_heard", id=sender, at=at)
    if found.is_any:
        ledger.write("note_worked_out", heard_to=found.heard_to, tried_to=found.tried_to)
    return hearings(ledger)


def hearings(ledger: Ledger, found: News | None = None) -> tuple[Hearing, ...]:
    """How every sender stands, with news that was not yet written down."""
    kept = (
        Hearing(
            sender=Sender(row["id"]),
            silent_from=instant_or_none(row["silent_from"]),
            tried_at=instant_or_none(row["tried_at"]),
        )
        for row in ledger.rows("senders_watched")
    )
    return tuple(kept) if found is None else tuple(_with_news(one, found) for one in kept)


def _with_news(one: Hearing, found: News) -> Hearing:
    tried, heard = found.tried.get(one.sender), found.heard.get(one.sender)
    if tried is not None:
        silent_from = one.silent_from or instant(tried.first)
        one = replace(one, tried_at=_later(one.tried_at, tried.last), silent_from=silent_from)
    return one if heard is None else replace(one, silent_from=_later(one.silent_from, heard))


def _later(known: datetime | None, at: int) -> datetime:
    return instant(at) if known is None else max(known, instant(at))
