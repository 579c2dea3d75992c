"""What decisions are taken on, and their records: why a message left as it did, on what evidence."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.identity import Contact, Sender
from gateway.domain.window import UNKNOWN_WINDOW
from gateway.ports import Conversation
from gateway.store.codec import micros, template_name, window_of
from gateway.store.decision_codec import action_of, evidence_text, instead_text, reasons_text, suppression_of
from gateway.store.ledger import Ledger
from gateway.store.senders import SenderRow, pause_of
from gateway.store.suppressions import in_force

LAST = 2**63 - 1
"""A place behind all others in line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is of a conversation, and what a decision is taken on."""

    conversation: sqlite3.Row | None
    known: Conversation


def find(
    ledger: Ledger,
    sender: Sender,
    contact: Contact,
    sender_row: SenderRow | sqlite3.Row | None,
    downgrades_since: datetime | None,
) -> Found:
    """Accepting a message, and asking what would become of one, read the same."""
    row = ledger.row("conversation_to_join", sender=sender, contact=contact)
    return Found(conversation=row, known=_known(ledger, sender, contact, row, sender_row, downgrades_since))


def _known(
    ledger: Ledger,
    sender: Sender,
    contact: Contact,
    row: sqlite3.Row | None,
    sender_row: SenderRow | sqlite3.Row | None,
    downgrades_since: datetime | None,
) -> Conversation:
    """What is known of a conversation; the window of a contact never heard of is unknown."""
    pause = pause_of(sender_row)
    if row is None:
        return Conversation(window=UNKNOWN_WINDOW, pause=pause, suppression=in_force(ledger, sender, contact))
    return Conversation(
        window=window_of(row),
        contact_name=row["contact_name"],
        downgrades=count_downgrades(ledger, row, downgrades_since),
        pause=pause,
        suppression=suppression_of(row["suppression"]),
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
