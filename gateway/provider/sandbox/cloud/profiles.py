"""What the businesses say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 1_000


class Profiles:
    """The oldest is forgotten first."""

    def __init__(self) -> None:
        self._profiles: dict[str, Mapping[str, Any]] = {}

    def get(self, sender: str) -> Mapping[str, Any]:
        return self._profiles.get(sender, {})

    def change(self, sender: str, changed: Mapping[str, Any]) -> None:
        self._profiles[sender] = {**self._profiles.pop(sender, {}), **changed}
        if len(self._profiles) > MOST:
            del self._profiles[next(iter(self._profiles))]

    def clear(self) -> None:
        self._profiles.clear()
