"""What a message would meet if it were posted now: read, and nothing done about it."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from gateway.domain.identity import Contact, Sender
from gateway.ports import Outlook
from gateway.store.codec import instant, micros
from gateway.store.deciding import find
from gateway.store.ledger import Ledger
from gateway.store.senders import SenderRow


def outlook(
    ledger: Ledger,
    sender: Sender,
    contact: Contact,
    *,
    downgrades_since: datetime | None,
    also: tuple[Contact, ...],
    client: str,
) -> Outlook:
    row = ledger.shared.senders.get(sender) or ledger.row("sender_by_id", id=sender)
    found = find(ledger, sender, contact, row, downgrades_since, also=also, client=client)
    conversation = found.conversation
    ahead = 0 if conversation is None else int(ledger.one("length_of_line", conversation=conversation["id"])["count"])
    return Outlook(
        known=found.known,
        ahead=ahead,
        contact_wait=_contact_wait(ledger, conversation, ahead),
        sender_wait=_sender_wait(ledger, row),
        paused_for=_paused_for(ledger, row),
        downgraded_at=_downgraded_at(ledger, conversation, downgrades_since),
    )


def _contact_wait(ledger: Ledger, conversation: sqlite3.Row | None, ahead: int) -> timedelta:
    tat = 0 if conversation is None else conversation["pace_tat"]
    return _span(ledger.paces.contact.wait(tat, ledger.tick, ahead=ahead))


def _sender_wait(ledger: Ledger, row: SenderRow | sqlite3.Row | None) -> timedelta:
    return _span(ledger.paces.sender.wait(0 if row is None else row["pace_tat"], ledger.tick))


def _paused_for(ledger: Ledger, row: SenderRow | sqlite3.Row | None) -> timedelta | None:
    return None if row is None or row["pause"] is None else _span(max(0, ledger.tick - row["paused_from"]))


def _span(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def _downgraded_at(ledger: Ledger, conversation: sqlite3.Row | None, since: datetime | None) -> tuple[datetime, ...]:
    if conversation is None or since is None:
        return ()
    observing = conversation["sender"] in ledger.policy.observing
    rows = ledger.rows("downgrade_times", conversation=conversation["id"], since=micros(since), observing=observing)
    return tuple(instant(row["downgraded_at"]) for row in rows)
