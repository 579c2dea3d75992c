"""What is known of templates besides their files: what providers told of them, and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.health import Health, HealthKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHealth:
    key: HealthKey
    health: Health
    revision: int
    """Which of the store's changes was its last."""


class TemplateHealths(Protocol):
    async def template_healths(self, *, after: int = 0) -> Sequence[KnownHealth]:
        """Those that have changed since a revision, in the order of the changes."""
