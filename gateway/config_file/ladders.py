"""The ladders of a configuration, for those who need nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.config import SenderConfig
from gateway.config_file.tree import Place, Tree, rows
from gateway.domain.identity import Sender

_KEYS = ("id", "ladder", "language", "alternates")
_INTENT_KEYS = ("name", "content", "sender", "templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What may stand in for a sender's free-form content: ``name``, in the sender's language, or ``name/language``."""

    sender: str
    rungs: tuple[str, ...]
    languages: tuple[str, ...]
    intent: str | None = None
    """When it is meant, if not always: what the intent says of a message."""


def bare_senders(tree: Tree) -> Tree:
    """The senders with what makes a ladder alone."""
    senders = [{key: row[key] for key in _KEYS if key in row} for _, row in rows(tree, "senders")]
    intents = [{key: row[key] for key in _INTENT_KEYS if key in row} for _, row in rows(tree, "intents")]
    return {**({"senders": senders} if senders else {}), **({"intents": intents} if intents else {})}


def is_of_ladder(place: Place) -> bool:
    """Whether a problem at this place is one of a ladder."""
    return len(place) > 2 and place[0] in ("senders", "intents") and place[2] in (*_KEYS, *_INTENT_KEYS)


def ladders_in(tree: Tree) -> tuple[Ladder, ...]:
    """One for each sender, and one for each intent that its messages may have; the values were found good."""
    senders = _senders(tree)
    own = [Ladder(sender=sender.id, rungs=sender.ladder, languages=sender.languages) for sender in senders]
    return (*own, *(ladder for _, row in rows(tree, "intents") for ladder in _of_intent(row, senders)))


def _of_intent(row: Tree, senders: Sequence[SenderConfig]) -> Iterator[Ladder]:
    told = ", ".join(str(row[key]) for key in ("name", "content", "sender") if key in row)
    for sender in senders:
        if row.get("sender") in (None, sender.id):
            yield Ladder(sender=sender.id, rungs=_rungs_of(row["templates"]), languages=sender.languages, intent=told)


def _rungs_of(templates: Any) -> tuple[str, ...]:
    if not isinstance(templates, dict):
        return tuple(templates)
    return tuple(f"{name}/{language}" for language, names in templates.items() for name in names)


def _senders(tree: Tree) -> list[SenderConfig]:
    return [
        SenderConfig(
            id=Sender(row["id"]),
            provider="",
            ladder=tuple(row.get("ladder", ())),
            alternates=tuple(row.get("alternates", ())),
            **({"language": row["language"]} if "language" in row else {}),
        )
        for _, row in rows(tree, "senders")
    ]
