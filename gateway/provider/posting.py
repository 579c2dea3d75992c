"""One request of a client of ours: its answer, or what the lack of one means."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog

from gateway.domain.delivery import Cause, Outcome, Retry, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.message import OutboundMessage
from gateway.provider.answer import Answer
from gateway.provider.connection import Flight

log = structlog.get_logger(__name__)


async def answer_or_outcome(
    posting: Awaitable[Answer], flight: Flight, message: OutboundMessage, *, provider: str
) -> Answer | Outcome:
    """Never raises but for cancellation."""
    try:
        return await posting
    except Exception as trouble:  # the top of one request: all that matters now is whether it was written
        log.warning(
            "provider.no_answer",
            provider=provider,
            message_id=message.id,
            error=type(trouble).__name__,
            written=flight.is_written,
        )
        return _without_answer(trouble, flight)


def without_secrets(body: bytes, *secrets: str) -> bytes:
    """An answer whose words may be kept and told: some that refuse a key or a message repeat it."""
    for secret in filter(None, secrets):
        body = body.replace(secret.encode(), b"***")
    return body


def _without_answer(trouble: Exception, flight: Flight) -> Outcome:
    if flight.is_written:
        return Unknown(error=ProviderError(name="The answer was lost", message=type(trouble).__name__))
    error = ProviderError(name="No connection", message=type(trouble).__name__)
    return Retry(cause=Cause.NOT_WRITTEN, error=error)
