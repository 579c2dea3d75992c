"""Clients of the Cloud API in front of a whole gateway, with a provider behind it that speaks DecisionTelecom's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import running
from gateway.config import CLOUD_API, DowngradeLimit, SenderConfig
from gateway.domain.business_number import business_number
from gateway.domain.identity import Sender
from gateway.domain.wamid import message_id_in
from gateway.provider.sandbox import TravelClock, sandbox_app
from tests.gateway.harness import CONTACT, KEY, OTHER_KEY, SHOP, World, a_config, a_world

NUMBER = business_number(SHOP).phone_number_id
TEXT = {"messaging_product": "whatsapp", "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
ONE = DowngradeLimit(count=1, per=timedelta(hours=24))


async def posted(world: World, body: Any = TEXT, **headers: str) -> tuple[int, Any, dict[str, str]]:
    named = {"Authorization": f"Bearer {KEY}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    url = f"{world.desk.base_url}/v21.0/{NUMBER}/messages"
    async with world.desk.http.post(url, json=body, headers=named) as answer:
        return answer.status, await answer.json(), dict(answer.headers)


def id_in(answer: Any) -> int:
    message_id = message_id_in(answer["messages"][0]["id"])
    assert message_id is not None
    return message_id


async def test_what_is_posted_as_to_the_platform_leaves_by_the_provider(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        status, answer, headers = await posted(world)
        assert (status, headers["Gateway-Decision"]) == (200, "sent")
        await world.desk.until(id_in(answer), "submitted")
        image = {"link": "https://cdn.example.com/a.png", "caption": "Ours"}
        _, answer, _ = await posted(world, {**TEXT, "type": "image", "image": image})
        await world.desk.until(id_in(answer), "submitted")
        text, picture = world.far.arrived
        assert (text["text"], text["destination_addr"]) == ("Hello", CONTACT)
        assert (picture["file_url"], picture["text"]) == (image["link"], "Ours")


async def test_a_closed_window_is_told_at_once_unless_the_client_wants_a_status(tmp_path: Path) -> None:
    async with a_world(tmp_path, limit=ONE) as world:
        await posted(world)  # the one fallback that this contact may get
        status, answer, _ = await posted(world)
        assert (status, answer["error"]["code"]) == (400, 131047)
        listed = await world.desk.get("/v1/messages")
        assert len(listed["messages"]) == 1


async def test_a_closed_window_may_be_told_by_a_status_and_nothing_leaves(tmp_path: Path) -> None:
    async with a_world(tmp_path, limit=ONE, closed_window="as_status") as world:
        _, answer, _ = await posted(world)
        await world.desk.until(id_in(answer), "submitted")
        status, answer, headers = await posted(world, Idempotency_Key="k")
        assert (status, headers["Gateway-Decision"]) == (200, "refused")
        refused = id_in(answer)
        told = await world.desk.has(lambda event: event["data"].get("message_id") == str(refused))
        assert told["data"]["status"] == "refused"
        record = await world.desk.get(f"/v1/messages/{refused}")
        assert record["status"] == "refused"
        assert (await posted(world, Idempotency_Key="k"))[1] == answer
        await world.hears()  # the window opens, and what was refused stays so
        _, answer, _ = await posted(world)
        await world.desk.until(id_in(answer), "submitted")
        assert len(world.far.arrived) == 2
        assert (await world.desk.get(f"/v1/messages/{refused}"))["status"] == "refused"


async def test_on_decision_telecoms_surface_a_closed_window_stays_an_answer(tmp_path: Path) -> None:
    async with a_world(tmp_path, limit=ONE, closed_window="as_status") as world:
        await posted(world)
        body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "Hello"}
        status, answer, _ = await world.desk.post(body)
        assert (status, answer["code"]) == (400, 7)


BUTTONS = {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]}
REFUSED = {
    "interactive": {"interactive": {"type": "button", "body": {"text": "Well?"}, "action": BUTTONS}},
    "image": {"image": {"id": "77"}},
    "sticker": {"sticker": {"link": "https://cdn.example.com/a.webp"}},
    "reaction": {"reaction": {"message_id": "wamid.HBgL", "emoji": "\U0001f600"}},
}


async def test_what_the_provider_can_not_express_is_refused_in_the_platforms_words_and_not_stored(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        await world.hears()
        for kind, content in REFUSED.items():
            status, answer, _ = await posted(world, {**TEXT, "type": kind, **content})
            assert (status, answer["error"]["code"]) == (400, 131051), kind
        assert "link" in (await posted(world, {**TEXT, "type": "image", **REFUSED["image"]}))[1]["error"]["message"]
        assert (await world.desk.get("/v1/messages"))["messages"] == []


async def test_what_is_no_message_passes_to_a_provider_of_the_platforms_kind(tmp_path: Path) -> None:
    asked: list[tuple[str, str, str | None]] = []

    async def platform(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, request.headers.get("Authorization")))
        return web.json_response({"success": True, "id": "77", "url": str(request.url.with_path("/medium"))})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", platform)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        far_url = str(server.make_url("/v24.0"))
        config = a_config(tmp_path, far_url=far_url, hook_url=far_url)
        provider = replace(config.providers[0], kind=CLOUD_API, key="key-of-the-provider")
        config = replace(
            config, providers=(provider,), senders=tuple(replace(one, phone_number_id="1063") for one in config.senders)
        )
        async with running(config) as gateway:
            headers = {"Authorization": f"Bearer {KEY}"}
            said = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL"}
            async with http.post(f"{gateway.base_url}/v21.0/1063/messages", json=said, headers=headers) as answer:
                assert (answer.status, (await answer.json())["success"]) == (200, True)
            async with http.get(f"{gateway.base_url}/v21.0/77", headers=headers) as answer:
                url = (await answer.json())["url"]
            assert url.startswith("http://gateway.test/media/")
            async with http.get(gateway.base_url + url.removeprefix("http://gateway.test"), headers=headers) as answer:
                assert answer.status == 200
    key = "Bearer key-of-the-provider"
    assert asked == [
        ("POST", "/v24.0/1063/messages", key),
        ("GET", "/v24.0/77", key),
        ("GET", "/medium", key),
    ]


async def test_of_an_account_that_clients_share_each_sees_and_deletes_the_media_of_its_own_numbers(
    tmp_path: Path,
) -> None:
    first, other = "106540352240001", "106540352240002"
    async with TestServer(sandbox_app(clock=TravelClock(), templates=[])) as server, aiohttp.ClientSession() as http:
        config = a_config(tmp_path, far_url=str(server.make_url("/v24.0")), hook_url=str(server.make_url("/hook")))
        config = replace(
            config,
            providers=(replace(config.providers[0], kind=CLOUD_API),),
            senders=tuple(SenderConfig(id=Sender(one), provider="far", phone_number_id=one) for one in (first, other)),
            clients=tuple(
                replace(one, senders=(Sender(number),), webhook=None)
                for one, number in zip(config.clients, (first, other), strict=True)
            ),
        )
        async with running(config) as gateway:

            async def ask(method: str, path: str, key: str, **said: Any) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {key}"}
                url = f"{gateway.base_url}/v24.0{path}"
                async with http.request(method, url, headers=headers, **said) as answer:
                    return answer.status, await answer.json()

            _, body = await ask("POST", f"/{first}/media", KEY, data=a_picture())
            medium = f"/{body['id']}"
            for named in ("", f"?phone_number_id={first}", f"?phone_number_id={other}"):
                for method in ("GET", "DELETE"):
                    status, body = await ask(method, medium + named, OTHER_KEY)
                    assert (status, body["error"]["code"]) == (400, 100), (method, named)
            assert (await ask("GET", medium, KEY))[0] == 200
            assert await ask("DELETE", medium, KEY) == (200, {"success": True})
            assert (await ask("GET", medium, KEY))[0] == 400


def a_picture() -> aiohttp.FormData:
    form = aiohttp.FormData({"messaging_product": "whatsapp"})
    form.add_field("file", b"\x89PNG" + bytes(200), filename="a.png", content_type="image/png")
    return form
