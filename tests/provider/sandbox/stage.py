"""What a test of the sandbox works with: an application that takes callbacks, the sandbox by HTTP, and messages."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from gateway.provider.sandbox import TravelClock

KEY = "issued-key"
AUTHORIZATION = "Basic " + base64.b64encode(KEY.encode()).decode()
SENDER = "Custom Company"
CONTACT = "380501234567"

ANSWER = {
    "name": "ticket_answer",
    "language": "en_US",
    "components": [
        {"type": "BODY", "text": "We have an answer to your request {{1}}. Reply to read it."},
        {"type": "FOOTER", "text": "The support team"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Read it"}]},
    ],
}
PARCEL = {
    "name": "parcel",
    "language": "en_US",
    "parameter_format": "NAMED",
    "namespace": "0f1e2d3c",
    "components": [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "{{customer}}, your parcel {{number}} is here."},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://example.com/t/{{1}}"}]},
    ],
}
OFFER = {
    "name": "offer",
    "language": "en_US",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Everything at half price."}],
}
PAUSED = {**ANSWER, "name": "paused_one", "status": "PAUSED"}
HOLOGRAM = {"name": "hologram", "language": "en_US", "components": [{"type": "HOLOGRAM", "cards": []}]}


@dataclass
class Application:
    """Takes callbacks, and keeps them by the path they were posted to."""

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """The statuses of the next answers; 200 after them."""
    url: str = ""
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        async with self.news:
            self.taken.append((request.path, body))
            self.news.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def wait_for(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        async with asyncio.timeout(5), self.news:
            await self.news.wait_for(lambda: len(self.taken) >= count)
        return list(self.taken)

    async def bodies(self, count: int) -> list[dict[str, Any]]:
        return [body for _, body in await self.wait_for(count)]


@dataclass
class Sandbox:
    """What a test asks of the sandbox over HTTP."""

    url: str
    http: aiohttp.ClientSession
    clock: TravelClock
    application: Application

    async def api(self, verb: str, body: Any, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", {"Authorization": AUTHORIZATION})
        async with self.http.post(f"{self.url}/v1/api/{verb}", json=body, **options) as answer:
            return answer.status, await answer.json()

    async def send(self, **fields: Any) -> tuple[int, Any]:
        return await self.api("send-whatsapp", a_text(**fields))

    async def send_template(self, template: dict[str, Any], **fields: Any) -> tuple[int, Any]:
        return await self.api("send-whatsapp", a_template(template, **fields))

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.url}{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    async def customer_writes(self, text: str = "Hello", contact: str = CONTACT, **fields: Any) -> dict[str, Any]:
        status, said = await self.post(f"/contacts/{contact}/messages", {"to": SENDER, "text": text, **fields})
        assert status == 200, said
        return said

    async def travel(self, period: str) -> None:
        status, _ = await self.post("/clock", {"advance": period})
        assert status == 200

    async def travel_until_taken(self, count: int) -> list[dict[str, Any]]:
        """Travel in small steps until the application has taken this many callbacks."""
        async with asyncio.timeout(5):
            while len(self.application.taken) < count:
                await self.travel("1m")
        return await self.application.bodies(count)

    async def on_phone(self, contact: str = CONTACT) -> list[dict[str, Any]]:
        return (await self.get(f"/messages?contact={contact}"))["messages"]


def a_text(**fields: Any) -> dict[str, Any]:
    asked = {"source_addr": SENDER, "destination_addr": CONTACT, "message_type": 1, "text": "On its way", **fields}
    return {name: value for name, value in asked.items() if value is not ...}


def a_template(template: dict[str, Any], **fields: Any) -> dict[str, Any]:
    params = {"to": CONTACT, "type": "template", "template": template}
    asked = {
        "source_addr": SENDER,
        "destination_addr": CONTACT,
        "message_type": 4,
        "template_name": template.get("name"),
        "template_params": json.dumps(params),
    }
    return {**asked, **fields}


def an_answer(*texts: str, **fields: Any) -> dict[str, Any]:
    parameters = [{"type": "text", "text": text} for text in texts]
    return {
        "name": "ticket_answer",
        "language": {"policy": "deterministic", "code": "en_US"},
        "components": [{"type": "body", "parameters": parameters}],
        **fields,
    }
