"""The client of DecisionTelecom's send API, and of anything that speaks it, such as the sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from gateway.config import ProviderConfig
from gateway.domain.delivery import Cause, Outcome, Retry, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.message import Content, OutboundMessage
from gateway.ports import Provider
from gateway.provider.connection import Flight
from gateway.provider.decision_telecom_wire import authorization, classify, encoded, receipt_in, request_body
from gateway.provider.exchange import Exchange

log = structlog.get_logger(__name__)


class DecisionTelecomProvider(Provider):
    """Sends to one provider. Make it inside the running loop; nothing is ever sent twice by this client itself."""

    def __init__(
        self,
        config: ProviderConfig,
        *,
        timeout: timedelta = timedelta(seconds=30),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = config.name
        self._config = config
        self._monotonic = monotonic
        self._exchange = _exchange(config, timeout)

    async def send(
        self, message: OutboundMessage, content: Content, *, callback_url: str | None, write_by: float
    ) -> Outcome:
        flight = Flight(write_by=write_by, monotonic=self._monotonic)
        body = encoded(request_body(message, content, callback_url))
        try:
            answer = await self._exchange.post(body, flight)
        except Exception as trouble:  # the top of one request: all that matters now is whether it was written
            log.warning(
                "provider.no_answer",
                provider=self.name,
                message_id=message.id,
                error=type(trouble).__name__,
                written=flight.is_written,
            )
            return _without_answer(trouble, flight)
        if (receipt := receipt_in(answer.status, answer.body)) is not None:
            return receipt
        return classify(answer.status, answer.body, answer.headers, self._config, now=datetime.now(UTC))

    async def aclose(self) -> None:
        await self._exchange.aclose()


def _exchange(config: ProviderConfig, timeout: timedelta) -> Exchange:
    return Exchange(
        f"{config.base_url.rstrip('/')}/send-whatsapp",
        {
            "Authorization": authorization(config.key),
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
        in_flight=config.in_flight,
        timeout=timeout.total_seconds(),
    )


def _without_answer(trouble: Exception, flight: Flight) -> Outcome:
    if flight.is_written:
        return Unknown(error=ProviderError(name="The answer was lost", message=type(trouble).__name__))
    error = ProviderError(name="No connection", message=type(trouble).__name__)
    return Retry(cause=Cause.NOT_WRITTEN, error=error)
