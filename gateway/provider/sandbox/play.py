"""The routes by which a person or a test moves the clock and breaks things, and what can be done at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.provider.sandbox.clock import written
from gateway.provider.sandbox.cloud.challenge import answers_challenge
from gateway.provider.sandbox.customer_api import CustomerApi
from gateway.provider.sandbox.reading import Misuse, known_only, read_json, read_period, read_text
from gateway.provider.sandbox.rules import ADDRESS_LENGTH
from gateway.provider.sandbox.shown import shown
from gateway.provider.sandbox.world import World

GUIDE = """\
The sandbox: a provider with the platform's rules, and its customers. Bodies are JSON. The page is at {root}/

POST {root}/contacts/380501234567/messages   the customer writes
     {{"to": sender, "text": "...", "name": "...", "ago": "25h"}}
     {{"to": sender, "media": "image", "text": "its caption"}}   or video, audio, document, sticker
     "callback" says whether it was heard: answered; pending, it is tried again; dropped, nobody waits for that sender's
POST {root}/contacts/380501234567/taps       the customer taps a quick reply, button or row, by its place or text
     {{"to": sender, "button": 0}}
POST {root}/contacts/380501234567/reactions  the customer reacts to the latest message, or to the one that is named
     {{"to": sender, "emoji": "...", "message_id": "wamid..."}}
POST {root}/contacts/380501234567/reads      the customer reads, and says nothing
     {{"to": sender}}
POST {root}/contacts/380501234567/phone      the phone is switched off, or on: what waited for it arrives
     {{"on": false}}
POST {root}/contacts/380501234567/identity   the customer hides the phone number, or shows it again
     {{"hidden": true}}
POST {root}/contacts/380501234567/preferences  the customer stops marketing messages, or resumes them
     {{"to": sender, "marketing": "stop"}}
GET  {root}/messages?contact=380501234567    what arrived on the customer's phone, and what was said
GET  {root}/desk                             what the application received
GET  {root}/clock                            what time it is
POST {root}/clock                            travel forwards
     {{"advance": "25h"}}
GET  {root}/faults                           what goes wrong now
POST {root}/faults                           one or more of these; "count" and "sender" limit them
     {{"latency": "2s"}} {{"error": 500}} {{"reset": 1}} {{"lost_answers": 1}} {{"balance_empty": true}}
     {{"refuse_window": true}} {{"refuse_template": 132015, "template": "ticket_answer"}} {{"late_refusals": true}}
     {{"late_callbacks": "10s"}} {{"lost_callbacks": 1}} {{"duplicate_callbacks": 1}} {{"clear": true}}
     {{"refuse": 131026}} {{"refuse_list": 80007}} {{"batch_callbacks": 10}}
GET  {root}/templates                        what is registered
POST {root}/templates                        what is registered changes: its status, category or components
     {{"template": "ticket_answer", "language": "en_US", "status": "PAUSED"}}
POST {root}/challenges                       ask the address of a sender's callbacks whether it wants them
     {{"to": sender, "verify_token": "..."}}
POST {root}/reset                            forget everything but the time

DecisionTelecom's API: POST {root}/v1/api/send-whatsapp, POST {root}/v1/api/receive-whatsapp
The Cloud API, any version or none: POST {root}/v24.0/<phone number id>/messages, POST .../media, GET .../<any id>,
     GET and POST .../<account>/message_templates, .../<account>/subscribed_apps, .../whatsapp_business_profile
360dialog's: POST {root}/messages, GET {root}/v1/configs/templates, GET and POST {root}/v1/configs/webhook
"""


class Play:
    """Every wrong request is answered 400 with what was expected."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._customers = CustomerApi(world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/guide", self._guide),
            *self._customers.routes(),
            web.get("/clock", self._time),
            web.post("/clock", self._travel),
            web.get("/faults", self._faults),
            web.post("/faults", self._break),
            web.post("/challenges", self._challenge),
            web.post("/reset", self._reset),
        ]

    async def _guide(self, request: web.Request) -> web.Response:
        return web.Response(text=GUIDE.format(root=request.path.removesuffix("/guide")))

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
        asked = read_json(await request.read())
        sender = asked.get("sender")
        named = {"sender": self._world.accounts.named(sender)} if isinstance(sender, str) else {}
        self._world.faults.order({**asked, **named})
        self._world.teller.flush()
        return await self._faults(request)

    async def _challenge(self, request: web.Request) -> web.Response:
        asked = read_json(await request.read())
        known_only(asked, "to", "verify_token")
        accounts, callbacks = self._world.accounts, self._world.callbacks
        account = accounts.of_sender(accounts.named(read_text(asked, "to", ADDRESS_LENGTH)))
        url = accounts.address(account) or callbacks.address_of(account.sender)
        if url is None:
            raise Misuse("to", "expected a sender whose callbacks go somewhere")
        token = read_text(asked, "verify_token", 1_000)
        return shown({"verified": await answers_challenge(callbacks, url, token)})

    async def _reset(self, request: web.Request) -> web.Response:
        await self._world.reset()
        return shown({"now": written(self._world.clock.now())})


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def explain_misuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a wrong request with the field and what was expected there."""
    try:
        return await handler(request)
    except Misuse as misuse:
        return shown({"error": misuse.expected, "field": misuse.field}, status=400)
