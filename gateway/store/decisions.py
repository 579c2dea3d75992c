"""Decisions as an operator looks through them: a bounded stretch at a time, oldest first."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from gateway.domain.identity import Contact, MessageId, Sender
from gateway.ports import DecisionPage, DecisionQuery, DecisionRecord
from gateway.store.codec import instant, micros, to_json
from gateway.store.identities import conversations_named, ids_of_person
from gateway.store.ledger import Ledger
from gateway.store.spans import first_decision, first_refusal

STEP = 1000
"""A page looks through so many at most."""


def decisions(ledger: Ledger, query: DecisionQuery) -> DecisionPage:
    first = max(query.after + 1, first_decision(ledger, query.since))
    end = first_decision(ledger, query.until)
    last = min(first + STEP, end) - 1
    rows = ledger.rows(
        "decisions_between",
        **_wanted(query, first, last),
        conversations=_conversations(ledger, query),
        stage=query.stage,
        action=query.action,
    )
    found = (_decision(row) for row in rows)
    wanted = tuple(one for one in found if query.instead in (None, (one.instead or {}).get("action")))
    return DecisionPage(decisions=wanted, next=last if last + 1 < end else None)


def refusals(ledger: Ledger, query: DecisionQuery) -> DecisionPage:
    if query.stage == "send" or query.action not in (None, "refuse") or query.instead is not None:
        return DecisionPage(decisions=(), next=None)
    first = max(query.after + 1, first_refusal(ledger, query.since))
    end = first_refusal(ledger, query.until)
    last = min(first + STEP, end) - 1
    contacts = None if query.contact is None else to_json(ids_of_person(ledger, query.contact))
    rows = ledger.rows("refusals_between", **_wanted(query, first, last), contacts=contacts)
    return DecisionPage(decisions=tuple(map(_refusal, rows)), next=last if last + 1 < end else None)


def _wanted(query: DecisionQuery, first: int, last: int) -> dict[str, object]:
    return {
        "first": first,
        "last": last,
        "since": micros(query.since),
        "until": micros(query.until),
        "sender": query.sender,
        "client": query.client,
    }


def _conversations(ledger: Ledger, query: DecisionQuery) -> str | None:
    """Those of the contact that is asked for, by whichever of its ids."""
    if query.contact is None:
        return None
    return to_json([row["id"] for row in conversations_named(ledger, query.contact, query.client)])


def _decision(row: sqlite3.Row) -> DecisionRecord:
    return _record(
        row,
        stage=row["stage"],
        action=row["action"],
        message_id=MessageId(row["message_id"]),
        template=row["template"],
        instead=None if row["instead"] is None else read(row["instead"], {}),
    )


def _refusal(row: sqlite3.Row) -> DecisionRecord:
    return _record(row, stage="accept", action="refuse", message_id=None, template=None, instead=None)


def _record(row: sqlite3.Row, **own: Any) -> DecisionRecord:
    return DecisionRecord(
        at=instant(row["at"]),
        client=row["client"],
        sender=Sender(row["sender"]),
        contact=Contact(row["contact"]),
        reasons=tuple(read(row["reasons"], [])),
        evidence=read(row["evidence"], {}),
        **own,
    )


def read(text: str, otherwise: Any) -> Any:
    """What was stored as JSON; something else where it was damaged on the disk."""
    try:
        value = json.loads(text)
    except ValueError:
        return otherwise
    return value if isinstance(value, type(otherwise)) else otherwise
