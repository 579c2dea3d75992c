"""The client of DecisionTelecom's send API, and of anything that speaks it, such as the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from yarl import URL

from gateway.config import ProviderConfig
from gateway.domain.delivery import Cause, Outcome, Retry, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.message import Content, OutboundMessage
from gateway.ports import Provider
from gateway.provider.decision_telecom_wire import authorization, classify, request_body

CONNECT_WITHIN = 5.0
IDLE_AT_MOST = 4.0
"""Servers commonly close a connection after five idle seconds: one that is as old may die under a request."""
LARGEST_ANSWER = 64 * 1024

log = structlog.get_logger(__name__)

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class TooLate(Exception):
    """The connection was ready only after the last moment for the first byte."""


@dataclass(slots=True)
class Flight:
    """How far one request got: the difference between an attempt that never left and one whose answer was lost."""

    write_by: float
    monotonic: Callable[[], float]
    is_written: bool = False

    def write(self) -> None:
        """Called right before the bytes of the request go to the socket."""
        if not self.is_written and self.monotonic() > self.write_by:
            raise TooLate
        self.is_written = True


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
        self._timeout = timeout.total_seconds()
        self._monotonic = monotonic
        self._url = URL(f"{config.base_url.rstrip('/')}/send-whatsapp")
        self._session = _session(config)

    async def send(
        self, message: OutboundMessage, content: Content, *, callback_url: str | None, write_by: float
    ) -> Outcome:
        flight = Flight(write_by=write_by, monotonic=self._monotonic)
        body = _ENCODER.encode(request_body(message, content, callback_url)).encode()
        try:
            status, answer, headers = await self._post(body, flight)
        except Exception as trouble:  # the top of one request: all that matters now is whether it was written
            log.warning(
                "provider.no_answer",
                provider=self.name,
                message_id=message.id,
                error=type(trouble).__name__,
                written=flight.is_written,
            )
            return _without_answer(trouble, flight)
        return classify(status, answer, headers, self._config, now=datetime.now(UTC))

    async def aclose(self) -> None:
        await self._session.close()

    async def _post(self, body: bytes, flight: Flight) -> tuple[int, bytes, Mapping[str, str]]:
        timeout = self._timeout_until(flight.write_by)
        async with self._session.post(
            self._url, data=_Body(body, flight), allow_redirects=False, timeout=timeout
        ) as answer:
            return answer.status, await _read(answer.content), answer.headers

    def _timeout_until(self, write_by: float) -> aiohttp.ClientTimeout:
        left = write_by - self._monotonic()
        if left <= 0:
            raise TooLate
        return aiohttp.ClientTimeout(total=self._timeout, connect=left, sock_connect=min(left, CONNECT_WITHIN))


class _Body(BytesPayload):
    """The body of one request. It is asked to write itself after the connection stands and before the first byte: the
    headers wait in a buffer for it, and an exception raised here closes the connection with nothing written."""

    def __init__(self, body: bytes, flight: Flight) -> None:
        super().__init__(body, content_type="application/json")
        self._flight = flight

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self._flight.write()
        await super().write_with_length(writer, content_length)


def _session(config: ProviderConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=config.in_flight, keepalive_timeout=IDLE_AT_MOST),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "Authorization": authorization(config.key),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
        trust_env=False,
    )


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The whole answer, or nothing of one that is larger than any real answer: its status alone counts then."""
    body = bytearray()
    while chunk := await content.read(LARGEST_ANSWER):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return b""
    return bytes(body)


def _without_answer(trouble: Exception, flight: Flight) -> Outcome:
    if flight.is_written:
        return Unknown(error=ProviderError(name="The answer was lost", message=type(trouble).__name__))
    error = ProviderError(name="No connection", message=type(trouble).__name__)
    return Retry(cause=Cause.NOT_WRITTEN, error=error)
