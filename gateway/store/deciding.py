"""What decisions are taken on, and their records: why a message left as it did, on what evidence."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.identity import Contact, Sender
from gateway.domain.suppression import widest
from gateway.domain.window import UNKNOWN_WINDOW
from gateway.ports import Conversation
from gateway.store.codec import micros, template_name, window_of
from gateway.store.decision_codec import action_of, evidence_text, instead_text, reasons_text, suppression_of
from gateway.store.identities import PROVIDER, known_to_client, named_besides, names_of
from gateway.store.ledger import Ledger
from gateway.store.senders import SenderRow, pause_of
from gateway.store.suppressions import in_force

LAST = 2**63 - 1
"""A place behind all others in line."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a conversation, and what a decision is taken on."""

    conversation: sqlite3.Row | None
    known: Conversation
    named: tuple[Contact, ...] = ()
    """By which ids it was asked for that are not its own, and nobody else's either."""


def find(
    ledger: Ledger,
    sender: Sender,
    contact: Contact,
    sender_row: SenderRow | sqlite3.Row | None,
    downgrades_since: datetime | None,
    *,
    also: tuple[Contact, ...] = (),
    client: str = PROVIDER,
) -> Found:
    """Accepting a message, and asking what would become of one, read the same. Who is known by the id that is asked for
    first is found at once; the others come into it only else, and never lead to somebody else's number."""
    row = ledger.row("conversation_to_join", sender=sender, contact=contact)
    ids = (contact, *also)
    if row is None:
        other = known_to_client(ledger, sender, contact, also, client)
        row = other and ledger.row("conversation_to_join", sender=sender, contact=other["contact"])
    named = named_besides(ledger, row, sender, ids, client)
    if row is None:
        suppression = in_force(ledger, sender, ids)
        pause = pause_of(sender_row)
        return Found(None, Conversation(window=UNKNOWN_WINDOW, pause=pause, suppression=suppression), named)
    return Found(row, _known(ledger, sender, row, named, sender_row, downgrades_since), named)


def _known(
    ledger: Ledger,
    sender: Sender,
    row: sqlite3.Row,
    named: tuple[Contact, ...],
    sender_row: SenderRow | sqlite3.Row | None,
    downgrades_since: datetime | None,
) -> Conversation:
    """What is known of a conversation, and of the ids by which a message to it is to leave."""
    suppression = suppression_of(row["suppression"])
    if named:
        held = (suppression, in_force(ledger, sender, named))
        suppression = widest(one for one in held if one is not None)
    return Conversation(
        window=window_of(row),
        contact_name=row["contact_name"],
        downgrades=count_downgrades(ledger, row, downgrades_since),
        pause=pause_of(sender_row),
        suppression=suppression,
        contact_ids=names_of(row),
    )


def count_downgrades(ledger: Ledger, conversation: sqlite3.Row, since: datetime | None, *, before: int = LAST) -> int:
    """The fallbacks that the contact was given since then, or is to be given before the message at that place. To a
    sender that observes those count that would have been given; to no other. None: nobody counts them."""
    if since is None:
        return 0
    observing = conversation["sender"] in ledger.policy.observing
    row = ledger.one(
        "downgrades", conversation=conversation["id"], since=micros(since), before=before, observing=observing
    )
    return int(row["count"])


def add_decision(ledger: Ledger, place: int, stage: str, decision: Send | Downgrade | Refuse, *, now: datetime) -> None:
    ledger.write(
        "add_decision",
        message=place,
        stage=stage,
        at=micros(now),
        action=action_of(decision),
        reasons=reasons_text(decision),
        template=None if isinstance(decision, Refuse) else template_name(decision.content),
        evidence=evidence_text(decision),
        instead=instead_text(decision),
    )
