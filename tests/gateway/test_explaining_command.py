"""``gateway explain``: the same object that the route answers, and paragraphs for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.provider.sandbox import TravelClock
from tests.gateway.people import CONFIG as OF_SHOPS
from tests.gateway.people import CONTACT, KEY, SHOP, Shop, a_shop, furnish, run

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NATIVE: dict[str, Any] = {"from": SHOP, "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
WORDS = ("explain", "--from", SHOP, "--to", CONTACT)

GREETING = """
name: greeting
language: en_US
category: UTILITY
status: APPROVED
components: [{type: BODY, text: "Dear {{1}}, your order {{2}} is here."}, {type: FOOTER, text: The shop}]
"""


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """People are in Kyiv."""
    import time

    monkeypatch.setenv("TZ", "Europe/Kyiv")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    furnish(tmp_path, OF_SHOPS + "intents: [{{name: news, templates: [parcel]}}]\n")
    (tmp_path / "templates" / "greeting.en_US.yaml").write_text(GREETING, "utf-8")
    return tmp_path


async def both(shop: Shop, body: dict[str, Any], *words: str) -> tuple[Any, Any]:
    """What the route answers, and the command."""
    told = await shop.run(*words, "--json")
    assert told.exit_code == 0, told.output
    return await shop.explain(body), json.loads(told.stdout.splitlines()[-1])  # the gateway logs beside it


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"type": "text", "text": {"body": "Hello"}}, ["--text", "Hello"]),
        ({"type": "image", "image": {"link": "https://a.b/c.png"}}, ["--image", "https://a.b/c.png"]),
        (
            {
                "type": "template",
                "template": {
                    "name": "greeting",
                    "language": "en_US",
                    "components": [
                        {"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "7"}]}
                    ],
                },
            },
            ["--template", "greeting/en_US", "--body-arg", "Ann", "--body-arg", "7"],
        ),
    ],
)
async def test_the_command_tells_what_the_route_does(folder: Path, content: dict[str, Any], words: list[str]) -> None:
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        body = {"from": SHOP, "to": CONTACT, **content}
        for _ in range(2):
            route, command = await both(shop, body, *WORDS, *words)
            assert command == route
            await shop.customer_writes(ago="1h")
        await shop.play("/clock", advance="25h")
        route, command = await both(shop, body, *WORDS, *words)
        assert command == route


async def test_an_intent_is_that_of_the_option_of_the_body_and_of_the_header(folder: Path) -> None:
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        route, command = await both(shop, {**NATIVE, "intent": "news"}, *WORDS, "--text", "Hello", "--intent", "news")
        assert command == route
        documented = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "Hello"}
        assert await shop.explain(documented, Gateway_Intent="news") == route
        assert route["template"]["name"] == "parcel"


async def test_a_body_in_a_file_is_asked_about_as_it_would_be_posted(folder: Path) -> None:
    documented = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "Hello"}
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        strict = {**NATIVE, "on_closed_window": "refuse", "ttl": 60, "callback_url": "https://desk.example/told"}
        for body in (NATIVE, documented, strict):
            (folder / "body.json").write_text(json.dumps(body))
            route, command = await both(shop, body, "explain", "--body", str(folder / "body.json"))
            assert command == route


async def test_what_the_provider_can_t_carry_is_refused_by_the_command_as_by_the_route(folder: Path) -> None:
    body = {**NATIVE, "type": "location", "location": {"latitude": 50.45, "longitude": 30.52}}
    del body["text"]
    (folder / "body.json").write_text(json.dumps(body))
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        url, key = f"{shop.gateway.base_url}/v1/explain", {"Authorization": f"Bearer {KEY}"}
        async with shop.http.post(url, json=body, headers=key) as answer:
            problem = await answer.json(content_type="application/problem+json")
        told = await shop.run("explain", "--body", str(folder / "body.json"))
    assert (told.exit_code, problem["code"]) == (1, "not_carried")
    assert f"{problem['path']}: {problem['detail']}" in told.output


async def test_what_the_platform_told_of_templates_counts_also_when_nobody_runs(folder: Path) -> None:
    async with a_shop(folder) as shop:
        await shop.play("/faults", refuse_template=132015, template="offer", count=1)
        await shop.ends(await shop.post(), "delivered")
    told = await run(folder, *WORDS, "--text", "Hello", "--json")
    view = json.loads(told.stdout)
    assert view["template"] == {"name": "parcel", "language": "en_US"}
    assert view["rungs"][0]["problem"] == "refused_recently"
    assert "see --at" in told.stderr


async def test_the_time_to_ask_about_may_be_given(folder: Path) -> None:
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        await shop.customer_writes()
    for at, decision in (("2026-03-03T11:58:00Z", "send"), ("2026-03-03T13:59:00+02:00", "downgrade")):
        told = await run(folder, *WORDS, "--text", "Hello", "--at", at, "--json")
        assert (json.loads(told.stdout)["decision"], told.stderr) == (decision, "")


async def test_people_read_paragraphs_with_times_in_their_zone(folder: Path) -> None:
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        await shop.customer_writes(ago="1h")
        first = (await shop.run(*WORDS, "--text", "Hello")).stdout
        await shop.play("/clock", advance="25h")
        second = (await shop.run(*WORDS, "--text", "Hello")).stdout
    assert "Posted at 2026-03-02 14:00:00+02:00, this message leaves as it is." in first
    assert "The window is open until 2026-03-03 13:00:00+02:00; the gateway stops 60 s before." in first
    assert "│ Hello" in first
    assert re.search(r"offer/en_US +not needed", first)
    assert "Nothing waits before it; by its pace it may leave at once." in first
    assert (
        "Unless the customer writes before 2026-03-03 12:59:00+02:00, from then on it leaves as the template" in first
    )
    assert "is replaced: the template offer/en_US leaves." in second
    assert "If the customer writes, it leaves as it is." in second
    assert not re.search(r"\d{4}-\d\d-\d\dT", first + second)


async def test_a_misfit_of_the_own_fallback_is_told_where_it_stands_in_every_language(folder: Path) -> None:
    config = (folder / "config.yaml").read_text("utf-8")
    (folder / "config.yaml").write_text(config.replace('phone_number_id: "1063"', "alternates: [de]"), "utf-8")
    (folder / "templates" / "greeting.de.yaml").write_text(GREETING.replace("en_US", "de"), "utf-8")
    body = {**NATIVE, "fallback": {"name": "greeting", "components": []}}
    async with a_shop(folder) as shop:
        view = await shop.explain(body)
    first, second, *_ = view["rungs"]
    assert [(rung["name"], rung["language"]) for rung in (first, second)] == [("greeting", "en_US"), ("greeting", "de")]
    assert first["path"].startswith("$.fallback")
    assert second["path"].startswith("$.fallback")
    assert "$.template" not in json.dumps(view)


async def test_what_does_not_fit_is_listed(folder: Path) -> None:
    async with a_shop(folder):
        pass
    told = (await run(folder, *WORDS, "--template", "greeting", "--body-arg", "Ann")).stdout
    assert "this message is refused." in told
    assert "What does not fit:\n  $.template.components[0]" in told
    assert "If the arguments are corrected at $.template.components[0]" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--text", "Hello", "--image", "https://a.b/c.png"], "give one of --text, --image, --template and --body"),
        ([], "give one of --text, --image, --template and --body"),
        (["--image", "ftp://a.b/c.png"], "$.image.link: expected an http or https URL"),
        (["--text", "Hello", "--at", "2026-03-02T12:00:00"], "its zone is missing"),
        (["--text", "Hello", "--at", "noon"], "expected an instant such as"),
        (["--text", "Hello", "--at", "0001-01-01T00:00:00Z"], "expected a year from"),
        (["--text", "Hello", "--at", "9999-12-31T23:59:59Z"], "expected a year from"),
        (["--text", "Hello", "--from", "Nobody"], "$.from: expected a sender"),
        (["--body", "config.yaml"], "give no other part of the message"),
    ],
)
async def test_what_is_asked_wrongly_says_what_was_expected(
    folder: Path, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    answer = await run(folder, *WORDS, *words)
    assert answer.exit_code != 0
    assert told in " ".join(answer.stderr.split())


async def test_a_store_that_is_not_there_and_one_in_memory_are_said_to_be(folder: Path) -> None:
    told = await run(folder, *WORDS, "--text", "Hello")
    assert (told.exit_code, "there is no such store" in told.stderr) == (1, True)
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(f"store: {{url: 'memory:'}}\n{config}")
    told = await run(folder, *WORDS, "--text", "Hello")
    assert (told.exit_code, "POST /v1/explain" in told.stderr) == (1, True)
