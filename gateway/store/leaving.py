"""A message that leaves as it is accepted: nothing and nobody is waited for, so it is leased and begun at once."""

from __future__ import annotations

import sqlite3

from gateway.domain.message import OutboundMessage
from gateway.ports import Claim, Conversation
from gateway.store.codec import span
from gateway.store.ledger import Ledger
from gateway.store.senders import SenderRow, charge, may_send_one


def may_leave_at_once(ledger: Ledger, conversation: sqlite3.Row, sender: SenderRow) -> bool:
    """Whether what is alone in line would be claimed and begun if that were asked next: no lease, no pause, pace."""
    return (
        conversation["rests_until"] is None
        and ledger.paces.contact.free_at(conversation["pace_tat"], ledger.tick) <= ledger.tick
        and may_send_one(ledger, sender)
    )


def lease_at_once(
    ledger: Ledger, message: OutboundMessage, conversation: sqlite3.Row, sender: SenderRow, known: Conversation
) -> Claim:
    """What claiming it and beginning its first attempt do to the conversation and to the sender, in one step. The lease
    ends as the message leaves the line, so that nothing of it need be written then (``lines.lease_of``)."""
    ledger.write(
        "lease_at_once",
        id=conversation["id"],
        until=ledger.tick + span(ledger.policy.delivery.lease),
        pace_tat=ledger.paces.contact.charged(conversation["pace_tat"], ledger.tick),
    )
    charge(ledger, sender, [conversation["id"]], message.client)
    return Claim(
        conversation=conversation["id"],
        epoch=conversation["epoch"] + 1,
        revision=conversation["revision"],
        message=message,
        attempts=0,
        template_started=False,
        window=known.window,
        contact_name=known.contact_name,
        downgrades=known.downgrades,
    )
