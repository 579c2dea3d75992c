"""What a sender's provider can carry, asked before a message is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.domain.errors import NotCarried, UserIdNotCarried
from gateway.domain.identity import Sender, is_user_id
from gateway.domain.message import Draft, FreeForm, TemplateMessage
from gateway.domain.template import ButtonType, Face, TemplateDefinition

Carriage = Callable[[Draft], NotCarried | None]
"""What stands in the way of a draft; None: nothing."""

Definitions = Callable[[str, str], TemplateDefinition | None]
"""A template's definition by name and language."""

TEXTS_AND_PICTURES: frozenset[str] = frozenset({"text", "image"})
"""Types of free-form messages that DecisionTelecom has."""
TEXT_LIMIT = 4096
_LIMITED_TO = "this sender's provider carries text, images by link and templates"
_PICTURE = re.compile(r"[^?#]*\.(?:jpg|jpeg|png)(?:[?#].*)?", re.IGNORECASE | re.DOTALL)


def texts_and_pictures(draft: Draft) -> NotCarried | None:
    """DecisionTelecom: texts, images by link, and templates, to phone numbers. Source: its WhatsApp API."""
    if all(map(is_user_id, (draft.contact, *draft.also_known_as))):
        return UserIdNotCarried("recipient", "this sender's provider takes phone numbers; name the contact's in `to`")
    if draft.reply_to is not None:
        return NotCarried("context", "this sender's provider can't quote a message; leave the context out")
    return None if isinstance(draft.content, TemplateMessage) else _of_free_form(draft.content)


def _of_free_form(content: FreeForm) -> NotCarried | None:
    match content.type:
        case "text":
            return _of_text(content)
        case "image":
            return _of_image(content)
        case other:
            return NotCarried(other, f"expected another type: {_LIMITED_TO}")


def _of_text(content: FreeForm) -> NotCarried | None:
    if len(content.text or "") > TEXT_LIMIT:
        return NotCarried("text", f"expected at most {TEXT_LIMIT} characters", path="$.text.body")
    return None


def _of_image(content: FreeForm) -> NotCarried | None:
    if content.file_url is None:
        return NotCarried("image.id", "this sender's provider takes a link, not a media id; give image.link")
    if not _PICTURE.fullmatch(content.file_url):
        expected = "expected a link that ends in .jpg, .jpeg or .png: this sender's provider tells images by that"
        return NotCarried("image.link", expected)
    if len(content.text or "") > TEXT_LIMIT:
        return NotCarried("image.caption", f"expected at most {TEXT_LIMIT} characters")
    return None


# --- the Cloud API --------------------------------------------------------------------------------------------------

_CODES = frozenset({ButtonType.OTP, ButtonType.COPY_CODE})


def cloud_api(definitions: Definitions) -> Carriage:
    """Everything, but for one-time codes to a user id. Source: Meta, business-scoped user ids (code 131062)."""

    def carriage(draft: Draft) -> NotCarried | None:
        contacts = (draft.contact, *draft.also_known_as)
        if isinstance(draft.content, TemplateMessage) and all(map(is_user_id, contacts)):
            return _of_code(draft.content, definitions)
        return None

    return carriage


def _of_code(content: TemplateMessage, definitions: Definitions) -> NotCarried | None:
    definition = definitions(content.name, content.language)
    if definition is None or definition.category != "AUTHENTICATION" or not _shows_code(definition):
        return None
    return UserIdNotCarried("recipient", "expected a phone number in `to`: a one-time code can't go to a user id")


def _shows_code(face: Face) -> bool:
    return any(button.takes_code or button.type in _CODES for button in face.buttons)


NO_CARRIAGES: Mapping[Sender, Carriage] = {}
"""Nobody objects to anything."""


def objection_to(draft: Draft, carriages: Mapping[Sender, Carriage]) -> NotCarried | None:
    """What stands in the way with its sender's provider."""
    carriage = carriages.get(draft.sender)
    return None if carriage is None else carriage(draft)
