"""Two conversations that turn out to be one contact's become one, within the transaction that says so.

The one that stays is that which somebody holds, else the older. A worker that holds it goes on, and decides again, as
the revision goes up. Where both are held, both have lost it: they can begin nothing more, what comes of attempts under
way is written, and nothing leaves to the contact until both are back, or the longer lease is over (``contested``). Of
the other the row stays behind, empty, so that its number is nobody else's while a worker still knows it; retention
removes it.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.store.codec import ids_text, micros, micros_or_none, window_of
from gateway.store.contested import claims_on
from gateway.store.identities import names_of
from gateway.store.ledger import Ledger
from gateway.store.lines import lease_of, refresh
from gateway.store.outbox import refresh_lane
from gateway.store.retention import drop_lane_if_empty, look_at, whole_days
from gateway.store.senders import change
from gateway.store.suppressions import work_out

MERGED = "merged:"
"""How the name of a conversation begins of which nothing but the row is left; no contact does."""


def merge(ledger: Ledger, one: sqlite3.Row, other: sqlite3.Row, *, now: datetime) -> sqlite3.Row:
    """Make one of two conversations with the same sender; the one that stays."""
    leases = {row["id"]: lease_of(ledger, row) for row in (one, other)}
    kept, gone = sorted((one, other), key=lambda row: (leases[row["id"]] is None, row["id"]))
    is_contested = leases[gone["id"]] is not None
    until = max((lease for lease in leases.values() if lease is not None), default=None)
    _leave_behind(ledger, gone, now=now)
    _absorb(ledger, kept, gone, until, is_contested=is_contested)
    _move(ledger, kept["id"], gone["id"])
    work_out(ledger, ledger.one("conversation_by_id", id=kept["id"]))
    refresh(ledger, kept["id"], now=now)
    look_at(ledger, kept["id"])
    return ledger.one("conversation_by_id", id=kept["id"])


def _leave_behind(ledger: Ledger, gone: sqlite3.Row, *, now: datetime) -> None:
    name, quiet_from = f"{MERGED}{gone['id']}", whole_days(micros(now))
    ledger.write("leave_behind", id=gone["id"], contact=name, quiet_from=quiet_from)


def _absorb(ledger: Ledger, kept: sqlite3.Row, gone: sqlite3.Row, until: int | None, *, is_contested: bool) -> None:
    """The window is that of whichever says more; the number that clients were told last goes on."""
    later, earlier = sorted((kept, gone), key=lambda row: row["anchor"] or 0, reverse=True)
    window = window_of(later)
    refuted_at = window_of(earlier).refuted_at
    window = window if refuted_at is None else window.refuted(refuted_at)
    ledger.write(
        "absorb",
        id=kept["id"],
        contact_name=later["contact_name"] or earlier["contact_name"],
        anchor=micros_or_none(window.anchor),
        refuted_at=micros_or_none(window.refuted_at),
        opened_by=window.opened_by,
        evidence=window.evidence,
        sequence=gone["sequence"],
        fences=int(is_contested),
        leased_until=until,
        still_out=f"{claims_on(kept)} {claims_on(gone)}" if is_contested else kept["still_out"],
        pace_tat=_pace(ledger, kept, gone),
        probed_tick=gone["probed_tick"],
        renamed_at=_later(kept["renamed_at"], gone["renamed_at"]),
        told_at=_later(kept["told_at"], gone["told_at"]),
    )
    names = dict.fromkeys((*names_of(kept)[1:], *names_of(gone)))
    ledger.write("set_ids", id=kept["id"], contact=kept["contact"], also_known_as=ids_text(names))
    first = {"sender": kept["sender"], "contact": gone["contact"]}
    ledger.write("drop_clients_words", **first)
    ledger.write("add_provider_s_id", conversation=kept["id"], **first)


def _later(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _pace(ledger: Ledger, kept: sqlite3.Row, gone: sqlite3.Row) -> int:
    """What was sent to the contact by either of its ids counts."""
    return int(max(kept["pace_tat"], ledger.tick) + max(gone["pace_tat"] - ledger.tick, 0))


def _move(ledger: Ledger, kept: int, gone: int) -> None:
    ledger.write("move_messages", kept=kept, gone=gone)
    ledger.write("move_arrivals", kept=kept, gone=gone)
    ledger.write("move_ids", kept=kept, gone=gone)
    change(ledger, "move_probe", kept=kept, gone=gone)
    for row in ledger.rows("lanes_of_conversation", conversation=gone).fetchall():
        _move_lane(ledger, row, kept)


def _move_lane(ledger: Ledger, lane: sqlite3.Row, kept: int) -> None:
    """Notices stay in the order in which they came about. While one is on its way the lane rests, as long as its lease;
    the emptied lane stays behind until that is over."""
    own = ledger.row("lane_of", endpoint=lane["endpoint"], conversation=kept)
    if own is None:
        ledger.write("move_lane", id=lane["id"], kept=kept)
        return
    ledger.write("move_notices", kept=own["id"], gone=lane["id"])
    if lane["leased_until"] is not None:
        ledger.write("hold_lane", id=own["id"], until=lane["leased_until"])
    refresh_lane(ledger, own["id"])
    refresh_lane(ledger, lane["id"])
    drop_lane_if_empty(ledger, lane["id"])
