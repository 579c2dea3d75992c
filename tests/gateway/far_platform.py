"""A gateway before a provider of the platform's own kind: the sandbox's Cloud API, and 360dialog's style of it. What
the sandbox does not have is answered in its place, and it may be told to say anything at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import Gateway
from gateway.provider.sandbox import Account, TravelClock, sandbox_app
from gateway.provider.sandbox.app import standalone_app
from gateway.shipped import shipped
from tests.gateway.asking import OPEN, QUICK
from tests.page.stage import CONTACT, a_gateway, free_port

ACCOUNT = "200300400500600"
_BLOCKED = {"block_users": [{"messaging_product": "whatsapp", "wa_id": CONTACT}]}
_ADDED = {"messaging_product": "whatsapp", "block_users": {"added_users": [{"input": CONTACT, "wa_id": CONTACT}]}}
_REMOVED = {"messaging_product": "whatsapp", "block_users": {"removed_users": [{"input": CONTACT, "wa_id": CONTACT}]}}
_COMMERCE = {"id": "1", "is_cart_visible": True, "is_catalog_visible": True}
_QR_CODE = {
    "code": "4O4YGZEG3RIVE1",
    "prefilled_message": "Hello",
    "deep_link_url": "https://wa.me/message/4O4YGZEG3RIVE1",
}
_PAGING = {"cursors": {"before": "MA==", "after": "MA=="}}
MISSING: Mapping[tuple[str, str], Any] = {
    ("GET", "block_users"): {"data": [_BLOCKED], "paging": _PAGING},
    ("POST", "block_users"): _ADDED,
    ("DELETE", "block_users"): _REMOVED,
    ("GET", "whatsapp_commerce_settings"): {"data": [_COMMERCE]},
    ("POST", "whatsapp_commerce_settings"): {"success": True},
    ("POST", "conversational_automation"): {"success": True},
    ("GET", "message_qrdls"): {"data": [_QR_CODE]},
    ("POST", "message_qrdls"): _QR_CODE,
    ("DELETE", "message_templates"): {"success": True},
}
"""What the sandbox does not have, by the end of the path. Source: Meta, blocking users, commerce settings,
conversational components, QR codes, and template management."""


@dataclass(frozen=True, slots=True)
class Number:
    """A business number, with the client and the provider that it has to itself."""

    kind: str
    phone_number_id: str

    @property
    def client(self) -> dict[str, Any]:
        return {"name": f"client-of-{self.kind}", "keys": [self.key], "senders": [self.sender]}

    @property
    def key(self) -> str:
        return f"keyOfTheClientOf{self.kind}"

    @property
    def provider_key(self) -> str:
        return f"keyOfTheGatewayFor{self.kind}"

    @property
    def sender(self) -> str:
        return f"Shop at {self.kind}"

    @property
    def configured(self) -> dict[str, Any]:
        return {"id": self.sender, "provider": self.kind, "phone_number_id": self.phone_number_id}

    def provider(self, far: str) -> dict[str, Any]:
        facts = {"name": self.kind, "kind": self.kind, "key": self.provider_key, "account": ACCOUNT}
        if self.kind == "360dialog":
            return {**facts, "base_url": far, "callback_secret": "in-the-path"}
        return {**facts, "base_url": f"{far}/v24.0", "app_secret": "signs", "verify_token": "a-word"}

    def account(self, gateway: str) -> Account:
        signs = self.kind != "360dialog"
        return Account(
            sender=self.sender,
            phone_number_id=self.phone_number_id,
            display=self.phone_number_id,
            keys=(self.provider_key,),
            app_secret="signs" if signs else None,
            callbacks_to=f"{gateway}/callbacks/{self.kind}" + ("" if signs else "/in-the-path"),
        )


META, DIALOG = Number("cloud-api", "106540352242922"), Number("360dialog", "106540352242923")
NUMBERS = (META, DIALOG)


Said = tuple[int, bytes, Mapping[str, str]]
"""A status, a body and headers."""


@dataclass
class Far:
    """The far end: the sandbox, and what stands in for it."""

    url: str = ""
    odd: Said | None = None
    """Said to whatever is asked."""

    @web.middleware
    async def answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        missing = MISSING.get((request.method, request.path.rpartition("/")[2]))
        if self.odd is not None:
            await request.read()
            status, body, headers = self.odd
            return web.Response(status=status, body=body, headers=headers)
        if missing is not None:
            return web.json_response(missing)
        answer: web.StreamResponse = await handler(request)
        return answer


@dataclass(frozen=True, slots=True)
class Before:
    """What a test has: a gateway, and the far end that it is before."""

    gateway: Gateway
    far: Far


@asynccontextmanager
async def before_platform(folder: Path) -> AsyncIterator[Before]:
    """One gateway with a client for each of the numbers."""
    far, port = Far(), free_port()
    accounts = [each.account(f"http://127.0.0.1:{port}") for each in NUMBERS]
    app = standalone_app(sandbox_app(clock=TravelClock(), templates=shipped("templates"), accounts=accounts))
    app.middlewares.append(far.answer)
    async with TestServer(app) as server:
        far.url = f"http://127.0.0.1:{server.port}"
        changes = {
            "providers": [each.provider(far.url) for each in NUMBERS],
            "senders": [each.configured for each in NUMBERS],
            "clients": [each.client for each in NUMBERS],
        }
        async with a_gateway(folder, port, limits=QUICK, pace=OPEN, **changes) as gateway:
            yield Before(gateway, far)
