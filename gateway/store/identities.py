"""Whose id is whose. A contact's first id stands in its conversation; the others are looked for only if none has it so.

The provider's word on ids counts for all. A client's counts for that client alone: whoever names two ids in a request
finds the contact by either afterwards, and can neither see nor turn away what others send.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import combinations

from gateway.domain.identity import Contact, Sender, is_phone, kind_of
from gateway.domain.spellings import other_spellings
from gateway.store.codec import ids_in
from gateway.store.ledger import Ledger

PROVIDER = ""
"""Stands for the provider among those on whose word an id counts."""
MOST = 16
"""So many ids of one contact are kept, by the provider's word and by clients'."""


def names_of(conversation: sqlite3.Row) -> tuple[Contact, ...]:
    """By the provider's word, the first one first; of a conversation, or of a message joined with its own."""
    return (Contact(conversation["contact"]), *ids_in(conversation["also_known_as"]))


def spellings_of(ledger: Ledger, contact: Contact) -> tuple[Contact, ...]:
    """Other ways in which the same number is written."""
    return other_spellings(contact) if ledger.policy.spellings else ()


def with_spellings(ledger: Ledger, ids: Iterable[Contact]) -> tuple[Contact, ...]:
    ids = tuple(ids)
    return tuple(dict.fromkeys((*ids, *(other for one in ids for other in spellings_of(ledger, one)))))


def known(ledger: Ledger, sender: Sender, ids: Iterable[Contact], client: str = PROVIDER) -> sqlite3.Row | None:
    """The conversation of the first of these ids by which there is one, in whichever spelling."""
    return next(iter(every_known(ledger, sender, ids, client)), None)


def known_to_client(
    ledger: Ledger, sender: Sender, contact: Contact, also: Sequence[Contact], client: str
) -> sqlite3.Row | None:
    """The conversation of the contact that a client names, by the id that it writes to, else by another. One whose
    owner has another id of the first one's kind is somebody else's: a message to one number never goes to another on a
    client's word."""
    found = (known(ledger, sender, ids, client) for ids in ([contact], also))
    return next((row for row in found if row is not None and _may_be_of(ledger, names_of(row), contact)), None)


def _may_be_of(ledger: Ledger, names: Sequence[Contact], contact: Contact) -> bool:
    """Whether a contact with these names may have this id: it has, or it has none of that kind."""
    if contact in names:
        return True
    own = with_spellings(ledger, [contact])
    return any(name in own for name in names) or kind_of(contact) not in map(kind_of, names)


def every_known(
    ledger: Ledger, sender: Sender, ids: Iterable[Contact], client: str = PROVIDER
) -> Sequence[sqlite3.Row]:
    """All conversations that are known by these ids, each once."""
    spelled = (name for one in ids for name in (one, *spellings_of(ledger, one)))
    rows = (ledger.row("known_as", sender=sender, contact=name, client=client) for name in spelled)
    return list({row["id"]: row for row in rows if row is not None}.values())


def named_besides(
    ledger: Ledger, conversation: sqlite3.Row | None, sender: Sender, ids: Sequence[Contact], client: str
) -> tuple[Contact, ...]:
    """By which of the ids that a client gives its contact is not known yet, but for those that are another's, or must
    be: a client can't make one of two contacts."""
    own = ids[:1] if conversation is None else names_of(conversation)
    others = [one for one in dict.fromkeys(ids) if one not in own and _may_be_of(ledger, own, one)]
    return tuple(one for one in others if _is_free(ledger, conversation, sender, one, client))


def _is_free(ledger: Ledger, conversation: sqlite3.Row | None, sender: Sender, contact: Contact, client: str) -> bool:
    found = known(ledger, sender, [contact], client)
    return found is None or (conversation is not None and bool(found["id"] == conversation["id"]))


def add_client_s(ledger: Ledger, conversation: int, sender: Sender, ids: Iterable[Contact], client: str) -> None:
    """Find the contact by these as well, on a client's word and for it alone."""
    for one in ids:
        ledger.write("add_client_s_id", sender=sender, contact=one, client=client, conversation=conversation, most=MOST)


def conversations_named(ledger: Ledger, contact: Contact, client: str | None = None) -> Sequence[sqlite3.Row]:
    """Of a contact by any of its ids, one for each sender; by anybody's word, or by that of the provider and a client.
    ``PROVIDER`` as the client is the provider's alone."""
    rows = (
        row
        for name in (contact, *spellings_of(ledger, contact))
        for row in ledger.rows("conversations_named", contact=name, client=client).fetchall()
    )
    return list({row["id"]: row for row in rows}.values())


# --- one person, with every sender ----------------------------------------------------------------------------------


def is_another(names: Iterable[Contact], others: Iterable[Contact]) -> bool:
    """Whether these are ids of two people: both have a user id, or both a parent's, and none in common. A number may
    have changed hands."""
    own, theirs = ({one for one in ids if not is_phone(one)} for ids in (names, others))
    return not own & theirs and bool(set(map(kind_of, own)) & set(map(kind_of, theirs)))


def are_several(rows: Iterable[sqlite3.Row]) -> bool:
    """Whether these conversations are with several people."""
    return any(is_another(*pair) for pair in combinations(map(names_of, rows), 2))


def conversations_of_person(ledger: Ledger, contact: Contact) -> Sequence[sqlite3.Row]:
    """Those of the one who has this id, with any sender, also where only another id of the same person is known.
    Clients' words count where the provider has none; where it calls several people so, only what is called so is found.
    """
    found = conversations_named(ledger, contact, PROVIDER) or conversations_named(ledger, contact)
    if are_several(found):
        return found
    rows, ids = {row["id"]: row for row in found}, dict.fromkeys(one for row in found for one in names_of(row))
    waiting = list(ids)
    while waiting:
        for row in conversations_named(ledger, waiting.pop(), PROVIDER):
            if row["id"] in rows or is_another(names_of(row), ids):
                continue
            rows[row["id"]] = row
            waiting += [one for one in names_of(row) if one not in ids]
            ids |= dict.fromkeys(names_of(row))
    return list(rows.values())


def ids_of_person(ledger: Ledger, contact: Contact) -> tuple[Contact, ...]:
    """Every id of the one who has this id, with any sender, in all spellings; also by clients' words that are true of
    nobody else."""
    rows = conversations_of_person(ledger, contact)
    own = {row["id"] for row in rows}
    named = (
        Contact(ids["contact"]) for row in rows for ids in ledger.rows("ids_of", conversation=row["id"]).fetchall()
    )
    by_clients = [one for one in named if own.issuperset(_provider_s(ledger, one))]
    names = (contact, *(one for row in rows for one in names_of(row)), *by_clients)
    return tuple(dict.fromkeys(with_spellings(ledger, names)))


def _provider_s(ledger: Ledger, contact: Contact) -> Iterable[int]:
    return (row["id"] for row in conversations_named(ledger, contact, PROVIDER))
