"""Where a message goes that leaves as it is accepted: a slot is kept for it before the store is asked."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gateway.domain.identity import Sender
from gateway.ports import Attempt, Claim


class Place(Protocol):
    """What is kept for one message, if anything is."""

    @property
    def is_kept(self) -> bool:
        """Whether its first attempt may begin at once; else it must stand in line."""

    def give(self, begun: tuple[Claim, Attempt] | None) -> None:
        """What the store began, to be sent now."""


class Starting(Protocol):
    def place(self, sender: Sender) -> AbstractContextManager[Place]:
        """Keep a slot, if nothing due waits for one; it is free again at the end, unless something was given to it."""

    def notify(self, sender: Sender) -> None:
        """There may be something to send for this sender."""
