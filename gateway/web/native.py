"""The native surface: messages and windows to look up, and how the gateway is."""

from __future__ import annotations

import re

from aiohttp import web

from gateway.config import ClientConfig
from gateway.domain.errors import InvalidRequest, NotFound
from gateway.domain.identity import Contact, MessageId, Sender, parse_contact
from gateway.domain.message import Status
from gateway.ports import MessageQuery
from gateway.web.answers import answer
from gateway.web.explanations import explanation_view
from gateway.web.parts import FRONT, PARTS, SHOWS_DETAILS, Front, Parts
from gateway.web.requests import admit_bearer
from gateway.web.views import message_view, page_view, paused_view, window_view

_ID = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,4}", re.ASCII)
_LONGEST_PAGE = 200


async def message(request: web.Request) -> web.Response:
    """``GET /v1/messages/{id}``"""
    front = request.app[FRONT]
    client = admit_bearer(request, front)
    record = await front.parts.store.message(_message_id(request.match_info["id"]), client=client.name)
    explanation = front.parts.explain.recorded(record)
    explained = None if explanation is None else explanation_view(explanation)
    return answer({**message_view(record), "explanation": explained})


async def messages(request: web.Request) -> web.Response:
    """``GET /v1/messages?status=&contact=&cursor=&limit=``, newest first"""
    front = request.app[FRONT]
    client = admit_bearer(request, front)
    page = await front.parts.store.messages(_query(request, client))
    return answer(page_view(page))


async def window(request: web.Request) -> web.Response:
    """``GET /v1/windows/{sender}/{contact}``"""
    front = request.app[FRONT]
    client = admit_bearer(request, front)
    sender = _sender(request, front, client)
    contact = _contact(request.match_info["contact"])
    now = front.parts.clock.now()
    store = front.parts.store
    conversation = await store.conversation(sender, contact, downgrades_since=None, client=client.name)
    return answer(window_view(conversation.window, now))


async def healthz(_request: web.Request) -> web.Response:
    """``GET /healthz``: alive"""
    return answer({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """``GET /readyz``: whether messages are taken. A paused sender stands in the body and doesn't change the code."""
    parts = request.app[PARTS]
    takes_writes = await parts.store.is_ready()
    is_ready = takes_writes and not parts.is_stopping()
    status = 200 if is_ready else 503
    if not request.app[SHOWS_DETAILS]:
        return answer({"ready": is_ready}, status=status)
    body = {
        "ready": is_ready,
        "store": takes_writes,
        "stopping": parts.is_stopping(),
        "templates": len(parts.registry.names()),
        "paused": await _paused(parts) if takes_writes else [],
    }
    return answer(body, status=status)


async def _paused(parts: Parts) -> list[object]:
    known = {sender.id for sender in parts.config.senders}
    states = await parts.store.sender_states()
    return [paused_view(state) for state in states if state.pause is not None and state.sender in known]


def _message_id(written: str) -> MessageId:
    if not _ID.fullmatch(written) or int(written) >= 1 << 53:
        raise NotFound("there is no such message")
    return MessageId(int(written))


def _query(request: web.Request, client: ClientConfig) -> MessageQuery:
    asked = request.query
    return MessageQuery(
        client=client.name,
        status=_status(asked["status"]) if asked.get("status") else None,
        contact=_contact(asked["contact"]) if asked.get("contact") else None,
        cursor=asked.get("cursor") or None,
        limit=_limit(asked["limit"]) if asked.get("limit") else MessageQuery().limit,
    )


def _status(written: str) -> Status:
    try:
        return Status(written)
    except ValueError:
        raise InvalidRequest("status", f"expected one of {', '.join(Status)}") from None


def _contact(written: str) -> Contact:
    try:
        return parse_contact(written)
    except ValueError as error:
        raise InvalidRequest("contact", str(error)) from None


def _limit(written: str) -> int:
    if not _LIMIT.fullmatch(written) or not 1 <= int(written) <= _LONGEST_PAGE:
        raise InvalidRequest("limit", f"expected a number from 1 to {_LONGEST_PAGE}")
    return int(written)


def _sender(request: web.Request, front: Front, client: ClientConfig) -> Sender:
    sender = front.rules.senders.find(request.match_info["sender"], client)
    if sender is None:
        raise NotFound("there is no such sender")
    return sender.id
