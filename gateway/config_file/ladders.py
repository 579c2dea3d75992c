"""The ladders of a configuration, for those who need nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import SenderConfig
from gateway.config_file.tree import Place, Tree, rows
from gateway.domain.identity import Sender

_KEYS = ("id", "ladder", "language", "alternates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What may stand in for a sender's free-form content: ``name``, in the sender's language, or ``name/language``."""

    sender: str
    rungs: tuple[str, ...]
    languages: tuple[str, ...]


def bare_senders(tree: Tree) -> Tree:
    """The senders with what makes a ladder alone."""
    senders = [{key: row[key] for key in _KEYS if key in row} for _, row in rows(tree, "senders")]
    return {"senders": senders} if senders else {}


def is_of_ladder(place: Place) -> bool:
    """Whether a problem at this place is one of a ladder."""
    return len(place) > 2 and place[0] == "senders" and place[2] in _KEYS


def ladders_in(tree: Tree) -> tuple[Ladder, ...]:
    """One for each sender; the values were found good."""
    senders = [
        SenderConfig(
            id=Sender(row["id"]),
            provider="",
            ladder=tuple(row.get("ladder", ())),
            alternates=tuple(row.get("alternates", ())),
            **({"language": row["language"]} if "language" in row else {}),
        )
        for _, row in rows(tree, "senders")
    ]
    return tuple(Ladder(sender=sender.id, rungs=sender.ladder, languages=sender.languages) for sender in senders)
