"""The Cloud API's surface, and 360dialog's style of it: messages, and what is said of messages."""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web

from gateway.config import ClientConfig, SenderConfig
from gateway.domain.errors import MissingField, ProviderRefused, Stopping
from gateway.domain.identity import Contact
from gateway.domain.message import Draft, JsonObject, TemplateMessage
from gateway.domain.wamid import wamid
from gateway.ports import Answer
from gateway.web.answers import answer
from gateway.web.cloud_drafts import SHAPE, check_links, contacts_of, content_of, read_message, reply_to
from gateway.web.cloud_receipts import is_receipt, take_receipt
from gateway.web.decision_headers import decision_headers
from gateway.web.drafts import DraftRules, idempotency_of, intent_of
from gateway.web.parts import FRONT, Front
from gateway.web.requests import admit_cloud_api, read_object
from gateway.web.send_headers import INTENT, SendHeaders, parse_send_headers
from gateway.web.shapes import shape

log = structlog.get_logger()

ROUTE = "cloud-messages"


async def send_message(request: web.Request) -> web.StreamResponse:
    """``POST /{phone_number_id}/messages``"""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    sender = front.objects.number(request.match_info["number"], client)
    body = await _body(request, front)
    if body.get("messaging_product") is None:
        raise MissingField("messaging_product", 'expected "whatsapp"; it is missing')
    return await _taken(request, front, client, sender, body)


async def send_dialog360(request: web.Request) -> web.StreamResponse:
    """``POST /messages`` and ``POST /v1/messages`` as 360dialog has them: the key says which number it is."""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    sender = front.objects.default_number(client)
    return await _taken(request, front, client, sender, await _body(request, front))


async def _body(request: web.Request, front: Front) -> JsonObject:
    if front.parts.is_stopping():
        raise Stopping
    return await read_object(request, front.parts)


async def _taken(
    request: web.Request, front: Front, client: ClientConfig, sender: SenderConfig, body: JsonObject
) -> web.StreamResponse:
    if is_receipt(body):
        return await take_receipt(request, front, client, sender, body)
    headers = parse_send_headers(request.headers)
    message = read_message(body, depth=front.rules.depth)
    draft = _draft(body, message, headers, client, sender, front.rules)
    _count_ignored(body, client)
    return _accepted(message, draft, await front.parts.accept(draft))


def _draft(
    body: JsonObject,
    message: JsonObject,
    headers: SendHeaders,
    client: ClientConfig,
    sender: SenderConfig,
    rules: DraftRules,
) -> Draft:
    contact, others = contacts_of(message)
    check_links(message, rules.may_post_to)
    return Draft(
        client=client.name,
        sender=sender.id,
        contact=contact,
        also_known_as=others,
        content=content_of(message, sender.language),
        reply_to=reply_to(message),
        opaque=message.get("biz_opaque_callback_data"),
        reference=headers.reference,
        intent=intent_of(headers.intent, sender.id, rules, field=INTENT),
        wait=headers.wait,
        tells_refusal_later=client.closed_window == "as_status",
        idempotency=idempotency_of({"sender": sender.id, "body": body}, headers, route=ROUTE),
    )


def _accepted(message: JsonObject, draft: Draft, accepted: Answer) -> web.Response:
    if accepted.refusal is not None:
        raise ProviderRefused(accepted.refusal)
    receipt = accepted.receipt
    sent: dict[str, Any] = {"id": wamid(receipt.message_id)}
    if isinstance(draft.content, TemplateMessage):
        sent["message_status"] = "accepted"
    body = {"messaging_product": "whatsapp", "contacts": [_contact(message, draft.contact)], "messages": [sent]}
    return answer(body, headers=decision_headers(receipt))


def _contact(message: JsonObject, contact: Contact) -> JsonObject:
    """As it was written, and as it is known: by its number, or by its user id."""
    written = message["to"] if "to" in message else message["recipient"]
    return {"input": str(written), "user_id" if "." in contact else "wa_id": contact}


def _count_ignored(body: JsonObject, client: ClientConfig) -> None:
    if count := len(body.keys() - shape(SHAPE).fields):
        log.info("request.fields_ignored", client=client.name, count=count)
