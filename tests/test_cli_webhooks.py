"""``gateway webhooks``: what an operator sees of events for clients, and may do about them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click.testing
import pytest
import structlog
from aiohttp import web

from gateway.cli import cli
from gateway.clock import SystemClock
from gateway.domain.callback import InboundMessage
from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact, Sender
from gateway.operator import operator_app
from gateway.operator_webhooks import WebhookDesk, add_webhook_routes
from gateway.ports import Arrival, Store, StorePolicy
from gateway.store import open_store

SHOP = Sender("Shop")
POLICY = StorePolicy(listeners={SHOP: ("desk",)})
CLOCK = SystemClock()
TOKEN = "the token"


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    root, ours, access = logging.getLogger(), logging.getLogger("gateway"), logging.getLogger("aiohttp.access")
    before = (root.handlers, root.level, ours.level, access.disabled)
    yield
    root.handlers, root.level, ours.level, access.disabled = before
    structlog.reset_defaults()


def configure(folder: Path, url: str = "http://127.0.0.1:9/hook", **webhook: str) -> None:
    settings = {"url": url, "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", **webhook}
    tree = {
        "clients": [
            {"name": "desk", "keys": ["a-key-of-the-desk-itself"], "senders": ["Shop"], "webhook": settings},
            {"name": "deaf", "keys": ["a-key-of-somebody-deaf"], "senders": ["Shop"]},
        ],
        "providers": [{"name": "sandbox", "kind": "sandbox"}],
        "senders": [{"id": "Shop", "provider": "sandbox"}],
        "delivery": {"callback_hosts": {"allow": ["127.0.0.1/32"]}},
    }
    (folder / "config.yaml").write_text(json.dumps(tree))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configure(tmp_path)
    return tmp_path


@asynccontextmanager
async def store_in(folder: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{folder}/gateway.db", POLICY, lock_timeout=0.2)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def gateway_on(folder: Path, store: Store, asked: list[str]) -> AsyncIterator[None]:
    """The operator's door of a gateway that runs."""
    app = operator_app(store, CLOCK)
    clients = frozenset({"desk"})
    add_webhook_routes(app, WebhookDesk(outbox=store, clock=CLOCK, clients=clients, ask_again=asked.append))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "gateway.sock")).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def failed(store: Store, count: int) -> None:
    """So many events that the desk did not take, and one that waits."""
    now = CLOCK.now()
    for number in range(count + 1):
        contact = Contact(f"38050123456{number}")
        event = InboundMessage(contact=contact, kind="text", dedupe=str(number), raw={}, text="Hi", at=now)
        await store.ingest("sandbox", [Arrival(event=event, sender=SHOP)], now=now)
    claimed = await store.claim_deliveries(limit=count, now=CLOCK.now(), lease=timedelta(minutes=1))
    for delivery in claimed.deliveries:
        await store.give_up(delivery, error="http 410", now=CLOCK.now())


async def run(folder: Path, *words: str) -> click.testing.Result:
    command = ["webhooks", *words, "--config", str(folder / "config.yaml")]
    return await asyncio.to_thread(click.testing.CliRunner().invoke, cli, command)


