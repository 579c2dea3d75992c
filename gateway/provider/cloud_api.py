"""The client of the platform's send API: Meta's Cloud API, and 360dialog, which speaks it under a key of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from gateway.config import DIALOG_360, ProviderConfig
from gateway.domain.delivery import Outcome
from gateway.domain.identity import Sender
from gateway.domain.message import Content, OutboundMessage
from gateway.ports import Provider
from gateway.provider.answer import Answer
from gateway.provider.cloud_api_answers import classify
from gateway.provider.cloud_api_wire import receipt_in, request_body, withheld_in
from gateway.provider.connection import Flight
from gateway.provider.exchange import Exchange
from gateway.provider.posting import answer_or_outcome, without_secrets
from gateway.provider.written import encoded

log = structlog.get_logger(__name__)

Numbers = Mapping[Sender, str | None]
"""The senders that a provider serves, and the ids of their numbers."""


class CloudApiProvider(Provider):
    """Sends for all numbers of one provider. Make it inside the running loop; nothing is ever sent twice by this client
    itself."""

    def __init__(
        self,
        config: ProviderConfig,
        numbers: Numbers,
        *,
        timeout: timedelta = timedelta(seconds=30),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = config.name
        self._config = config
        self._numbers = numbers
        self._monotonic = monotonic
        self._exchange = Exchange(
            f"{config.base_url}/messages", _headers(config), in_flight=config.in_flight, timeout=timeout.total_seconds()
        )
        self._heads = {sender: self._exchange.head_of(_url(config, number)) for sender, number in numbers.items()}

    async def send(
        self, message: OutboundMessage, content: Content, *, token: str, callback_url: str | None, write_by: float
    ) -> Outcome:
        flight = Flight(write_by=write_by, monotonic=self._monotonic)
        body = encoded(request_body(message, content, token))
        posting = self._exchange.post(body, flight, self._heads[message.sender])
        answer = await answer_or_outcome(posting, flight, message, provider=self.name)
        return self._outcome(answer, message, token) if isinstance(answer, Answer) else answer

    def _outcome(self, answer: Answer, message: OutboundMessage, token: str) -> Outcome:
        receipt = receipt_in(answer.status, answer.body)
        if receipt is None:
            told = without_secrets(answer.body, self._config.key, token)
            number = self._numbers[message.sender]
            return classify(answer.status, told, answer.headers, self._config, now=datetime.now(UTC), number=number)
        if b"message_status" in answer.body and (why := withheld_in(answer.body)) is not None:
            log.warning("provider.withheld", provider=self.name, message_id=message.id, message_status=why)
        return receipt

    async def aclose(self) -> None:
        await self._exchange.aclose()


def _headers(config: ProviderConfig) -> Mapping[str, str]:
    key = {"D360-API-KEY": config.key} if config.kind == DIALOG_360 else {"Authorization": f"Bearer {config.key}"}
    return {**key, "Content-Type": "application/json", "Accept": "application/json"}


def _url(config: ProviderConfig, number: str | None) -> str:
    """A key of 360dialog is one number's, and names it; one of the Cloud API may serve many."""
    return f"{config.base_url}/messages" if config.kind == DIALOG_360 else f"{config.base_url}/{number}/messages"
