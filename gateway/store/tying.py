"""What the provider says of a contact's ids: which are one contact's, and which takes another's place.

A change moves a contact's whole conversation to the new id, and by the old one it is no longer found: a number that was
given up becomes somebody else's. Nobody need tell that it did: a number changes hands and a user id never does, so
whoever has the number by another user id is another person, and their conversations never become one. What was said
before a change and comes late is not believed of ids any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.identity import Contact, Sender, is_phone, kind_of
from gateway.store.codec import ids_text, micros
from gateway.store.identities import MOST, every_known, is_another, names_of, spellings_of, with_spellings
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
    written to by the phone number that it wrote from last."""
    row = ledger.row("conversation_of", sender=sender, contact=ids[0])
    if row is not None and set(ids) <= set(names_of(row)) and not spellings_of(ledger, ids[0]):
        return row
    own = _own(ledger, sender, ids, at=at)
    first = own.ids[0] if is_phone(own.ids[0]) else None
    return _tie(ledger, own, at=at, now=now, first=first)


def tie(
    ledger: Ledger, sender: Sender, ids: Sequence[Contact], *, at: datetime | None, now: datetime
) -> sqlite3.Row | None:
    """The conversation of a contact that has these ids; None, and nothing done, if none of them is known."""
    own = _own(ledger, sender, ids, at=at)
    return _tie(ledger, own, at=at, now=now) if own.conversations or own.taken else None


def ids_believed(ledger: Ledger, sender: Sender, ids: Sequence[Contact], *, at: datetime | None) -> Sequence[Contact]:
    """Which of these ids one contact has, as far as what was said then is believed now. Nothing is changed."""
    return _own(ledger, sender, ids, at=at).ids


def _tie(ledger: Ledger, own: _Own, *, at: datetime | None, now: datetime, first: Contact | None = None) -> sqlite3.Row:
    rows = own.conversations
    if any(_is_older(row, at, or_as_old=True) for row in rows):
        return _meant(rows, own.ids)
    _take(ledger, own)
    row = _merged(ledger, rows or [_made(ledger, own.sender, own.ids[0])], now=now)
    names = names_of(row)
    best = names[0] if first is None or _was_heard_after(row, at) else first
    row = _set_names(ledger, row, [best, *own.ids, *names])
    ledger.write("tell_ids", id=row["id"], at=micros(min(at or now, now)))
    return _note_change(ledger, row, at=at, now=now) if own.taken else row


def _made(ledger: Ledger, sender: Sender, contact: Contact) -> sqlite3.Row:
    sender_row(ledger, sender)
    return add_conversation(ledger, sender, contact, in_force(ledger, sender, [contact]))


def _is_older(row: sqlite3.Row, at: datetime | None, *, or_as_old: bool = False) -> bool:
    """Whether what was said then was said before ids of the contact changed; without a time it is of now. Several may
    change in the same second."""
    if at is None or row["renamed_at"] is None:
        return False
    return bool(micros(at) < row["renamed_at"] + int(or_as_old))


def _meant(rows: Sequence[sqlite3.Row], ids: Sequence[Contact]) -> sqlite3.Row:
    """The one that is known by a user id, else by the first of the ids."""
    user_ids = {one for one in ids if not is_phone(one)}
    return next((row for row in rows if user_ids & set(names_of(row))), rows[0])


def _note_change(ledger: Ledger, row: sqlite3.Row, *, at: datetime | None, now: datetime) -> sqlite3.Row:
    """Its ids have changed: what was decided before is decided again, and older news says nothing of them."""
    ledger.write("rename_conversation", id=row["id"], at=micros(min(at or now, now)))
    return ledger.one("conversation_by_id", id=row["id"])


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


# --- a number changes hands -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Own:
    """The conversations of the one who has these ids, and which of them it has."""

    sender: Sender
    conversations: Sequence[sqlite3.Row]
    ids: Sequence[Contact]
    """At least one."""
    taken: Sequence[tuple[sqlite3.Row, Set[Contact]]]
    """Who else had some of them before, and which."""


