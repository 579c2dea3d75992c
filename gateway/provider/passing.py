"""Clients' requests that are no messages, on the platform's API: with the provider's own key, as streams, never
redirected. Media are fetched from wherever the API says they are, through the guard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

import aiohttp
from yarl import URL

from gateway import __version__
from gateway.config import DIALOG_360, ProviderConfig
from gateway.egress import Egress
from gateway.ports import PassedAnswer, Passing, PassingFailed

CONNECT_WITHIN = 5.0
SILENT_AT_MOST = 30.0
WHOLE_WITHIN = 300.0
AT_ONCE = 128
"""Requests of all clients to one provider; what comes beyond is told to come again."""
PIECE = 65_536


class PlatformPassing(Passing):
    """One provider of the platform's kind. Make it inside the running loop."""

    def __init__(self, provider: ProviderConfig, egress: Egress, *, whole_within: float = WHOLE_WITHIN) -> None:
        self._base = URL(provider.base_url)
        self._is_dialog360 = provider.kind == DIALOG_360
        self._key_header = _key_header(provider)
        self._egress = egress
        self._open = 0
        self._api = _session(aiohttp.TCPConnector(limit=AT_ONCE), whole_within)
        self._media = _session(egress.connector(limit=AT_ONCE), whole_within)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | AsyncIterable[bytes] | None = None,
    ) -> contextlib.AbstractAsyncContextManager[PassedAnswer]:
        url = self._base.with_path(self._base.path.rstrip("/") + path).with_query(query or {})
        return self._asked(self._api, method, url, headers, body)

    def download(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> contextlib.AbstractAsyncContextManager[PassedAnswer]:
        try:
            named = URL(url)
            if self._is_dialog360:  # it names the platform's host, and serves the path itself
                named = self._base.join(named.relative())
            is_own = named.origin() == self._base.origin()
        except ValueError:
            return _refused()
        if not is_own and (named.scheme != "https" or self._egress.problem(url) is not None):
            return _refused()
        return self._asked(self._api if is_own else self._media, "GET", named, headers, None)

    async def aclose(self) -> None:
        await self._api.close()
        await self._media.close()

    @contextlib.asynccontextmanager
    async def _asked(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        headers: Mapping[str, str] | None,
        body: bytes | AsyncIterable[bytes] | None,
    ) -> AsyncIterator[PassedAnswer]:
        if self._open >= AT_ONCE:
            raise PassingFailed("too many requests are being passed on")
        self._open += 1
        try:
            named = {"Accept-Encoding": "identity", **(headers or {}), **self._key_header}
            answer = await _begun(session, method, url, headers=named, data=body)
            async with answer:
                yield PassedAnswer(
                    status=answer.status,
                    headers=answer.headers,
                    content_length=answer.content_length,
                    chunks=_chunks(answer.content),
                )
        finally:
            self._open -= 1


def _key_header(provider: ProviderConfig) -> Mapping[str, str]:
    if provider.kind == DIALOG_360:
        return {"D360-API-KEY": provider.key}
    return {"Authorization": f"Bearer {provider.key}"}


def _session(connector: aiohttp.TCPConnector, whole_within: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=whole_within, sock_connect=CONNECT_WITHIN, sock_read=SILENT_AT_MOST),
        headers={"User-Agent": f"whatsapp-session-gateway/{__version__}"},
        auto_decompress=False,
        trust_env=False,
    )


async def _begun(session: aiohttp.ClientSession, method: str, url: URL, **rest: Any) -> aiohttp.ClientResponse:
    try:
        return await session.request(method, url, allow_redirects=False, **rest)
    except TimeoutError:
        raise PassingFailed("the provider gave no answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError):  # their texts may hold the address
        raise PassingFailed("the provider can't be reached") from None


async def _chunks(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    try:
        while piece := await content.read(PIECE):
            yield piece
    except TimeoutError:
        raise PassingFailed("the provider did not go on in time") from None
    except (aiohttp.ClientError, OSError):
        raise PassingFailed("the provider broke off") from None


@contextlib.asynccontextmanager
async def _refused() -> AsyncIterator[PassedAnswer]:
    raise PassingFailed("the provider named a place that nothing is fetched from")
    yield
