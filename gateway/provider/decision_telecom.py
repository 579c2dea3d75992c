"""The client of DecisionTelecom's send API, and of anything that speaks it, such as the sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.config import ProviderConfig
from gateway.domain.delivery import Outcome
from gateway.domain.message import Content, OutboundMessage
from gateway.ports import Provider
from gateway.provider.answer import Answer
from gateway.provider.connection import Flight
from gateway.provider.decision_telecom_wire import authorization, classify, receipt_in, request_body
from gateway.provider.exchange import Exchange
from gateway.provider.posting import answer_or_outcome, without_secrets
from gateway.provider.written import encoded


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
        self._secrets = (config.key, authorization(config.key).partition(" ")[2])
        self._monotonic = monotonic
        self._exchange = _exchange(config, timeout)

    async def send(
        self, message: OutboundMessage, content: Content, *, token: str, callback_url: str | None, write_by: float
    ) -> Outcome:
        flight = Flight(write_by=write_by, monotonic=self._monotonic)
        body = encoded(request_body(message, content, callback_url))
        posting = self._exchange.post(body, flight)
        answer = await answer_or_outcome(posting, flight, message, provider=self.name)
        if not isinstance(answer, Answer):
            return answer
        if (receipt := receipt_in(answer.status, answer.body)) is not None:
            return receipt
        return classify(
            answer.status,
            without_secrets(answer.body, *self._secrets, token),
            answer.headers,
            self._config,
            now=datetime.now(UTC),
        )

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
