"""What is known: look-ups that change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import InvalidRequest, NotFound
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Failure, Status
from gateway.ports import (
    AttemptRecord,
    Conversation,
    MessagePage,
    MessageQuery,
    MessageRecord,
    MessageSummary,
    SenderState,
    StatusChange,
)
from gateway.store.acts import acts_of
from gateway.store.codec import UNREADABLE, content_or, error_of, instant, instant_or_none, message_of, receipt_of
from gateway.store.deciding import find
from gateway.store.decision_codec import decision_facts
from gateway.store.digests import is_erased
from gateway.store.identities import conversations_named
from gateway.store.ledger import Ledger
from gateway.store.recorded import decision_of
from gateway.store.senders import pause_of
from gateway.store.spans import first_message
from gateway.store.statuses import history_of

_NEWEST = 2**63 - 1


def message(ledger: Ledger, message_id: MessageId, *, client: str | None) -> MessageRecord:
    row = ledger.row("message_by_id", id=message_id)
    if row is None or client not in (None, row["client"]):
        raise NotFound("no such message")
    message, decisions = message_of(row), ledger.rows("decisions_of", message=row["place"]).fetchall()
    return MessageRecord(
        message=message,
        status=Status(row["status"]),
        failure=None if row["failure"] is None else Failure(row["failure"]),
        error=error_of(row["error"]),
        receipt=receipt_of(row["receipt"]),
        decisions=tuple(map(decision_facts, decisions)),
        decided=decision_of(decisions[-1], message.content) if decisions else None,
        attempts=tuple(_attempt_record(one, row) for one in ledger.rows("attempts_of", message=row["place"])),
        history=tuple(StatusChange(status=status, at=instant(at)) for status, at in history_of(row)),
        acts=acts_of(ledger, message_id) if client is None else (),
    )


def _attempt_record(row: sqlite3.Row, message: sqlite3.Row) -> AttemptRecord:
    content = row["content"] or message["content"]  # none of its own: it was sent as it was asked for
    return AttemptRecord(
        number=row["number"],
        status=AttemptStatus(row["status"]),
        content=content_or(content, UNREADABLE) if message["has_content"] else None,
        started_at=instant(row["started_at"]),
        ended_at=instant_or_none(row["ended_at"]),
        provider_message_id=row["provider_message_id"],
        error=error_of(row["error"]),
    )


def messages(ledger: Ledger, query: MessageQuery) -> MessagePage:
    """A page of the newest messages before the cursor, which is the id of the last one of the page before."""
    before, first = _place_of(ledger, query), 0
    if query.since is not None:
        first = first_message(ledger, query.since)
    if query.until is not None:
        before = min(before, first_message(ledger, query.until))
    look_up = _of_clients if query.contact is None else _of_contact
    found = look_up(ledger, query, first, before)
    rows = sorted(found, key=lambda row: row["place"], reverse=True)
    page = rows[: query.limit]
    return MessagePage(
        messages=tuple(_summary(row) for row in page),
        next_cursor=str(page[-1]["id"]) if len(rows) > len(page) > 0 else None,
    )


def _place_of(ledger: Ledger, query: MessageQuery) -> int:
    if query.cursor is None:
        return _NEWEST
    is_number = query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) <= 16
    row = ledger.row("message_by_id", id=int(query.cursor)) if is_number else None
    if row is None or query.client not in (None, row["client"]):
        raise InvalidRequest("cursor", "expected the cursor of an earlier page")
    return int(row["place"])


def _of_clients(ledger: Ledger, query: MessageQuery, first: int, before: int) -> Iterator[sqlite3.Row]:
    """The newest of each client and status, read along one index."""
    clients = [row["client"] for row in ledger.rows("clients")] if query.client is None else [query.client]
    statuses: Iterable[Status] = Status if query.status is None else [query.status]
    return chain.from_iterable(
        ledger.rows(
            "messages_of_client",
            client=client,
            status=status,
            sender=query.sender,
            first=first,
            before=before,
            limit=query.limit + 1,
        )
        for client in clients
        for status in statuses
    )


def _of_contact(ledger: Ledger, query: MessageQuery, first: int, before: int) -> Iterator[sqlite3.Row]:
    assert query.contact is not None  # noqa: S101 - it is asked for
    conversations = conversations_named(ledger, query.contact, query.client)
    return chain.from_iterable(
        ledger.rows(
            "messages_of_conversation",
            conversation=row["id"],
            client=query.client,
            status=query.status,
            sender=query.sender,
            first=first,
            before=before,
            limit=query.limit + 1,
        )
        for row in conversations
    )


def _summary(row: sqlite3.Row) -> MessageSummary:
    return MessageSummary(
        id=MessageId(row["id"]),
        client=row["client"],
        sender=Sender(row["sender"]),
        contact=Contact(row["contact"]),
        status=Status(row["status"]),
        accepted_at=instant(row["accepted_at"]),
        changed_at=instant(row["changed_at"]),
    )


def conversation(
    ledger: Ledger, sender: Sender, contact: Contact, *, downgrades_since: datetime | None, client: str
) -> Conversation:
    return find(ledger, sender, contact, ledger.row("sender_by_id", id=sender), downgrades_since, client=client).known


def provider_id_of(ledger: Ledger, message_id: MessageId, *, client: str, sender: Sender) -> str | None:
    """Of a contact that was erased, only a digest is left of it."""
    provider = ledger.policy.providers.get(sender)
    row = ledger.row("provider_id_of", id=message_id, client=client, sender=sender, provider=provider)
    return None if row is None or is_erased(row["provider_message_id"]) else str(row["provider_message_id"])


def sender_states(ledger: Ledger) -> tuple[SenderState, ...]:
    ledger.shared.write(ledger.db)
    return tuple(_sender_state(ledger, row) for row in ledger.rows("senders").fetchall())


def _sender_state(ledger: Ledger, row: sqlite3.Row) -> SenderState:
    pause = pause_of(row)
    return SenderState(
        sender=Sender(row["id"]),
        pause=pause,
        paused_for=None if pause is None else timedelta(microseconds=max(0, ledger.tick - row["paused_from"])),
        queued=row["queued"],
        error=error_of(row["pause_error"]),
    )
