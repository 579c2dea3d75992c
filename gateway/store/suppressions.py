"""The suppression list, found by a digest of the contact, so that it outlives the contact's erasure.

What holds of it for a sender and a contact is kept on their conversation, where a decision reads it with all else that
it needs: no message costs a look-up more. It is worked out anew when the list changes, which also adds one to the
conversation's revision, so that what was decided before is decided again; and when a conversation is made. Only for a
contact that has none yet the list itself is asked.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact, Sender, is_phone
from gateway.domain.suppression import OPTED_OUT, Scope, Source, Suppression, widest
from gateway.ports import Allowed, Listed, ListPage, ListQuery
from gateway.store.codec import ids_in, instant, micros, to_json
from gateway.store.decision_codec import suppression_of, suppression_text
from gateway.store.deeds import new_run, note_deed
from gateway.store.identities import (
    are_several,
    conversations_named,
    conversations_of_person,
    ids_of_person,
    names_of,
    with_spellings,
)
from gateway.store.ledger import Ledger

ALL = ""
"""Stands for every sender in a row of the list."""
_NEWEST = 2**63 - 1


def in_force(ledger: Ledger, sender: str, ids: Iterable[Contact]) -> Suppression | None:
    """What holds by the list itself for a contact with these ids."""
    rows = (
        row
        for contact in with_spellings(ledger, ids)
        for row in ledger.rows("suppressions_in_force", contact=contact, sender=sender)
    )
    return widest(
        Suppression(scope=Scope(row["scope"]), source=Source(row["source"]), since=instant(row["since"]))
        for row in rows
    )


def in_force_for(ledger: Ledger, message: sqlite3.Row, conversation: sqlite3.Row) -> Suppression | None:
    """What holds for a message: of its conversation, and of the ids by which its request named the contact."""
    held = suppression_of(conversation["suppression"])
    addressed = ids_in(message["addressed"])
    if not addressed:
        return held
    return widest(one for one in (held, in_force(ledger, conversation["sender"], addressed)) if one is not None)


def work_out(ledger: Ledger, row: sqlite3.Row) -> bool:
    """Bring a conversation up to date; whether anything changed."""
    text = suppression_text(in_force(ledger, row["sender"], names_of(row)))
    if text == row["suppression"]:
        return False
    ledger.write("set_suppression", id=row["id"], suppression=text)
    return True


def _work_out(ledger: Ledger, contact: Contact) -> None:
    """Bring the contact's conversations up to date. What waits where only a client calls it so is decided again in any
    case: the conversation is not the contact's by its own ids."""
    for row in conversations_named(ledger, contact):
        if not work_out(ledger, row) and contact not in with_spellings(ledger, names_of(row)):
            ledger.write("set_suppression", id=row["id"], suppression=row["suppression"])


# --- an operator's word ---------------------------------------------------------------------------------------------


def suppress(
    ledger: Ledger, contact: Contact, scope: Scope, *, sender: Sender | None, note: str | None, by: str, now: datetime
) -> bool:
    """Put the contact on the list, or change how far that goes; since when stays as it was. For all senders by every
    user id that the provider calls it by: one of them may know it by that alone."""
    facts = {"sender": sender or ALL, "scope": scope, "note": note}
    ids = (contact,) if sender is not None else (contact, *_others_of(ledger, contact))
    before = [ledger.row("operator_s_entry", contact=one, sender=facts["sender"]) for one in ids]
    is_changed = any(row is None or (row["scope"], row["note"]) != (scope, note) for row in before)
    for one in ids:
        ledger.write("block", contact=one, since=micros(now), actor=by, **facts)
        _work_out(ledger, one)
    _note(ledger, "block", contact, sender, {"scope": scope, "changed": is_changed}, by=by, now=now)
    return is_changed


