"""Erasing a person, in small steps that each leave nothing half-done.

The first step takes the contact's name off its conversations: from then on nothing that waits there leaves, what comes
later from the person is a new contact's, and neither what comes back of attempts under way (``evidence.of_whom``) nor
what clients are told (``statuses``) names the person. The later steps go through messages, notices, callbacks and
refusals, as far as one step may; whoever asks next goes on where the last one stopped, also after a restart. Until then
the row of the erasure itself holds the contact, as callbacks that nobody could attribute are found by it alone.

Rows of messages, attempts, decisions and refusals stay, so that counts do. Of ids and dedupe keys stays a digest, so
that a repeated callback is still a repetition and a late status still finds its attempt.
"""

from __future__ import annotations

import re
import sqlite3
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.identity import Contact
from gateway.domain.message import Status
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.ports import Erasing
from gateway.store.codec import emptied, ids_in, ids_text, micros, wordless
from gateway.store.decision_codec import evidence_without_person, suppression_text
from gateway.store.deeds import count_deed, counts_of, note_deed
from gateway.store.digests import ERASED
from gateway.store.identities import conversations_of_person, ids_of_person
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.outbox import refresh_lane
from gateway.store.retention import drop_lane_if_empty, give_back_pages, look_at
from gateway.store.statuses import end

LOOKED_THROUGH = 2000
"""So many callbacks that belong to no conversation are searched in one step."""


def begin(ledger: Ledger, contact: Contact, *, run: str, by: str, now: datetime) -> Erasing:
    """Name nobody any more; all else follows."""
    ids = ids_of_person(ledger, contact)
    row = ledger.one("begin_erasure", run=run, contact=contact, also=ids_text(ids[1:]) or "")
    note_deed(ledger, row["run"], "erase", by=by, now=now, facts={})
    counts = {
        "suppressions": sum(ledger.write("anonymise_entries", contact=one).rowcount for one in ids),
        "deeds": sum(ledger.write("anonymise_deeds", contact=one).rowcount for one in ids),
        "conversations": _anonymise_conversations(ledger, contact, row["id"], now=now),
    }
    for one in ids:
        ledger.write("forget_pause_words", contact=one)
    return Erasing(run=row["run"], counts=count_deed(ledger, row["run"], counts), is_done=False)


def _anonymise_conversations(ledger: Ledger, contact: Contact, erasure: int, *, now: datetime) -> int:
    """Suppressed, so that what waits is not sent to a name that is none before it is cancelled."""
    nothing_leaves = Suppression(scope=Scope.EVERYTHING, source=Source.OPERATOR, since=now)
    rows = conversations_of_person(ledger, contact)
    for row in rows:
        ledger.write("drop_ids", conversation=row["id"])
        ledger.write(
            "anonymise_conversation",
            id=row["id"],
            contact=f"{ERASED}{row['id']}",
            suppression=suppression_text(nothing_leaves),
            erasure=erasure,
        )
        refresh(ledger, row["id"], now=now)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to: how many rows it went through, and what it did, by kind. It is the last of its stage when it
    went through fewer than it might."""

    through: int
    done: Counter[str]
    after: int = 0


Stage = Callable[[Ledger, sqlite3.Row, int, datetime], Step]


def go_on(ledger: Ledger, run: str | None, *, now: datetime, limit: int) -> Erasing | None:
    """One step of this erasure, or of the one that began first."""
    erasure = ledger.row("erasure_of_run", run=run) if run is not None else ledger.row("first_erasure")
    if erasure is None:
        return None if run is None else _ended(ledger, run)
    stage = _STAGES[erasure["stage"]]
    bound = LOOKED_THROUGH if stage is _unowned else limit
    step = stage(ledger, erasure, bound, now)
    is_over = step.through < bound
    is_done = is_over and erasure["stage"] + 1 == len(_STAGES)
    counts = count_deed(ledger, erasure["run"], step.done)
    if is_done:
        ledger.write("end_erasure", id=erasure["id"])
        give_back_pages(ledger)
    else:
        ledger.write("move_erasure", id=erasure["id"], moved=is_over, after=0 if is_over else step.after)
    return Erasing(run=erasure["run"], counts=counts, is_done=is_done)


def _ended(ledger: Ledger, run: str) -> Erasing | None:
    """Somebody else has gone on with it to its end."""
    counts = counts_of(ledger, run)
    return Erasing(run=run, counts=counts, is_done=True) if counts else None


# --- the stages -----------------------------------------------------------------------------------------------------


def _untold(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """Notices that wait: they end as failed, and say why."""
    to = erasure["notices_to"]
    rows = [
        row
        for lane in ledger.rows("lanes_of_erasure", erasure=erasure["id"]).fetchall()
        for row in ledger.rows("waiting_notices_of_lane", lane=lane["id"], notices_to=to, limit=limit)
    ][:limit]
    for row in rows:
        ledger.write("erase_notice", id=row["id"], at=micros(now))
    for lane in {row["lane"] for row in rows}:
        refresh_lane(ledger, lane)
    return Step(len(rows), Counter(notices=len(rows)))


def _told(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """Notices that were delivered, or given up."""
    to = erasure["notices_to"]
    rows = [
        row
        for lane in ledger.rows("lanes_of_erasure", erasure=erasure["id"]).fetchall()
        for row in ledger.rows("ended_notices_of_lane", lane=lane["id"], notices_to=to, limit=limit)
    ][:limit]
    for row in rows:
        ledger.write("drop_notice", id=row["id"])
    return Step(len(rows), Counter(notices=len(rows)))


def _callbacks(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """Callbacks that belong to one of the conversations; afterwards they belong to none."""
    rows = ledger.rows("arrivals_of_erasure", erasure=erasure["id"], limit=limit).fetchall()
    for row in rows:
        ledger.write("forget_arrival", id=row["id"], error=wordless(row["error"]))
    return Step(len(rows), Counter(callbacks=len(rows)))


def _unowned(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """Callbacks that belong to nobody, wherever one of them names the person."""
    names = re.compile("|".join(_naming(one).pattern for one in _ids_of(erasure)))
    rows = ledger.rows("unowned_arrivals", after=erasure["after"], limit=limit).fetchall()
    found = [row for row in rows if any(names.search(row[key] or "") for key in _SPEAKING)]
    for row in found:
        ledger.write("forget_arrival", id=row["id"], error=wordless(row["error"]))
    return Step(len(rows), Counter(callbacks=len(found)), after=rows[-1]["id"] if rows else 0)


def _ids_of(erasure: sqlite3.Row) -> tuple[Contact, ...]:
    return tuple(dict.fromkeys((erasure["contact"], *ids_in(erasure["also"]))))


_SPEAKING = ("dedupe", "provider_message_id", "error", "raw")


def _naming(contact: str) -> re.Pattern[str]:
    """The contact as it is, and as it stands in base64 inside the platform's message ids, at each of three offsets."""
    encoded = (b64encode(b"\0" * offset + contact.encode()).decode().rstrip("=") for offset in range(3))
    inside = "|".join(re.escape(text[_LEAD[offset] : -1]) for offset, text in enumerate(encoded))
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(contact)}(?![0-9A-Za-z])|{inside}")


