"""What the customers said, as their phones show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from gateway.provider.sandbox.clock import written

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
    is_read: bool = False
    """Whether the business said that it was read."""
    is_typing: bool = False
    """Whether the business said that somebody types an answer."""

    def to_json(self) -> Mapping[str, Any]:
        seen = {"read": self.is_read, "typing": self.is_typing, "callback": self.told}
        return {"to": self.sender, "text": self.text, "at": written(self.at), **seen}


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

    def find(self, sender: str, contact: str, said_id: int) -> Said | None:
        """What the customer said to the sender under this id."""
        said = self._said.get(contact, {}).get(said_id)
        return said if said is not None and said.sender == sender else None

    def mark(self, sender: str, contact: str, said_id: int, *, is_typing: bool) -> None:
        """The business has read this, and with it all that the customer said before; it may be typing an answer."""
        kept = self._said.get(contact, {})
        last = kept[said_id]
        for each in [each for each in kept.values() if each.sender == sender and each.at <= last.at]:
            kept[each.id] = replace(each, is_read=True)
        kept[said_id] = replace(kept[said_id], is_typing=is_typing)

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
