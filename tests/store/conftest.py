from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
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
async def opened_at() -> AsyncIterator[Opener]:
    """Opens a store at an address with a policy, and closes it after the test."""
    benches: list[Bench] = []

    async def open_bench(url: str, policy: StorePolicy | None = None) -> Bench:
        bench = await Bench.open(url, policy)
        benches.append(bench)
        return bench

    yield open_bench
    for bench in benches:
        await bench.store.aclose()


@pytest.fixture
def opened(opened_at: Opener, url: str) -> Opener:
    return partial(opened_at, url)


@pytest.fixture
def opened_file(opened_at: Opener, tmp_path: Path) -> Opener:
    """The same for what must be seen in the file, or outlive a restart."""
    return partial(opened_at, f"sqlite:///{tmp_path / 'gateway.db'}")


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened()


@pytest.fixture
async def file_bench(opened_file: Opener) -> Bench:
    """A store that can be closed and opened again."""
    return await opened_file()
