"""One trace from a request to the final status, as a collector receives it: real OTLP over real HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway.config import TracingConfig
from gateway.metrics import Metrics, Names
from gateway.tracing import tracer_for
from tests.exposition import value
from tests.gateway.harness import CONTACT, KEY, SECRET, SHOP, World, a_world

ROOT = Path(__file__).resolve().parents[2]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One span, as it came."""

    name: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    service: str
    links: tuple[str, ...]


@dataclass
class Collector:
    """Takes spans, as long as it is told to."""

    spans: list[Seen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        if self.status == 200:
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        return web.Response(status=self.status)

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]

    def of_trace(self, trace: str = TRACE) -> list[Seen]:
        return [span for span in self.spans if span.trace == trace]


def _spans(request: ExportTraceServiceRequest) -> list[Seen]:
    return [
        Seen(
            name=span.name,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            facts={fact.key.removeprefix("gateway."): _plain(fact.value) for fact in span.attributes},
            service=next(fact.value.string_value for fact in each.resource.attributes if fact.key == "service.name"),
            links=tuple(link.trace_id.hex() for link in span.links),
        )
        for each in request.resource_spans
        for scope in each.scope_spans
        for span in scope.spans
    ]


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [_plain(each) for each in found.values] if kind == "array_value" else found


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    server = TestServer(app)
    await server.start_server()
    collector.url = str(server.make_url("/v1/traces"))
    yield collector
    await server.close()


@asynccontextmanager
async def traced(folder: Path, collector: Collector, **changes: Any) -> AsyncIterator[World]:
    """A gateway that is traced; all its spans are with the collector when the block is over."""
    tracing = TracingConfig(endpoint=collector.url, **changes.pop("tracing", {}))
    async with a_world(folder, tracing=tracing, **changes) as world:
        yield world


async def delivered(world: World, message_id: int) -> None:
    """The provider reports it, to the attempt's own address."""
    await world.far.has(1)
    token = str(world.far.arrived[-1]["callback_url"]).rpartition("/")[2]
    await world.desk.until(message_id, "submitted")
    await world.desk.callback({"status": 1}, attempt=token)
    await world.desk.until(message_id, "delivered")
    await world.desk.has(lambda body: body["data"].get("status") == "delivered")


async def test_one_trace_leads_from_the_request_to_the_final_status(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        message_id = await world.desk.text("on its way", traceparent=TRACEPARENT)
        await delivered(world, message_id)
    spans = {span.name: span for span in collector.of_trace()}
    request, attempt = spans["POST /v1/api/send-whatsapp"], spans["message.attempt"]
    assert request.parent == SPAN
    assert request.facts == {"route": "/v1/api/send-whatsapp", "http_status": 200}
    assert spans["message.accept"].parent == request.id
    assert spans["message.accept"].facts["message_id"] == message_id
    assert spans["message.enqueue"].parent == spans["message.accept"].id
    assert attempt.parent == spans["message.accept"].id
    assert {"attempt": 1, "sender": SHOP, "client": "desk", "status": "submitted"}.items() <= attempt.facts.items()
    enqueued = spans["message.enqueue"].facts
    assert (enqueued["action"], enqueued["reasons"]) == ("send", ["window_open"])
    for step in ("provider.send", "message.record"):
        assert spans[step].parent == attempt.id
    assert spans["provider.send"].facts == {"provider": "far", "outcome": "submitted"}
    assert spans["message.status"].facts["reported"] == "delivered"
    assert spans["message.status"].facts["status"] == "delivered"
    assert spans["message.status"].facts["message_id"] == message_id
    assert {span.service for span in collector.spans} == {"whatsapp-session-gateway"}


async def test_it_is_one_trace_also_after_a_restart(tmp_path: Path, collector: Collector) -> None:
    async def busy(_body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"name": "Busy", "message": "", "code": 0, "status": 429}, status=429)

    async with traced(tmp_path, collector) as world:
        world.far.behaviour = busy
        await world.hears()
        message_id = await world.desk.text("on its way", traceparent=TRACEPARENT)
        await world.far.has(1)
    before = collector.of_trace()
    assert "message.status" not in {span.name for span in before}
    async with traced(tmp_path, collector) as world:
        await delivered(world, message_id)
    after = collector.of_trace()[len(before) :]
    assert {"message.attempt", "provider.send", "message.status", "webhook.post"} <= {span.name for span in after}
    (status,) = collector.named("message.status")
    assert (status.trace, status.facts["status"]) == (TRACE, "delivered")
    attempts = [span for span in collector.of_trace() if span.name == "message.attempt"]
    assert len(attempts) >= 2
    assert len({span.parent for span in attempts}) == 1


