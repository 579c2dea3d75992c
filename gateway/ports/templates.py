"""What is known of templates besides their files: what providers told of them, and refused, and what they list."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.domain.errors import GatewayError
from gateway.domain.health import Health, HealthKey
from gateway.domain.listing import ListedTemplate
from gateway.domain.message import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHealth:
    key: HealthKey
    health: Health
    revision: int
    """Which of the store's changes was its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What an operator has lifted."""

    provider: str
    was: str


class TemplateHealths(Protocol):
    async def template_healths(self, *, after: int = 0) -> Sequence[KnownHealth]:
        """Those that have changed since a revision, in the order of the changes."""

    async def clear_template(
        self, name: str, language: str, *, provider: str | None, by: str, now: datetime
    ) -> Sequence[Cleared]:
        """Lift what stands against a template, at one provider or at all; leaves a row, also when nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListing:
    key: HealthKey
    document: JsonObject | None
    """What messages depend on (domain.listing); None: the provider no longer lists it."""
    revision: int
    """Which of the store's changes was its last."""


class TemplateListings(Protocol):
    async def take_listed(self, provider: str, listed: Sequence[ListedTemplate], *, at: datetime) -> None:
        """One page of a provider's list, which was asked for `at`: news of health, and definitions."""

    async def end_list(self, provider: str, *, at: datetime) -> int:
        """A list that was asked for `at` has been read to its end; how many templates are no longer listed."""

    async def listed_templates(self, *, after: int = 0) -> Sequence[KnownListing]:
        """Those that have changed since a revision, in the order of the changes."""


class ListTrouble(StrEnum):
    """Whether, and when, reading the list again makes sense."""

    LIMITED = "limited"
    """Too often; not before it says so."""
    REFUSED = "refused"
    """The token or the account is not taken: somebody must change that."""
    FAILED = "failed"
    """No answer, or none that can be read."""


class ListFailed(GatewayError):
    """A list of templates can't be read, or not to its end. Never in the words of the other side: they may quote the
    token."""

    def __init__(self, trouble: ListTrouble, why: str, *, wait: timedelta | None = None) -> None:
        self.trouble = trouble
        self.why = why
        self.wait = wait
        """How long not to ask again."""
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePage:
    templates: tuple[ListedTemplate, ...]
    odd: int = 0
    """How many of its entries are no templates that can be told apart."""
    after: str | None = None
    """Where the next page begins; None: this is the last one."""
    rest: timedelta | None = None
    """How long not to ask again, as the account has nearly used up what it is allowed."""


class TemplateList(Protocol):
    """The list of one account."""

    provider: str

    def pages(self) -> AsyncGenerator[TemplatePage]:
        """All of them, each asked for when it is wanted. Raises ListFailed."""

    async def aclose(self) -> None: ...
