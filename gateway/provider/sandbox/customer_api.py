"""The routes by which a person or a test plays the customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.cloud.envelope import inbound_id, message_id
from gateway.provider.sandbox.customers import Customers, Line
from gateway.provider.sandbox.people import contact_of, user_id_of
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.reading import Asked, Misuse, known_only, read_contact, read_json, read_period, read_text
from gateway.provider.sandbox.rules import ADDRESS_LENGTH, CAPTION_LENGTH, TEXT_LENGTH
from gateway.provider.sandbox.saying import FILES
from gateway.provider.sandbox.shown import shown
from gateway.provider.sandbox.templates import Button
from gateway.provider.sandbox.world import World

NAME_LENGTH = 256
FURTHEST_AGO = timedelta(days=30)


class CustomerApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._customers = Customers(world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/contacts/{contact}/messages", self._write),
            web.post("/contacts/{contact}/taps", self._tap),
            web.post("/contacts/{contact}/reactions", self._react),
            web.post("/contacts/{contact}/reads", self._read),
            web.post("/contacts/{contact}/phone", self._switch),
            web.post("/contacts/{contact}/identity", self._identify),
            web.post("/contacts/{contact}/preferences", self._prefer),
            web.get("/messages", self._on_phone),
        ]

    async def _write(self, request: web.Request) -> web.Response:
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "to", "text", "media", "name", "ago")
        line = self._line(contact, asked)
        if "media" not in asked:
            text = read_text(asked, "text", TEXT_LENGTH)
            return shown(await self._customers.write(line.sender, contact, text, at=line.at, name=line.name))
        if asked["media"] not in FILES:
            raise Misuse("media", f"expected one of {', '.join(FILES)}")
        caption = read_text(asked, "text", CAPTION_LENGTH) if asked.get("text") is not None else None
        return shown(await self._customers.show(line, asked["media"], caption))

    async def _tap(self, request: web.Request) -> web.Response:
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "to", "button", "name")
        message, button = self._quick_reply(self._sender(asked), contact, asked.get("button", 0))
        return shown(await self._customers.tap(message, button, name=_name(asked)))

    async def _react(self, request: web.Request) -> web.Response:
        """To the message that is named, or to the latest."""
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "to", "emoji", "message_id", "name")
        line = self._line(contact, asked)
        emoji = "" if asked.get("emoji") == "" else read_text(asked, "emoji", 32)
        return shown(await self._customers.react(line, self._reacted_to(line, asked.get("message_id")), emoji))

    async def _read(self, request: web.Request) -> web.Response:
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "to")
        return shown({"read": self._customers.read(self._sender(asked), contact)})

    async def _switch(self, request: web.Request) -> web.Response:
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "on")
        switch = self._customers.switch_on if _flag(asked, "on") else self._customers.switch_off
        switch(contact)
        return shown({"on": asked["on"]})

    async def _identify(self, request: web.Request) -> web.Response:
        """The customer hides the phone number, or shows it again."""
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "hidden")
        self._world.people.hide(contact, hidden=_flag(asked, "hidden"))
        return shown({"hidden": asked["hidden"], "user_id": user_id_of(contact)})

    async def _prefer(self, request: web.Request) -> web.Response:
        contact, asked = _contact(request), read_json(await request.read())
        known_only(asked, "to", "marketing")
        sender, wish = self._sender(asked), asked.get("marketing")
        if wish not in ("stop", "resume"):
            raise Misuse("marketing", "expected stop or resume")
        return shown(await self._customers.prefer(sender, contact, wish))

    async def _on_phone(self, request: web.Request) -> web.Response:
        world, contact = self._world, contact_of(read_contact(request.query.get("contact", "")))
        said = [
            {"id": inbound_id(contact, each.id, world.people), **each.to_json()} for each in world.diary.said(contact)
        ]
        return shown({"messages": [_view(each) for each in world.phones.on_phone(contact)], "said": said})

    def _line(self, contact: str, asked: Asked) -> Line:
        ago = read_period(asked, "ago") if asked.get("ago") is not None else timedelta(0)
        if ago > FURTHEST_AGO:
            raise Misuse("ago", "expected at most 30d")
        at = self._world.clock.now() - ago
        return Line(sender=self._sender(asked), contact=contact, at=at, name=_name(asked))

    def _sender(self, asked: Asked) -> str:
        sender = self._world.accounts.named(read_text(asked, "to", ADDRESS_LENGTH))
        if self._world.senders and sender not in self._world.senders:
            raise Misuse("to", f"expected a sender: {', '.join(self._world.senders)}")
        return sender

    def _reacted_to(self, line: Line, wanted: object) -> str:
        arrived = [each for each in self._world.phones.on_phone(line.contact) if each.submission.sender == line.sender]
        for message in reversed(arrived):
            if wanted in (None, message_id(message)):
                return message_id(message)
        raise Misuse("message_id", "expected the id of a message that is on the phone")

    def _quick_reply(self, sender: str, contact: str, wanted: object) -> tuple[PhoneMessage, Button]:
        """The button meant, on the latest message of the sender that has any."""
        for message in reversed(self._world.phones.on_phone(contact)):
            buttons = message.submission.buttons
            if message.submission.sender == sender and buttons:
                return message, _chosen(buttons, wanted)
        raise Misuse("to", "expected a sender whose message with buttons is on the phone")


def _contact(request: web.Request) -> str:
    """The customer, by any of the ids."""
    return contact_of(read_contact(request.match_info["contact"]))


def _view(message: PhoneMessage) -> Mapping[str, Any]:
    """By the id that its API gave it."""
    is_platforms = message.submission.told_as == "cloud-api"
    return {**message.to_json(), **({"id": message_id(message)} if is_platforms else {})}


def _flag(asked: Asked, field: str) -> bool:
    value = asked.get(field)
    if not isinstance(value, bool):
        raise Misuse(field, "expected true or false")
    return value


def _name(asked: Asked) -> str | None:
    return read_text(asked, "name", NAME_LENGTH) if asked.get("name") is not None else None


def _chosen(buttons: tuple[Button, ...], wanted: object) -> Button:
    """A quick reply by its place or its text: taps on other buttons are told to nobody."""
    for place, button in enumerate(buttons):
        is_meant = button.text == wanted or (place == wanted and not isinstance(wanted, bool))
        if is_meant and button.type == "QUICK_REPLY":
            return button
    labels = [f"{place} ({button.text})" for place, button in enumerate(buttons) if button.type == "QUICK_REPLY"]
    raise Misuse("button", f"expected a quick reply: {', '.join(labels) or 'the message has none'}")
