"""How templates stand at the providers, as the store of the gateway knows it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.domain.drift import Drift, drift_between
from gateway.domain.errors import CannotStart, StoreUnavailable
from gateway.domain.health import UNKNOWN_HEALTH, Health, HealthKey
from gateway.domain.message import JsonObject
from gateway.domain.template import TemplateDefinition
from gateway.ports import KnownHealth, KnownListing

if TYPE_CHECKING:
    from gateway.config_file import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """All that is known. `lists` says of each provider of the configuration whether its list is read."""

    now: datetime
    lists: Mapping[str, bool]
    healths: Mapping[HealthKey, Health] = field(default_factory=dict)
    listed: Mapping[HealthKey, JsonObject] = field(default_factory=dict)

    def of(self, definition: TemplateDefinition) -> Mapping[str, str]:
        """By provider, in words; those of which nothing is known are left out."""
        words = {provider: self._word(provider, definition) for provider in self.lists}
        return {provider: word for provider, word in words.items() if word is not None}

    def _word(self, provider: str, definition: TemplateDefinition) -> str | None:
        """What matters most."""
        key = HealthKey.of(provider, definition.name, definition.language)
        health = self.healths.get(key)
        unusable = (health or UNKNOWN_HEALTH).unusable(self.now)
        if unusable is not None:
            return str(unusable)
        if self._drift(key, definition) is not None:
            return "drifted"
        if self.lists[provider] and key not in self.listed and self._has_been_read(provider):
            return "not listed"
        return None if health is None else "usable"

    def _has_been_read(self, provider: str) -> bool:
        return any(key.provider == provider for key in self.listed)

    def _drift(self, key: HealthKey, ours: TemplateDefinition) -> Drift | None:
        from gateway.registry.comparing import Unreadable, theirs_of

        document = self.listed.get(key) if self.lists[key.provider] else None
        try:
            return None if document is None else drift_between(theirs_of(document), ours)
        except Unreadable:
            return None


def told(standings: Mapping[str, str]) -> str:
    """For a table: without the provider's name where there is only one."""
    if len(standings) == 1:
        return next(iter(standings.values()))
    return ", ".join(f"{provider}: {word}" for provider, word in standings.items())


async def standings_at(path: Path) -> tuple[Standings | None, str | None]:
    """What the store of this configuration's gateway knows; or None, and why nothing can be said, where that is no
    matter of course. It changes nothing there."""
    from gateway.config_file import load_lists_read, load_places

    places = load_places(path, os.environ)
    if places.store_file is None or not places.store_file.is_file():
        return None, None
    try:
        healths, listings, now = await _known(places, places.store_file)
    except (CannotStart, StoreUnavailable) as error:
        return None, str(error)
    standings = Standings(
        now=now,
        lists=load_lists_read(path, os.environ),
        healths={one.key: one.health for one in healths},
        listed={one.key: one.document for one in listings if one.document is not None},
    )
    return standings, None


async def _known(places: Places, file: Path) -> tuple[Sequence[KnownHealth], Sequence[KnownListing], datetime]:
    from gateway.cli.looking import time_at
    from gateway.store import open_for_reading

    reader = await open_for_reading(file)
    try:
        return await reader.template_healths(), await reader.listed_templates(), await time_at(places)
    finally:
        await reader.aclose()
