"""The simple types of messages: what each must hold, and what a phone shows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.provider.sandbox.cloud.complaint import Refused, complaint, wrong
from gateway.provider.sandbox.cloud.fields import Fields
from gateway.provider.sandbox.templates import Templates

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
MOST_CONTACTS = 257
MEDIA = ("image", "video", "audio", "document", "sticker")
_CAPTIONED = frozenset({"image", "video", "document"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a message is read against."""

    templates: Templates
    mime_type: Callable[[str], str | None]
    """Of the media that were uploaded, by their ids."""
    is_said: Callable[[str], bool]
    """Whether an id is that of a message between the two."""
    version: tuple[int, int] | None = None
    """Of the API; None: the newest."""


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    link: str | None = None


def read_text(message: Fields, ground: Ground) -> Shown:
    text = message.within("text")
    text.only("body", "preview_url")
    if "preview_url" in text and not isinstance(text.raw("preview_url"), (bool, str)):
        raise wrong(text.at("preview_url"), "true or false was expected", code=100)
    return Shown(text.text("body", TEXT_LENGTH))


def read_media(kind: str, message: Fields, ground: Ground) -> Shown:
    medium = message.within(kind)
    allowed = {"caption"} if kind in _CAPTIONED else set()
    allowed |= {"filename"} if kind == "document" else {"voice"} if kind == "audio" else set()
    medium.only("id", "link", "provider", *allowed)
    where = medium_of(kind, medium, ground)
    caption = medium.maybe("caption", CAPTION_LENGTH)
    name = medium.maybe("filename", 240)
    return Shown(caption or f"<{kind} {name or where}>", where)


def medium_of(kind: str, medium: Fields, ground: Ground) -> str:
    """The link or the id, of which there is exactly one."""
    if ("id" in medium) == ("link" in medium):
        raise wrong(medium.path, "exactly one of id and link was expected")
    if "link" in medium:
        return medium.url("link")
    media_id = str(medium.raw("id"))
    check_medium(kind, media_id, medium.at("id"), ground)
    return media_id


def check_medium(kind: str, media_id: str, path: str, ground: Ground) -> None:
    mime_type = ground.mime_type(media_id)
    if mime_type is None:
        raise wrong(path, "the id of an uploaded medium was expected")
    if not suits(kind, mime_type):
        raise Refused(complaint(131053, f"Param {path}: {mime_type} can't be sent as {kind}"))


def suits(kind: str, mime_type: str) -> bool:
    """Whether a file of this type may be sent so."""
    if kind == "sticker":
        return mime_type == "image/webp"
    if kind == "image":
        return mime_type in ("image/jpeg", "image/png")
    return kind == "document" or mime_type.startswith(f"{kind}/")


def read_reaction(message: Fields, ground: Ground) -> Shown:
    reaction = message.within("reaction")
    reaction.only("message_id", "emoji")
    check_said(reaction, ground)
    emoji = reaction.values.get("emoji")
    if not isinstance(emoji, str):
        raise wrong(reaction.at("emoji"), "an emoji, or an empty string, was expected")
    if len(emoji) > 32:
        raise wrong(reaction.at("emoji"), "one emoji was expected")
    return Shown(emoji or "<reaction taken back>")


def check_said(holder: Fields, ground: Ground) -> None:
    """The id of a message between the two stands there."""
    if not ground.is_said(holder.text("message_id", 512)):
        raise wrong(holder.at("message_id"), "the id of a message with this contact was expected")


def read_location(message: Fields, ground: Ground) -> Shown:
    place = message.within("location")
    place.only("latitude", "longitude", "name", "address")
    latitude, longitude = place.number("latitude", 90), place.number("longitude", 180)
    words = [place.maybe(name, 1000) for name in ("name", "address")]
    return Shown(" ".join([f"<location {latitude:g}, {longitude:g}>", *filter(None, words)]))


def read_contacts(message: Fields, ground: Ground) -> Shown:
    cards = [card.within("name").text("formatted_name", 1000) for card in message.each("contacts", MOST_CONTACTS)]
    return Shown(f"<contacts {', '.join(cards)}>")


SIMPLE: Mapping[str, Callable[[Fields, Ground], Shown]] = {
    "text": read_text,
    "reaction": read_reaction,
    "location": read_location,
    "contacts": read_contacts,
}
