"""The platform's callbacks about templates: what each field says of which template, and since when.

Source: Meta, webhook references of the four fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from gateway.domain.callback import TemplateUpdate, Unrecognized
from gateway.domain.health import (
    FIRST_PAUSE,
    SECOND_PAUSE,
    Category,
    Coming,
    Quality,
    TemplateNews,
    TemplateStatus,
)
from gateway.provider.callback_parts import unrecognized
from gateway.provider.instant import instant
from gateway.provider.lenient import fingerprint

Object = Mapping[str, Any]
Word = TypeVar("Word", bound=StrEnum)

_LONGEST_NAME = 512
_LONGEST_LANGUAGE = 32

_SENDABLE = TemplateNews(status=TemplateStatus.APPROVED, is_flagged=False)
_DISABLED = TemplateNews(status=TemplateStatus.DISABLED)
_EVENTS = {
    **{status.value: TemplateNews(status=status) for status in TemplateStatus},
    **dict.fromkeys(("APPROVED", "REINSTATED", "UNARCHIVED", "UNPAUSE", "UNPAUSED"), _SENDABLE),
    "FLAGGED": TemplateNews(is_flagged=True),
}
_PAUSES = {
    "FIRST_PAUSE": TemplateNews(status=TemplateStatus.PAUSED, lasts=FIRST_PAUSE),
    "SECOND_PAUSE": TemplateNews(status=TemplateStatus.PAUSED, lasts=SECOND_PAUSE),
    "UNPAUSE": _SENDABLE,
    "DISABLED": _DISABLED,
}
_OTHER_PAUSE = TemplateNews(status=TemplateStatus.PAUSED, lasts=SECOND_PAUSE)
"""Of a pause that doesn't say which one it is, or is one of rate, no length is documented: the longest one."""


class _Odd(Exception):
    """It can't be read, and the reason is kept with it."""


def is_about_templates(field: Any) -> bool:
    return isinstance(field, str) and field in _FIELDS


def template_event(change: Object, entry: Object, raw: Object) -> TemplateUpdate | Unrecognized:
    """What one change says; `entry` is what stands around it, which holds its time, and `raw` what is kept."""
    field, value = change["field"], change["value"]
    try:
        news = _FIELDS[field](value)
        name = _text(value, "message_template_name", _LONGEST_NAME)
        language = _text(value, "message_template_language", _LONGEST_LANGUAGE)
    except _Odd as odd:
        return unrecognized(raw, str(odd))
    return TemplateUpdate(
        dedupe=f"t:{fingerprint(field, entry.get('id'), entry.get('time'), value)}",
        raw=raw,
        name=name,
        language=language,
        news=news,
        at=instant(entry.get("time")),
    )


def _status(value: Object) -> TemplateNews:
    event = _folded(value.get("event"))
    news = _EVENTS.get(event)
    if news is None:
        raise _Odd("template_event")
    if event == TemplateStatus.PAUSED:
        news = _PAUSES.get(_title(value), _OTHER_PAUSE)
    category = _folded(value.get("message_template_category"))
    return replace(news, category=Category(category)) if category in set(Category) else news


def _title(value: Object) -> str:
    other = value.get("other_info")
    return _folded(other.get("title")) if isinstance(other, dict) else ""


def _quality(value: Object) -> TemplateNews:
    return TemplateNews(quality=_word(Quality, value.get("new_quality_score"), "template_quality"))


def _components(_value: Object) -> TemplateNews:
    return TemplateNews(has_new_components=True)


def _category(value: Object) -> TemplateNews:
    """In the form that announces a change ``new_category`` is what it is now, and ``correct_category`` what it becomes;
    in the other one ``new_category`` is what it has become."""
    category = _word(Category, value.get("new_category"), "template_category")
    if value.get("correct_category") is None:
        return TemplateNews(category=category, is_category_settled=True)
    correct = _word(Category, value["correct_category"], "template_category")
    return TemplateNews(category=category, coming=Coming(correct, instant(value.get("category_update_timestamp"))))


_FIELDS: Mapping[str, Callable[[Object], TemplateNews]] = {
    "message_template_status_update": _status,
    "message_template_quality_update": _quality,
    "message_template_components_update": _components,
    "template_category_update": _category,
}


def _word(words: type[Word], written: Any, why: str) -> Word:
    try:
        return words(_folded(written))
    except ValueError:
        raise _Odd(why) from None


def _folded(written: Any) -> str:
    return written.strip().upper() if isinstance(written, str) else ""


def _text(value: Object, key: str, longest: int) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= longest:
        raise _Odd("template_name")
    return text