def _own(
    ledger: Ledger, sender: Sender, before: Sequence[Contact], after: Sequence[Contact] = (), *, at: datetime | None
) -> _Own:
    """Another person keeps those by which it was heard from later than this was said, and has the rest no longer.
    `after` are the ids, if any, that took the place of those `before`. Nothing is changed yet."""
    ids = [*before, *after]
    rows = every_known(ledger, sender, ids)
    who = _who(rows, before, after)
    others = [row for row in rows if is_another(names_of(row), who) and not _is_made_anew(ledger, row, after, at)]
    later = [row for row in others if _was_heard_after(row, at)]
    own = [row for row in rows if row not in others]
    theirs = {one for row in later for one in _shared(ledger, row, ids)} - {one for row in own for one in names_of(row)}
    taken = [(row, _shared(ledger, row, ids)) for row in others if row not in later]
    return _Own(sender, own, [one for one in ids if one not in theirs] or ids[:1], taken)


def _who(rows: Sequence[sqlite3.Row], before: Sequence[Contact], after: Sequence[Contact]) -> Sequence[Contact]:
    """The ids of the one who is meant: where no user id is told of before, that of whoever is known by the first."""
    is_told = any(not is_phone(one) and one not in after for one in before)
    return [*before, *after, *(() if is_told or not rows else names_of(rows[0]))]


def _is_made_anew(ledger: Ledger, row: sqlite3.Row, after: Sequence[Contact], at: datetime | None) -> bool:
    """Whether its user id is that which the contact has since its number changed, as far as one can tell: it has
    written from the new number since, and nobody said by which user id."""
    is_silent = all(map(is_phone, after))
    return is_silent and bool(_shared(ledger, row, after)) and _was_heard_after(row, at)


def _shared(ledger: Ledger, row: sqlite3.Row, ids: Iterable[Contact]) -> set[Contact]:
    """By which of the ids it is found, in all their spellings."""
    return set(with_spellings(ledger, names_of(row))) & set(with_spellings(ledger, ids))


def _was_heard_after(row: sqlite3.Row, at: datetime | None) -> bool:
    return at is not None and max(row[when] or 0 for when in ("anchor", "renamed_at", "told_at")) > micros(at)


def _take(ledger: Ledger, own: _Own) -> None:
    for row, ids in own.taken:
        _take_from(ledger, row, ids)


def _take_from(ledger: Ledger, row: sqlite3.Row, ids: Set[Contact]) -> None:
    """It is found by these no longer, only by its user id. What stands on the list for them goes along, and holds for
    whoever has them now as well: nobody said that this is another person, and a wish must not get lost."""
    left = [one for one in names_of(row) if one not in ids]
    for one in ids:
        ledger.write("copy_entries", sender=row["sender"], before=one, after=left[0])
    row = _set_names(ledger, row, left)
    if not work_out(ledger, row):
        ledger.write("set_suppression", id=row["id"], suppression=row["suppression"])


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
    own = _own(ledger, sender, previous, current, at=at)
    rows, kept = own.conversations, [one for one in current if one in own.ids]
    kinds = {kind_of(one): one for one in reversed(kept)}
    given_up = with_spellings(ledger, [one for one in previous if one in own.ids])
    changed = set(map(kind_of, current))
    left = [one for one in given_up if kind_of(one) in changed and one not in current]
    if any(_is_older(row, at) for row in rows):
        return _meant(rows, own.ids)
    _take(ledger, own)
    row = _renamed(ledger, _merged(ledger, rows, now=now), left, kinds, kept) if rows else None
    for gone in left:
        ledger.write("drop_id", sender=sender, contact=gone)
        heir = kinds.get(kind_of(gone)) or (None if row is None else names_of(row)[0])
        if heir not in (None, gone):
            follow(ledger, sender, gone, heir)
    if row is None:
        return None
    work_out(ledger, row)
    _note_change(ledger, row, at=at, now=now)
    refresh(ledger, row["id"], now=now)
    return ledger.one("conversation_by_id", id=row["id"])


def _renamed(
    ledger: Ledger,
    row: sqlite3.Row,
    left: Sequence[Contact],
    kinds: Mapping[str, Contact],
    current: Sequence[Contact],
) -> sqlite3.Row:
    """Where the new id is somebody else's by now, only the old one is given up, unless it is the last."""
    names = names_of(row)
    staying = [one for one in names if one not in left]
    first = staying[:1] if names[0] not in left else [kinds[kind_of(names[0])]] if kind_of(names[0]) in kinds else []
    return _set_names(ledger, row, [*first, *current, *staying] or names)
