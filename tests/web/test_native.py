"""The native surface: what a client may look up, and nothing of another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, web

from gateway.domain.delivery import Cause, Retry
from gateway.domain.errors import ProviderError, StoreUnavailable
from tests.web.conftest import DESK_KEY, NOON, SDK_KEY, SHOP_KEY, TEXT, House, Open, basic, bearer


async def assert_problem(answer: ClientResponse, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["status"], body["code"]) == (status, status, code)
    return body


# --- messages ---------------------------------------------------------------------------------------------------------


async def test_a_message_is_shown_with_its_decision_and_history(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=25))
    message_id = await house.sent()
    answer = await house.get(f"/v1/messages/{message_id}")
    shown = await answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: shown[name] for name in ("id", "sender", "contact", "status", "failure", "error", "reference")} == {
        "id": str(message_id),
        "sender": "Desk",
        "contact": "380501234567",
        "status": "queued",
        "failure": None,
        "error": None,
        "reference": None,
    }
    assert shown["content"] == {"type": "text", "text": "Hello"}
    assert shown["accepted_at"] == "2026-03-02T12:00:00.000Z"
    assert shown["expires_at"] == "2026-03-03T12:00:00.000Z"
    assert shown["attempts"] == []
    assert shown["history"] == [{"status": "queued", "at": "2026-03-02T12:00:00.000Z"}]
    assert shown["decision"] == shown["decisions"][-1]
    assert shown["decision"]["reasons"] == ["window_closed", "fallback"]


async def test_an_attempt_is_shown_with_what_was_sent_and_what_the_provider_said(house: House) -> None:
    message_id = await house.sent()
    house.clock.moment += timedelta(seconds=5)
    words = ProviderError(code=2, status=500, name="Internal server error", message="Oops")
    await house.attempt(Retry(cause=Cause.SERVER, error=words))
    shown = await (await house.get(f"/v1/messages/{message_id}")).json()
    [attempt] = shown["attempts"]
    assert (attempt["number"], attempt["status"], attempt["provider_message_id"]) == (1, "retry", None)
    assert attempt["started_at"] == "2026-03-02T12:00:05.000Z"
    assert attempt["content"]["template"]["name"] == "ticket_answer"
    assert attempt["error"] == {"code": 2, "status": 500, "name": "Internal server error", "message": "Oops"}


@pytest.mark.parametrize("written", ["1", "0", "-1", "abc", "9" * 16, "9" * 40, "007", "%D9%A1", "1.0"])
async def test_an_unknown_and_a_foreign_message_are_told_in_the_same_words(house: House, written: str) -> None:
    foreign = await house.sent()
    shop = await house.get(f"/v1/messages/{foreign}", key=SHOP_KEY)
    unknown = await house.get(f"/v1/messages/{written}", key=SHOP_KEY)
    await assert_problem(shop, 404, "not_found")
    assert await unknown.text() == await shop.text()


async def test_a_client_lists_its_own_messages_newest_first_and_page_by_page(house: House) -> None:
    await house.contact_writes()
    sent = []
    for _ in range(5):
        sent.append(str(await house.sent()))
        house.clock.moment += timedelta(seconds=1)
    await house.sent(key=SDK_KEY)
    listed, cursor = [], ""
    for _ in range(3):
        page = await (await house.get(f"/v1/messages?limit=2&cursor={cursor}")).json()
        listed += [message["id"] for message in page["messages"]]
        cursor = page["next_cursor"]
    assert listed == sent[::-1]
    assert cursor is None


async def test_a_list_is_narrowed_by_status_and_by_contact_in_any_spelling(house: House) -> None:
    message_id = await house.sent()
    await house.sent({**TEXT, "destination_addr": "380671112233"})

    async def listed(query: str) -> list[str]:
        page = await (await house.get(f"/v1/messages?{query}")).json()
        return [message["id"] for message in page["messages"]]

    for written in ("380501234567", "+380501234567", "%2B380+50+123-45-67", "00380501234567"):
        assert await listed(f"contact={written}&status=queued") == [str(message_id)]
    assert await listed("status=delivered") == []
    assert len(await listed("status=&contact=&cursor=")) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=gone", "status"),
        ("contact=Bob", "contact"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("cursor=made-up", "cursor"),
    ],
)
async def test_a_query_that_makes_no_sense_is_named(house: House, query: str, field: str) -> None:
    body = await assert_problem(await house.get(f"/v1/messages?{query}"), 400, "invalid_request")
    assert body["field"] == field
    assert body["detail"]


# --- windows ----------------------------------------------------------------------------------------------------------

CLOSED = {"open": False, "opened_at": None, "closes_at": None, "opened_by": None, "evidence": None}


@pytest.mark.parametrize("sender", ["Desk", "380441234567"])
@pytest.mark.parametrize("contact", ["380501234567", "+380501234567", "00380%2050%20123-45-67"])
async def test_an_open_window_is_shown_under_every_name(house: House, sender: str, contact: str) -> None:
    await house.contact_writes(ago=timedelta(hours=2))
    answer = await house.get(f"/v1/windows/{sender}/{contact}")
    assert answer.status == 200
    assert await answer.json() == {
        "open": True,
        "opened_at": "2026-03-02T10:00:00.000Z",
        "closes_at": "2026-03-03T10:00:00.000Z",
        "opened_by": f"in-{int((NOON - timedelta(hours=2)).timestamp())}",
        "evidence": "message",
    }


async def test_a_window_is_closed_from_its_24th_hour_on(house: House) -> None:
    await house.contact_writes()
    house.clock.moment += timedelta(hours=24, microseconds=-1)
    assert (await (await house.get("/v1/windows/Desk/380501234567")).json())["open"] is True
    house.clock.moment += timedelta(microseconds=1)
    assert await (await house.get("/v1/windows/Desk/380501234567")).json() == CLOSED


async def test_an_unknown_window_is_closed(house: House) -> None:
    assert await (await house.get("/v1/windows/Desk/380671112233")).json() == CLOSED


async def test_an_unknown_and_a_foreign_sender_are_told_in_the_same_words(house: House) -> None:
    told = [await house.get(f"/v1/windows/{sender}/380501234567", key=DESK_KEY) for sender in ("Shop", "Nobody")]
    for answer in told:
        await assert_problem(answer, 404, "not_found")
    assert await told[0].text() == await told[1].text()


async def test_what_is_no_contact_is_refused(house: House) -> None:
    body = await assert_problem(await house.get("/v1/windows/Desk/Bob"), 400, "invalid_request")
    assert body["field"] == "contact"


# --- keys, routes, limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/1", "/v1/windows/Desk/380501234567"])
@pytest.mark.parametrize("headers", [{}, bearer("wrong"), basic(DESK_KEY), {"Authorization": "Bearer"}])
async def test_a_look_up_needs_a_bearer_key(house: House, path: str, headers: dict[str, str]) -> None:
    answer = await house.http.get(path, headers=headers)
    await assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gateway"'


async def test_an_unknown_path_and_another_method_are_problems(house: House) -> None:
    for path in ("/", "/v1/", "/v1/message", "/favicon.ico"):
        await assert_problem(await house.http.get(path), 404, "not_found")
    answer = await house.http.delete("/v1/messages/1")
    await assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


async def test_look_ups_count_against_the_clients_rate(open_house: Open) -> None:
    house = await open_house(limits={"client_per_second": 1})
    assert (await house.get("/v1/messages")).status == 200
    answer = await house.get("/v1/messages")
    await assert_problem(answer, 429, "too_many_requests")
    assert answer.headers["Retry-After"] == "1"
    assert (await house.get("/v1/messages", key=SHOP_KEY)).status == 200


# --- health -----------------------------------------------------------------------------------------------------------


async def test_a_gateway_is_alive_and_ready(house: House) -> None:
    assert (await house.http.get("/healthz")).status == 200
    answer = await house.http.get("/readyz")
    assert (answer.status, await answer.json()) == (
        200,
        {"ready": True, "store": True, "stopping": False, "templates": 1, "paused": []},
    )


async def test_a_stopping_gateway_is_alive_and_not_ready(open_house: Open) -> None:
    house = await open_house(is_stopping=lambda: True)
    assert (await house.http.get("/healthz")).status == 200
    answer = await house.http.get("/readyz")
    assert (answer.status, (await answer.json())["stopping"]) == (503, True)


async def test_a_gateway_whose_store_takes_nothing_is_not_ready(house: House) -> None:
    await house.parts.store.aclose()
    answer = await house.http.get("/readyz")
    assert (answer.status, (await answer.json())["store"]) == (503, False)


async def test_a_paused_sender_is_shown_and_does_not_change_the_code(house: House) -> None:
    await house.sent()
    await house.attempt(Retry(cause=Cause.UNAUTHORIZED, error=ProviderError(status=401)))
    answer = await house.http.get("/readyz")
    body = await answer.json()
    assert (answer.status, body["ready"]) == (200, True)
    assert [(state["sender"], state["cause"]) for state in body["paused"]] == [("Desk", "unauthorized")]


# --- what is mounted beside us ----------------------------------------------------------------------------------------


async def test_a_mounted_application_speaks_for_itself(open_house: Open) -> None:
    async def clock(_request: web.Request) -> web.Response:
        return web.json_response({"now": "noon"})

    async def broken(_request: web.Request) -> web.Response:
        raise StoreUnavailable

    mounted = web.Application()
    mounted.add_routes([web.get("/clock", clock), web.get("/broken", broken)])
    house = await open_house(mounts=[("/sandbox", mounted)])
    assert await (await house.http.get("/sandbox/clock")).json() == {"now": "noon"}
    missing = await house.http.get("/sandbox/nothing")
    assert (missing.status, missing.content_type) == (404, "text/plain")
    await assert_problem(await house.http.get("/sandboxes"), 404, "not_found")
