"""A real browser, if this machine has one, that says what a page did behind the reader's back."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"))), None
)
WITHOUT = "there is no Chromium: on Debian, apt-get install chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_COLLECT = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
_EXPECTED = "Failed to load resource: the server responded with a status of 4"
"""What a browser writes down when a form is refused, which tests bring about."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watched:
    """A page, and what it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def is_clean(self) -> bool:
        """Whether nothing went wrong, nothing broke the policy, and nothing but this machine was asked."""
        self.complaints += await self.page.evaluate("window.violations || []")
        elsewhere = [url for url in self.asked if urlsplit(url).hostname not in ("127.0.0.1", None)]
        assert (self.complaints, elsewhere) == ([], [])
        return True


async def watched(context: BrowserContext) -> Watched:
    page = await context.new_page()
    seen = Watched(page)
    await page.add_init_script(_COLLECT)
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(f"a dialog: {dialog.message}"))
    page.on("console", lambda line: _note(seen, line))
    return seen


def _note(seen: Watched, line: Any) -> None:
    if line.type in ("error", "warning") and not line.text.startswith(_EXPECTED):
        seen.complaints.append(line.text)
