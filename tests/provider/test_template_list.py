"""The client of the list of templates over real HTTP: against a server of every bad habit, and against the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.config import TemplateListConfig
from gateway.domain.health import SECOND_PAUSE, Category, Coming, Quality, TemplateNews, TemplateStatus
from gateway.ports import ListFailed, ListTrouble, TemplatePage
from gateway.provider import template_list
from gateway.provider.sandbox import TravelClock, sandbox_app
from gateway.provider.template_list import CloudTemplateList

TOKEN = "EAAG-a-token-that-nobody-may-see"
BODY = {"type": "BODY", "text": "Hello {{1}}!"}
MINUTE = timedelta(minutes=1)

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def an_entry(name: str = "offer", **fields: Any) -> dict[str, Any]:
    return {"name": name, "language": "en_US", "status": "APPROVED", "components": [BODY], "id": "1", **fields}


def a_page(*entries: Any, after: str | None = None, address: str = "https://elsewhere.example/next") -> dict[str, Any]:
    following = {} if after is None else {"next": address}
    return {"data": list(entries), "paging": {"cursors": {"before": "x", "after": after or "end"}, **following}}


@dataclass
class Graph:
    """Answers as the test says, request after request, and keeps what it was asked."""

    answers: list[Any] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, dict):
            return web.json_response(answer)
        if isinstance(answer, web.Response):
            return answer
        return await answer(request)


@asynccontextmanager
async def listing(*answers: Any, **limits: Any) -> AsyncIterator[tuple[CloudTemplateList, Graph]]:
    graph = Graph(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", graph.answer)
    server = TestServer(app)
    await server.start_server()
    config = TemplateListConfig(base_url=str(server.make_url("/v24.0")), account="10229", token=TOKEN)
    client = CloudTemplateList("dt", config, **limits)
    try:
        yield client, graph
    finally:
        await client.aclose()
        await server.close()


async def all_of(client: CloudTemplateList) -> list[TemplatePage]:
    return [page async for page in client.pages()]


async def failure(*answers: Any, **limits: Any) -> ListFailed:
    async with listing(*answers, **limits) as (client, _):
        with pytest.raises(ListFailed) as failed:
            await all_of(client)
    assert TOKEN not in str(failed.value)
    return failed.value


# --- pages ------------------------------------------------------------------------------------------------------------


async def test_the_account_s_list_is_asked_for_with_the_token_and_the_fields_that_are_needed() -> None:
    async with listing(a_page(an_entry())) as (client, graph):
        await all_of(client)
    (asked,) = graph.asked
    assert (asked.path, asked.headers["Authorization"]) == ("/v24.0/10229/message_templates", f"Bearer {TOKEN}")
    assert {"name", "language", "status", "components"} <= set(asked.query["fields"].split(","))


async def test_pages_are_asked_for_by_their_cursor_and_never_at_the_address_that_an_answer_names() -> None:
    async with listing(a_page(an_entry("one"), after="c1"), a_page(an_entry("two"))) as (client, graph):
        pages = await all_of(client)
    assert [one.name for page in pages for one in page.templates] == ["one", "two"]
    assert [(asked.path, asked.query.get("after")) for asked in graph.asked] == [
        ("/v24.0/10229/message_templates", None),
        ("/v24.0/10229/message_templates", "c1"),
    ]


async def test_a_cursor_that_comes_again_ends_the_reading() -> None:
    assert (await failure(a_page(an_entry(), after="c1"))).why == "gave the same cursor a second time"


async def test_a_list_without_end_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_list, "MOST_PAGES", 3)
    pages = [a_page(an_entry(), after=f"c{number}") for number in range(5)]
    assert (await failure(*pages)).why == "has more than 3 pages"


async def test_an_answer_without_end_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_list, "LARGEST_PAGE", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" " * 65_536)

    assert "answered with more than" in (await failure(endless)).why


async def test_a_redirect_is_not_followed() -> None:
    async with listing(web.Response(status=302, headers={"Location": "/v24.0/10229/elsewhere"})) as (client, graph):
        with pytest.raises(ListFailed, match="answered HTTP 302"):
            await all_of(client)
    assert len(graph.asked) == 1


async def test_who_takes_too_long_is_not_waited_for() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await failure(slow, answer_within=0.05)).why == "gave no answer in time"


async def test_nobody_there_is_a_failure() -> None:
    async with listing(a_page()) as (client, _):
        pass
    config = TemplateListConfig(base_url="http://127.0.0.1:1", account="1", token=TOKEN)
    client = CloudTemplateList("dt", config)
    with pytest.raises(ListFailed, match="can't be reached"):
        await all_of(client)
    await client.aclose()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"data": 7}', b"\xff\xfe", b'{"paging": {}}', b"[" * 100_000, b"<html>"]
)
async def test_what_is_no_list_is_a_failure(body: bytes) -> None:
    failed = await failure(web.Response(body=body))
    assert (failed.trouble, failed.wait) == (ListTrouble.FAILED, None)


# --- entries ----------------------------------------------------------------------------------------------------------


async def read(entry: Any) -> TemplatePage:
    async with listing(a_page(entry)) as (client, _):
        (page,) = await all_of(client)
    return page


@pytest.mark.parametrize("entry", [None, 7, [], {}, {"name": "x"}, {"name": "", "language": "en"}, {"name": "x" * 513}])
async def test_an_entry_that_has_no_name_and_language_is_counted_and_the_others_are_taken(entry: Any) -> None:
    async with listing(a_page(entry, an_entry())) as (client, _):
        (page,) = await all_of(client)
    assert (page.odd, [one.name for one in page.templates]) == (1, ["offer"])


async def test_unknown_fields_are_kept_and_what_is_of_its_health_alone_is_not() -> None:
    entry = an_entry(quality_score={"score": "GREEN"}, correct_category="MARKETING", new_in_v99={"a": 1}, empty=None)
    (one,) = (await read(entry)).templates
    assert one.document == an_entry(new_in_v99={"a": 1})


@pytest.mark.parametrize(
    ("fields", "news"),
    [
        ({}, TemplateNews(status=TemplateStatus.APPROVED)),
        ({"status": "approved"}, TemplateNews(status=TemplateStatus.APPROVED)),
        ({"status": "PAUSED"}, TemplateNews(status=TemplateStatus.PAUSED, lasts=SECOND_PAUSE)),
        ({"status": "NEW_IN_V99"}, TemplateNews()),
        ({"status": 7, "category": [], "quality_score": [1]}, TemplateNews()),
        (
            {"category": "UTILITY", "correct_category": "UTILITY", "quality_score": {"score": "RED", "date": 1}},
            TemplateNews(status=TemplateStatus.APPROVED, category=Category.UTILITY, quality=Quality.RED),
        ),
        (
            {"category": "UTILITY", "correct_category": "MARKETING"},
            TemplateNews(
                status=TemplateStatus.APPROVED, category=Category.UTILITY, coming=Coming(Category.MARKETING, None)
            ),
        ),
    ],
)
async def test_what_the_list_says_is_news_of_health(fields: dict[str, Any], news: TemplateNews) -> None:
    (one,) = (await read(an_entry(**fields))).templates
    assert one.news == news


# --- limits and refusals ----------------------------------------------------------------------------------------------


def an_error(code: int, status: int = 400, **headers: str) -> web.Response:
    error = {"message": f"Malformed access token {TOKEN}", "type": "OAuthException", "code": code}
    return web.json_response(
        {"error": error}, status=status, headers={n.replace("_", "-"): v for n, v in headers.items()}
    )


def usage(minutes: int = 0, calls: int = 100) -> str:
    use = {"type": "whatsapp_business_management", "call_count": calls, "total_cputime": 1, "total_time": 1}
    return json.dumps({"10229": [use | {"estimated_time_to_regain_access": minutes}]})


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (an_error(4), 60 * MINUTE),
        (an_error(80007), 60 * MINUTE),
        (an_error(80008, X_Business_Use_Case_Usage=usage(19)), 19 * MINUTE),
        (an_error(4, X_App_Usage='{"call_count": 100}'), 60 * MINUTE),
        (an_error(4, X_Business_Use_Case_Usage=usage(1_000_000)), timedelta(hours=24)),
        (an_error(80007, X_Business_Use_Case_Usage='{"1": 7, "2": [3], "3": [{"call_count": "many"}]}'), 60 * MINUTE),
        (web.Response(status=429), 5 * MINUTE),
        (web.Response(status=429, headers={"Retry-After": "7"}), timedelta(seconds=7)),
    ],
)
async def test_too_many_requests_say_how_long_to_wait(answer: web.Response, wait: timedelta) -> None:
    failed = await failure(answer)
    assert (failed.trouble, failed.wait) == (ListTrouble.LIMITED, wait)


@pytest.mark.parametrize(("code", "status"), [(190, 401), (190, 400), (10, 403), (200, 403), (100, 400), (33, 400)])
async def test_a_token_or_account_that_is_not_taken_is_told_with_the_remedy(code: int, status: int) -> None:
    failed = await failure(an_error(code, status))
    assert failed.trouble is ListTrouble.REFUSED
    assert failed.why.startswith(f"answered HTTP {status} with code {code}: look at templates.account")


@pytest.mark.parametrize("answer", [web.Response(status=500), web.Response(status=503), an_error(2, 400), an_error(1)])
async def test_trouble_of_the_server_is_a_failure_to_try_again(answer: web.Response) -> None:
    assert (await failure(answer)).trouble is ListTrouble.FAILED


async def test_an_error_under_http_200_is_one() -> None:
    assert (await failure({"error": {"code": 4}, "data": []})).trouble is ListTrouble.LIMITED


async def test_what_is_nearly_used_up_is_left_alone_after_the_page_that_says_so() -> None:
    headers = {"X-Business-Use-Case-Usage": usage(19, calls=93)}
    full = web.json_response(a_page(an_entry(), after="c1"), headers=headers)
    async with listing(full) as (client, graph):
        pages = client.pages()
        assert (await anext(pages)).rest == 19 * MINUTE
        with pytest.raises(ListFailed) as failed:
            await anext(pages)
    assert (failed.value.trouble, failed.value.wait, len(graph.asked)) == (ListTrouble.LIMITED, 19 * MINUTE, 1)


async def test_little_use_asks_for_no_rest() -> None:
    answer = web.json_response(a_page(an_entry()), headers={"X-App-Usage": '{"call_count": 28, "total_time": 25}'})
    async with listing(answer) as (client, _):
        assert [page.rest for page in await all_of(client)] == [None]


# --- the sandbox ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def sandbox(count: int) -> AsyncIterator[tuple[CloudTemplateList, TestServer]]:
    templates = [an_entry(f"note_{number:03}") for number in range(count)]
    server = TestServer(sandbox_app(clock=TravelClock(), templates=templates))
    await server.start_server()
    config = TemplateListConfig(base_url=str(server.make_url("/v24.0")), account="1", token=TOKEN)
    client = CloudTemplateList("sandbox", config)
    try:
        yield client, server
    finally:
        await client.aclose()
        await server.close()


async def play(server: TestServer, path: str, **asked: Any) -> int:
    async with aiohttp.ClientSession() as http, http.post(server.make_url(path), json=asked) as answer:
        return answer.status


@pytest.mark.parametrize("count", [0, 1, 100, 101, 230])
async def test_the_sandbox_lists_all_of_its_templates_page_by_page(count: int) -> None:
    async with sandbox(count) as (client, _):
        pages = await all_of(client)
    assert [len(page.templates) for page in pages] == [
        min(100, count - begin) for begin in range(0, max(count, 1), 100)
    ]
    assert len({one.name for page in pages for one in page.templates}) == count


async def test_what_is_changed_at_the_sandbox_is_listed_so() -> None:
    async with sandbox(1) as (client, server):
        changed = [{"type": "BODY", "text": "Hello {{1}} and {{2}}!"}]
        asked = {"template": "note_000", "status": "PAUSED", "components": changed}
        assert await play(server, "/templates", **asked) == 200
        ((one,),) = [page.templates for page in await all_of(client)]
    assert (one.news.status, one.document["components"]) == (TemplateStatus.PAUSED, changed)


@pytest.mark.parametrize("asked", [{"template": "none"}, {}, {"template": "note_000", "components": 7}, {"x": 1}])
async def test_a_wrong_change_at_the_sandbox_is_refused(asked: dict[str, Any]) -> None:
    async with sandbox(1) as (_, server):
        assert await play(server, "/templates", **asked) == 400


@pytest.mark.parametrize(("code", "trouble"), [(80007, "limited"), (429, "limited"), (190, "refused"), (2, "failed")])
async def test_the_sandbox_refuses_the_list_when_it_is_asked_to(code: int, trouble: str) -> None:
    async with sandbox(1) as (client, server):
        assert await play(server, "/faults", refuse_list=code, count=1) == 200
        with pytest.raises(ListFailed) as failed:
            await all_of(client)
        assert failed.value.trouble == trouble
        assert len(await all_of(client)) == 1
