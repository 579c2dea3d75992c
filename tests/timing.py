"""How long the store's transactions take."""

from __future__ import annotations

import time

import pytest

from gateway.store import group


class Timed:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.took: list[float] = []
        commit_group = group.commit_group

        def timed(*arguments: object, **options: object) -> object:
            began = time.perf_counter()
            try:
                return commit_group(*arguments, **options)  # type: ignore[arg-type]
            finally:
                self.took.append(time.perf_counter() - began)

        monkeypatch.setattr(group, "commit_group", timed)

    def at(self, share: float) -> float:
        """So long at most took this share of them."""
        return sorted(self.took)[int(len(self.took) * share)]

    def __str__(self) -> str:
        longest = max(self.took) * 1000
        return f"{len(self.took)} transactions, 99 % within {self.at(0.99) * 1000:.1f} ms, longest {longest:.1f} ms"
