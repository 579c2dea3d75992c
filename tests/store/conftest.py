from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.ports import StorePolicy
from tests.store.bench import Bench

Opener = Callable[..., Awaitable[Bench]]


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the store is: everything that is not SQLite's own must be true of both."""
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opener]:
    """Opens a store with a policy, and closes it after the test."""
    benches: list[Bench] = []

    async def open_bench(policy: StorePolicy | None = None, *, at: str = url) -> Bench:
        bench = await Bench.open(at, policy)
        benches.append(bench)
        return bench

    yield open_bench
    for bench in benches:
        await bench.store.aclose()


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened()


@pytest.fixture
async def file_bench(opened: Opener, tmp_path: Path) -> Bench:
    """A store that can be closed and opened again."""
    return await opened(at=f"sqlite:///{tmp_path / 'gateway.db'}")
