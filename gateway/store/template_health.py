"""The health of templates: what callbacks tell, and what refusals of attempts say, by provider, name and language."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.domain.callback import TemplateUpdate
from gateway.domain.delivery import AttemptStatus
from gateway.domain.health import (
    MOST_TEMPLATES,
    UNKNOWN_HEALTH,
    Health,
    HealthKey,
    TemplateNews,
    after_clearing,
    after_listing,
    after_news,
    after_refusal,
)
from gateway.domain.message import TemplateMessage
from gateway.domain.template import fold_language
from gateway.ports import Cleared, KnownHealth
from gateway.store.codec import content_or, template_of_text
from gateway.store.deeds import new_run, note_deed
from gateway.store.health_codec import health_of, health_text
from gateway.store.ledger import Ledger


class Carried(NamedTuple):
    """The template that an attempt carried."""

    name: str
    language: str
    is_filled_by_us: bool
    """It stood in, from the sender's ladder: a client wrote none of its arguments."""


def hear(ledger: Ledger, provider: str, update: TemplateUpdate, *, now: datetime) -> None:
    """What a provider tells of a template. A time later than arrival counts as arrival, and so does none."""
    key = HealthKey.of(provider, update.name, update.language)
    before = _known(ledger, key)
    _keep(ledger, key, before, after_news(before or UNKNOWN_HEALTH, update.news, min(update.at or now, now)))


def listed(ledger: Ledger, key: HealthKey, news: TemplateNews, *, at: datetime) -> None:
    """What a provider's list says of a template."""
    before = _known(ledger, key)
    _keep(ledger, key, before, after_listing(before or UNKNOWN_HEALTH, news, at))


def clear(
    ledger: Ledger, name: str, language: str, *, provider: str | None, by: str, now: datetime
) -> tuple[Cleared, ...]:
    """An operator lifts what stands against a template, at one provider or at all."""
    cleared = []
    for one in sorted(set(ledger.policy.providers.values())) if provider is None else [provider]:
        key = HealthKey.of(one, name, language)
        health = _known(ledger, key) or UNKNOWN_HEALTH
        unusable = health.unusable(now)
        if unusable is not None:
            _keep(ledger, key, health, after_clearing(health))
            cleared.append(Cleared(provider=one, was=str(unusable)))
    facts = {"template": f"{name}/{fold_language(language)}", "lifted": {one.provider: one.was for one in cleared}}
    note_deed(ledger, new_run(), "clear template", by=by, now=now, facts=facts)
    return tuple(cleared)


def mark(ledger: Ledger, attempt: sqlite3.Row, message: sqlite3.Row, code: int, *, at: datetime) -> None:
    """An attempt with a template was refused by a code that names it."""
    carried = carried_by(attempt, message)
    if carried is None or attempt["provider"] is None:
        return
    key = HealthKey.of(attempt["provider"], carried.name, carried.language)
    before = _known(ledger, key)
    health = after_refusal(before or UNKNOWN_HEALTH, code, at, is_filled_by_us=carried.is_filled_by_us)
    _keep(ledger, key, before, health)


def healths(ledger: Ledger, *, after: int) -> tuple[KnownHealth, ...]:
    return tuple(
        KnownHealth(
            key=HealthKey(row["provider"], row["name"], row["language"]),
            health=health_of(row["facts"]),
            revision=row["revision"],
        )
        for row in ledger.rows("template_healths", after=after)
    )


def carried_by(attempt: sqlite3.Row, message: sqlite3.Row) -> Carried | None:
    """None: free-form, or of a contact that was erased meanwhile."""
    content = content_or(attempt["content"] or message["content"], None)
    if not isinstance(content, TemplateMessage):
        return None
    own = template_of_text(message["fallback"])
    is_own = own is not None and _named(own) == _named(content)
    return Carried(*_named(content), is_filled_by_us=bool(message["is_free_form"]) and not is_own)


def refused_templates(ledger: Ledger, message: sqlite3.Row) -> frozenset[tuple[str, str]]:
    """The fallbacks of a message that the provider would not send, by name and language."""
    attempts = ledger.rows("refused_templates", message=message["place"]).fetchall()
    carried = (carried_by(attempt, message) for attempt in attempts)
    return frozenset((one.name, one.language) for one in carried if one is not None)


def was_refused_before(attempts: Sequence[sqlite3.Row], row: sqlite3.Row, message: sqlite3.Row) -> bool:
    """Whether the template of an attempt is that of another one of its message that the provider would not send."""
    refused = (one for one in attempts if one["status"] == AttemptStatus.TEMPLATE_REFUSED and one["id"] != row["id"])
    return carried_by(row, message) in [carried_by(one, message) for one in refused]


def _named(content: TemplateMessage) -> tuple[str, str]:
    return content.name, fold_language(content.language)


def _known(ledger: Ledger, key: HealthKey) -> Health | None:
    row = ledger.row("template_health", **key._asdict())
    return None if row is None else health_of(row["facts"])


def _keep(ledger: Ledger, key: HealthKey, before: Health | None, health: Health) -> None:
    if health == before:
        return
    ledger.write("set_template_health", **key._asdict(), facts=health_text(health))
    if before is None:
        ledger.write("trim_template_healths", most=MOST_TEMPLATES)
