from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser

from gateway.app import Gateway
from tests.page.browser import Watched, chromium, watched
from tests.page.stage import a_gateway

Open = Callable[..., Awaitable[Watched]]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with a_gateway(tmp_path) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, gateway: Gateway) -> AsyncIterator[Open]:
    """Opens the page; whatever a test does on it, it must have kept to the rules in the end."""
    opened: list[Watched] = []

    async def opening(query: str = "", **options: Any) -> Watched:
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        seen = await watched(context)
        opened.append(seen)
        await seen.page.goto(f"{gateway.base_url}/sandbox/{query}")
        return seen

    yield opening
    for seen in opened:
        assert await seen.is_clean()
        await seen.page.context.close()
