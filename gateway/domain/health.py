"""The health of a template at one provider, in one language: what was told of it, and whether it may be sent now.

Each part of it is told with the provider's own time, and the newest that was told counts: news may come late, in any
order, and again. Of two things told of the same moment the more cautious one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.domain.instant import rfc3339
from gateway.domain.template import fold_language
from gateway.domain.template_refusal import Mark, marked

T = TypeVar("T")


class HealthKey(NamedTuple):
    """Whose health it is. `language` is folded: the platform calls the same one ``en-US`` and ``en_US``."""

    provider: str
    name: str
    language: str

    @classmethod
    def of(cls, provider: str, name: str, language: str) -> HealthKey:
        return cls(provider, name, fold_language(language))


class TemplateStatus(StrEnum):
    """What the platform says of a template, the more cautious later. Only an approved one may be sent. Source: Meta,
    template fundamentals, and the statuses of its API and its callbacks."""

    APPROVED = "APPROVED"
    PAUSED = "PAUSED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PENDING = "PENDING"
    IN_APPEAL = "IN_APPEAL"
    LOCKED = "LOCKED"
    ARCHIVED = "ARCHIVED"
    REJECTED = "REJECTED"
    PENDING_DELETION = "PENDING_DELETION"
    DELETED = "DELETED"
    DISABLED = "DISABLED"


class Quality(StrEnum):
    """The platform's quality score. It stops nothing; a bad one comes before a pause."""

    UNKNOWN = "UNKNOWN"
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


class Category(StrEnum):
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"
    MARKETING = "MARKETING"


FIRST_PAUSE = timedelta(hours=3)
SECOND_PAUSE = timedelta(hours=6)
"""The platform ends a pause by itself, the second after six hours; a third one disables. Nobody can be sure that news
of the end reaches us, so that we end it as well: at worst one message is refused, and marks the template again."""

REFUSED_RECENTLY = "refused_recently"
REASONS = (*(status.lower() for status in TemplateStatus if status is not TemplateStatus.APPROVED), REFUSED_RECENTLY)
"""The codes of all that may stand against a template."""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """Something that was said, and its time by the one who said it."""

    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    status: TemplateStatus
    until: datetime | None = None
    """When the platform ends it by itself; None: only by news."""

    def is_in_force(self, now: datetime) -> bool:
        return self.status is not TemplateStatus.APPROVED and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Coming:
    """A category that the platform is going to give the template."""

    category: Category
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNews:
    """What one callback says; None: nothing of that."""

    status: TemplateStatus | None = None
    lasts: timedelta | None = None
    """With a status that the platform ends by itself: how long it lasts."""
    is_flagged: bool | None = None
    """A warning: the quality is low, and a pause may follow."""
    quality: Quality | None = None
    category: Category | None = None
    coming: Coming | None = None
    is_category_settled: bool = False
    """What was to come has come, or won't."""
    has_new_components: bool = False
    """Its texts or buttons are others than before: our own file may be out of date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why a template is not sent now. `code` is one of REASONS."""

    code: str
    detail: str | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        """The stable code first: ``paused: until 2026-03-02T15:00:00.000Z``."""
        until = None if self.until is None else f"until {rfc3339(self.until)}"
        rest = " ".join(part for part in (self.detail, until) if part is not None)
        return f"{self.code}: {rest}" if rest else self.code


