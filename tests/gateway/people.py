"""A whole gateway with the sandbox behind it, on a file, and the operator's commands beside it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click.testing
import structlog

from gateway.app import Gateway, running
from gateway.cli import cli
from gateway.config_file import load_config
from gateway.provider.sandbox import TravelClock

KEY = "gateway-test-key-of-the-desk"
CONTACT = "380501234567"
SHOP = "Shop"

TEMPLATES = {
    "offer": "category: MARKETING",
    "parcel": "category: UTILITY",
}
CONFIG = """
server: {{host: 127.0.0.1, port: {port}, operator: op.sock}}
paths: {{templates: templates, schemas: ""}}
clients: [{{name: desk, keys: [{key}], senders: [Shop, Other], webhook: {{url: "http://127.0.0.1:{port}/sandbox/desk",
    secret: whsec_ZGVtbyBzZWNyZXQgZm9yIGxvb3BiYWNrIG9ubHk=}}}}]
providers: [{{name: sandbox, kind: sandbox}}]
senders:
  - {{id: Shop, provider: sandbox, aliases: ["380441234567"], phone_number_id: "1063", ladder: [offer, parcel]}}
  - {{id: Other, provider: sandbox, ladder: [offer]}}
pace: {{sender_per_second: 5000, contact_interval: 1ms, contact_burst: 1000}}
delivery: {{callback_hosts: {{allow: [127.0.0.1/32]}}}}
"""


def furnish(folder: Path, config: str | None = None) -> None:
    """The files of an operator."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    (folder / "config.yaml").write_text((config or CONFIG).format(port=port, key=KEY), "utf-8")
    (folder / "templates").mkdir()
    for name, category in TEMPLATES.items():
        text = f"name: {name}\nlanguage: en_US\n{category}\nstatus: APPROVED\n"
        text += 'components: [{type: BODY, text: "Hello from the shop"}]\nfill: {body: []}\n'
        (folder / "templates" / f"{name}.en_US.yaml").write_text(text, "utf-8")


@dataclass
class Shop:
    folder: Path
    gateway: Gateway
    http: aiohttp.ClientSession

    async def post(self, **fields: Any) -> tuple[int, Any]:
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hello", **fields}
        status, answer, _ = await self.post_body(body)
        return status, answer

    async def post_body(self, body: dict[str, Any], **headers: str) -> tuple[int, Any, dict[str, str]]:
        """A body as it is; the answer with its headers."""
        authorization = "Basic " + base64.b64encode(KEY.encode()).decode()
        url = f"{self.gateway.base_url}/v1/api/send-whatsapp"
        named = {"Authorization": authorization, **_named(headers)}
        async with self.http.post(url, json=body, headers=named) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def explain(self, body: dict[str, Any], **headers: str) -> Any:
        url, named = f"{self.gateway.base_url}/v1/explain", {"Authorization": f"Bearer {KEY}", **_named(headers)}
        async with self.http.post(url, json=body, headers=named) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post_template(self, name: str, **fields: Any) -> tuple[int, Any]:
        template = {"name": name, "language": {"code": "en_US"}}
        params = {"type": "template", "template": template}
        return await self.post(message_type=4, template_name=name, template_params=params, **fields)

    async def get(self, path: str) -> Any:
        url = f"{self.gateway.base_url}{path}"
        async with self.http.get(url, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            return await answer.json()

    async def play(self, path: str, **asked: Any) -> Any:
        async with self.http.post(f"{self.gateway.base_url}/sandbox{path}", json=asked) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def customer_writes(self, **asked: Any) -> None:
        await self.play(f"/contacts/{CONTACT}/messages", **{"to": SHOP, "text": "hi", **asked})

    async def prefers(self, wish: str) -> None:
        assert (await self.play(f"/contacts/{CONTACT}/preferences", to=SHOP, marketing=wish))["callback"] == "answered"

    async def ends(self, answer: tuple[int, Any], *statuses: str) -> Any:
        """The message of this answer, once its status is one of these."""
        assert answer[0] == 200, answer
        async with asyncio.timeout(20):
            while True:
                message = await self.get(f"/v1/messages/{answer[1]['message_id']}")
                if message["status"] in statuses:
                    return message
                await asyncio.sleep(0.01)

    async def run(self, *words: str, **options: Any) -> click.testing.Result:
        return await run(self.folder, *words, **options)

    async def listed(self) -> list[dict[str, Any]]:
        return list(json.loads((await self.run("contacts", "list", "--json")).stdout)["contacts"])


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def run(folder: Path, *words: str, stdin: str | None = None) -> click.testing.Result:
    """The command line, in a thread of its own: it runs a loop of its own."""
    command = [*words, "--config", str(folder / "config.yaml")]
    if isinstance(structlog.get_config()["logger_factory"], structlog.PrintLoggerFactory):
        # What the gateway in this process logs meanwhile is no part of the output.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    return await asyncio.to_thread(click.testing.CliRunner().invoke, cli, command, input=stdin)


@asynccontextmanager
async def a_shop(folder: Path, *, clock: TravelClock | None = None) -> AsyncIterator[Shop]:
    if not (folder / "config.yaml").exists():
        furnish(folder)
    config = load_config(folder / "config.yaml", os.environ)
    async with aiohttp.ClientSession() as http, running(config, clock=clock) as gateway:
        yield Shop(folder, gateway, http)


def subscribe(folder: Path) -> None:
    """The operator's configuration names the list that the sandbox has on the gateway's own server."""
    path = folder / "config.yaml"
    text = path.read_text()
    port = text.partition("port: ")[2].partition(",")[0]
    listed = f'{{base_url: "http://127.0.0.1:{port}/sandbox/v24.0", account: "1", token: a-graph-token, refresh: 24h}}'
    path.write_text(text.replace("kind: sandbox}]", f"kind: sandbox, templates: {listed}}}]"))


@asynccontextmanager
async def a_listed_shop(folder: Path) -> AsyncIterator[Shop]:
    if not (folder / "config.yaml").exists():
        furnish(folder)
        subscribe(folder)
    async with a_shop(folder) as shop:
        yield shop


async def tell(shop: Shop, field: str = "message_template_status_update", **value: Any) -> None:
    """The platform's callback about the template `offer`, a second after all that was before."""
    clock = await shop.play("/clock", advance="1s")
    named = {"message_template_id": 1, "message_template_name": "offer", "message_template_language": "en-US"}
    entry = {"id": "1", "time": clock["now"], "changes": [{"field": field, "value": {**named, **value}}]}
    url = shop.gateway.addresses.callback_url(shop.gateway.config.providers[0])
    async with shop.http.post(url, json={"object": "whatsapp_business_account", "entry": [entry]}) as answer:
        assert answer.status == 200, await answer.text()


async def left_as(shop: Shop, **fields: Any) -> str:
    """With which template a text leaves."""
    message = await shop.ends(await shop.post(**fields), "delivered")
    return str(message["decision"]["template"])
