"""The client of the platform's list of templates, and of anything that speaks it, such as the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import aiohttp

from gateway import __version__
from gateway.config import TemplateListConfig
from gateway.ports import ListFailed, ListTrouble, TemplateList, TemplatePage
from gateway.provider.template_list_wire import page_in, path_of, query

CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 30.0
LARGEST_PAGE = 16 * 1024 * 1024
MOST_PAGES = 200
"""Of a hundred templates; an account holds at most six thousand."""


class CloudTemplateList(TemplateList):
    """The list of one account. Make it inside the running loop."""

    def __init__(self, provider: str, config: TemplateListConfig, *, answer_within: float = ANSWER_WITHIN) -> None:
        self.provider = provider
        self._url = config.base_url + path_of(config.account)
        self._session = _session(config.token, answer_within)

    async def pages(self) -> AsyncGenerator[TemplatePage]:
        """All pages. Raises ListFailed; what was given out until then stands."""
        cursors: set[str | None] = set()
        after: str | None = None
        for _ in range(MOST_PAGES):
            cursors.add(after)
            page = await self._page(after)
            yield page
            after = page.after
            if after is None:
                return
            if after in cursors:
                raise ListFailed(ListTrouble.FAILED, "gave the same cursor a second time")
            if page.rest is not None:
                raise ListFailed(ListTrouble.LIMITED, "nearly used up what it is allowed", wait=page.rest)
        raise ListFailed(ListTrouble.FAILED, f"has more than {MOST_PAGES} pages")

    async def aclose(self) -> None:
        await self._session.close()

    async def _page(self, after: str | None) -> TemplatePage:
        try:
            async with self._session.get(self._url, params=query(after), allow_redirects=False) as answer:
                body = await _body(answer.content)
                return await asyncio.to_thread(page_in, answer.status, answer.headers, body)
        except TimeoutError:
            raise ListFailed(ListTrouble.FAILED, "gave no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # their texts may hold the address
            raise ListFailed(ListTrouble.FAILED, f"can't be reached ({type(error).__name__})") from None


def _session(token: str, answer_within: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=answer_within, sock_connect=CONNECT_WITHIN),
        headers={"Authorization": f"Bearer {token}", "User-Agent": f"whatsapp-session-gateway/{__version__}"},
        trust_env=False,
    )


async def _body(content: aiohttp.StreamReader) -> bytes:
    pieces, left = [], LARGEST_PAGE
    while piece := await content.read(65_536):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise ListFailed(ListTrouble.FAILED, f"answered with more than {LARGEST_PAGE // 1024 // 1024} MB")
    return b"".join(pieces)
