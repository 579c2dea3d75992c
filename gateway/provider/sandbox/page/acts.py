"""What is done on the page: each act is a form's POST, answered with what there is to say of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.provider.sandbox.customers import Customers
from gateway.provider.sandbox.news import Topic
from gateway.provider.sandbox.page.choice import Choice, read_choice
from gateway.provider.sandbox.page.compose import composed, described
from gateway.provider.sandbox.page.desk_client import Answered, DeskClient, GatewayAway
from gateway.provider.sandbox.page.desk_view import Refusal
from gateway.provider.sandbox.page.fault_view import read_order
from gateway.provider.sandbox.page.scene import Scene
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.reading import Misuse, read_period, read_text
from gateway.provider.sandbox.rules import TEXT_LENGTH
from gateway.provider.sandbox.templates import Button

LONGEST_BODY = 256 * 1024
MOST_FIELDS = 300
"""A form of a template with many arguments has as many fields."""

Form = Mapping[str, str]
Act = Callable[[Choice, Form], Awaitable[str]]
"""Does it, and returns what there is to say. Raises Misuse."""


class Acts:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._world = scene.world
        self._customers = Customers(scene.world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/act/write", self._act("phone", self._write)),
            web.post("/act/tap", self._act("phone", self._tap)),
            web.post("/act/read", self._act("phone", self._read)),
            web.post("/act/switch", self._act("phone", self._switch)),
            web.post("/act/send", self._act("desk", self._send)),
            web.post("/act/travel", self._act("bench", self._travel)),
            web.post("/act/faults", self._act("bench", self._break)),
            web.post("/act/customer", self._add_customer),
        ]

    def _act(self, pane: str, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                form = await read_form(request)
                choice = self._choice(form)
                said = await act(choice, form)
            except Misuse as misuse:
                return self._wrong(request, str(misuse))
            if is_by_script(request):
                return self._notice(said)
            raise web.HTTPSeeOther(f"../?{choice.query}#{pane}")

        return answer

    def _notice(self, said: str, status: int = 200) -> web.Response:
        """A line for the page that is open, whose parts ask for what is new."""
        response = self._scene.renderer.page("_notice.html", status=status, said=said, is_wrong=status >= 400)
        response.headers["HX-Trigger"] = "changed"
        return response

    def _wrong(self, request: web.Request, said: str) -> web.Response:
        if is_by_script(request):
            return self._notice(said, status=400)
        return self._scene.renderer.page("stopped.html", status=400, said=said)

    def _choice(self, form: Form) -> Choice:
        return read_choice(form, self._world.senders, self._scene.roster)

    # --- the customer ---

    async def _write(self, choice: Choice, form: Form) -> str:
        text = read_text(form, "text", TEXT_LENGTH)
        at, name = self._world.clock.now(), choice.customer.name
        told = await self._customers.write(choice.sender, choice.contact, text, at=at, name=name)
        return _told(told["callback"])

    async def _tap(self, choice: Choice, form: Form) -> str:
        message, button = self._quick_reply(choice, form)
        told = await self._customers.tap(message, button, name=choice.customer.name)
        return _told(told["callback"])

    def _quick_reply(self, choice: Choice, form: Form) -> tuple[PhoneMessage, Button]:
        message = self._world.phones.message(_number(form, "message"))
        if message is None or (message.submission.contact, message.submission.sender) != (
            choice.contact,
            choice.sender,
        ):
            raise Misuse("message", "expected a message that is on the phone")
        button = dict(enumerate(message.submission.buttons)).get(_number(form, "button"))
        if button is None or button.type != "QUICK_REPLY":
            raise Misuse("button", "expected the place of a quick reply")
        return message, button

    async def _read(self, choice: Choice, form: Form) -> str:
        count = self._customers.read(choice.sender, choice.contact)
        name = choice.customer.name
        return "" if count else f"There was nothing new to read for {name}."

    async def _switch(self, choice: Choice, form: Form) -> str:
        switch = self._customers.switch_on if form.get("on") == "yes" else self._customers.switch_off
        switch(choice.contact)
        return ""

    async def _add_customer(self, request: web.Request) -> web.Response:
        try:
            form = await read_form(request)
            sender = self._choice(form).sender
            contact = self._scene.roster.add(form.get("name", ""), form.get("number", ""))
        except Misuse as misuse:
            return self._wrong(request, str(misuse))
        added = Choice(sender=sender, customer=self._scene.roster.customer(contact))
        if is_by_script(request):
            return web.Response(headers={"HX-Redirect": f"./?{added.query}"})
        raise web.HTTPSeeOther(f"../?{added.query}")

    # --- the agent ---

    async def _send(self, choice: Choice, form: Form) -> str:
        client = self._scene.client(choice.sender)
        if client is None:
            raise Misuse("sender", "expected a sender that a client of the gateway may use")
        body = composed(form, choice, self._world.templates)
        try:
            answered = await client.send(body, form.get("reference", "").strip())
        except GatewayAway as away:
            raise Misuse("gateway", str(away)) from None
        if "message_id" in answered.body:
            return ""
        self._note_refusal(client, choice, described(body), answered)
        raise Misuse(str(answered.body.get("name")), str(answered.body.get("message")))

    def _note_refusal(self, client: DeskClient, choice: Choice, asked: str, answered: Answered) -> None:
        clock = self._world.clock
        refusal = Refusal(
            sender=choice.sender,
            contact=choice.contact,
            at=clock.now() if client.access.follows_clock else clock.real_now(),
            asked=asked,
            name=f"{answered.body.get('name')} (HTTP {answered.status}, code {answered.body.get('code')})",
            words=str(answered.body.get("message", "")),
        )
        self._scene.refusals.add(refusal)
        self._world.news.tell(Topic.DESK, contact=choice.contact)

    # --- the world ---

    async def _travel(self, choice: Choice, form: Form) -> str:
        try:
            self._world.travel(read_period(form, "advance"))
        except ValueError as problem:
            raise Misuse("advance", str(problem)) from None
        return ""

    async def _break(self, choice: Choice, form: Form) -> str:
        self._world.faults.order(read_order(form))
        return ""


def _told(callback: str) -> str:
    words = {
        "pending": "The gateway has not taken it yet; the provider tries again.",
        "dropped": "Nobody hears it: callbacks go nowhere, or are lost.",
    }
    return words.get(callback, "")


def is_by_script(request: web.Request) -> bool:
    """Whether the open page asks, rather than a form that takes the place of the page."""
    return "HX-Request" in request.headers


def _number(form: Form, field: str) -> int:
    written = form.get(field, "")
    if not (written.isascii() and written.isdigit() and len(written) < 16):
        raise Misuse(field, "expected a number")
    return int(written)


async def read_form(request: web.Request) -> Form:
    """The fields of a posted form. Raises Misuse."""
    if (request.content_length or 0) > LONGEST_BODY:
        raise Misuse("body", f"expected at most {LONGEST_BODY} bytes")
    if request.content_type != "application/x-www-form-urlencoded":
        raise Misuse("body", "expected a form")
    body = await request.read()
    if len(body) > LONGEST_BODY:
        raise Misuse("body", f"expected at most {LONGEST_BODY} bytes")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Misuse("body", f"expected a form of at most {MOST_FIELDS} fields in UTF-8") from None
    return {name: value.replace("\r\n", "\n") for name, value in fields}