def until_told(problem: str) -> datetime | None:
    """Until when something stands against a template, as written by Unusable."""
    code, _, rest = problem.partition(":")
    _, is_told, until = rest.partition("until ")
    return datetime.fromisoformat(until) if code in REASONS and is_told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All that is known of one template at one provider."""

    standing: Told[Standing] | None = None
    is_flagged: Told[bool] | None = None
    quality: Told[Quality] | None = None
    category: Told[Category] | None = None
    coming: Told[Coming | None] | None = None
    components_changed_at: datetime | None = None
    mark: Mark | None = None
    """The last refusal that named it."""

    def unusable(self, now: datetime) -> Unusable | None:
        """Why it is not sent now; None: nothing stands against it."""
        if self.standing is not None and self.standing.value.is_in_force(now):
            standing = self.standing.value
            return Unusable(code=standing.status.lower(), until=standing.until)
        mark = self.standing_mark
        if mark is not None and mark.is_in_force(now):
            return Unusable(code=REFUSED_RECENTLY, detail=str(mark.code), until=mark.until)
        return None

    @property
    def standing_mark(self) -> Mark | None:
        """The mark, unless the platform has said since then how the template stands."""
        if self.mark is None or (self.standing is not None and self.standing.at > self.mark.at):
            return None
        return self.mark

    def category_over(self, own: str | None) -> str | None:
        """The category that a template counts as, whose file says `own`: marketing as soon as the platform takes it for
        that or is going to, since the contact may have stopped just that."""
        coming = None if self.coming is None or self.coming.value is None else self.coming.value.category
        current = None if self.category is None else self.category.value
        if Category.MARKETING in (current, coming):
            return Category.MARKETING.value
        return own if own is not None or current is None else current.value


UNKNOWN_HEALTH = Health()

MOST_TEMPLATES = 8_000
"""Of which anything is remembered: an account holds at most six thousand, and what is told of templates that are none
of ours is kept as well, since their files may come later. Beyond that the one that has not changed for longest goes."""


def after_news(health: Health, news: TemplateNews, at: datetime) -> Health:
    """The health after news that the provider dates `at`. Older news undoes no newer, and the same news changes
    nothing the second time."""
    coming = news.coming is not None or news.is_category_settled
    return replace(
        health,
        standing=_newest(health.standing, _standing(news, at), at, _caution_of_standing),
        is_flagged=_newest(health.is_flagged, news.is_flagged, at, int),
        quality=_newest(health.quality, news.quality, at, list(Quality).index),
        category=_newest(health.category, news.category, at, list(Category).index),
        coming=_newest_coming(health.coming, Told(news.coming, at)) if coming else health.coming,
        components_changed_at=_latest(health.components_changed_at, at if news.has_new_components else None),
    )


def after_listing(health: Health, news: TemplateNews, at: datetime) -> Health:
    """The health after a list that was asked for `at`. It does not say since when a template is paused: what is known
    of its end stands, until it is over."""
    told, before = after_news(health, news, at), health.standing
    if before is None or told.standing is None or not before.value.is_in_force(at):
        return told
    is_the_same = before.value.status is told.standing.value.status
    return replace(told, standing=Told(before.value, told.standing.at)) if is_the_same else told


def says_the_same(one: Health, other: Health) -> bool:
    """Whether nothing is different but when it was said."""
    return _said(one) == _said(other)


def _said(health: Health) -> tuple[Any, ...]:
    told = (health.standing, health.is_flagged, health.quality, health.category, health.coming)
    values = (None if one is None else one.value for one in told)
    return (*values, health.components_changed_at, health.standing_mark)


def after_refusal(health: Health, code: int, at: datetime, *, is_filled_by_us: bool) -> Health:
    """The health after a message with the template was refused by a code that names it."""
    return replace(health, mark=marked(health.standing_mark, code, at, is_filled_by_us=is_filled_by_us))


def after_clearing(health: Health) -> Health:
    """The health after an operator has lifted what stands against the template."""
    is_against = health.standing is not None and health.standing.value.status is not TemplateStatus.APPROVED
    return replace(health, mark=None, standing=None if is_against else health.standing)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _standing(news: TemplateNews, at: datetime) -> Standing | None:
    if news.status is None:
        return None
    return Standing(news.status, None if news.lasts is None else at + news.lasts)


def _caution_of_standing(standing: Standing) -> tuple[int, datetime]:
    return list(TemplateStatus).index(standing.status), standing.until or _NEVER


def _newest(before: Told[T] | None, value: T | None, at: datetime, caution: Callable[[T], Any]) -> Told[T] | None:
    if value is None:
        return before
    if before is None or (at, caution(value)) > (before.at, caution(before.value)):
        return Told(value, at)
    return before


def _newest_coming(before: Told[Coming | None] | None, told: Told[Coming | None]) -> Told[Coming | None]:
    return told if before is None or (told.at, _caution(told)) > (before.at, _caution(before)) else before


def _caution(told: Told[Coming | None]) -> tuple[int, datetime]:
    coming = told.value
    return (-1, _NEVER) if coming is None else (list(Category).index(coming.category), coming.at or _NEVER)


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)
