"""What a test of the platform's own API works with: two business numbers, and an application that keeps raw bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from gateway.provider.sandbox import TravelClock
from tests.provider.sandbox.stage import CONTACT, Application

NUMBER_ID, NUMBER, KEY, SECRET = "106540352242922", "380440000001", "keyOfTheFirst", "s3cret"
OTHER_ID, OTHER_NUMBER, OTHER_KEY = "106540352242923", "380440000002", "keyOfTheOther"
FLAT_SENDER, FLAT_KEY = "Custom Company", "issued-key"
BUSINESS = "200300400500600"
VERIFY_TOKEN = "verify-me"


@dataclass
class Hearing(Application):
    """Keeps the bytes and the signature of each callback, too, and answers the challenge."""

    raw: list[tuple[bytes, str | None]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.raw.append((await request.read(), request.headers.get("X-Hub-Signature-256")))
        return await super().take(request)

    async def challenge(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != VERIFY_TOKEN or request.query.get("hub.mode") != "subscribe":
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def values(self, count: int) -> list[dict[str, Any]]:
        """The ``value`` of each change that came, one a callback."""
        return [body["entry"][0]["changes"][0]["value"] for body in await self.bodies(count)]


@dataclass
class Cloud:
    url: str
    http: aiohttp.ClientSession
    clock: TravelClock
    application: Hearing

    async def call(
        self, method: str, path: str, *, key: str | None = KEY, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[int, Any]:
        shown = headers if headers is not None else {} if key is None else {"Authorization": f"Bearer {key}"}
        async with self.http.request(method, f"{self.url}{path}", headers=shown, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(self, body: Any, *, version: str = "/v24.0", number: str = NUMBER_ID, key: str = KEY) -> Any:
        return await self.call("POST", f"{version}/{number}/messages", key=key, json=body)

    async def send(self, **fields: Any) -> tuple[int, Any]:
        return await self.post(a_message(**fields))

    async def sent(self, **fields: Any) -> str:
        """The id of a message that must be taken."""
        status, body = await self.send(**fields)
        assert status == 200, body
        return str(body["messages"][0]["id"])

    async def refused(self, **fields: Any) -> tuple[int, int, str]:
        """The HTTP status, the code and the details of a refusal, whose shape is looked at."""
        status, body = await self.send(**fields)
        return status, *explained(body)

    async def play(self, path: str, body: Any = None) -> dict[str, Any]:
        async with self.http.post(f"{self.url}{path}", json=body) as answer:
            played = await answer.json()
            assert answer.status == 200, played
            return played

    async def customer_writes(self, text: str = "Hello", contact: str = CONTACT, **fields: Any) -> dict[str, Any]:
        return await self.play(f"/contacts/{contact}/messages", {"to": NUMBER_ID, "text": text, **fields})

    async def fault(self, **fields: Any) -> None:
        await self.play("/faults", fields)

    async def phone(self, contact: str = CONTACT) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/messages?contact={contact}") as answer:
            return await answer.json()

    async def arrived(self, contact: str = CONTACT) -> dict[str, Any]:
        return (await self.phone(contact))["messages"][-1]


def explained(body: Any) -> tuple[int, str]:
    """The code and the details of an error in the platform's shape."""
    error = body["error"]
    assert set(error) >= {"message", "type", "code", "error_data", "fbtrace_id"}
    assert error["message"].startswith(f"(#{error['code']}) ")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    return error["code"], error["error_data"]["details"]


def a_message(**fields: Any) -> dict[str, Any]:
    """A text unless it is said otherwise; ``...`` leaves a field out."""
    kind = fields.get("type", "text")
    text = {"text": {"body": "On its way"}} if kind == "text" else {}
    whole = {"messaging_product": "whatsapp", "to": CONTACT, "type": kind, **text, **fields}
    return {name: value for name, value in whole.items() if value is not ...}


def an_interactive(kind: str, action: Any, **fields: Any) -> dict[str, Any]:
    interactive = {"type": kind, "body": {"text": "Which one?"}, "action": action, **fields}
    return {"type": "interactive", "interactive": {k: v for k, v in interactive.items() if v is not ...}}


def buttons(*titles: str) -> dict[str, Any]:
    return {"buttons": [{"type": "reply", "reply": {"id": f"id-{title}", "title": title}} for title in titles]}


def rows(*counts: int, **fields: Any) -> dict[str, Any]:
    """A list with sections of so many rows."""
    sections = [
        {
            "title": f"Section {index}",
            "rows": [{"id": f"{index}-{row}", "title": f"Row {index}-{row}", **fields} for row in range(count)],
        }
        for index, count in enumerate(counts)
    ]
    return {"button": "Choose", "sections": sections}


def a_template(name: str = "ticket_answer", *texts: str, code: str = "en_US", **fields: Any) -> dict[str, Any]:
    components = [{"type": "BODY", "parameters": [{"type": "text", "text": text} for text in texts]}]
    return {
        "type": "template",
        "template": {"name": name, "language": {"code": code}, "components": components, **fields},
    }