def objects(result: click.testing.Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- list -----------------------------------------------------------------------------------------------------------


async def test_the_list_shows_what_was_not_taken_and_why(folder: Path) -> None:
    async with store_in(folder) as store:
        await failed(store, 2)
        rows = objects(await run(folder, "list", "--json"))
        table = (await run(folder, "list", "--state", "failed", "--client", "desk")).output.splitlines()
        nothing = objects(await run(folder, "list", "--client", "deaf", "--json"))
    assert [(row["state"], row["error"], row["tries"]) for row in rows] == [
        ("failed", "http 410", 1),
        ("failed", "http 410", 1),
        ("waiting", None, 0),
    ]
    assert {(row["client"], row["to"], row["type"]) for row in rows} == {("desk", "webhook", "message.received")}
    assert (rows[0]["ended_at"] is None, rows[2]["next_try_at"] is None) == (False, False)
    assert len(table) == 3
    assert "Hi" not in str(rows), "no words of customers"
    assert nothing == []


async def test_a_store_in_memory_is_asked_over_the_socket(folder: Path) -> None:
    tree = json.loads((folder / "config.yaml").read_text()) | {"store": {"url": "memory:"}}
    (folder / "config.yaml").write_text(json.dumps(tree))
    store = await open_store("memory:", POLICY)
    try:
        async with gateway_on(folder, store, []):
            await failed(store, 1)
            assert len(objects(await run(folder, "list", "--json", "--since", "1h"))) == 2
            assert (
                objects(await run(folder, "replay", "--client", "desk", "--since", "1h", "--json"))[0]["replayed"] == 1
            )
    finally:
        await store.aclose()


# --- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_what_failed_is_posted_again_whether_the_gateway_runs_or_not(folder: Path, runs: bool) -> None:
    asked: list[str] = []
    words = ("replay", "--client", "desk", "--since", "1h")
    async with store_in(folder) as store:
        await failed(store, 2)
        if runs:
            async with gateway_on(folder, store, asked):
                result = await run(folder, *words)
    if not runs:
        result = await run(folder, *words)
    assert (result.exit_code, result.output) == (0, "2 to be posted again\n")
    assert asked == (["client:desk"] if runs else [])
    rows = objects(await run(folder, "list", "--json"))
    assert [(row["state"], row["tries"]) for row in rows] == [("waiting", 0)] * 3


async def test_delivered_ones_are_posted_again_only_after_a_yes(folder: Path) -> None:
    async with store_in(folder) as store:
        await failed(store, 0)
        (delivery,) = (await store.claim_deliveries(limit=9, now=CLOCK.now(), lease=timedelta(minutes=1))).deliveries
        await store.delivered(delivery, now=CLOCK.now())
    words = ("replay", "--client", "desk", "--since", "1h", "--state", "all")
    refused = await run(folder, *words)
    assert (refused.exit_code, "Aborted" in refused.output) == (1, True)
    assert "1 to be posted again" in (await run(folder, *words, "--yes")).output


@pytest.mark.parametrize("client", ["nobody", "deaf"])
async def test_a_client_that_has_no_webhook_is_named_with_those_that_have(folder: Path, client: str) -> None:
    async with store_in(folder):
        pass
    result = await run(folder, "replay", "--client", client, "--since", "1h")
    assert result.exit_code == 1
    assert result.output.endswith("expected the name of a client with a webhook; known: desk\n")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"run": "x"}, "run"), ({"state": "waiting"}, "state"), ({"since": 7}, "since"), ({"client": ["desk"]}, "client")],
)
async def test_what_is_asked_wrongly_is_named_and_nothing_is_done(
    folder: Path, change: dict[str, Any], field: str
) -> None:
    asked = {"client": "desk", "run": "0" * 16, "since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    async with store_in(folder) as store:
        desk = WebhookDesk(outbox=store, clock=CLOCK, clients=frozenset({"desk"}), ask_again=lambda _: None)
        with pytest.raises(InvalidRequest, match=f"{field}: expected"):
            await desk.replay({**asked, **change}, by="operator")


# --- verify ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def an_endpoint(answer: Any) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    asked: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        given: web.Response = answer(request.query)
        return given

    app = web.Application()
    app.router.add_get("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook?tenant=7", asked
    finally:
        await runner.cleanup()


def as_the_platform_expects(query: Any) -> web.Response:
    is_known = (query["hub.mode"], query["hub.verify_token"]) == ("subscribe", TOKEN)
    return web.Response(text=query["hub.challenge"]) if is_known else web.Response(status=403)


async def verify(folder: Path, url: str, token: str = TOKEN) -> click.testing.Result:
    configure(folder, url, format="cloud-api", verify_token=token)
    return await run(folder, "verify", "--client", "desk", "--json")


async def test_an_endpoint_that_gives_the_challenge_back_is_verified(folder: Path) -> None:
    async with an_endpoint(as_the_platform_expects) as (url, asked):
        result = await verify(folder, url)
        (told,) = objects(result)
    assert (result.exit_code, told["verified"], told["status"]) == (0, True, 200)
    assert asked[0]["hub.challenge"].isdigit()
    assert asked[0]["tenant"] == "7"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: web.Response(text="ok"), "not with the challenge"),
        (lambda _: web.Response(status=403), "another verify_token"),
        (lambda _: web.Response(status=302, headers={"Location": "/"}), "redirects are not followed"),
        (lambda _: web.Response(status=500), "it answered 500"),
        (lambda _: web.Response(text="x" * 100_000), "not with the challenge"),
    ],
)
async def test_any_other_answer_is_told_with_what_is_wrong(folder: Path, answer: Any, says: str) -> None:
    async with an_endpoint(answer) as (url, _):
        result = await verify(folder, url, "a secret token")
    (told,) = objects(result)
    assert (result.exit_code, told["verified"]) == (1, False)
    assert says in told["says"]
    assert "a secret token" not in result.output


async def test_an_endpoint_that_nobody_serves_is_said_to_be_so(folder: Path) -> None:
    (told,) = objects(await verify(folder, "http://127.0.0.1:9/hook"))
    assert (told["verified"], told["status"], told["says"]) == (
        False,
        None,
        "it could not be asked: nothing answers at its address",
    )


@pytest.mark.parametrize(
    ("client", "says"),
    [("nobody", "known: desk, deaf"), ("deaf", "deaf has no webhook"), ("desk", "no webhook.verify_token")],
)
async def test_what_can_not_be_asked_is_said_in_one_line(folder: Path, client: str, says: str) -> None:
    result = await run(folder, "verify", "--client", client)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert says in result.output
