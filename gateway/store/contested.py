"""Claims that two workers lost because their conversations became one: nothing leaves until both are back.

Neither can begin anything more. A worker is back when it records its attempt or gives its claim back; that the provider
reports on an attempt before its answer does not bring the worker back. If one stays away, the lease runs out.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.ports import Claim
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.senders import end_probe


def claims_on(conversation: sqlite3.Row) -> str:
    """The names of the claims whose workers are out with a conversation that is held."""
    return conversation["still_out"] or _name(conversation["id"], conversation["epoch"])


def is_out(conversation: sqlite3.Row, claim: Claim) -> bool:
    """Whether a claim was lost so, of this conversation or a message joined with it, and is not back."""
    return _name(claim.conversation, claim.epoch) in _names(conversation)


def come_back(ledger: Ledger, conversation: int, claim: Claim, *, now: datetime) -> bool:
    """A worker is back, and the last one ends the lease. Whether the conversation has something to do."""
    row = ledger.one("conversation_by_id", id=conversation)
    left = [name for name in _names(row) if name != _name(claim.conversation, claim.epoch)]
    ledger.write("set_still_out", id=conversation, still_out=" ".join(left) or None)
    if not left:
        end_probe(ledger, conversation)
    return refresh(ledger, conversation, now=now, ends_lease=not left)


def _names(conversation: sqlite3.Row) -> list[str]:
    return (conversation["still_out"] or "").split()


def _name(conversation: int, epoch: int) -> str:
    return f"{conversation}:{epoch}"
