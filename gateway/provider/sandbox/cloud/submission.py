"""A request of the platform's API as a message for a phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.domain.identity import parse_contact
from gateway.provider.sandbox.cloud.account import Account
from gateway.provider.sandbox.cloud.complaint import Refused, complaint, missing, wrong
from gateway.provider.sandbox.cloud.content import MEDIA, SIMPLE, Ground, Shown, check_said, read_media
from gateway.provider.sandbox.cloud.fields import Fields
from gateway.provider.sandbox.cloud.interactive import read_interactive
from gateway.provider.sandbox.cloud.template import read_template_message
from gateway.provider.sandbox.people import contact_of
from gateway.provider.sandbox.rules import Submission

ADDRESS_LENGTH = 140
OPAQUE_LENGTH = 512

Body = Mapping[str, Any]


def addressed(body: Body, account: Account) -> Submission:
    """Whom the message is for; nothing of it yet. `to` counts before `recipient`. Raises Refused."""
    message = Fields(body)
    _is_whatsapp(message)
    if "recipient_type" in message:
        message.one_of("recipient_type", ("individual",))
    field = "to" if "to" in message else "recipient"
    if field not in message:
        raise missing("to")
    contact = _contact(str(message.raw(field)), field)
    if contact == account.display:
        raise Refused(complaint(131021, "The recipient is the sender."))
    opaque = message.maybe("biz_opaque_callback_data", OPAQUE_LENGTH) or None
    sent = Submission(sender=account.sender, contact=contact, kind="", text="", told_as="cloud-api")
    return replace(sent, opaque=opaque, by_user_id=field == "recipient")


def with_content(sent: Submission, body: Body, ground: Ground) -> Submission:
    """The message whole. Raises Refused."""
    message = Fields(body)
    kind = str(body.get("type") or "text")
    quoted = None
    if "context" in message:
        context = message.within("context")
        check_said(context, ground)
        quoted = str(context.raw("message_id"))
    content = body.get(kind)
    named = replace(sent, kind=kind, reply_to=quoted, content=content if isinstance(content, dict) else None)
    if kind == "contacts":
        named = replace(named, content={"contacts": content})
    return _filled_in(named, message, ground)


def _filled_in(sent: Submission, message: Fields, ground: Ground) -> Submission:
    if sent.kind in SIMPLE:
        return _showing(sent, SIMPLE[sent.kind](message, ground))
    if sent.kind in MEDIA:
        return _showing(sent, read_media(sent.kind, message, ground))
    if sent.kind == "interactive":
        filled = read_interactive(message, ground)
        return replace(sent, text=filled.text, filled=filled, buttons=filled.buttons)
    if sent.kind == "template":
        return _of_template(sent, message, ground)
    raise Refused(complaint(131051, f"Param type: {sent.kind[:64]} is not a type of message"))


def _showing(sent: Submission, shown: Shown) -> Submission:
    return replace(sent, text=shown.text, file_url=shown.link)


def _of_template(sent: Submission, message: Fields, ground: Ground) -> Submission:
    registered, filled = read_template_message(message, ground)
    if sent.by_user_id and any(button.type == "OTP" for button in filled.buttons):
        raise Refused(complaint(131062))
    return replace(
        sent,
        text=filled.text,
        filled=filled,
        buttons=filled.buttons,
        template=(registered.name, registered.language),
        category=registered.category.lower() or "utility",
    )


def _is_whatsapp(message: Fields) -> None:
    if message.raw("messaging_product") != "whatsapp":
        raise wrong("messaging_product", "whatsapp was expected", code=100)


def _contact(written: str, field: str) -> str:
    """The contact as the sandbox knows it, whichever of its ids was given."""
    try:
        contact = parse_contact(written) if len(written) <= ADDRESS_LENGTH else ""
    except ValueError:
        contact = ""
    if not contact or (field == "recipient" and contact.isdigit()):
        expected = "a business-scoped user id" if field == "recipient" else "a phone number in international digits"
        raise wrong(field, f"{expected} was expected")
    return contact_of(contact)
