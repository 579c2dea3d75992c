"""What a customer says, in the words of both APIs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.provider.sandbox.cloud.envelope import message_id
from gateway.provider.sandbox.cloud.media import Media
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.templates import Button

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FILES: Mapping[str, tuple[str, bytes]] = {
    "image": ("image/png", _DOT),
    "video": ("video/mp4", b"\x00\x00\x00\x18ftypmp42"),
    "audio": ("audio/ogg", b"OggS\x00"),
    "document": ("application/pdf", b"%PDF-1.4\n%%EOF\n"),
    "sticker": ("image/webp", b"RIFF\x04\x00\x00\x00WEBP"),
}
"""What the customers' phones have to send."""
_ALWAYS_TOLD: Mapping[str, Mapping[str, bool]] = {"audio": {"voice": False}, "sticker": {"animated": False}}
"""What the platform says of each, and libraries read without asking whether it is there."""


@dataclass(frozen=True, slots=True)
class Saying:
    text: str
    flat: Mapping[str, Any]
    """As DecisionTelecom tells it; what its documents don't say is a guess."""
    content: Mapping[str, Any]
    """As the platform tells it."""


def a_text(text: str) -> Saying:
    return Saying(text, {"text": text}, {"type": "text", "text": {"body": text}})


def a_tap(message: PhoneMessage, button: Button, number: str) -> Saying:
    """A tap on a message of this business number."""
    tapped = {"text": button.text, "payload": button.payload or button.text}
    is_platforms = message.submission.told_as == "cloud-api"
    quoted = message_id(message) if is_platforms else message.id
    flat = {"text": button.text, "type": "button", "button": tapped, "context": {"id": quoted}}
    context = {"from": number, "id": str(quoted)}
    if message.submission.template is not None:
        return Saying(button.text, flat, {"context": context, "type": "button", "button": tapped})
    content = {"context": context, "type": "interactive", "interactive": _reply(message, button)}
    return Saying(button.text, flat, content)


def _reply(message: PhoneMessage, button: Button) -> Mapping[str, Any]:
    content = message.submission.content or {}
    kind = "list_reply" if content.get("type") == "list" else "button_reply"
    described = {"description": button.description} if button.description else {}
    return {"type": kind, kind: {"id": button.payload, "title": button.text, **described}}


async def a_medium(media: Media, sender: str, kind: str, caption: str | None) -> Saying:
    """A small file, which can be downloaded by its id."""
    mime_type, content = FILES[kind]
    medium = await media.receive(content, sender=sender, mime_type=mime_type)
    captioned = {"caption": caption} if caption else {}
    named = {"filename": "document.pdf"} if kind == "document" else {}
    sha256 = base64.b64encode(medium.sha256).decode()
    always = _ALWAYS_TOLD.get(kind, {})
    told = {**captioned, **named, "mime_type": mime_type, "sha256": sha256, "id": medium.id, **always}
    text = caption or f"<{kind}>"
    return Saying(text, {"text": text, "type": kind}, {"type": kind, kind: told})


def a_reaction(quoted: str, emoji: str) -> Saying:
    reaction = {"message_id": quoted, "emoji": emoji}
    text = emoji or "<reaction taken back>"
    return Saying(text, {"text": text, "type": "reaction"}, {"type": "reaction", "reaction": reaction})
