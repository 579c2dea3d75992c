"""The platform's send API as values: the request we make, and the receipt that most answers are.

Source: Meta, Cloud API, messages; business-scoped user ids (``recipient`` beside ``to``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.domain.arguments import normalise
from gateway.domain.delivery import Submitted
from gateway.domain.identity import is_user_id, phone_among
from gateway.domain.message import Content, FreeForm, OutboundMessage, TemplateMessage

_MESSAGE_ID = re.compile(r"[!-~]{1,512}", re.ASCII)
_WITHHELD = frozenset({"held_for_quality_assessment", "paused"})


def request_body(message: OutboundMessage, content: Content, token: str) -> dict[str, Any]:
    """The request that sends `content` in the name of `message`. Its statuses bring `token` back."""
    kind, said = _content(content)
    quoted = {} if message.reply_to is None else {"context": {"message_id": message.reply_to}}
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_whom(message, content),
        **quoted,
        "type": kind,
        kind: said,
        "biz_opaque_callback_data": token,
    }


def _whom(message: OutboundMessage, content: Content) -> dict[str, str]:
    """By the id that the contact is known by first; a template by a phone number, if there is one, as a one-time code
    can't go to a user id. Source: Meta, business-scoped user ids (code 131062)."""
    number = phone_among(message.contact_ids) if isinstance(content, TemplateMessage) else None
    contact = number or message.contact
    return {"recipient" if is_user_id(contact) else "to": contact}


def _content(content: Content) -> tuple[str, Any]:
    match content:
        case TemplateMessage():
            return "template", _template(content)
        case FreeForm(payload=None):
            return content.type, _plain(content)
        case FreeForm():
            return content.type, content.payload


def _plain(content: FreeForm) -> Mapping[str, Any]:
    """What a text and a link come to."""
    if content.file_url is None:
        return {"body": content.text}
    return {"link": content.file_url, **({} if content.text is None else {"caption": content.text})}


def _template(content: TemplateMessage) -> Mapping[str, Any]:
    """The platform's own spelling, which what a sender that only observes passes on need not have. A namespace belongs
    to the On-Premises form alone."""
    components = normalise(content.components).components
    given = {"components": components} if components else {}
    return {"name": content.name, "language": {"code": content.language}, **given}


def receipt_in(http_status: int, body: bytes) -> Submitted | None:
    """The receipt that an answer is; None for any other answer."""
    said = _object_in(body) if 200 <= http_status < 300 else {}
    if said.get("error") or said.get("errors"):
        return None
    message_id = _message(said).get("id")
    if isinstance(message_id, str) and _MESSAGE_ID.fullmatch(message_id):
        return Submitted(provider_message_id=message_id)
    return None


def withheld_in(body: bytes) -> str | None:
    """Why a message that was taken is not delivered yet, if the platform says so."""
    status = _message(_object_in(body)).get("message_status")
    return status if isinstance(status, str) and status in _WITHHELD else None


def _message(said: Mapping[str, Any]) -> Mapping[str, Any]:
    messages = said.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    return first if isinstance(first, dict) else {}


def _object_in(body: bytes) -> Mapping[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
