"""To which trace something belongs; asked only where traces are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.callback import StatusReport
from gateway.domain.identity import MessageId
from gateway.domain.message import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The message that a report is about, and its attempt."""

    message_id: MessageId
    attempt: int
    status: Status
    """The message's own, after the report."""
    traceparent: str | None


class Traces(Protocol):
    async def reported(self, provider: str, reports: Sequence[StatusReport]) -> Sequence[Traced | None]:
        """For each report what it is about; None where that is not known."""

    async def trace_of(self, message_id: MessageId) -> str | None:
        """The trace context with which a message was accepted."""
