"""The page as a person meets it, in a real browser before a real gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from gateway.app import Gateway
from tests.page.browser import CHROMIUM, WITHOUT, watched
from tests.page.conftest import Open
from tests.page.stage import a_gateway, free_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

QUESTION, ANSWER = "Where is my parcel?", "It is on its way."
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "</textarea></p></article><h1>Big</h1>",
    "\u202eright to left, never ended \u2066",
    "שלום, איפה החבילה שלי?",
    "a" * 4096,
    "x &amp; <b>y</b> &#x3C;",
]


def bubbles(page: Page, whose: str = "") -> Locator:
    return page.locator(f"#phone-log .bubble{whose}")


def entries(page: Page, kind: str = "") -> Locator:
    return page.locator(f"#desk-log .entry{kind}")


async def write(page: Page, text: str = QUESTION) -> None:
    before = await bubbles(page, ".mine").count()
    await page.get_by_label("What Olena writes").fill(text)
    await page.get_by_role("button", name="Write as Olena").click()
    await expect(bubbles(page, ".mine")).to_have_count(before + 1)


async def answer(page: Page, text: str = ANSWER) -> None:
    await page.get_by_label("Your message to Olena").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()


async def step(page: Page, state: str) -> list[str]:
    return await page.locator(f"#steps li.{state} a").all_inner_texts()


# --- the story ------------------------------------------------------------------------------------------------------


async def test_write_reply_travel_reply_again_tap_and_the_window_is_open_again(open_page: Open) -> None:
    page = (await open_page()).page
    window = page.locator("#window")
    await expect(window).to_contain_text("The window is closed")
    await expect(page.locator("#steps [aria-current=step]")).to_contain_text("Let the customer write")

    await write(page)
    await expect(window).to_contain_text("The window is open")
    await expect(entries(page, ".heard")).to_contain_text(QUESTION)

    await answer(page)
    await expect(bubbles(page, ".theirs").last).to_contain_text(ANSWER)
    await expect(entries(page, ".sent").last).to_contain_text("Sent as you wrote it")
    await expect(entries(page, ".sent").last.locator("code")).to_have_text(["window_open"])
    await expect(entries(page, ".sent").last.locator(".life [aria-current]")).to_contain_text("delivered")

    await page.get_by_role("button", name="+25 h").click()
    await expect(window).to_contain_text("The window is closed")
    await answer(page)
    template = bubbles(page, ".template")
    await expect(template).to_contain_text("We have an answer to your request of today.")
    await expect(page.locator("#phone-log .gap")).to_contain_text("25 h")
    said = entries(page, ".sent").last
    await expect(said).to_contain_text("The window closed 1 h ago, so template ticket_answer (en_US) was sent instead.")
    await expect(said.locator("code")).to_have_text(["window_closed", "fallback"])

    await template.get_by_role("button", name="Read it").click()
    await expect(bubbles(page, ".mine").last).to_contain_text("Read it")
    await expect(window).to_contain_text("The window is open")
    await expect(said.locator(".life [aria-current]")).to_contain_text("read")
    await expect(page.locator("#steps li.done")).to_have_count(5)


async def test_the_countdown_runs(open_page: Open) -> None:
    page = (await open_page()).page
    await write(page)
    countdown = page.locator("#countdown")
    await expect(countdown).to_contain_text("23:59:")
    before = await countdown.inner_text()
    await expect(countdown).not_to_have_text(before)
    assert "23:59:00" < await countdown.inner_text() < before
    await page.get_by_role("button", name="+1 h").click()
    await expect(countdown).to_contain_text("22:59:")


async def test_a_message_is_seen_on_its_way(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_text("Let something go wrong").click()
    await page.locator("li", has_text="Slow answers").get_by_role("button", name="Switch on").click()
    await expect(page.locator("#bench-live")).to_contain_text("Slow answers 3 s, once")
    await write(page)
    await answer(page)
    now = entries(page, ".sent").last.locator(".life [aria-current]")
    await expect(now).to_contain_text("sending")
    await expect(now).to_contain_text("delivered", timeout=10_000)
    await expect(page.locator("#bench-live")).not_to_contain_text("Slow answers")


async def test_what_goes_wrong_is_listed_until_it_is_switched_off(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_text("Let something go wrong").click()
    await page.get_by_label("until switched off").check()
    await page.get_by_label("Error, status").fill("503")
    await page.locator("button[value=error]").click()
    await page.locator("button[value=balance_empty]").click()
    active = page.locator("#bench-live li")
    await expect(active).to_have_count(2)
    await expect(active.first).to_contain_text("Error 503")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Switch off: Error").click()
    await expect(active).to_have_count(1)
    await page.get_by_role("button", name="Clear all").click()
    await expect(active).to_have_count(0)


async def test_a_value_that_makes_no_sense_is_refused_where_it_was_typed(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_text("Let something go wrong").click()
    await page.get_by_label("Slow answers, wait").fill("soon")
    await page.locator("button[value=latency]").click()
    await expect(page.locator("#bench-notice")).to_contain_text("latency: expected a duration such as 90s, 2m or 25h")
    await expect(page.locator("#bench-live li")).to_have_count(0)


async def test_a_phone_that_is_off_gets_what_waited_when_it_is_on(open_page: Open) -> None:
    page = (await open_page()).page
    await write(page)
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator("#phone-live")).to_contain_text("this phone is switched off")
    await answer(page)
    now = entries(page, ".sent").last.locator(".life [aria-current]")
    await expect(now).to_contain_text("sent")
    await expect(page.locator("#phone-log")).to_contain_text("1 message waits until the phone is on")
    await expect(bubbles(page, ".theirs")).to_have_count(0)
    await page.get_by_role("button", name="Switch on").click()
    await expect(bubbles(page, ".theirs")).to_contain_text(ANSWER)
    await expect(now).to_contain_text("delivered")


async def test_a_customer_who_reads_and_stays_silent_opens_nothing(open_page: Open) -> None:
    page = (await open_page()).page
    await write(page)
    await answer(page)
    await expect(bubbles(page, ".theirs")).to_have_count(1)
    await page.get_by_role("button", name="+25 h").click()
    await page.get_by_role("button", name="Read, and stay silent").click()
    await expect(entries(page, ".sent").last.locator(".life [aria-current]")).to_contain_text("read")
    await expect(page.locator("#window")).to_contain_text("The window is closed")


# --- the desk -------------------------------------------------------------------------------------------------------


async def test_a_template_is_sent_with_its_arguments(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_label("Template", exact=True).check()
    await page.get_by_role("combobox", name="Template").select_option("order_update/en_US")
    await page.get_by_label("Body, {{customer}}").fill("Maria")
    await page.get_by_label("Body, {{order}}").fill("A-1042")
    await page.get_by_label("End of the address").fill("A-1042")
    await page.get_by_role("button", name="Send", exact=True).click()
    bubble = bubbles(page, ".template")
    await expect(bubble).to_contain_text("Hello Maria, there is news about your order A-1042.")
    link = bubble.get_by_role("link", name="Show my order")
    await expect(link).to_have_attribute("href", "https://www.example.com/orders/A-1042")
    await expect(entries(page, ".sent").last).to_contain_text("a template may be sent at any time")
    await expect(entries(page, ".sent").last.locator("code").last).to_have_text("template_requested")


async def test_a_refusal_is_shown_as_the_gateway_worded_it(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_label("Template", exact=True).check()
    await page.get_by_role("combobox", name="Template").select_option("ticket_answer/en_US")
    await page.get_by_label("Body, {{1}}").fill("")
    await page.get_by_role("button", name="Send", exact=True).click()
    refused = entries(page, ".refused")
    await expect(refused).to_contain_text("$.template.components[0].parameters[0].text")
    await expect(refused.locator("code")).to_have_text("Invalid Parameter: template_params (HTTP 400, code 1)")
    await expect(bubbles(page)).to_have_count(0)


async def test_the_24_hour_refusal_comes_when_the_limit_is_reached(open_page: Open) -> None:
    page = (await open_page()).page
    for count in (1, 2):
        await answer(page)
        await expect(bubbles(page, ".template")).to_have_count(count)
    await expect(entries(page, ".sent").last).to_contain_text("Olena has not written to Demo Shop yet, so template")
    await answer(page)
    await expect(entries(page, ".refused")).to_contain_text("you can only send a template message")
    await expect(bubbles(page, ".template")).to_have_count(2)


async def test_a_picture_is_named_and_not_loaded(open_page: Open) -> None:
    seen = await open_page()
    page = seen.page
    await write(page)
    await page.get_by_role("radio", name="Picture").check()
    await page.get_by_label("Link to the picture").fill("https://pictures.example/parcel.jpg")
    await page.get_by_label("Caption").fill("Your parcel")
    await page.get_by_role("button", name="Send", exact=True).click()
    link = bubbles(page, ".theirs").get_by_role("link")
    await expect(link).to_have_attribute("href", "https://pictures.example/parcel.jpg")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(page.locator("main img")).to_have_count(0)


async def test_a_reference_stands_in_the_template(open_page: Open) -> None:
    page = (await open_page()).page
    await page.get_by_label("Reference").fill("№ 4711")
    await answer(page)
    await expect(bubbles(page, ".template")).to_contain_text("your request № 4711.")


# --- who ------------------------------------------------------------------------------------------------------------


async def test_a_new_customer_has_a_name_a_number_and_an_empty_phone(open_page: Open) -> None:
    page = (await open_page()).page
    await write(page)
    await page.get_by_text("New customer").click()
    await page.get_by_label("Name").fill("Nadia")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("heading", name="The phone of Nadia")).to_be_visible()
    await expect(bubbles(page)).to_have_count(0)
    await page.get_by_role("combobox", name="Customer").select_option(label="Olena · +380501234567")
    await expect(page.get_by_role("heading", name="The phone of Olena")).to_be_visible()
    await expect(bubbles(page)).to_have_count(1)


# --- what customers write is text -----------------------------------------------------------------------------------


async def test_whatever_a_customer_writes_is_only_text(open_page: Open) -> None:
    page = (await open_page()).page
    for text in HOSTILE:
        await write(page, text)
    await expect(entries(page, ".heard")).to_have_count(len(HOSTILE))
    assert await bubbles(page, ".mine").locator(".text").all_text_contents() == HOSTILE
    assert await entries(page, ".heard").locator(".text").all_text_contents() == HOSTILE
    assert await page.locator("main :is(img, script, h1, b)").count() == 0
    assert await page.evaluate("getComputedStyle(document.querySelector('.bubble .text')).unicodeBidi") == "isolate"
    assert await bubbles(page, ".mine").nth(5).locator(".text").evaluate("e => e.matches(':dir(rtl)')")


async def test_a_customer_s_name_is_only_text(open_page: Open) -> None:
    name = "<img src=x onerror=alert(1)>\u202e{{7*7}}"
    page = (await open_page()).page
    await page.get_by_text("New customer").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Add").click()
    heading = page.get_by_role("heading", name="The phone of")
    await expect(heading).to_have_text("The phone of <img src=x onerror=alert(1)>{{7*7}}")
    assert await page.locator("img").count() == 0


async def test_what_is_being_typed_is_kept_while_the_page_changes(open_page: Open, gateway: Gateway) -> None:
    page, other = (await open_page()).page, (await open_page()).page
    field = page.get_by_label("Your message to Olena")
    await field.fill("half a sen")
    await page.locator("#faults summary").click()
    await write(other)
    await expect(bubbles(page, ".mine")).to_contain_text(QUESTION)
    await expect(page.locator("#window")).to_contain_text("The window is open")
    await expect(field).to_have_value("half a sen")
    await expect(page.locator("#faults")).to_have_attribute("open", "")


# --- in every way of using it ---------------------------------------------------------------------------------------


async def reach(page: Page, target: Locator) -> None:
    """Go there with the Tab key alone."""
    for _ in range(80):
        if await target.evaluate("element => element === document.activeElement"):
            shown = await target.evaluate("element => getComputedStyle(element).outlineStyle")
            assert shown != "none", "where the keyboard is can't be seen"
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no way there by keyboard: {target}")


async def test_the_story_can_be_played_by_keyboard_alone(open_page: Open) -> None:
    page = (await open_page()).page
    await reach(page, page.get_by_label("What Olena writes"))
    await page.keyboard.press("Enter")
    await expect(page.locator("#window")).to_contain_text("The window is open")
    await reach(page, page.get_by_label("Your message to Olena"))
    await page.keyboard.press("Enter")
    await expect(bubbles(page, ".theirs")).to_have_count(1)
    await reach(page, page.get_by_role("button", name="+25 h"))
    await page.keyboard.press("Enter")
    await expect(page.locator("#window")).to_contain_text("The window is closed")
    await reach(page, page.locator("#agent-send"))
    await page.keyboard.press("Enter")
    tap = page.get_by_role("button", name="Read it")
    await expect(tap).to_have_count(1)
    await reach(page, tap)
    await page.keyboard.press("Enter")
    await expect(page.locator("#window")).to_contain_text("The window is open")
    assert await tap.evaluate("element => element === document.activeElement"), "the keyboard lost its place"


@pytest.mark.parametrize("width", [320, 375, 768])
async def test_nothing_runs_out_of_a_narrow_screen(open_page: Open, width: int) -> None:
    page = (await open_page(viewport={"width": width, "height": 740})).page
    await write(page, "w" * 500)
    await answer(page, "https://example.com/" + "x" * 300)
    await expect(bubbles(page, ".theirs")).to_have_count(1)
    await expect(entries(page, ".sent")).to_have_count(1)
    for summary in ("New customer", "Let something go wrong"):
        await page.get_by_text(summary).click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.keyboard.press("Escape")
    await page.get_by_label("Template", exact=True).check()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for place in ("Phone", "Desk", "Time"):
        await page.get_by_role("link", name=place, exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_by_everybody(open_page: Open, scheme: str) -> None:
    """By the rules that axe-core knows: names, roles, landmarks, order of headings, contrast."""
    page = (await open_page(color_scheme=scheme, reduced_motion="reduce")).page
    await answer(page)
    await write(page)
    await answer(page)
    await page.get_by_role("button", name="+25 h").click()
    await answer(page)
    await expect(bubbles(page, ".template")).to_have_count(2)
    await answer(page)
    await expect(bubbles(page, ".template")).to_have_count(3)
    await answer(page)
    await expect(entries(page, ".refused")).to_have_count(1)
    await page.get_by_label("Template", exact=True).check()
    await page.get_by_text("Let something go wrong").click()
    await page.locator("button[value=error]").click()
    await expect(page.locator("#bench-live li")).to_have_count(1)
    found = await Axe().run(page)
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found.response["violations"]] == []


async def test_nothing_moves_for_those_who_asked_for_stillness(open_page: Open) -> None:
    page = (await open_page(reduced_motion="reduce")).page
    await write(page)
    assert await bubbles(page).first.evaluate("element => getComputedStyle(element).animationName") == "none"


async def test_what_is_new_is_told_to_a_screen_reader(open_page: Open) -> None:
    page = (await open_page()).page
    log = page.get_by_role("log", name="Messages on the phone")
    await expect(log).to_have_attribute("aria-live", "polite")
    await write(page)
    first = await bubbles(page).first.element_handle()
    await write(page, "And my refund?")
    assert await first.evaluate("element => element.isConnected"), "what was there is not told again"
    await expect(log.get_by_text("Olena:", exact=True)).to_have_count(2)
    await expect(page.get_by_role("timer")).to_have_count(1)


async def test_it_works_without_scripts(open_page: Open) -> None:
    page = (await open_page(java_script_enabled=False)).page
    await page.get_by_role("button", name="Write as Olena").click()
    await expect(bubbles(page, ".mine")).to_contain_text(QUESTION)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Send", exact=True).click()
    async with asyncio.timeout(20):  # without scripts a page shows what came meanwhile when it is loaded anew
        while not await bubbles(page, ".theirs").count():
            await page.reload()
    await expect(bubbles(page, ".theirs")).to_contain_text(ANSWER)
    await page.get_by_label("What Olena writes").fill(" ")
    await page.get_by_role("button", name="Write as Olena").click()
    await expect(page.get_by_role("heading", name="That was not done")).to_be_visible()
    await page.get_by_role("link", name="Back to the page").click()
    await expect(bubbles(page)).to_have_count(2)


# --- the line to the gateway ----------------------------------------------------------------------------------------


async def test_a_page_that_was_cut_off_comes_back_by_itself(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    seen = await watched(await browser.new_context())
    page = seen.page
    async with a_gateway(tmp_path, port):
        await page.goto(f"http://127.0.0.1:{port}/sandbox/")
        await expect(page.locator("#live-text")).to_have_text("live")
        await write(page)
    await expect(page.locator("#live-text")).to_have_text("reconnecting")
    async with a_gateway(tmp_path, port):
        await expect(page.locator("#live-text")).to_have_text("live", timeout=20_000)
        await expect(bubbles(page)).to_have_count(0)  # the demo keeps nothing, and the page knows
        await write(page, "Are you back?")
        await expect(page.locator("#window")).to_contain_text("The window is open")
        await page.context.close()


async def test_another_site_can_t_act_through_the_reader_s_browser(browser: Browser, gateway: Gateway) -> None:
    async def trap(request: web.Request) -> web.Response:
        form = f"""<form method="post" action="{gateway.base_url}/sandbox/act/travel">
            <input name="advance" value="25h"><button>Win</button></form>"""
        return web.Response(text=form, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", trap)
    server = TestServer(app)
    await server.start_server()
    page = (await watched(await browser.new_context())).page
    try:
        before = gateway.clock.now()
        await page.goto(str(server.make_url("/")))
        async with page.expect_response("**/act/travel") as answered:
            await page.get_by_role("button", name="Win").click()
        assert (await answered.value).status == 403
        assert (gateway.clock.now() - before).total_seconds() < 60
    finally:
        await asyncio.gather(page.context.close(), server.close())
