"""What a contact may not be sent, by an operator's word or by its own wish as the provider reports it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MARKETING = "MARKETING"
"""The category of templates that an opt-out is about."""

OPTED_OUT = 131050
"""The recipient stopped marketing messages from this business. Source: Meta, error codes."""


class Scope(StrEnum):
    """How far it goes, each further than the one before. A contact that stopped marketing is still written to about
    its own orders. Source: Meta, user_preferences (a marketing stop blocks marketing only)."""

    MARKETING = "marketing"
    """Template messages of category MARKETING."""
    TEMPLATES = "templates"
    """Every template message; free-form still goes into an open window."""
    EVERYTHING = "everything"


_REACH = {scope: reach for reach, scope in enumerate(Scope)}


class Source(StrEnum):
    """Whose word it is."""

    OPERATOR = "operator"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """What holds for one sender and one contact."""

    scope: Scope
    source: Source
    since: datetime

    @property
    def stops_everything(self) -> bool:
        return self.scope is Scope.EVERYTHING

    @property
    def stops_templates(self) -> bool:
        """Every template message, whatever its category."""
        return self.scope is not Scope.MARKETING

    def stops(self, category: str | None) -> bool:
        """Whether a template message of this category is stopped."""
        return self.stops_templates or category == MARKETING


def widest(suppressions: Iterable[Suppression]) -> Suppression | None:
    """The one that counts where several hold: that of the widest scope, an operator's before a provider's."""
    return max(
        suppressions,
        key=lambda one: (_REACH[one.scope], one.source is Source.OPERATOR, -one.since.timestamp()),
        default=None,
    )