_LEAD = (0, 2, 3)
"""How many of the characters speak of what stands before, by the offset."""


def _messages(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """All that was said, and what waits is cancelled. Attempts under way are not told: what comes back of them is kept
    without anything that names the person, and there is no further one."""
    rows = _next_messages(ledger, erasure, limit)
    done = Counter(_erase_message(ledger, row, now=now) for row in rows)
    for conversation in {row["conversation"] for row in rows}:
        refresh(ledger, conversation, now=now)
    return Step(len(rows), done, after=rows[-1]["place"] if rows else 0)


def _next_messages(ledger: Ledger, erasure: sqlite3.Row, limit: int) -> list[sqlite3.Row]:
    conversations = ledger.rows("conversations_of_erasure", erasure=erasure["id"]).fetchall()
    found = [
        row
        for conversation in conversations
        for row in ledger.rows("messages_on", conversation=conversation["id"], after=erasure["after"], limit=limit)
    ]
    return sorted(found, key=lambda row: int(row["place"]))[:limit]


def _erase_message(ledger: Ledger, row: sqlite3.Row, *, now: datetime) -> str:
    """Erase one; as what it counts: cancelled, being sent right now, or over before."""
    fallback, may_come_back = row["fallback"], row["status"] in (Status.SENDING, Status.UNKNOWN)
    ledger.write(
        "erase_message",
        place=row["place"],
        content=emptied(row["content"]),
        fallback=None if fallback is None else emptied(fallback),
        error=wordless(row["error"]),
        expires_at=min(row["expires_at"], micros(now)) if may_come_back else row["expires_at"],
    )
    for attempt in ledger.rows("attempts_of", message=row["place"]).fetchall():
        ledger.write("erase_attempt", id=attempt["id"], error=wordless(attempt["error"]))
    for decision in ledger.rows("decisions_of", message=row["place"]).fetchall():
        evidence = evidence_without_person(decision["evidence"])
        ledger.write("set_evidence", id=decision["id"], evidence=evidence)
    if row["status"] in (Status.QUEUED, Status.HELD):
        end(ledger, row["place"], Status.CANCELLED, now=now)
        return "cancelled"
    return "sending" if row["status"] == Status.SENDING else "messages"


def _conversations(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    """Nothing is left to be done in them."""
    for row in ledger.rows("conversations_of_erasure", erasure=erasure["id"]).fetchall():
        for lane in ledger.rows("lanes_of_conversation", conversation=row["id"]).fetchall():
            drop_lane_if_empty(ledger, lane["id"])
        ledger.write("leave_erasure", id=row["id"])
        look_at(ledger, row["id"])
    return Step(0, Counter())


def _refusals(ledger: Ledger, erasure: sqlite3.Row, limit: int, now: datetime) -> Step:
    rows = [row for one in _ids_of(erasure) for row in ledger.rows("refusals_of_contact", contact=one, limit=limit)][
        :limit
    ]
    for row in rows:
        evidence = evidence_without_person(row["evidence"])
        ledger.write("erase_refusal", id=row["id"], contact=ERASED, evidence=evidence)
    return Step(len(rows), Counter(refusals=len(rows)))


_STAGES: tuple[Stage, ...] = (_untold, _told, _callbacks, _messages, _conversations, _refusals, _unowned)
