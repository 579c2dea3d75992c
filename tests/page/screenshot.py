"""``make screenshot``: plays the demo's story in Chromium, and takes its pictures for the documentation."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from gateway.log import configure_logging
from tests.page.browser import CHROMIUM, WITHOUT, chromium
from tests.page.stage import a_gateway

DOCS = Path(__file__).resolve().parents[2] / "docs"
DESKTOP = {"width": 1280, "height": 1080}
PHONE = {"width": 390, "height": 844}


async def main() -> None:
    configure_logging("error")
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with a_gateway(Path(folder)) as gateway, chromium() as browser:
            await take(browser, f"{gateway.base_url}/sandbox/", DESKTOP, "demo.png")
            await take(browser, f"{gateway.base_url}/sandbox/?contact=447700900178", PHONE, "demo-phone.png")


async def take(browser: Browser, url: str, viewport: dict[str, int], name: str) -> None:
    context = await browser.new_context(viewport=viewport, reduced_motion="reduce", color_scheme="light")
    page = await context.new_page()
    await page.goto(url)
    await play(page)
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    await page.screenshot(path=DOCS / name, full_page=True)
    await context.close()
    print(f"docs/{name}: {(DOCS / name).stat().st_size // 1000} kB")


async def play(page: Page) -> None:
    """Write, answer, 25 hours, answer again: the template stands on the phone, and its button waits to be tapped."""
    send, sent = page.get_by_role("button", name="Send", exact=True), page.locator("#desk-log .entry.sent")
    await page.get_by_role("button", name="Write as").click()
    await expect(page.locator("#window")).to_contain_text("is open")
    await page.get_by_label("Reference").fill("4711")
    await send.click()
    await expect(sent.last.locator("[aria-current]")).to_contain_text("delivered")
    await page.get_by_role("button", name="Read, and stay silent").click()
    await expect(sent.last.locator("[aria-current]")).to_contain_text("read")
    await page.get_by_role("button", name="+25 h").click()
    await expect(page.locator("#window")).to_contain_text("is closed")
    await page.get_by_label("Your message").fill("It will be with you tomorrow.")
    await send.click()
    await expect(sent).to_have_count(2)
    await expect(sent.last.locator("[aria-current]")).to_contain_text("delivered")
    await expect(page.locator("#steps li.done")).to_have_count(4)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit(WITHOUT)
    asyncio.run(main())
