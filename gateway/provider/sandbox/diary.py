"""What the customers said, as their phones show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

CONTACTS = 1_000
PER_CONTACT = 200

Told = Literal["waiting", "answered", "pending", "dropped"]
"""What became of the callback: not tried yet, taken, tried again later, or nobody hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    id: int
    sender: str
    contact: str
    text: str
    at: datetime
    is_tap: bool = False
    told: Told = "waiting"


class Diary:
    """What is kept is bounded: the oldest is forgotten first."""

    def __init__(self) -> None:
        self._said: dict[str, dict[int, Said]] = {}
        self._names: dict[str, str] = {}

    def clear(self) -> None:
        self._said.clear()
        self._names.clear()

    def note(self, said: Said, name: str | None) -> None:
        """The customer said this, under this name if one was given."""
        kept = self._said.pop(said.contact, {})
        self._said[said.contact] = kept
        kept[said.id] = said
        if len(kept) > PER_CONTACT:
            del kept[next(iter(kept))]
        if name:
            self._names[said.contact] = name
        if len(self._said) > CONTACTS:
            self._forget(next(iter(self._said)))

    def tell(self, contact: str, said_id: int, told: Told) -> None:
        """What became of it."""
        kept = self._said.get(contact, {})
        if said_id in kept:
            kept[said_id] = replace(kept[said_id], told=told)

    def said(self, contact: str) -> Sequence[Said]:
        return tuple(self._said.get(contact, {}).values())

    def name(self, contact: str) -> str | None:
        return self._names.get(contact)

    def latest(self, count: int) -> list[str]:
        """The contacts who wrote last, the last one first."""
        return list(reversed(self._said))[:count]

    def _forget(self, contact: str) -> None:
        self._said.pop(contact, None)
        self._names.pop(contact, None)
