"""The page of the API, in a real browser: nothing from elsewhere, nothing that breaks its policy, no one left out."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.page.browser import CHROMIUM, WITHOUT
from tests.page.conftest import Open

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

DOCS = "../docs"


@pytest.mark.parametrize("width", [320, 400, 1280])
async def test_the_page_of_the_api_is_never_wider_than_its_reader_s_screen(open_page: Open, width: int) -> None:
    page = (await open_page(DOCS, viewport={"width": width, "height": 740})).page
    for each in await page.locator("#schema-content-contacts details").all():
        await each.evaluate("(one) => { one.open = true; }")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.prove)])
async def test_the_page_of_the_api_can_be_read_by_everybody(open_page: Open, scheme: str) -> None:
    page = (await open_page(DOCS, color_scheme=scheme)).page
    found = await Axe().run(page)
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found.response["violations"]] == []


async def test_each_link_of_the_page_of_the_api_leads_somewhere(open_page: Open) -> None:
    page = (await open_page(DOCS)).page
    await page.get_by_role("link", name="POST /v1/messages").click()
    await expect(page.locator("#postMessage")).to_be_in_viewport()
    lost = await page.evaluate(
        """[...document.querySelectorAll("a")].map((link) => link.getAttribute("href"))
           .filter((to) => to.startsWith("#") && !document.getElementById(to.slice(1)))"""
    )
    assert lost == []
