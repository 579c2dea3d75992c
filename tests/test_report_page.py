"""The report's page: self-contained, whatever names stand in it, and readable at the width of a phone."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.identity import Sender
from gateway.domain.message import Status
from gateway.ports import AnswerCount, DecidedCount, RefusedCount, RungCount, Tally
from gateway.report import Period, page, report_view
from gateway.report.summing import Report

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=//evil.example/x onerror=alert(1)>&amp;{{ 7 * 7 }}"
DOWNGRADE = {"action": "downgrade", "reasons": ["window_closed", "fallback"], "template": "ticket_answer/en_US"}


def decided(day: int, count: int, **changes: Any) -> DecidedCount:
    known: dict[str, Any] = {
        "sender": Sender("Shop"),
        "is_observed": True,
        "is_free_form": True,
        "day": (SINCE + timedelta(days=day)).date(),
        "status": Status.DELIVERED,
        "action": "send",
        "reasons": ("window_open", "observed"),
        "template": None,
        "instead": None,
        "count": count,
    }
    return DecidedCount(**{**known, **changes})


def a_view(*tallies: Tally, days: int = 7, kept: timedelta | None = None) -> dict[str, Any]:
    report = Report(period=Period(since=SINCE, until=SINCE + timedelta(days=days)), oldest=SINCE)
    for tally in tallies:
        report.add(tally)
    return report_view(report, now=SINCE + timedelta(days=days), kept=kept)


def a_full_view(name: str = "Shop", days: int = 7) -> dict[str, Any]:
    sender = Sender(name)
    refuse = {"action": "refuse", "reasons": ["window_closed", name], "template": None}
    return a_view(
        Tally(
            decided=(
                decided(0, 40, sender=sender),
                decided(1, 10, sender=sender, instead={**DOWNGRADE, "template": f"{name}/en_US"}),
                decided(2, 5, sender=sender, instead=refuse),
                decided(2, 3, sender=sender, is_free_form=False, template=f"{name}/uk", status=Status.FAILED),
            ),
            rungs=(
                RungCount(
                    sender=sender, is_observed=True, is_asked=True, template=name, problem=name, path=name, count=2
                ),
                RungCount(
                    sender=sender, is_observed=True, is_asked=False, template=name, problem=name, path=None, count=1
                ),
            ),
            answers=(
                AnswerCount(
                    sender=sender, is_observed=True, held_open=False, status="failed", closes_window=True, count=9
                ),
                AnswerCount(
                    sender=sender, is_observed=True, held_open=True, status="read", closes_window=False, count=40
                ),
            ),
            refused=(RefusedCount(sender=sender, day=SINCE.date(), reasons=("window_closed", name), count=1),),
        ),
        days=days,
    )


class Elements(HTMLParser):
    """Every element of a page, with its attributes; and what is not closed in order."""

    EMPTY = frozenset({"meta", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", ["Shop", HOSTILE])
def test_names_of_any_kind_are_only_ever_text(name: str) -> None:
    elements = Elements(page(a_full_view(name)))
    assert elements.open == []
    tags = {tag for tag, _ in elements.found}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "form", "a", "base", "foreignobject"}
    attributes = {attribute for _, own in elements.found for attribute in own}
    assert not [attribute for attribute in attributes if attribute.startswith("on") or attribute == "style"]
    assert name in elements.text


def test_the_page_asks_for_nothing_and_its_policy_allows_nothing_but_its_own_style() -> None:
    text = page(a_full_view())
    (policy,) = [own["content"] for tag, own in Elements(text).found if own.get("http-equiv")]
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"https?:|url\(|@import|\bsrc=|\bhref=", text)


def test_every_chart_has_words_in_its_place() -> None:
    text = page(a_full_view())
    charts = [own for tag, own in Elements(text).found if tag == "svg"]
    named = [own["aria-labelledby"] for own in charts if own.get("role") == "img"]
    assert all(own.get("role") == "img" or own.get("aria-hidden") == "true" for own in charts)
    assert [f'<title id="{name}">Free-form messages by day: ' in text for name in named] == [True, True]
    assert "40 with the window open, 10 would have been downgraded, 5 would have been refused." in text


def test_what_would_have_happened_and_what_did_are_told_apart() -> None:
    observed = page(a_view(Tally(decided=(decided(0, 3, instead=DOWNGRADE),))))
    enforced = page(
        a_view(Tally(decided=(decided(0, 3, is_observed=False, action="downgrade", template="ticket_answer/en_US"),)))
    )
    assert "Templates that would have stood in" in observed
    assert "a template would have stood in for 3" in observed
    assert "Templates that stood in" in enforced
    assert "would have" not in enforced


def test_an_empty_report_says_so() -> None:
    assert "No message was accepted or refused in this time." in page(a_view())


def test_what_retention_has_removed_is_said() -> None:
    assert "History is kept 3.0 days" in page(a_view(days=7, kept=timedelta(days=3)))
    assert "History is kept" not in page(a_view(days=7, kept=timedelta(days=30)))


@pytest.mark.parametrize(
    ("days", "unit", "columns"), [(1, "day", 7), (7, "day", 7), (70, "day", 70), (71, "week", 11), (400, "week", 58)]
)
def test_more_days_than_can_be_told_apart_are_drawn_as_weeks(days: int, unit: str, columns: int) -> None:
    text = page(a_view(Tally(decided=(decided(0, 1), decided(days - 1, 1))), days=days))
    assert f"Free-form messages by {unit}" in text
    assert f'class="columns" viewBox="0 0 {columns} ' in text


def test_years_are_drawn_too() -> None:
    text = page(a_view(Tally(decided=(decided(0, 1), decided(5000, 1))), days=5001))
    assert text.count('rect class="inside"') >= 2


# --- in a browser ---------------------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("name", ["Shop", HOSTILE, "ticket_answer_with_a_rather_long_name_" * 4])
def test_a_browser_shows_it_without_a_complaint_and_without_scrolling_sideways(
    browser: Any, tmp_path: Path, width: int, name: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(a_full_view(name, days=60)), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    asked: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("dialog", lambda dialog: complaints.append(dialog.message))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(file.as_uri())
    overflow = shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    bars = shown.evaluate(
        "[...document.querySelectorAll('.columns rect')].filter(r => r.getBoundingClientRect().height > 2).length"
    )
    ground = shown.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    shown.close()
    assert (complaints, asked) == ([], [file.as_uri()])
    assert overflow <= 0
    assert bars >= 3
    assert ground == "rgb(255, 255, 255)"  # the style is applied