async def test_a_callback_has_its_own_trace_which_the_status_names(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        message_id = await world.desk.text("on its way", traceparent=TRACEPARENT)
        await delivered(world, message_id)
    (callback,) = collector.named("POST /callbacks/{provider}/{secret}/{attempt}")
    (status,) = collector.named("message.status")
    assert callback.trace != TRACE
    assert status.links == (callback.trace,)


async def test_a_request_without_a_trace_begins_one(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        await world.desk.until(await world.desk.text("on its way"), "submitted")
    (request,) = collector.named("POST /v1/api/send-whatsapp")
    (attempt,) = collector.named("message.attempt")
    assert (request.parent, attempt.trace) == ("", request.trace)


@pytest.mark.parametrize("header", ["nonsense", f"00-{'0' * 32}-{SPAN}-01", "00-é", TRACEPARENT + "-extra"])
async def test_a_trace_that_makes_no_sense_is_as_if_it_were_not_there(
    tmp_path: Path, collector: Collector, header: str
) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        await world.desk.text("on its way", traceparent=header)
    (request,) = collector.named("POST /v1/api/send-whatsapp")
    assert request.parent == ""


async def test_a_caller_that_does_not_trace_is_not_traced(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        message_id = await world.desk.text("on its way", traceparent=TRACEPARENT[:-1] + "0")
        await delivered(world, message_id)
    assert collector.of_trace() == []


async def test_a_share_of_nothing_traces_nobody_but_those_who_ask(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector, tracing={"sample": 0.0, "service_name": "shop gateway"}) as world:
        await world.hears()
        await world.desk.until(await world.desk.text("one"), "submitted")
        await world.desk.until(await world.desk.text("two", traceparent=TRACEPARENT), "submitted")
    assert {span.trace for span in collector.spans} == {TRACE}
    assert {span.service for span in collector.spans} == {"shop gateway"}


async def test_our_clients_webhook_is_told_the_trace_and_nobody_else(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        kept: list[dict[str, str]] = []

        async def keep(request: web.Request) -> web.Response:
            kept.append(dict(request.headers))
            return web.Response()

        stranger = TestServer(app := web.Application())
        app.router.add_post("/told", keep)
        await stranger.start_server()
        await world.hears()
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "on its way"}
        status, answer, _ = await world.desk.post(
            {**body, "callback_url": str(stranger.make_url("/told"))}, traceparent=TRACEPARENT
        )
        assert status == 200
        await delivered(world, answer["message_id"])
        async with asyncio.timeout(20):
            while not kept:
                await asyncio.sleep(0.01)
        ours = [
            headers.get("Traceparent") or headers.get("traceparent")
            for received, headers in zip(world.desk.received, world.desk.headers, strict=True)
            if received["type"] == "message.status"
        ]
        assert ours
        await stranger.close()
    assert {str(header).split("-")[1] for header in ours} == {TRACE}
    posts = [span for span in collector.of_trace() if span.name == "webhook.post"]
    assert {str(header).split("-")[2] for header in ours} <= {span.id for span in posts}
    assert not [headers for headers in kept if "traceparent" in {name.lower() for name in headers}]


async def test_the_provider_is_not_told_the_trace(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears()
        await world.desk.until(await world.desk.text("on its way", traceparent=TRACEPARENT), "submitted")
        (headers,) = world.far.headers
    assert "authorization" in headers
    assert not {"traceparent", "tracestate", "baggage"} & headers.keys()


async def test_no_number_no_text_and_no_key_is_in_a_trace(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.hears(text="a-canary-of-the-customer")
        message_id = await world.desk.text("a-canary-of-the-desk", Gateway_Reference="a-canary-reference")
        await delivered(world, message_id)
        await world.desk.post({"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1})
        await world.desk.get(f"/v1/windows/{SHOP}/{CONTACT}")
        token = str(world.far.arrived[-1]["callback_url"]).rpartition("/")[2]
    told = b"".join(collector.bodies)
    assert b"message.attempt" in told
    for secret in (CONTACT, "canary", SECRET, KEY, "far-key", token):
        assert secret.encode() not in told


async def test_a_refusal_is_no_error_of_ours_and_names_its_code(tmp_path: Path, collector: Collector) -> None:
    async with traced(tmp_path, collector) as world:
        await world.desk.post(
            {
                "source_addr": SHOP,
                "destination_addr": CONTACT,
                "message_type": 4,
                "template_name": "nobody_knows_it",
                "template_params": {"to": CONTACT, "type": "template", "template": {"name": "nobody_knows_it"}},
            },
            traceparent=TRACEPARENT,
        )
    (accept,) = [span for span in collector.of_trace() if span.name == "message.accept"]
    assert accept.facts["code"] == "template_unknown"


async def test_a_collector_that_is_down_stops_no_message_and_is_told_of_once(tmp_path: Path) -> None:
    nowhere = Collector(url="http://127.0.0.1:9/v1/traces")
    with structlog.testing.capture_logs() as events:
        async with traced(tmp_path, nowhere) as world:
            await world.hears()
            for number in range(20):
                await world.desk.until(await world.desk.text(str(number)), "submitted")
            async with asyncio.timeout(20):
                while not [event for event in events if event["event"] == "tracing.export_failed"]:
                    await asyncio.sleep(0.05)
            async with world.desk.http.get(f"{world.desk.base_url}/metrics") as answer:
                text = await answer.text()
    assert value(text, "gateway_trace_spans_total", outcome="dropped") > 0
    assert value(text, "gateway_trace_spans_total", outcome="exported") == 0
    assert len([event for event in events if event["event"] == "tracing.export_failed"]) == 1


async def test_what_finds_no_room_is_dropped_and_counted(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.tracing.otlp.QUEUED", 600)
    metrics = Metrics(Names())
    tracer = tracer_for(TracingConfig(endpoint="http://127.0.0.1:9/v1/traces"), metrics)
    for _ in range(5000):  # faster than any thread could send them
        with tracer.span("message.accept"):
            pass
    await tracer.aclose()
    dropped = metrics.registry.get_sample_value("gateway_trace_spans_total", {"outcome": "dropped"})
    assert dropped == 5000


# --- off ------------------------------------------------------------------------------------------------------------


def test_without_it_opentelemetry_is_not_even_imported() -> None:
    program = "import gateway.app, gateway.cli, sys; print([name for name in sys.modules if 'opentelemetry' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_without_it_no_trace_is_written_down(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        message_id = await world.desk.text("on its way", traceparent=TRACEPARENT)
        await world.desk.until(message_id, "submitted")
        assert await world.gateway.store.trace_of(message_id) is None
        assert not [headers for headers in world.desk.headers if "traceparent" in {name.lower() for name in headers}]


def test_a_package_that_is_missing_stops_the_start_and_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hidden" / "opentelemetry").mkdir(parents=True)
    (tmp_path / "hidden" / "opentelemetry" / "__init__.py").touch()  # found first, and without the SDK
    (tmp_path / "config.yaml").write_text(
        "server: {port: 0}\n"
        "clients: [{name: desk, keys: [a-key-of-the-desk-to-try], senders: [Shop]}]\n"
        "providers: [{name: sandbox, kind: sandbox}]\n"
        "senders: [{id: Shop, provider: sandbox}]\n"
        "tracing: {endpoint: 'http://127.0.0.1:4318'}\n"
    )
    (tmp_path / "templates").mkdir()
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path / 'hidden'}{os.pathsep}{ROOT}"}
    remedy = 'tracing: OpenTelemetry is not installed; pip install "whatsapp-session-gateway[tracing]"'
    for command in ("check", "serve"):
        done = subprocess.run(
            [sys.executable, "-m", "gateway", command, "--config", "config.yaml"],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert remedy in done.stderr
        assert "Traceback" not in done.stderr
