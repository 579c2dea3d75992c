"""What the provider says of a contact's ids: which are one contact's, and which takes another's place.

A change moves a contact's whole conversation to the new id, and by the old one it is no longer found: a number that was
given up becomes somebody else's. What was said before a change and comes late is not believed of ids any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gateway.domain.identity import Contact, Sender, is_phone, kind_of
from gateway.store.codec import ids_text, micros
from gateway.store.identities import MOST, every_known, names_of, spellings_of, with_spellings
from gateway.store.intake import add_conversation
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.merging import merge
from gateway.store.senders import sender_row
from gateway.store.suppressions import follow, in_force, work_out


def hear_from(
    ledger: Ledger, sender: Sender, ids: Sequence[Contact], *, at: datetime | None, now: datetime
) -> sqlite3.Row:
    """The conversation of a contact that wrote, from the first of these ids, made if there was none. From now on it is
    written to by the phone number that it wrote from."""
    row = ledger.row("conversation_of", sender=sender, contact=ids[0])
    if row is not None and set(ids) <= set(names_of(row)) and not spellings_of(ledger, ids[0]):
        return row
    rows = every_known(ledger, sender, ids)
    if not rows:
        sender_row(ledger, sender)
        rows = [add_conversation(ledger, sender, ids[0], in_force(ledger, sender, ids[:1]))]
    return _tie(ledger, rows, ids, at=at, now=now, first=ids[0] if is_phone(ids[0]) else None)


def tie(
    ledger: Ledger, sender: Sender, ids: Sequence[Contact], *, at: datetime | None, now: datetime
) -> sqlite3.Row | None:
    """The conversation of a contact that has these ids; None, and nothing done, if none of them is known."""
    rows = every_known(ledger, sender, ids)
    return _tie(ledger, rows, ids, at=at, now=now) if rows else None


def _tie(
    ledger: Ledger,
    rows: Sequence[sqlite3.Row],
    ids: Iterable[Contact],
    *,
    at: datetime | None,
    now: datetime,
    first: Contact | None = None,
) -> sqlite3.Row:
    if any(_is_older(row, at, or_as_old=True) for row in rows):
        return rows[0]
    row = _merged(ledger, rows, now=now)
    names = names_of(row)
    best = names[0] if first is None else first
    return _set_names(ledger, row, [best, *ids, *names])


def _is_older(row: sqlite3.Row, at: datetime | None, *, or_as_old: bool = False) -> bool:
    """Whether what was said then was said before ids of the contact changed; without a time it is of now. Several may
    change in the same second."""
    if at is None or row["renamed_at"] is None:
        return False
    return bool(micros(at) < row["renamed_at"] + int(or_as_old))


def _merged(ledger: Ledger, rows: Sequence[sqlite3.Row], *, now: datetime) -> sqlite3.Row:
    row, *others = rows
    for other in others:
        row = merge(ledger, row, other, now=now)
    return row


def _set_names(ledger: Ledger, row: sqlite3.Row, ids: Iterable[Contact]) -> sqlite3.Row:
    """By these the contact is known, the best first, and by no others; nobody else is."""
    before, after = names_of(row), tuple(dict.fromkeys(ids))[:MOST]
    if after == before or (set(after) == set(before) and after[0] == before[0]):
        return row
    for gone in (*(one for one in before if one not in after), after[0]):
        ledger.write("drop_id", sender=row["sender"], contact=gone)
    ledger.write("set_ids", id=row["id"], contact=after[0], also_known_as=ids_text(after[1:]))
    for one in after[1:]:
        if one not in before[1:]:
            ledger.write("drop_clients_words", sender=row["sender"], contact=one)
            ledger.write("add_provider_s_id", sender=row["sender"], contact=one, conversation=row["id"])
    row = ledger.one("conversation_by_id", id=row["id"])
    return ledger.one("conversation_by_id", id=row["id"]) if work_out(ledger, row) else row


# --- an id takes another's place ------------------------------------------------------------------------------------


def rename(
    ledger: Ledger,
    sender: Sender,
    previous: Sequence[Contact],
    current: Sequence[Contact],
    *,
    at: datetime | None,
    now: datetime,
) -> sqlite3.Row | None:
    """The conversation of a contact that has the `current` ids in place of the `previous` ones, each in that of one of
    its kind; None, and nothing done, where the contact is not known by any."""
    kinds = {kind_of(one): one for one in reversed(current)}
    left = [one for one in with_spellings(ledger, previous) if kind_of(one) in kinds and one not in current]
    rows = every_known(ledger, sender, [*previous, *current])
    if any(_is_older(row, at) for row in rows):
        return rows[0]
    row = _renamed(ledger, _merged(ledger, rows, now=now), left, kinds, current) if rows else None
    for gone in left:
        ledger.write("drop_id", sender=sender, contact=gone)
        follow(ledger, sender, gone, kinds[kind_of(gone)])
    if row is None:
        return None
    work_out(ledger, row)
    ledger.write("rename_conversation", id=row["id"], at=micros(min(at or now, now)))
    refresh(ledger, row["id"], now=now)
    return ledger.one("conversation_by_id", id=row["id"])


def _renamed(
    ledger: Ledger,
    row: sqlite3.Row,
    left: Sequence[Contact],
    kinds: Mapping[str, Contact],
    current: Sequence[Contact],
) -> sqlite3.Row:
    names = names_of(row)
    first = kinds[kind_of(names[0])] if names[0] in left else names[0]
    return _set_names(ledger, row, [first, *current, *(one for one in names if one not in left)])
