"""The health of a template as rows hold it: JSON with words, and times as integers of microseconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.domain.health import UNKNOWN_HEALTH, Category, Coming, Health, Quality, Standing, TemplateStatus, Told
from gateway.domain.template_refusal import Mark
from gateway.store.codec import instant, instant_or_none, micros, micros_or_none, to_json

T = TypeVar("T")


def health_text(health: Health) -> str:
    facts = {
        "standing": _told(health.standing, lambda standing: [standing.status, micros_or_none(standing.until)]),
        "is_flagged": _told(health.is_flagged, lambda flag: flag),
        "quality": _told(health.quality, lambda quality: quality),
        "category": _told(health.category, lambda category: category),
        "coming": _told(health.coming, _coming),
        "components_changed_at": micros_or_none(health.components_changed_at),
        "mark": _mark(health.mark),
    }
    return to_json({name: fact for name, fact in facts.items() if fact is not None})


def health_of(text: str) -> Health:
    """What was damaged on the disk is as if nothing were known."""
    try:
        return _health_of(json.loads(text))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return UNKNOWN_HEALTH


def _health_of(facts: Any) -> Health:
    return Health(
        standing=_told_of(facts.get("standing"), lambda row: Standing(TemplateStatus(row[0]), instant_or_none(row[1]))),
        is_flagged=_told_of(facts.get("is_flagged"), bool),
        quality=_told_of(facts.get("quality"), Quality),
        category=_told_of(facts.get("category"), Category),
        coming=_told_of(facts.get("coming"), _coming_of),
        components_changed_at=instant_or_none(facts.get("components_changed_at")),
        mark=_mark_of(facts.get("mark")),
    )


def _told(told: Told[T] | None, write: Callable[[T], Any]) -> Any:
    return None if told is None else {"value": write(told.value), "at": micros(told.at)}


def _told_of(facts: Any, read: Callable[[Any], T]) -> Told[T] | None:
    return None if facts is None else Told(read(facts["value"]), instant(facts["at"]))


def _coming(coming: Coming | None) -> Any:
    return None if coming is None else [coming.category, micros_or_none(coming.at)]


def _coming_of(row: Any) -> Coming | None:
    return None if row is None else Coming(Category(row[0]), instant_or_none(row[1]))


def _mark(mark: Mark | None) -> Any:
    if mark is None:
        return None
    return {"code": mark.code, "at": micros(mark.at), "until": micros_or_none(mark.until), "strikes": mark.strikes}


def _mark_of(facts: Any) -> Mark | None:
    if facts is None:
        return None
    until = instant_or_none(facts["until"])
    return Mark(code=facts["code"], at=instant(facts["at"]), until=until, strikes=facts["strikes"])
