"""The routes by which a person or a test plays the customers, moves the clock and breaks things."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from gateway.provider.sandbox.callbacks import Callback
from gateway.provider.sandbox.clock import written
from gateway.provider.sandbox.customers import Customers
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.preference import preference
from gateway.provider.sandbox.reading import Asked, Misuse, known_only, read_contact, read_json, read_period, read_text
from gateway.provider.sandbox.rules import ADDRESS_LENGTH, TEXT_LENGTH
from gateway.provider.sandbox.shown import shown
from gateway.provider.sandbox.templates import Button
from gateway.provider.sandbox.world import World

NAME_LENGTH = 256
FURTHEST_AGO = timedelta(days=30)

GUIDE = """\
The sandbox: a provider with the platform's rules, and its customers. Bodies are JSON. The page is at {root}/

POST {root}/contacts/380501234567/messages   the customer writes
     {{"to": sender, "text": "...", "name": "...", "ago": "25h"}}
POST {root}/contacts/380501234567/taps       the customer taps a quick reply, by its place or its text
     {{"to": sender, "button": 0}}
POST {root}/contacts/380501234567/reads      the customer reads, and says nothing
     {{"to": sender}}
POST {root}/contacts/380501234567/phone      the phone is switched off, or on: what waited for it arrives
     {{"on": false}}
POST {root}/contacts/380501234567/preferences  the customer stops marketing messages, or resumes them
     {{"to": sender, "marketing": "stop"}}
GET  {root}/messages?contact=380501234567    what arrived on the customer's phone
GET  {root}/desk                             what the application received
GET  {root}/clock                            what time it is
POST {root}/clock                            travel forwards
     {{"advance": "25h"}}
GET  {root}/faults                           what goes wrong now
POST {root}/faults                           one or more of these; "count" and "sender" limit them
     {{"latency": "2s"}} {{"error": 500}} {{"reset": 1}} {{"lost_answers": 1}} {{"balance_empty": true}}
     {{"refuse_window": true}} {{"refuse_template": 132015, "template": "ticket_answer"}} {{"late_refusals": true}}
     {{"late_callbacks": "10s"}} {{"lost_callbacks": 1}} {{"duplicate_callbacks": 1}} {{"clear": true}}
     {{"refuse_list": 80007}}
GET  {root}/templates                        what is registered
POST {root}/templates                        what is registered changes: its status, category or components
     {{"template": "ticket_answer", "language": "en_US", "status": "PAUSED"}}
POST {root}/reset                            forget everything but the time

The provider's API: POST {root}/v1/api/send-whatsapp, POST {root}/v1/api/receive-whatsapp
The platform's list of templates: GET {root}/v24.0/1/message_templates
"""


class Play:
    """Every wrong request is answered 400 with what was expected."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._customers = Customers(world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/guide", self._guide),
            web.post("/contacts/{contact}/messages", self._write),
            web.post("/contacts/{contact}/taps", self._tap),
            web.post("/contacts/{contact}/reads", self._read),
            web.post("/contacts/{contact}/phone", self._switch),
            web.post("/contacts/{contact}/preferences", self._prefer),
            web.get("/messages", self._on_phone),
            web.get("/clock", self._time),
            web.post("/clock", self._travel),
            web.get("/faults", self._faults),
            web.post("/faults", self._break),
            web.post("/reset", self._reset),
        ]

    async def _guide(self, request: web.Request) -> web.Response:
        return web.Response(text=GUIDE.format(root=request.path.removesuffix("/guide")))

    async def _write(self, request: web.Request) -> web.Response:
        contact, asked = read_contact(request.match_info["contact"]), read_json(await request.read())
        known_only(asked, "to", "text", "name", "ago")
        ago = read_period(asked, "ago") if asked.get("ago") is not None else timedelta(0)
        if ago > FURTHEST_AGO:
            raise Misuse("ago", "expected at most 30d")
        sender, text, name = self._sender(asked), read_text(asked, "text", TEXT_LENGTH), _name(asked)
        at = self._world.clock.now() - ago
        return shown(await self._customers.write(sender, contact, text, at=at, name=name))

    async def _tap(self, request: web.Request) -> web.Response:
        contact, asked = read_contact(request.match_info["contact"]), read_json(await request.read())
        known_only(asked, "to", "button", "name")
        message, button = self._quick_reply(self._sender(asked), contact, asked.get("button", 0))
        return shown(await self._customers.tap(message, button, name=_name(asked)))

    async def _read(self, request: web.Request) -> web.Response:
        contact, asked = read_contact(request.match_info["contact"]), read_json(await request.read())
        known_only(asked, "to")
        return shown({"read": self._customers.read(self._sender(asked), contact)})

    async def _switch(self, request: web.Request) -> web.Response:
        contact, asked = read_contact(request.match_info["contact"]), read_json(await request.read())
        known_only(asked, "on")
        if not isinstance(asked.get("on"), bool):
            raise Misuse("on", "expected true or false")
        switch = self._customers.switch_on if asked["on"] else self._customers.switch_off
        switch(contact)
        return shown({"on": asked["on"]})

    async def _prefer(self, request: web.Request) -> web.Response:
        contact, asked = read_contact(request.match_info["contact"]), read_json(await request.read())
        known_only(asked, "to", "marketing")
        sender, wish = self._sender(asked), asked.get("marketing")
        if wish not in ("stop", "resume"):
            raise Misuse("marketing", "expected stop or resume")
        self._world.phones.prefer(sender, contact, marketing=wish == "resume")
        told = preference(sender, contact, wish, self._world.clock.now())
        return shown({**told, "callback": await self._world.callbacks.post([Callback(sender=sender, body=told)])})

    async def _on_phone(self, request: web.Request) -> web.Response:
        contact = read_contact(request.query.get("contact", ""))
        return shown({"messages": [each.to_json() for each in self._world.phones.on_phone(contact)]})

    async def _time(self, request: web.Request) -> web.Response:
        return shown({"now": written(self._world.clock.now())})

    async def _travel(self, request: web.Request) -> web.Response:
        asked = read_json(await request.read())
        known_only(asked, "advance")
        period = read_period(asked, "advance")
        try:
            now = self._world.travel(period)
        except ValueError as problem:
            raise Misuse("advance", str(problem)) from None
        return shown({"now": written(now)})

    async def _faults(self, request: web.Request) -> web.Response:
        return shown({"faults": [fault.to_json() for fault in self._world.faults.listed()]})

    async def _break(self, request: web.Request) -> web.Response:
        self._world.faults.order(read_json(await request.read()))
        return await self._faults(request)

    async def _reset(self, request: web.Request) -> web.Response:
        await self._world.reset()
        return shown({"now": written(self._world.clock.now())})

    def _sender(self, asked: Asked) -> str:
        sender = read_text(asked, "to", ADDRESS_LENGTH)
        if self._world.senders and sender not in self._world.senders:
            raise Misuse("to", f"expected a sender: {', '.join(self._world.senders)}")
        return sender

    def _quick_reply(self, sender: str, contact: str, wanted: object) -> tuple[PhoneMessage, Button]:
        """The button meant, on the latest message of the sender that has any."""
        for message in reversed(self._world.phones.on_phone(contact)):
            buttons = message.submission.buttons
            if message.submission.sender == sender and buttons:
                return message, _chosen(buttons, wanted)
        raise Misuse("to", "expected a sender whose message with buttons is on the phone")


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


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def explain_misuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a wrong request with the field and what was expected there."""
    try:
        return await handler(request)
    except Misuse as misuse:
        return shown({"error": misuse.expected, "field": misuse.field}, status=400)
