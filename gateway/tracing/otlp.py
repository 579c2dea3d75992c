"""Traces by OpenTelemetry, sent in batches by a thread of its own: nobody waits for it, what it can't take is dropped.

Only this module knows OpenTelemetry.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway import __version__
from gateway.config import TracingConfig
from gateway.domain.errors import GatewayError
from gateway.tracing.tracer import Fact, Kind, Span, SpanObserver, T, Tracer

log = structlog.get_logger()

QUEUED = 4096
"""So many spans wait to be sent at most; what comes on top is dropped."""
BATCH = 512
SEND_EACH = 2.0
ANSWER_WITHIN = 5.0

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}


class OtlpSpan(Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **facts: Fact) -> None:
        for name, value in facts.items():
            if value is not None:
                self._span.set_attribute(f"gateway.{name}", value)


class OtlpTracer(Tracer):
    is_on = True

    def __init__(self, config: TracingConfig, observer: SpanObserver) -> None:
        # Each failed try would be a line or two of the library's own; one of ours says it.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = _Exporter(OTLPSpanExporter(endpoint=config.endpoint, timeout=ANSWER_WITHIN), observer)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(config.sample)),
            resource=Resource({"service.name": config.service_name, "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(_Queue(self._exporter, observer))
        self._tracer = self._provider.get_tracer("gateway", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, *, kind: Kind = "internal", parent: str | None = None, **facts: Fact
    ) -> Iterator[OtlpSpan]:
        with self._tracer.start_as_current_span(
            name,
            context=self._within(parent),
            kind=_KINDS[kind],
            links=_links(parent),
            record_exception=False,  # its message may quote a provider
            set_status_on_exception=False,
        ) as started:
            span = OtlpSpan(started)
            span.note(**facts)
            try:
                yield span
            except GatewayError as error:
                span.note(code=error.code)
                raise
            except BaseException as error:
                started.set_status(StatusCode.ERROR)
                started.set_attribute("error.type", type(error).__name__)
                raise

    async def step(
        self,
        name: str,
        work: Awaitable[T],
        *,
        kind: Kind = "internal",
        telling: Callable[[T], Mapping[str, Fact]] | None = None,
        **facts: Fact,
    ) -> T:
        with self.span(name, kind=kind, parent=None, **facts) as span:
            done = await work
            if telling is not None:
                span.note(**telling(done))
            return done

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent")

    async def aclose(self) -> None:
        """Send what waits, if somebody takes it."""
        self._exporter.is_closing = True
        await asyncio.to_thread(self._provider.shutdown)

    def _within(self, parent: str | None) -> Context | None:
        return None if parent is None else self._propagator.extract({"traceparent": parent}, context=Context())


def _links(parent: str | None) -> Sequence[Link]:
    """A step that continues another trace names the step that it was taken in."""
    current = trace.get_current_span().get_span_context()
    return [Link(current)] if parent is not None and current.is_valid else []


class _Queue(BatchSpanProcessor):
    """Counts what finds no room; the library would only log it, each time."""

    def __init__(self, exporter: _Exporter, observer: SpanObserver) -> None:
        super().__init__(exporter, QUEUED, SEND_EACH * 1000, BATCH, ANSWER_WITHIN * 1000)
        self._taken = 0
        self._passed_on = exporter
        self._observer = observer

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._taken - self._passed_on.seen >= QUEUED:
            self._observer.spans_dropped(1)
            return
        self._taken += 1
        super().on_end(span)


class _Exporter(SpanExporter):
    """Tells once when traces can't be sent, and once when they can again."""

    def __init__(self, inner: SpanExporter, observer: SpanObserver) -> None:
        self._inner = inner
        self._observer = observer
        self._is_failing = False
        self.seen = 0
        """How many spans came so far."""
        self.is_closing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.seen += len(spans)
        gives_up = self.is_closing and self._is_failing
        result = SpanExportResult.FAILURE if gives_up else self._inner.export(spans)
        self._tell(len(spans), is_failing=result is not SpanExportResult.SUCCESS)
        return result

    def _tell(self, count: int, *, is_failing: bool) -> None:
        (self._observer.spans_dropped if is_failing else self._observer.spans_exported)(count)
        if is_failing != self._is_failing:
            self._is_failing = is_failing
            if is_failing:
                log.warning("tracing.export_failed", advice="spans are dropped until tracing.endpoint takes them")
            else:
                log.info("tracing.export_resumed")

    def shutdown(self) -> None:
        self._inner.shutdown()