def _others_of(ledger: Ledger, contact: Contact) -> Sequence[Contact]:
    """By which user ids the provider calls the contact besides, with any sender. A number may be somebody else's one
    day, and nobody said that it is on the list; where it is that of several people now, none is meant more than it."""
    rows = conversations_of_person(ledger, contact)
    if are_several(rows):
        return []
    names = (name for row in rows for name in names_of(row))
    return [name for name in dict.fromkeys(names) if name != contact and not is_phone(name)]


def allow(ledger: Ledger, contact: Contact, *, sender: Sender | None, by: str, now: datetime) -> Allowed:
    """Lift what an operator said and what the provider reported up to now, by whichever of the contact's ids."""
    ids = ids_of_person(ledger, contact)
    rows = [row for one in ids for row in ledger.rows("entries_of_contact", contact=one).fetchall()]
    lifted = [row for row in rows if sender in (None, row["sender"])]
    for row in lifted:
        if row["source"] == Source.OPERATOR:
            ledger.write("unblock", id=row["id"])
        else:
            ledger.write("lift", id=row["id"], at=micros(now))
    for one in ids:
        _work_out(ledger, one)
    _note(ledger, "allow", contact, sender, {"lifted": len(lifted)}, by=by, now=now)
    left = [row for row in rows if row not in lifted]
    return Allowed(lifted=tuple(map(_listed, lifted)), left=tuple(map(_listed, left)))


def _note(
    ledger: Ledger, deed: str, contact: str, sender: str | None, facts: Mapping[str, Any], *, by: str, now: datetime
) -> None:
    note_deed(ledger, new_run(), deed, by=by, now=now, sender=sender, contact=contact, facts=facts)


# --- what the provider reports --------------------------------------------------------------------------------------


def heed_refusal(ledger: Ledger, message: sqlite3.Row, provider_message_id: str | None, at: datetime) -> None:
    """An attempt was refused as the contact has opted out. `message` is joined with its conversation."""
    evidence = {"code": OPTED_OUT, "provider_message_id": provider_message_id}
    heed(ledger, message["sender"], Contact(message["contact"]), is_stop=True, at=at, evidence=evidence)


def heed(
    ledger: Ledger, sender: str, contact: Contact, *, is_stop: bool, at: datetime, evidence: Mapping[str, Any]
) -> None:
    """A contact's wish about marketing. The latest by the provider's time counts, whatever order they come in; of a
    stop and a resumption at the same time the stop."""
    ledger.write(
        "heed",
        contact=contact,
        sender=sender,
        scope=Scope.MARKETING,
        since=micros(at),
        is_lifted=not is_stop,
        evidence=to_json(evidence),
    )
    _work_out(ledger, contact)


def follow(ledger: Ledger, sender: str, before: Contact, after: Contact) -> None:
    """An id took another's place: what its owner wished goes with it, and what an operator said of the old one holds
    for both."""
    ledger.write("copy_entries", sender=sender, before=before, after=after)
    ledger.write("drop_wishes", sender=sender, contact=before)


# --- the list -------------------------------------------------------------------------------------------------------


def page(ledger: Ledger, query: ListQuery) -> ListPage:
    """Newest first; the cursor is the row of the last entry of the page before."""
    rows = ledger.rows(
        "list_page", before=_place_of(query.cursor), sender=query.sender, limit=query.limit + 1
    ).fetchall()
    listed = rows[: query.limit]
    cursor = str(listed[-1]["id"]) if len(rows) > query.limit else None
    return ListPage(entries=tuple(map(_listed, listed)), next_cursor=cursor)


def _place_of(cursor: str | None) -> int:
    if cursor is None:
        return _NEWEST
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidRequest("cursor", "expected the cursor of an earlier page")
    return int(cursor)


def _listed(row: sqlite3.Row) -> Listed:
    return Listed(
        contact=None if row["contact"] is None else Contact(row["contact"]),
        sender=Sender(row["sender"]) if row["sender"] != ALL else None,
        scope=Scope(row["scope"]),
        source=Source(row["source"]),
        since=instant(row["since"]),
        by=row["actor"],
        note=row["note"],
        evidence=None if row["evidence"] is None else json.loads(row["evidence"]),
    )
