"""What providers list as registered with them: news of health, and the definitions, by provider, name and language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.domain.health import HealthKey
from gateway.domain.listing import ListedTemplate, what_matters
from gateway.ports import KnownListing
from gateway.store import template_health
from gateway.store.codec import micros, to_json
from gateway.store.ledger import Ledger

MOST = 8_000
"""Rows that are kept: an account holds at most six thousand templates."""
LARGEST = 64 * 1024
"""Characters of one definition: ten cards full of text are a quarter of it."""


def take_listed(ledger: Ledger, provider: str, listed: Sequence[ListedTemplate], *, at: datetime) -> None:
    """One page of a list that was asked for `at`."""
    for one in listed:
        template_health.listed(ledger, HealthKey.of(provider, one.name, one.language), one.news, at=at)
        _keep(ledger, HealthKey.of(provider, one.name, one.language), to_json(what_matters(one)), at)
    if listed:
        ledger.write("trim_listed_templates", most=MOST)


def end_list(ledger: Ledger, provider: str, *, at: datetime) -> int:
    """A list that was asked for `at` has been read to its end: what did not stand in it is not listed any more."""
    gone = ledger.rows("unlisted_templates", provider=provider, at=micros(at)).fetchall()
    for row in gone:
        _set(ledger, HealthKey(provider, row["name"], row["language"]), None, at)
    return len(gone)


def listed_templates(ledger: Ledger, *, after: int) -> tuple[KnownListing, ...]:
    return tuple(
        KnownListing(
            key=HealthKey(row["provider"], row["name"], row["language"]),
            document=_document(row["document"]),
            revision=row["revision"],
        )
        for row in ledger.rows("listed_templates", after=after)
    )


def _keep(ledger: Ledger, key: HealthKey, text: str, at: datetime) -> None:
    document = text if len(text) <= LARGEST else None
    before = ledger.row("listed_template", **key._asdict())
    if before is not None and before["document"] == document:
        ledger.write("see_listed_template", **key._asdict(), at=micros(at))
        return
    _set(ledger, key, document, at)


def _set(ledger: Ledger, key: HealthKey, document: str | None, at: datetime) -> None:
    ledger.write("set_listed_template", **key._asdict(), document=document, at=micros(at))


def _document(text: str | None) -> Any:
    """What was damaged on the disk is as if it were not listed."""
    try:
        found = None if text is None else json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
