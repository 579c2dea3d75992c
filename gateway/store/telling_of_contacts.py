"""What clients are told of contacts, templates and the account, each in the format of its webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from gateway.domain import platform_notice as platform
from gateway.domain import standard_notice as standard
from gateway.domain.callback import ConsentChange, InboundMessage, TemplateUpdate, Unrecognized
from gateway.domain.identity import MessageId, Sender
from gateway.domain.platform_references import references
from gateway.domain.subscription import EventType, Subscription, event_of_field
from gateway.domain.wamid import wamid
from gateway.store.codec import storable
from gateway.store.ledger import Ledger
from gateway.store.outbox import post
from gateway.store.telling import listening_to, next_in_sequence, recipient
from gateway.store.tying import hear_from


def tell_received(
    ledger: Ledger, provider: str, sender: Sender, event: InboundMessage, conversation: int, *, now: datetime
) -> None:
    """To every client that listens; a message of ours that it names, by the id that each knows."""
    sequence = next_in_sequence(ledger, conversation)
    listening = list(listening_to(ledger, sender, EventType.RECEIVED))
    is_any_platform = any(subscription.format.is_platform for _, subscription in listening)
    named = _named(ledger, provider, event) if is_any_platform else {}
    for client, subscription in listening:
        if subscription.format.is_platform:
            ids = {theirs: ours for theirs, (whose, ours) in named.items() if whose == client}
            notice = platform.received(recipient(ledger, client, sender, subscription), event, now=now, ids=ids)
        else:
            notice = standard.received(client, sender, event, now=now, sequence=sequence)
        post(ledger, notice, conversation, now=now)


def _named(ledger: Ledger, provider: str, event: InboundMessage) -> Mapping[str, tuple[str, str]]:
    """The messages of ours that it names by the provider's id: whose each is, and the id that its client knows."""
    name = platform.item_of(event.raw, "message")
    ids = references(event.raw[name]) if name is not None else ()
    rows = {one: ledger.row("named_message", provider=provider, provider_message_id=storable(one)) for one in ids}
    return {one: (row["client"], wamid(MessageId(row["id"]))) for one, row in rows.items() if row is not None}


def tell_consent(ledger: Ledger, sender: Sender, event: ConsentChange, *, now: datetime) -> None:
    listening = list(listening_to(ledger, sender, EventType.CONSENT))
    if not listening:
        return
    conversation = int(hear_from(ledger, sender, event.contacts, at=event.at, now=now)["id"])
    sequence = next_in_sequence(ledger, conversation)
    for client, subscription in listening:
        if subscription.format.is_platform:
            notice = platform.consent_changed(recipient(ledger, client, sender, subscription), event)
        else:
            notice = standard.consent_changed(client, sender, event, now=now, sequence=sequence)
        post(ledger, notice, conversation, now=now)


# --- what is about no message ---------------------------------------------------------------------------------------


def tell_of_account(ledger: Ledger, provider: str, event: TemplateUpdate | Unrecognized, *, now: datetime) -> None:
    """What the platform says of the account and its templates, to the clients of the provider's senders that asked for
    it, once each: also what means nothing to us, where it names no contact."""
    change = platform.change_of(event.raw)
    news = None if change is None else event_of_field(change["field"])
    if change is None or news is None:
        return
    for client, sender, subscription in _of_provider(ledger, provider, news):
        if subscription.format.is_platform:
            notice = platform.passed_on(recipient(ledger, client, sender, subscription), news, event.raw)
        else:
            notice = standard.account_news(client, news, provider, change["field"], event.raw, now=now)
        post(ledger, notice, None, now=now)


def _of_provider(ledger: Ledger, provider: str, event: EventType) -> Iterator[tuple[str, Sender, Subscription]]:
    told: set[str] = set()
    for sender, its in ledger.policy.providers.items():
        for client, subscription in listening_to(ledger, sender, event) if its == provider else ():
            if client not in told:
                told.add(client)
                yield client, sender, subscription
