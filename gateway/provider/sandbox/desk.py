"""The desk of an application: it takes the gateway's webhooks, checks their signatures and shows what came."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.news import News, Topic
from gateway.provider.sandbox.reading import read_json
from gateway.provider.sandbox.shown import shown

KEPT = 1_000
TOLERANCE = timedelta(minutes=5)


class Desk:
    """Takes what one of the secrets signed, by the rules of Standard Webhooks."""

    def __init__(self, *, clock: TravelClock, secrets: Iterable[str], news: News) -> None:
        self._clock = clock
        self._news = news
        self._secrets = [_key_of(secret) for secret in secrets]
        self._received: deque[Mapping[str, Any]] = deque(maxlen=KEPT)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/desk", self._receive), web.get("/desk", self._show)]

    def clear(self) -> None:
        self._received.clear()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(request.headers, body):
            return shown({"error": "the signature is missing or wrong", "field": "signature"}, status=401)
        self._received.append({"id": request.headers["webhook-id"], **read_json(body)})
        self._news.tell(Topic.DESK)
        return web.Response(status=204)

    async def _show(self, request: web.Request) -> web.Response:
        return shown({"received": list(self._received)})

    def received(self) -> Sequence[Mapping[str, Any]]:
        """What came, newest last."""
        return tuple(self._received)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        event, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not event or not self._is_recent(sent_at):
            return False
        signed = _bytes(f"{event}.{sent_at}.") + body
        given = [_bytes(each.removeprefix("v1,")) for each in headers.get("webhook-signature", "").split()]
        return any(hmac.compare_digest(_sign(key, signed), each) for key in self._secrets for each in given)

    def _is_recent(self, sent_at: str) -> bool:
        """Near the sandbox's time, or near the real one, for a gateway that doesn't follow our clock."""
        if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):
            return False
        times = (self._clock.now(), self._clock.real_now())
        return any(abs(time.timestamp() - int(sent_at)) <= TOLERANCE.total_seconds() for time in times)


def _bytes(header: str) -> bytes:
    return header.encode(errors="surrogateescape")


def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_") + "==")


def _sign(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
