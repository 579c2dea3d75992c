"""Statuses that providers report, as steps of the traces of their messages."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gateway.domain.callback import StatusReport
from gateway.domain.errors import StoreUnavailable
from gateway.ports import Arrival, Ingested, Traced, Traces
from gateway.tracing import Tracer

log = structlog.get_logger()


class StatusTraces:
    """What was applied is durable already: nothing here can fail it."""

    def __init__(self, traces: Traces, tracer: Tracer) -> None:
        self._traces = traces
        self._tracer = tracer

    async def __call__(self, provider: str, arrivals: Sequence[Arrival], ingested: Ingested) -> None:
        """A step for each report of a callback that was applied."""
        reports = _applied(arrivals, ingested)
        if not self._tracer.is_on or not reports:
            return
        try:
            traced = await self._traces.reported(provider, reports)
        except StoreUnavailable:
            log.warning("tracing.store_unavailable")
            return
        for report, about in zip(reports, traced, strict=True):
            if about is not None:
                self._note(provider, report, about)

    def _note(self, provider: str, report: StatusReport, about: Traced) -> None:
        with self._tracer.span(
            "message.status",
            parent=about.traceparent,
            provider=provider,
            message_id=about.message_id,
            attempt=about.attempt,
            reported=report.status,
            status=about.status,
        ):
            pass


def _applied(arrivals: Sequence[Arrival], ingested: Ingested) -> list[StatusReport]:
    return [
        arrival.event
        for arrival, fate in zip(arrivals, ingested.fates, strict=False)
        if fate == "applied" and isinstance(arrival.event, StatusReport) and arrival.event.status is not None
    ]
