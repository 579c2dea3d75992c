"""What clients are told of their messages, in the format of each webhook and the transaction that brought the news."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.domain import platform_notice as platform
from gateway.domain import standard_notice as standard
from gateway.domain.business_number import business_number
from gateway.domain.callback import StatusReport
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.message import HANDED_OVER, OutboundMessage, Status
from gateway.domain.subscription import EventType, Subscription
from gateway.store.codec import error_of, message_of, unspoken
from gateway.store.decisions import read
from gateway.store.digests import is_erased
from gateway.store.ledger import Ledger
from gateway.store.outbox import post

_USUAL = Subscription()


def hears_of_submitted(ledger: Ledger, client: str, sender: Sender) -> bool:
    """Whether the client is told anything when the provider takes its message."""
    subscription = _subscription(ledger, client, sender)
    if subscription is None or subscription.format.is_platform:
        return False
    return subscription.wants(EventType.STATUS) or subscription.wants(EventType.DOWNGRADED)


def next_in_sequence(ledger: Ledger, conversation: int) -> int:
    """The number of the next thing that clients are told of a conversation."""
    return int(ledger.one("next_in_sequence", id=conversation)["sequence"])


def _subscription(ledger: Ledger, client: str, sender: str) -> Subscription | None:
    """What a client wants to hear of a sender; None: it lists it not, or has no webhook."""
    if client not in ledger.policy.listeners.get(Sender(sender), ()):
        return None
    return ledger.policy.subscriptions.get(client, _USUAL)


def listening_to(ledger: Ledger, sender: Sender, event: EventType) -> Iterator[tuple[str, Subscription]]:
    for client in ledger.policy.listeners.get(sender, ()):
        subscription = ledger.policy.subscriptions.get(client, _USUAL)
        if subscription.wants(event):
            yield client, subscription


def recipient(ledger: Ledger, client: str, sender: str, subscription: Subscription) -> platform.Recipient:
    number = ledger.policy.numbers.get(Sender(sender)) or business_number(Sender(sender))
    return platform.Recipient(client=client, format=subscription.format, number=number)


def tell_status(
    ledger: Ledger, row: sqlite3.Row, status: Status, *, error: str | None, now: datetime, raw: str | None
) -> None:
    """To the client that posted the message, if it listens; of a contact that was erased, without anything that names
    it. `row` is the message as it was before."""
    subscription = _subscription(ledger, row["client"], row["sender"])
    if subscription is None:
        return
    if subscription.format.is_platform:
        if platform.is_told(status) and subscription.wants(EventType.STATUS):
            change = _change(ledger, row, status, error=_speakable(row, error), raw=_parsed(raw), now=now)
            to = recipient(ledger, row["client"], row["sender"], subscription)
            post(ledger, platform.status_changed(to, change), row["conversation"], now=now)
        return
    if _has_stood_in(row, status) and subscription.wants(EventType.DOWNGRADED):
        _tell_downgraded(ledger, row, now=now)
    if standard.is_told(status) and subscription.wants(EventType.STATUS):
        _tell_standard(ledger, row, status, error=_speakable(row, error), raw=_parsed(raw), now=now)


def _tell_standard(
    ledger: Ledger, row: sqlite3.Row, status: Status, *, error: ProviderError | None, raw: Any, now: datetime
) -> None:
    sequence = next_in_sequence(ledger, row["conversation"])
    notice = standard.status_changed(_message(row), status, now=now, sequence=sequence, error=error, raw=raw)
    post(ledger, notice, row["conversation"], now=now)


def _has_stood_in(row: sqlite3.Row, status: Status) -> bool:
    """Whether the provider has just taken a template in place of what was asked for."""
    is_news = status in HANDED_OVER and row["status"] not in HANDED_OVER
    return is_news and row["downgraded_at"] is not None and not row["is_observed"]


def _tell_downgraded(ledger: Ledger, row: sqlite3.Row, *, now: datetime) -> None:
    decision = _last_decision(ledger, row, "downgrade")
    if decision is None:
        return
    window = read(decision["evidence"], {}).get("window")
    notice = standard.downgraded(
        _message(row),
        template=decision["template"],
        reasons=read(decision["reasons"], []),
        window=window if isinstance(window, dict) and not is_erased(row["contact"]) else {},
        now=now,
        sequence=next_in_sequence(ledger, row["conversation"]),
    )
    post(ledger, notice, row["conversation"], now=now)


def tell_played(ledger: Ledger, row: sqlite3.Row, report: StatusReport, *, now: datetime) -> None:
    """A voice message that was read is played: no news to us, but to the platform's clients. `row` is the message as it
    was before the report."""
    subscription = _subscription(ledger, row["client"], row["sender"])
    is_wanted = subscription is not None and subscription.format.is_platform and subscription.wants(EventType.STATUS)
    if subscription is None or not is_wanted or row["status"] != Status.READ or is_erased(row["contact"]):
        return
    change = _change(ledger, row, Status.READ, error=None, raw=report.raw, now=now)
    notice = platform.played(recipient(ledger, row["client"], row["sender"], subscription), change)
    if notice is not None:
        post(ledger, notice, row["conversation"], now=now)


def _change(
    ledger: Ledger, row: sqlite3.Row, status: Status, *, error: ProviderError | None, raw: Any, now: datetime
) -> platform.Change:
    return platform.Change(
        message=_message(row),
        status=status,
        now=now,
        error=error,
        reasons=_reasons(ledger, row) if status is Status.REFUSED else (),
        raw=raw,
        is_anonymous=is_erased(row["contact"]),
    )


def _reasons(ledger: Ledger, row: sqlite3.Row) -> tuple[str, ...]:
    """Those of the decision that refused it."""
    decision = _last_decision(ledger, row, "refuse")
    return () if decision is None else tuple(read(decision["reasons"], []))


def _last_decision(ledger: Ledger, row: sqlite3.Row, action: str) -> sqlite3.Row | None:
    decisions = ledger.rows("decisions_of", message=row["place"]).fetchall()
    return next((one for one in reversed(decisions) if one["action"] == action), None)


def _message(row: sqlite3.Row) -> OutboundMessage:
    message = message_of(row)
    return replace(message, reference=None, opaque=None) if is_erased(row["contact"]) else message


def _speakable(row: sqlite3.Row, error: str | None) -> ProviderError | None:
    return unspoken(error_of(error)) if is_erased(row["contact"]) else error_of(error)


def _parsed(raw: str | None) -> Any:
    return None if raw is None else json.loads(raw)
