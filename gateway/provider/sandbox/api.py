"""The provider's API: DecisionTelecom's two verbs over HTTP, with the faults that were asked for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.faults import Fault, Kind
from gateway.provider.sandbox.hanging_up import hang_up, reset
from gateway.provider.sandbox.news import Topic
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.rejection import (
    BALANCE_EMPTY,
    NOT_FOUND,
    NOT_JSON,
    NOT_POST,
    OPTED_OUT,
    UNAUTHORIZED,
    WINDOW_CLOSED,
    Rejected,
    Rejection,
    invalid,
    of_status,
    platform_refused,
)
from gateway.provider.sandbox.rules import Submission, read_submission
from gateway.provider.sandbox.world import World

SENT, DELIVERED, REJECTED = 0, 1, 3
_STATES = {"sent": SENT, "delivered": DELIVERED, "read": DELIVERED, "failed": REJECTED}

Body = Mapping[str, Any]
Verb = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]


class ProviderApi:
    """Answers as the provider does, errors included."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/v1/api/send-whatsapp", self._verb(self._send)),
            web.route("*", "/v1/api/receive-whatsapp", self._verb(self._receive)),
            web.route("*", "/v1/api/{elsewhere:.*}", self._elsewhere),
        ]

    def _verb(self, verb: Verb) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await verb(request, await self._admitted(request))
            except Rejected as rejected:
                return _rejection(rejected.rejection)

        return answer

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        return _rejection(NOT_FOUND)

    async def _admitted(self, request: web.Request) -> Body:
        """The body of a request that carries the key."""
        if request.method != "POST":
            raise Rejected(NOT_POST)
        keys = self._world.keys
        if keys and not shows_key(request.headers.get("Authorization", ""), keys):
            raise Rejected(UNAUTHORIZED)
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Rejected(NOT_JSON)
        return body

    async def _send(self, request: web.Request, body: Body) -> web.StreamResponse:
        body = self._world.accounts.renamed(body)
        sender = self._sender_of(body)
        take = self._world.faults.take
        if latency := take(Kind.LATENCY, sender):
            await asyncio.sleep(latency.period.total_seconds())
        if take(Kind.RESET, sender):
            return reset(request)
        if error := take(Kind.ERROR, sender):
            return _error(error.number)
        if take(Kind.BALANCE_EMPTY, sender):
            raise Rejected(BALANCE_EMPTY)
        message = self._take(read_submission(body, self._world.templates, self._world.senders))
        if take(Kind.LOST_ANSWERS, sender):
            return hang_up(request)
        return web.json_response({"message_id": message.id})

    async def _receive(self, request: web.Request, body: Body) -> web.StreamResponse:
        message_id = body.get("message_id")
        message = self._world.phones.message(message_id) if isinstance(message_id, int) else None
        if message is None:
            raise invalid("message_id", "the id of a message was expected")
        return web.json_response({"message_id": message.id, "status": _STATES[message.state]})

    def _sender_of(self, body: Body) -> str:
        """Whose faults apply, before anything else is known of the request."""
        sender = body.get("source_addr")
        if isinstance(sender, str):
            return sender
        return self._world.senders[0] if self._world.senders else ""

    def _take(self, submission: Submission) -> PhoneMessage:
        """Take the message; what follows from that is told by callbacks."""
        now = self._world.clock.now()
        if self._is_too_late(submission):
            return self._fail_late(submission, WINDOW_CLOSED)
        if not self._world.phones.wants(submission):
            return self._fail_late(submission, OPTED_OUT)
        if refused := self._refused(submission):
            return self._fail_late(submission, platform_refused(refused.number))
        message = self._world.phones.arrive(submission, now)
        has_arrived = message.state == "delivered"
        self._world.report(message, {"status": SENT}, *([{"status": DELIVERED}] if has_arrived else ()))
        self._world.news.tell(Topic.PHONE, Topic.DESK, contact=submission.contact)
        return message

    def _is_too_late(self, submission: Submission) -> bool:
        sender, contact = submission.sender, submission.contact
        if submission.kind == "template":
            return False
        if self._world.faults.take(Kind.REFUSE_WINDOW, sender):
            return True
        return not self._world.phones.is_open(sender, contact, self._world.clock.now())

    def _refused(self, submission: Submission) -> Fault | None:
        take, sender = self._world.faults.take, submission.sender
        name = submission.template[0] if submission.template else None
        if fault := take(Kind.REFUSE, sender, template=name):
            return fault
        return None if name is None else take(Kind.REFUSE_TEMPLATE, sender, template=name)

    def _fail_late(self, submission: Submission, rejection: Rejection) -> PhoneMessage:
        """At once, or hours later in a status: the platform does both."""
        if not self._world.faults.take(Kind.LATE_REFUSALS, submission.sender):
            raise Rejected(rejection)
        message = self._world.phones.fail(submission, self._world.clock.now())
        self._world.report(message, {**rejection.to_json(), "status": REJECTED})
        return message


def shows_key(authorization: str, keys: Sequence[str]) -> bool:
    """Whether a Basic header carries one of the keys: as it was issued, in base64, or in base64 with a colon behind."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    shown = (token.strip().encode(errors="surrogateescape"), _decoded(token))
    return any(hmac.compare_digest(each, key.encode()) for each in shown for key in keys)


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token, validate=True).partition(b":")[0]
    except (binascii.Error, ValueError):
        return b""


def _rejection(rejection: Rejection) -> web.Response:
    headers = {"Retry-After": "1"} if rejection.status == 429 else None
    return web.json_response(rejection.to_json(), status=rejection.status, headers=headers)


def _error(status: int) -> web.Response:
    """The provider's own words, or for a status that it doesn't use those of a proxy before it."""
    rejection = of_status(status)
    if rejection is not None:
        return _rejection(rejection)
    return web.Response(status=status, text=f"<html><body><h1>{status}</h1></body></html>", content_type="text/html")
