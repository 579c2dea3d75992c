"""The surface that existing integrations already speak: send-whatsapp and receive-whatsapp."""

from __future__ import annotations

import structlog
from aiohttp import web

from gateway.config import ClientConfig
from gateway.domain.errors import NotFound, ProviderRefused, Stopping
from gateway.domain.identity import MessageId
from gateway.domain.message import JsonObject
from gateway.domain.notice import view_status
from gateway.ports import Answer
from gateway.web.answers import answer, written
from gateway.web.decision_headers import decision_headers
from gateway.web.drafts import ignored_fields, parse_draft
from gateway.web.parts import FRONT
from gateway.web.requests import admit_basic, read_object
from gateway.web.send_headers import parse_send_headers
from gateway.web.shapes import shape

log = structlog.get_logger()


async def send_whatsapp(request: web.Request) -> web.Response:
    """``POST /v1/api/send-whatsapp``: accept a message, and answer its id as an integer and nothing else."""
    front = request.app[FRONT]
    parts = front.parts
    client = admit_basic(request, front)
    if parts.is_stopping():
        raise Stopping
    headers = parse_send_headers(request.headers)
    body = await read_object(request, parts)
    draft = parse_draft(body, headers, client, front.rules)
    _count_ignored(body, client)
    return _accepted(await parts.accept(draft))


async def receive_whatsapp(request: web.Request) -> web.Response:
    """``POST /v1/api/receive-whatsapp``: where a message stands, in this surface's numbers."""
    front = request.app[FRONT]
    client = admit_basic(request, front)
    message_id = _message_id(await read_object(request, front.parts))
    record = await front.parts.store.message(message_id, client=client.name)
    return answer({"message_id": message_id, "status": view_status(record.status, record.failure)})


def _accepted(accepted: Answer) -> web.Response:
    if accepted.refusal is not None:
        raise ProviderRefused(accepted.refusal)
    receipt = accepted.receipt
    # Strict clients decode a map of integers: what else there is to say goes into headers.
    return written(b'{"message_id":%d}' % receipt.message_id, headers=decision_headers(receipt))


def _message_id(body: JsonObject) -> MessageId:
    shape("receive-whatsapp").check(body)
    message_id = int(body["message_id"])
    if message_id >= 1 << 53:
        raise NotFound("there is no such message")
    return MessageId(message_id)


def _count_ignored(body: JsonObject, client: ClientConfig) -> None:
    if count := ignored_fields(body):
        log.info("request.fields_ignored", client=client.name, count=count)
