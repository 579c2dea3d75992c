"""The list of an account's templates as values: what is asked of the platform's API, and what its answer says.

Source: Meta, message templates and rate limits of the Graph API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.domain.health import SECOND_PAUSE, Category, Coming, Quality, TemplateNews, TemplateStatus
from gateway.domain.listing import ListedTemplate
from gateway.ports import ListFailed, ListTrouble, TemplatePage
from gateway.provider.lenient import Unreadable, integral, parse
from gateway.provider.usage import regained_in, used
from gateway.retry_after import retry_after

PAGE = 100
_MOST_ON_A_PAGE = 5 * PAGE
_HEALTH = ("status", "category", "correct_category", "quality_score")
_FIELDS = ("id", "name", "language", *_HEALTH, "parameter_format", "components", "message_send_ttl_seconds")
_PASSING = frozenset({"correct_category", "quality_score", "rejected_reason"})
"""What an answer says of the template's health alone, and nothing else of it."""

_LIMITS = frozenset({4, 80007, 80008})
"""Too many calls: by the application, for the account, for the account's management."""
_NEARLY_ALL = 90
"""Percent of what is allowed; at a hundred nobody else's calls with this token are answered either."""
_AN_HOUR = timedelta(hours=1)
_A_WHILE = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=24)
_LONGEST_CURSOR = 4096
_LONGEST_NAME = 512
_LONGEST_LANGUAGE = 32


def path_of(account: str) -> str:
    return f"/{account}/message_templates"


def query(after: str | None) -> Mapping[str, str]:
    """For one page: always built from the cursor, so that no answer can send us, and the token, elsewhere."""
    asked = {"fields": ",".join(_FIELDS), "limit": str(PAGE)}
    return asked if after is None else asked | {"after": after}


def page_in(status: int, headers: Mapping[str, str], body: bytes) -> TemplatePage:
    """What an answer says. Raises ListFailed."""
    values = _parsed(body)
    error = values.get("error") if isinstance(values, dict) else None
    if status != 200 or error is not None:
        raise _failure(status, headers, error)
    if not isinstance(values, dict) or not isinstance(values.get("data"), list):
        raise ListFailed(ListTrouble.FAILED, "answered with something that is no list of templates")
    if len(values["data"]) > _MOST_ON_A_PAGE:  # all of it would be written at once, and everybody else would wait
        raise ListFailed(ListTrouble.FAILED, f"gave more than {_MOST_ON_A_PAGE} templates on a page of {PAGE}")
    templates = [_template(entry) for entry in values["data"]]
    known = tuple(template for template in templates if template is not None)
    rest = _rest(headers) if used(headers) >= _NEARLY_ALL else None
    return TemplatePage(templates=known, odd=len(templates) - len(known), after=_cursor(values), rest=rest)


def _parsed(body: bytes) -> Any:
    try:
        return parse(body)
    except Unreadable:
        return None


def _cursor(values: Mapping[str, Any]) -> str | None:
    """Where the next page begins, if one is announced: the last page has a cursor of its own too."""
    match values.get("paging"):
        case {"next": str(address), "cursors": {"after": str(after)}} if address and after:
            if len(after) > _LONGEST_CURSOR:
                raise ListFailed(ListTrouble.FAILED, f"gave a cursor of more than {_LONGEST_CURSOR} characters")
            return after
    return None


# --- one template ---------------------------------------------------------------------------------------------------


def _template(entry: Any) -> ListedTemplate | None:
    """None: it has no name or language to tell it by."""
    if not isinstance(entry, dict):
        return None
    name, language = _word(entry.get("name"), _LONGEST_NAME), _word(entry.get("language"), _LONGEST_LANGUAGE)
    if name is None or language is None:
        return None
    document = _without_nulls({key: value for key, value in entry.items() if key not in _PASSING})
    return ListedTemplate(name=name, language=language, news=_news(entry), document=document)


def _without_nulls(value: Any) -> Any:
    """A key without a value is as if it were not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _word(value: Any, longest: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def _news(entry: Mapping[str, Any]) -> TemplateNews:
    """Its health. The list doesn't say when a pause began: as long as the list is read, it says when it is over; and
    if no more than that is known, the longest pause counts from now."""
    status, category = _folded(entry.get("status")), _folded(entry.get("category"))
    correct, quality = _folded(entry.get("correct_category")), entry.get("quality_score")
    score = _folded(quality.get("score") if isinstance(quality, dict) else quality)
    return TemplateNews(
        status=TemplateStatus(status) if status in set(TemplateStatus) else None,
        lasts=SECOND_PAUSE if status == TemplateStatus.PAUSED else None,
        quality=Quality(score) if score in set(Quality) else None,
        category=Category(category) if category in set(Category) else None,
        coming=Coming(Category(correct), None) if correct in set(Category) - {category} else None,
    )


def _folded(value: Any) -> str:
    return value.strip().upper() if isinstance(value, str) else ""


# --- what went wrong ------------------------------------------------------------------------------------------------


def _failure(status: int, headers: Mapping[str, str], error: Any) -> ListFailed:
    """Its code decides before the HTTP status does."""
    code = integral(error.get("code")) if isinstance(error, dict) else None
    told = f"HTTP {status}" if code is None else f"HTTP {status} with code {code}"
    if code in _LIMITS or status == 429:
        wait = _rest(headers, otherwise=_AN_HOUR if code in _LIMITS else _A_WHILE)
        return ListFailed(ListTrouble.LIMITED, f"answered {told}: too many requests", wait=wait)
    if 400 <= status < 500 and code not in (1, 2):
        remedy = "look at templates.account, and whether the token is valid and may read templates"
        return ListFailed(ListTrouble.REFUSED, f"answered {told}: {remedy}")
    return ListFailed(ListTrouble.FAILED, f"answered {told}")


def _rest(headers: Mapping[str, str], *, otherwise: timedelta = _A_WHILE) -> timedelta:
    """How long to leave the account alone: what it says itself, in minutes, or the usual header."""
    regained = regained_in(headers, longest=_LONGEST_WAIT)
    return regained or retry_after(headers, datetime.now(UTC)) or otherwise
