"""Metrics of a whole gateway over real HTTP: what moves, what stays bounded, and who may see it."""

from __future__ import annotations

import asyncio
import random
import socket
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from gateway.app import running
from gateway.config import InternalConfig, LimitsConfig, ServerConfig
from gateway.domain.errors import CannotStart
from tests.exposition import Series, samples, series, total, value
from tests.gateway.harness import CONTACT, KEY, OTHER_KEY, SECRET, SHOP, World, a_config, a_world

HOUR = timedelta(hours=1)
LOOPBACK = InternalConfig(host="127.0.0.1", port=0)


def apart(folder: Path, at: InternalConfig = LOOPBACK, **changes: Any) -> dict[str, Any]:
    server = ServerConfig(port=0, public_url="http://gateway.test", operator=folder / "op.sock", internal=at, **changes)
    return {"server": server}


async def scraped(world: World, base: str | None = None) -> str:
    async with world.desk.http.get(f"{base or world.desk.base_url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


async def read(url: str, http: aiohttp.ClientSession) -> tuple[int, str]:
    async with http.get(url) as answer:
        return answer.status, await answer.text()


# --- what moves -----------------------------------------------------------------------------------------------------


async def test_one_message_is_counted_all_the_way(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        message_id = await world.desk.text("on its way", Idempotency_Key="one")
        assert await world.desk.text("on its way", Idempotency_Key="one") == message_id
        message = await world.desk.until(message_id, "submitted")
        number = message["attempts"][0]["provider_message_id"]
        for _ in range(2):
            await world.desk.callback({"message_id": number, "status": 1})
        await world.desk.until(message_id, "delivered")
        await world.desk.has(lambda body: body["data"].get("status") == "delivered")
        await asyncio.sleep(0)
        text = await scraped(world)
    assert value(text, "gateway_messages_accepted_total", client="desk", sender=SHOP) == 1
    assert value(text, "gateway_repetitions_total", client="desk") == 1
    for stage in ("accept", "send"):
        assert value(text, "gateway_decisions_total", stage=stage, action="sent", reason="window_open") == 1
    assert value(text, "gateway_attempts_total", sender=SHOP, outcome="submitted") == 1
    assert value(text, "gateway_submission_seconds_count", sender=SHOP) == 1
    assert value(text, "gateway_provider_seconds_count", provider="far") == 1
    assert value(text, "gateway_statuses_total", provider="far", status="delivered") == 1
    assert value(text, "gateway_callbacks_total", provider="far", fate="applied") == 2
    assert value(text, "gateway_callbacks_total", provider="far", fate="repeated") == 1
    assert value(text, "gateway_requests_total", route="/v1/api/send-whatsapp", status="2xx") == 2
    assert value(text, "gateway_request_seconds_count", route="/v1/api/send-whatsapp") == 2
    assert value(text, "gateway_windows", sender=SHOP, state="open") == 1
    assert value(text, "gateway_inbound_silence_seconds", sender=SHOP) < 60
    assert total(text, "gateway_store_commit_units_sum") >= 5
    assert value(text, "gateway_provider_slots", provider="far") == 256


async def test_what_is_refused_is_counted_with_the_reason_and_by_whom(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        status, _, _ = await world.desk.post({"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1})
        assert status == 400
        status, _, _ = await world.desk.post({}, key="no key of ours")
        assert status == 401
        async with world.desk.http.post(f"{world.desk.base_url}/callbacks/far/wrong", json={}) as answer:
            assert answer.status == 404
        text = await scraped(world)
    assert value(text, "gateway_requests_refused_total", client="desk", code="invalid_request") == 1
    assert value(text, "gateway_requests_refused_total", client="none", code="unauthenticated") == 1
    assert value(text, "gateway_callbacks_refused_total", provider="far") == 1


async def test_a_paused_sender_and_its_queue_are_seen(tmp_path: Path) -> None:
    async def empty(_body: dict[str, Any]) -> web.StreamResponse:
        said = {"name": "Topup balance is required", "message": "User balance is empty", "code": 3, "status": 402}
        return web.json_response(said, status=402)

    async with a_world(tmp_path) as world:
        world.far.behaviour = empty
        await world.hears()
        await world.desk.text("on its way")
        async with asyncio.timeout(20):
            while "balance" not in str(await world.desk.get("/readyz")):
                await asyncio.sleep(0.01)
        text = await scraped(world)
    assert value(text, "gateway_sender_paused", sender=SHOP, cause="balance") == 1
    assert value(text, "gateway_messages_open", sender=SHOP) == 1
    assert total(text, "gateway_attempt_retries_total", cause="balance") >= 1


async def test_a_webhook_that_does_not_answer_well_is_seen(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        url = str(world.desk.base_url)  # the gateway itself takes no webhooks
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "x"}
        await world.hears()
        status, answer, _ = await world.desk.post({**body, "callback_url": f"{url}/nowhere"})
        assert status == 200
        await world.desk.until(answer["message_id"], "submitted")
        async with asyncio.timeout(20):
            while True:
                text = await scraped(world)
                if total(text, "gateway_webhook_posts_total", kind="callback_url", outcome="again"):
                    break
                await asyncio.sleep(0.01)
    assert value(text, "gateway_webhook_seconds_count", kind="callback_url") >= 1


# --- what stays bounded ---------------------------------------------------------------------------------------------


def wild(draw: random.Random) -> str:
    """A text as nobody sends it, or a number as of somebody's phone."""
    if draw.random() < 0.5:
        return "380" + "".join(draw.choices(string.digits, k=9))
    return "".join(draw.choices(string.ascii_letters + string.digits + ' "{}\\/é😀\n', k=draw.randint(1, 20)))


async def storm(world: World, draw: random.Random) -> None:
    """Everything that anybody may post, with values that never were."""
    http, base = world.desk.http, world.desk.base_url
    for _ in range(12):
        word = wild(draw)
        contact = "380" + "".join(draw.choices(string.digits, k=9))
        template = {"to": contact, "type": "template", "template": {"name": word, "language": {"code": "en"}}}
        bodies: list[Any] = [
            {"source_addr": SHOP, "destination_addr": contact, "message_type": 1, "text": word},
            {"source_addr": word, "destination_addr": contact, "message_type": 1, "text": "x"},
            {"source_addr": SHOP, "destination_addr": word, "message_type": 1, "text": "x"},
            template,
            {word: word},
        ]
        for body in bodies:
            await world.desk.post(body, key=draw.choice([KEY, OTHER_KEY]))
        await world.desk.post(bodies[0], key="no key of ours " + str(draw.random()))
        await world.desk.callback(
            {"from": contact, "to": draw.choice([SHOP, word]), "text": word, "id": word + contact}
        )
        await world.desk.callback({"message_id": word, "status": draw.randint(0, 30)}, attempt=f"t{draw.random()}")
        await world.desk.callback({word: [word]})
        path = "".join(draw.choices(string.ascii_letters, k=12))
        for method in ("GET", "POST", "PUT", "DELETE"):
            for place in (
                f"/{path}",
                f"/v1/messages/{path}",
                f"/callbacks/{path}/{path}",
                f"/v1/windows/{path}/{contact}",
                f"/v24.0/{path}",
                f"/v24.0/{draw.randint(1, 10**15)}/{path}",
                f"/{draw.randint(1, 10**15)}/messages",
            ):
                async with http.request(method, base + place, headers={"Authorization": f"Bearer {KEY}"}) as answer:
                    await answer.read()


ALLOWED = {
    *("Shop", "desk", "another", "far", "other", "none"),
    *("reloaded", "unchanged"),
    *("accept", "send", "sent", "downgraded", "refused", "submitted", "retry", "failed", "window_closed", "unknown"),
    *("window_open", "window_unknown", "window_refuted", "template_requested", "template_started", "fallback"),
    *("template_unusable", "no_rung", "downgrade_limit", "downgrade_off"),
    *("1xx", "2xx", "3xx", "4xx", "5xx"),
    *("applied", "repeated", "kept", "waiting", "unattributed", "delivered", "again", "given_up"),
    "limited",
    *("read", "open", "closed", "refuted", "webhook", "callback_url", "exported", "dropped"),
    *("not_written", "throttled", "unauthorized", "balance", "failing", "server"),
    *("invalid_request", "unauthenticated", "not_found", "method_not_allowed", "template_unknown", "too_many_requests"),
    *("/v1/api/send-whatsapp", "/v1/api/receive-whatsapp", "/v1/messages", "/v1/messages/{id}", "/readyz", "/metrics"),
    *("paused", "limit_exceeded", "pending", "in_appeal", "locked", "archived", "rejected", "pending_deletion"),
    *("deleted", "disabled", "refused_recently", "2000", "2001", "2002", "2003", "132000", "132001", "132005"),
    *("132007", "132008", "132012", "132015", "132016", "132018", "132068", "132069"),
    *("/v1/templates", "/v1/templates/{name}/{language}"),
    *("passed", "not_carried"),
    *("/messages", "/media", "/media/{sealed}", "/debug_token", "/{number}/messages", "/{id}", "/{id}/{edge}"),
    *("/{version}/debug_token", "/{version}/{number}/messages", "/{version}/{id}", "/{version}/{id}/{edge}"),
    *("/v1/windows/{sender}/{contact}", "/callbacks/{provider}/{secret}", "/callbacks/{provider}/{secret}/{attempt}"),
}
"""Every value of a label that this gateway may ever show, written down by hand."""


async def test_whatever_is_posted_the_series_are_the_same(tmp_path: Path) -> None:
    draw = random.Random(20)  # noqa: S311 - a storm that can be repeated

    async def after_a_storm() -> set[Series]:
        await storm(world, draw)
        return series(await scraped(world))

    async with a_world(tmp_path, limits=LimitsConfig(client_per_second=100_000)) as world:  # a storm, and no more of it
        await scraped(world)  # the series about scrapes themselves
        first = await after_a_storm()
        first |= await after_a_storm()  # what takes a while comes into the second
        later = await after_a_storm()
    assert later - first == set()
    ours = {pair for name, labels in later if name.startswith("gateway_") for pair in labels}
    shown = {text for label, text in ours if label not in ("le", "version")}
    assert shown - ALLOWED == set()


async def test_no_number_and_no_text_of_anybody_is_in_the_metrics(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears(text="a-canary-of-the-customer")
        message_id = await world.desk.text("a-canary-of-the-desk", Gateway_Reference="a-canary-reference")
        await world.desk.until(message_id, "submitted")
        text = await scraped(world)
    for secret in (CONTACT, "canary", str(message_id), SECRET, KEY, "far-key"):
        assert secret not in text


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """What is logged while a test runs."""
    with structlog.testing.capture_logs() as events:
        yield events


async def silences(events: list[Any], count: int) -> list[Any]:
    """The warnings, once there are so many."""
    async with asyncio.timeout(20):
        while len(found := [event for event in events if event["event"] == "sender.silent"]) < count:
            await asyncio.sleep(0.01)
    return found


async def test_a_sender_with_traffic_that_hears_nothing_for_6_hours_is_told_of_once(
    tmp_path: Path, events: list[Any]
) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        await world.desk.until(await world.desk.text("one"), "submitted")
        world.clock.advance(5 * HOUR)
        await world.desk.until(await world.desk.text("two"), "submitted")
        assert await silences(events, 0) == []
        world.clock.advance(2 * HOUR)
        (event,) = await silences(events, 1)
        assert (event["sender"], event["log_level"]) == (SHOP, "warning")
        text = await scraped(world)
        assert value(text, "gateway_inbound_silence_seconds", sender=SHOP) >= 7 * 3600
        world.clock.advance(timedelta(minutes=5))
        await world.hears()
        world.clock.advance(7 * HOUR)
        await world.desk.until(await world.desk.text("three"), "submitted")
        world.clock.advance(timedelta(minutes=1))
        assert len(await silences(events, 2)) == 2


# --- a door of their own --------------------------------------------------------------------------------------------


async def test_without_one_the_public_port_tells_it_all(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        assert world.gateway.internal is None
        assert value(await scraped(world), "gateway_up") == 1
        assert set(await world.desk.get("/readyz")) == {"ready", "store", "stopping", "templates", "paused"}


async def test_with_one_the_public_port_tells_whether_it_is_ready_and_no_more(tmp_path: Path) -> None:
    async with a_world(tmp_path, **apart(tmp_path)) as world:
        inside, http = world.gateway.internal, world.desk.http
        assert inside is not None
        status, body = await read(f"{world.desk.base_url}/metrics", http)
        assert status == 404
        assert '"code":"not_found"' in body
        assert await world.desk.get("/readyz") == {"ready": True}
        assert (await read(f"{world.desk.base_url}/healthz", http))[0] == 200
        assert value(await scraped(world, inside), "gateway_up") == 1
        status, body = await read(f"{inside}/readyz", http)
        assert status == 200
        assert '"paused":[]' in body
        assert await read(f"{inside}/healthz", http) == (200, '{"status":"ok"}')


async def test_inside_there_is_nothing_else(tmp_path: Path) -> None:
    async with a_world(tmp_path, **apart(tmp_path)) as world:
        for path in ("/v1/messages", "/v1/api/send-whatsapp", "/callbacks/far/" + SECRET, "/"):
            assert (await read(f"{world.gateway.internal}{path}", world.desk.http))[0] == 404


async def test_it_can_be_on_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 loopback here")
    async with a_world(tmp_path, **apart(tmp_path, InternalConfig(host="::1", port=0))) as world:
        assert (world.gateway.internal or "").startswith("http://[::1]:")
        assert value(await scraped(world, world.gateway.internal), "gateway_up") == 1


async def test_a_port_that_is_taken_stops_the_start_and_names_the_key(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = InternalConfig(host="127.0.0.1", port=taken.getsockname()[1])
        config = a_config(
            tmp_path, far_url="http://127.0.0.1:9/v1/api", hook_url="http://127.0.0.1:9/", **apart(tmp_path, at)
        )
        with pytest.raises(
            CannotStart, match=r"^server\.internal: 127\.0\.0\.1:\d+ can't be listened on: .* another port"
        ):
            async with running(config):
                pass
    async with running(config):
        """Nothing was left behind by the start that failed."""


async def test_while_the_gateway_stops_monitoring_is_answered_and_says_so(tmp_path: Path) -> None:
    """The public door closes first: whoever watches sees the end of it."""
    hold, seen = asyncio.Event(), asyncio.Event()

    async def late(_body: dict[str, Any]) -> web.StreamResponse:
        seen.set()
        await hold.wait()
        return web.json_response({"message_id": 1})

    async with aiohttp.ClientSession() as http:

        async def serve() -> None:
            async with a_world(tmp_path, **apart(tmp_path)) as world:
                world.far.behaviour = late
                worlds.append(world)
                await world.hears()
                await world.desk.text("on its way")
                await seen.wait()

        worlds: list[World] = []
        task = asyncio.create_task(serve())
        async with asyncio.timeout(20):
            await seen.wait()
            inside = worlds[0].gateway.internal
            while (await read(f"{inside}/readyz", http))[0] != 503:
                await asyncio.sleep(0.01)
            status, body = await read(f"{inside}/readyz", http)
            assert (status, '"stopping":true' in body) == (503, True)
            assert (await read(f"{inside}/metrics", http))[0] == 200
            hold.set()
            await task


async def test_the_text_is_compressed_for_those_who_take_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        async with world.desk.http.get(
            f"{world.desk.base_url}/metrics",
            headers={"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text; version=1.0.0"},
        ) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            assert (await answer.text()).endswith("# EOF\n")
        assert [sample for sample in samples(await scraped(world)) if sample.name == "gateway_build_info"]
