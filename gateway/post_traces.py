"""Posts to clients, as steps of the traces of the messages that they tell of."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.identity import MessageId
from gateway.domain.subscription import Format
from gateway.domain.wamid import message_id_in
from gateway.ports import Delivery, Posted, Traces
from gateway.tracing import Span, Tracer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One post: the headers that hand its trace on, and where to note what came of it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None

    def note(self, posted: Posted) -> None:
        if self.span is not None:
            self.span.note(http_status=posted.status, error=posted.error)


_NO_STEP = Step()


class PostTraces:
    def __init__(self, traces: Traces, tracer: Tracer) -> None:
        self._traces = traces
        self._tracer = tracer

    @asynccontextmanager
    async def step(self, delivery: Delivery, *, hands_on: bool) -> AsyncIterator[Step]:
        """A post. `hands_on` to a client's own webhook alone: a URL that came with a message is a stranger's, to whom
        our traces are of no use and none of his business."""
        if not self._tracer.is_on:
            yield _NO_STEP
            return
        with self._tracer.span(
            "webhook.post",
            kind="client",
            parent=await self._trace_of(delivery),
            event_id=delivery.event_id,
            type=delivery.type,
            try_number=delivery.tries + 1,
        ) as span:
            traceparent = self._tracer.traceparent() if hands_on else None
            yield Step(headers={"traceparent": traceparent} if traceparent else {}, span=span)

    async def _trace_of(self, delivery: Delivery) -> str | None:
        try:
            message_id = message_told_of(json.loads(delivery.body), delivery.format)
            return None if message_id is None else await self._traces.trace_of(message_id)
        except (
            LookupError,
            StoreUnavailable,
            ValueError,
        ) as error:  # a body that was damaged on the disk is posted all the same
            log.warning("tracing.parent_unknown", event_id=delivery.event_id, error=type(error).__name__)
            return None


def message_told_of(body: Mapping[str, Any], shape: Format) -> MessageId | None:
    """The message that a notice tells of (domain.notice); None when it tells of something else."""
    if shape.is_platform:
        statuses = body["entry"][0]["changes"][0]["value"].get("statuses") or [{"id": ""}]
        return message_id_in(statuses[0]["id"])
    written = body.get("data", body).get("message_id")
    return None if written is None else MessageId(int(written))
