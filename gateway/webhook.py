"""The client for outgoing webhooks: through the egress guard, and interested in little of the answers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from gateway import __version__
from gateway.egress import Egress, is_url
from gateway.ports import Answered, Posted, Webhooks
from gateway.retry_after import retry_after

CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 15.0
LARGEST_ANSWER = 20_000
"""More of an answer is not read: its connection is closed instead of used again."""


LARGEST_CHALLENGE = 1_000
"""As much of an answer to a question is read."""


class WebhookClient(Webhooks):
    """Posts to clients' endpoints. Make it inside the running loop."""

    def __init__(
        self, egress: Egress, *, limit: int = 64, limit_per_host: int = 32, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._egress = egress
        self._public, self._named = (
            _session(egress.connector(named=named, limit=limit, limit_per_host=limit_per_host), answer_within)
            for named in (False, True)
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """What the endpoint answered. Never raises but for cancellation."""
        if self._egress.problem(url) is not None:
            return Posted(status=None, error="not_allowed" if is_url(url) else "bad_url")
        session = self._named if self._egress.is_named(url) else self._public
        try:
            return await _post(session, url, body, headers)
        except Exception as trouble:  # the top of one request: whatever it was, it becomes a word
            return Posted(status=None, error=_word_for(trouble))

    async def ask(self, url: str, query: Mapping[str, str]) -> Answered:
        """What the endpoint answers to a GET, as far as a challenge may reach. Never raises but for cancellation."""
        if self._egress.problem(url) is not None:
            return Answered(status=None, error="not_allowed" if is_url(url) else "bad_url")
        session = self._named if self._egress.is_named(url) else self._public
        try:
            async with session.get(URL(url).update_query(query), allow_redirects=False) as answer:
                text = (await answer.content.read(LARGEST_CHALLENGE)).decode(errors="replace")
                return Answered(status=answer.status, text=text)
        except Exception as trouble:  # the top of one request: whatever it was, it becomes a word
            return Answered(status=None, error=_word_for(trouble))

    async def aclose(self) -> None:
        await self._public.close()
        await self._named.close()


def _session(connector: aiohttp.TCPConnector, answer_within: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=answer_within, sock_connect=CONNECT_WITHIN),
        headers={"Content-Type": "application/json", "User-Agent": f"whatsapp-session-gateway/{__version__}"},
        auto_decompress=False,
        trust_env=False,
    )


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
    async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        # The status has come: what may still go wrong in the body changes nothing.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await _drain(answer.content)
        return Posted(status=answer.status, retry_after=retry_after(answer.headers, datetime.now(UTC)))


async def _drain(content: aiohttp.StreamReader) -> None:
    left = LARGEST_ANSWER
    while left > 0 and (chunk := await content.read(left)):
        left -= len(chunk)


def _word_for(trouble: Exception) -> str:
    """One of a few fixed words, so that nobody can look into our network through the errors of a webhook."""
    match trouble:
        case aiohttp.ClientConnectorError(os_error=PermissionError()):
            return "not_allowed"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorError():
            return "connect"
        case aiohttp.InvalidURL() | UnicodeError():
            return "bad_url"
        case _:
            return "reset"
