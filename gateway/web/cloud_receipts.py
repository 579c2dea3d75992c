"""Read receipts and typing indicators: they are posted like messages and are none. They pass on at once, or nowhere."""

from __future__ import annotations

import json
from typing import Any, get_args

from aiohttp import web

from gateway.config import DIALOG_360, ClientConfig, ProviderConfig, SenderConfig
from gateway.domain.errors import InvalidRequest, MissingField
from gateway.domain.message import FreeFormType, JsonObject
from gateway.web.answers import JSON, answer
from gateway.web.parts import Front
from gateway.web.passing import passed_json

_LONGEST_ID = 512
_CONTENTS = (*get_args(FreeFormType), "template")


def is_receipt(body: JsonObject) -> bool:
    """Whether a body says that a message was read, and is no message."""
    return body.get("status") is not None and body.get("type") is None


async def take_receipt(
    request: web.Request, front: Front, client: ClientConfig, sender: SenderConfig, body: JsonObject
) -> web.StreamResponse:
    """Bots stop at an error here: a provider that has no such thing is not asked, and the answer is the same."""
    said = _receipt(body)
    provider = front.objects.provider_of(sender)
    passing = front.parts.passing.get(provider.name)
    if passing is None:
        front.parts.metrics.receipt(client.name, "not_carried")
        return answer({"success": True}, headers={"Gateway-Reason": "not_carried"})
    front.parts.metrics.receipt(client.name, "passed")
    asked = passing.request(
        "POST", messages_path(provider, sender), headers={"Content-Type": JSON}, body=json.dumps(said).encode()
    )
    told = await passed_json(request, front, provider, asked, change=_done)
    if told.status < 300:
        told.set_status(200)  # 202 is our own word, for a message that is on disk
    return told


def _done(said: Any) -> Any:
    """Clients look for ``success``, however a provider says it."""
    return said if isinstance(said, dict) and isinstance(said.get("success"), bool) else {"success": True}


def messages_path(provider: ProviderConfig, sender: SenderConfig) -> str:
    return "/messages" if provider.kind == DIALOG_360 else f"/{sender.phone_number_id}/messages"


def _receipt(body: JsonObject) -> JsonObject:
    """What passes on: nothing but what the platform knows of. Raises InvalidRequest."""
    if body["status"] != "read":
        raise InvalidRequest("status", 'expected "read"')
    for kind in _CONTENTS:
        if body.get(kind) is not None:
            raise InvalidRequest(kind, f"expected no {kind} beside the status read")
    message_id = body.get("message_id")
    if message_id is None:
        raise MissingField("message_id", "expected the id of the message that was read; it is missing")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= _LONGEST_ID:
        raise InvalidRequest("message_id", "expected the id of the message that was read")
    said: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    if (typing := body.get("typing_indicator")) is not None:
        if not isinstance(typing, dict) or typing.get("type") != "text":
            raise InvalidRequest("typing_indicator", 'expected an object with the type "text"')
        said["typing_indicator"] = {"type": "text"}
    return said
