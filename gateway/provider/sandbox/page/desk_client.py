"""The agent's desk as a client of the gateway: over HTTP, with a key, knowing no more than any client does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

SHOWN = 15
ASKED = 60
"""Newest messages to a contact that are looked through for those of one sender."""

KEPT = 300
TIMEOUT = aiohttp.ClientTimeout(total=10)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAccess:
    """What lets a desk speak to the gateway as one of its clients."""

    client: str
    base_url: str
    key: str = field(repr=False)
    senders: tuple[str, ...]
    """Those of this client that a sandbox serves: the desk uses no other."""
    follows_clock: bool = True
    """Whether the gateway travels in time with the sandbox."""


class GatewayAway(Exception):
    """The gateway gave no usable answer; the text says what happened instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the gateway said to a message that was posted."""

    status: int
    body: Json
    headers: Mapping[str, str]


class DeskClient:
    def __init__(self, access: DeskAccess) -> None:
        self.access = access
        self._http: aiohttp.ClientSession | None = None
        self._known: dict[tuple[str, ...], Json] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        cookies = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=cookies, trust_env=False) as self._http:
            yield

    async def window(self, sender: str, contact: str) -> Json:
        """``GET /v1/windows/{sender}/{contact}``. Raises GatewayAway."""
        return await self._get(f"/v1/windows/{quote(sender, safe='')}/{quote(contact, safe='')}")

    async def listed(self, sender: str, contact: str) -> Sequence[Json]:
        """The newest messages from this sender to the contact, newest first, in short. Raises GatewayAway."""
        page = await self._get(f"/v1/messages?limit={ASKED}&contact={quote(contact, safe='')}")
        return [each for each in page["messages"] if each["sender"] == sender][:SHOWN]

    async def messages(self, sender: str, contact: str) -> Sequence[Json]:
        """The same with all that is known of each. Raises GatewayAway."""
        return await asyncio.gather(*(self._message(each) for each in await self.listed(sender, contact)))

    async def marks(self, sender: str, contact: str) -> Hashable:
        """A value that differs whenever the desk has something new to show. Raises GatewayAway."""
        window, listed = await self.window(sender, contact), await self.listed(sender, contact)
        return window["closes_at"], window["open"], tuple(_mark(each) for each in listed)

    async def send(self, body: Json, reference: str) -> Answered:
        """``POST /v1/api/send-whatsapp``. Raises GatewayAway."""
        headers = {"Gateway-Reference": reference} if reference else {}
        shown = base64.b64encode(f"{self.access.key}:".encode()).decode()
        return await self._ask("POST", "/v1/api/send-whatsapp", body, {**headers, "Authorization": f"Basic {shown}"})

    async def _message(self, summary: Json) -> Json:
        """Asked for only if it changed since it was last."""
        mark = _mark(summary)
        if mark not in self._known:
            self._known[mark] = await self._get(f"/v1/messages/{quote(summary['id'], safe='')}")
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return self._known[mark]

    async def _get(self, path: str) -> Json:
        answered = await self._ask("GET", path, None, {"Authorization": f"Bearer {self.access.key}"})
        if answered.status != 200:
            raise GatewayAway(f"it answered {answered.status}: {answered.body.get('detail', '')}")
        return answered.body

    async def _ask(self, method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answered:
        if self._http is None:
            raise RuntimeError("the desk asks only while the sandbox runs")
        url = f"{self.access.base_url}{path}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            async with self._http.request(method, url, data=payload, headers=headers, allow_redirects=False) as answer:
                return Answered(status=answer.status, body=await _object(answer), headers=dict(answer.headers))
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise GatewayAway(f"it gave no answer ({type(fault).__name__})") from None


async def _object(answer: aiohttp.ClientResponse) -> Json:
    body = await answer.json(content_type=None)
    if not isinstance(body, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - what was said is wrong, not what was passed
    return body


def _mark(summary: Json) -> tuple[str, ...]:
    return summary["id"], summary["status"], summary["changed_at"]
