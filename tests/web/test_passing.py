"""What is no message passes through to the platform with the provider's key, and comes back without it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from hypothesis import given
from hypothesis import strategies as st
from pytest_aiohttp import AiohttpServer
from structlog.testing import capture_logs

from gateway.config import CLOUD_API, DIALOG_360, CallbackHosts, ProviderConfig, SenderConfig
from gateway.domain.identity import Sender
from gateway.egress import Egress
from gateway.provider.passing import PlatformPassing
from gateway.web.media_links import MediaLink, opened, sealed
from gateway.web.shares import SHARE
from tests.web.conftest import DESK_KEY, NOON, SHOP_KEY, House, Open, a_config, bearer
from tests.web.test_cloud_api import error_of

KEY = "EAAproviderkeyofthegateway/+"
ACCOUNT = "555"
PUBLIC = "https://gateway.example.com"
MEDIUM = bytes(range(256)) * 1024

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Platform:
    """The far end: keeps what it was asked, and answers as a test says."""

    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    behaviour: Behaviour | None = None
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Something of a body has come."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = b""
        async for piece in request.content.iter_any():
            body += piece
            self.has_begun.set()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        if self.behaviour is not None:
            return await self.behaviour(request)
        found = self.answers.get(f"{request.method} {request.path}", {"success": True})
        return web.json_response(found)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{tail:.*}", self.answer)
        return app


@dataclass
class Through:
    house: House
    platform: Platform
    origin: str

    async def ask(self, method: str, path: str, *, key: str = DESK_KEY, **rest: Any) -> Any:
        headers = {**bearer(key), **rest.pop("headers", {})}
        return await self.house.http.request(method, path, headers=headers, **rest)


Passed = Callable[..., Awaitable[Through]]


@pytest.fixture
async def through(tmp_path: Path, open_house: Open, aiohttp_server: AiohttpServer) -> AsyncIterator[Passed]:
    made: list[PlatformPassing] = []

    async def opened(
        *, kind: str = CLOUD_API, prefix: str = "/v24.0", is_alone: bool = False, **limits: Any
    ) -> Through:
        platform = Platform()
        server = await aiohttp_server(platform.app())
        origin = str(server.make_url("")).rstrip("/")
        provider = ProviderConfig(
            name="dt", kind=kind, base_url=origin + prefix, key=KEY, callback_secret="", account=ACCOUNT
        )
        config = a_config(tmp_path)
        shop = SenderConfig(
            id=Sender("Shop"), provider=config.providers[1].name if is_alone else "dt", phone_number_id="2064"
        )
        config = replace(
            config,
            providers=(provider, config.providers[1]),
            senders=(config.senders[0], shop),
            server=replace(config.server, public_url=PUBLIC),
            limits=replace(config.limits, **limits),
        )
        passing = PlatformPassing(provider, Egress(CallbackHosts()))
        made.append(passing)
        return Through(house=await open_house(config=config, passing={"dt": passing}), platform=platform, origin=origin)

    yield opened
    for passing in made:
        await passing.aclose()


def assert_ours(asked: Asked) -> None:
    """The provider's key and nothing of the client's."""
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert DESK_KEY not in repr(asked)


async def test_a_read_receipt_passes_at_once_with_the_providers_key(through: Passed) -> None:
    world = await through()
    said = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL"}
    answer = await world.ask(
        "POST", "/v20.0/1063/messages", json={**said, "typing_indicator": {"type": "text"}, "x": 1}
    )
    assert (answer.status, await answer.json()) == (200, {"success": True})
    [asked] = world.platform.asked
    assert (asked.method, asked.path) == ("POST", "/v24.0/1063/messages")
    assert json.loads(asked.body) == {**said, "typing_indicator": {"type": "text"}}
    assert_ours(asked)


@pytest.mark.parametrize(("status", "words"), [(200, b"{}"), (202, b"[]"), (201, b'{"success": null}')])
async def test_a_read_receipt_that_was_taken_is_told_in_one_way(through: Passed, status: int, words: bytes) -> None:
    world = await through()

    async def says(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=words)

    world.platform.behaviour = says
    said = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL"}
    answer = await world.ask("POST", "/1063/messages", json=said)
    assert (answer.status, await answer.json()) == (200, {"success": True})


@pytest.mark.parametrize(("kind", "prefix", "number"), [(CLOUD_API, "/v24.0", "/1063"), (DIALOG_360, "", "")])
async def test_without_a_number_the_profile_is_that_of_the_keys_own(
    through: Passed, kind: str, prefix: str, number: str
) -> None:
    world = await through(kind=kind, prefix=prefix)
    headers = {"D360-API-KEY": DESK_KEY}
    for method, body in (("GET", None), ("POST", {"about": "Ours"})):
        answer = await world.house.http.request(method, "/whatsapp_business_profile", json=body, headers=headers)
        assert answer.status == 200
        asked = world.platform.asked[-1]
        assert (asked.method, asked.path) == (method, f"{prefix}{number}/whatsapp_business_profile")
    unknown = await world.house.http.get("/health_status", headers=headers)
    assert (unknown.status, (await error_of(unknown))["code"]) == (404, 2500)


async def test_360dialog_gets_its_own_paths_and_its_own_header(through: Passed) -> None:
    world = await through(kind=DIALOG_360, prefix="")
    said = {"status": "read", "message_id": "wamid.HBgL"}
    answer = await world.house.http.post("/messages", json=said, headers={"D360-API-KEY": DESK_KEY})
    assert answer.status == 200
    [asked] = world.platform.asked
    assert (asked.path, asked.headers["d360-api-key"]) == ("/messages", KEY)
    assert "authorization" not in asked.headers


# --- media ----------------------------------------------------------------------------------------------------------


def a_form(size: int = len(MEDIUM)) -> FormData:
    form = FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", (MEDIUM * (size // len(MEDIUM) + 1))[:size], filename="a.png", content_type="image/png")
    return form


async def test_an_upload_passes_as_it_is(through: Passed) -> None:
    world = await through()
    world.platform.answers["POST /v24.0/1063/media"] = {"id": "77"}
    answer = await world.ask("POST", "/v21.0/1063/media?messaging_product=whatsapp", data=a_form())
    assert await answer.json() == {"id": "77"}
    [asked] = world.platform.asked
    assert MEDIUM in asked.body
    assert asked.query == {"messaging_product": "whatsapp"}
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert_ours(asked)


async def test_an_upload_in_chunks_passes_in_chunks(through: Passed) -> None:
    world = await through()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield MEDIUM

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await world.ask("POST", "/1063/media", data=pieces(), headers=headers)
    assert answer.status == 200
    [asked] = world.platform.asked
    assert asked.body == MEDIUM * 4
    assert asked.headers["transfer-encoding"] == "chunked"


async def test_an_upload_goes_on_while_it_still_comes(through: Passed) -> None:
    world = await through()

    async def pieces() -> AsyncIterator[bytes]:
        yield MEDIUM
        async with asyncio.timeout(10):
            await world.platform.has_begun.wait()
        yield MEDIUM

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await world.ask("POST", "/1063/media", data=pieces(), headers=headers)
    assert answer.status == 200
    assert world.platform.asked[0].body == MEDIUM * 2


@pytest.mark.parametrize("in_chunks", [False, True])
async def test_an_upload_over_the_limit_is_refused(through: Passed, in_chunks: bool) -> None:
    world = await through(media=100_000)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 60_000
        yield b"x" * 60_000

    body = pieces() if in_chunks else b"x" * 120_000
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await world.ask("POST", "/1063/media", data=body, headers=headers)
    assert (answer.status, (await error_of(answer))["code"]) == (413, 100)
    assert all(len(asked.body) < 120_000 for asked in world.platform.asked)


async def test_the_address_of_a_medium_is_ours_and_the_download_carries_the_clients_key(through: Passed) -> None:
    world = await through()
    url = f"{world.origin}/lookaside?hash=abc"
    world.platform.answers["GET /v24.0/77"] = {"id": "77", "url": url, "mime_type": "image/png"}
    found = await (await world.ask("GET", "/v21.0/77", headers={"Host": "evil.example.com"})).json()
    assert found["url"].startswith(f"{PUBLIC}/media/")
    assert_ours(world.platform.asked[0])
    assert world.platform.asked[0].query == {"phone_number_id": "1063"}

    async def medium(_request: web.Request) -> web.Response:
        return web.Response(body=MEDIUM, content_type="image/png", headers={"Set-Cookie": "a=b", "X-Inner": "1"})

    world.platform.behaviour = medium
    path = found["url"].removeprefix(PUBLIC)
    answer = await world.ask("GET", path)
    assert (answer.status, await answer.read(), answer.content_type) == (200, MEDIUM, "image/png")
    assert not {"Set-Cookie", "X-Inner"} & set(answer.headers)
    assert_ours(world.platform.asked[-1])
    assert world.platform.asked[-1].query == {"hash": "abc"}
    stranger = await world.ask("GET", path, key=SHOP_KEY)
    assert (stranger.status, (await error_of(stranger))["code"]) == (400, 100)
    unsigned = await world.ask("GET", path[:-2] + ("AA" if path[-2:] != "AA" else "BB"))
    assert unsigned.status == 400
    world.house.clock.moment += timedelta(minutes=5)
    late = await world.ask("GET", path)
    assert late.status == 400
    assert "good for five minutes; ask again" in (await error_of(late))["message"]


async def sealed_path(world: Through, url: str) -> str:
    world.platform.answers["GET /v24.0/77"] = {"id": "77", "url": url}
    found = await (await world.ask("GET", "/77")).json()
    return str(found["url"].removeprefix(PUBLIC))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9/a",
        "https://169.254.169.254/latest",
        "http://lookaside.example.com/a",
        "https://localhost/a",
        "https://[::1]/a",
    ],
)
async def test_nothing_is_fetched_from_a_private_place_whoever_names_it(through: Passed, url: str) -> None:
    world = await through()
    path = await sealed_path(world, url)
    answer = await world.ask("GET", path)
    assert answer.status == 502
    assert "127.0.0.1" not in await answer.text()


async def test_a_download_goes_on_while_it_still_comes(through: Passed) -> None:
    world = await through()
    path = await sealed_path(world, f"{world.origin}/lookaside")
    was_read = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        await response.prepare(request)
        await response.write(MEDIUM)
        async with asyncio.timeout(10):
            await was_read.wait()
        await response.write(MEDIUM)
        await response.write_eof()
        return response

    world.platform.behaviour = slowly
    answer = await world.ask("GET", path)
    first = await answer.content.readexactly(len(MEDIUM))
    was_read.set()
    assert first + await answer.content.read() == MEDIUM * 2


async def test_a_redirect_of_a_download_is_not_followed(through: Passed) -> None:
    world = await through()
    path = await sealed_path(world, f"{world.origin}/lookaside")

    async def elsewhere(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{world.origin}/elsewhere"})

    world.platform.behaviour = elsewhere
    assert (await world.ask("GET", path)).status == 502
    assert [asked.path for asked in world.platform.asked][-1] == "/lookaside"


async def test_a_download_over_the_limit_breaks_off_and_is_not_taken_for_whole(through: Passed) -> None:
    world = await through(media=100_000)
    path = await sealed_path(world, f"{world.origin}/lookaside")

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4):
            await response.write(b"x" * 50_000)
        await response.write_eof()
        return response

    world.platform.behaviour = endless
    with pytest.raises(Exception, match=r"."):
        await (await world.ask("GET", path)).read()


async def test_a_medium_is_deleted_and_nothing_else_is(through: Passed) -> None:
    world = await through()
    world.platform.answers["GET /v24.0/77"] = {"id": "77", "url": "https://lookaside.example.com/a"}
    assert (await world.ask("DELETE", "/v21.0/77")).status == 200
    assert [asked.method for asked in world.platform.asked] == ["GET", "DELETE"]
    world.platform.asked.clear()
    world.platform.answers["GET /v24.0/78"] = {"id": "78", "name": "a template"}
    assert (await world.ask("DELETE", "/v21.0/78")).status == 400
    assert [asked.method for asked in world.platform.asked] == ["GET"]
    for own in ("1063", "2064", ACCOUNT):
        assert (await world.ask("DELETE", f"/v21.0/{own}")).status == 400
    assert len(world.platform.asked) == 1


async def test_an_object_that_is_no_medium_is_not_shown(through: Passed) -> None:
    world = await through()
    world.platform.answers["GET /v24.0/78"] = {"id": "78", "name": "somebody's business"}
    answer = await world.ask("GET", "/v21.0/78")
    assert (answer.status, (await error_of(answer))["error_subcode"]) == (400, 33)


# --- numbers and accounts -------------------------------------------------------------------------------------------


async def test_what_the_allow_list_has_passes_and_nothing_else(through: Passed) -> None:
    world = await through(is_alone=True)
    allowed = [
        ("GET", "1063", None),
        ("GET", "1063/whatsapp_business_profile", None),
        ("POST", "1063/whatsapp_business_profile", {"about": "Ours"}),
        ("GET", "1063/block_users", None),
        ("POST", "1063/block_users", {"block_users": [{"user": "380501234567"}]}),
        ("DELETE", "1063/block_users", {"block_users": [{"user": "380501234567"}]}),
        ("GET", "1063/whatsapp_commerce_settings", None),
        ("POST", "1063/whatsapp_commerce_settings", {"is_cart_visible": True}),
        ("POST", "1063/conversational_automation", {"prompts": ["Where is it?"]}),
        ("GET", "1063/message_qrdls", None),
        ("POST", "1063/message_qrdls", {"prefilled_message": "Hello"}),
        ("GET", f"{ACCOUNT}", None),
        ("GET", f"{ACCOUNT}/message_templates", None),
        ("POST", f"{ACCOUNT}/message_templates", {"name": "a"}),
        ("DELETE", f"{ACCOUNT}/message_templates", None),
        ("GET", f"{ACCOUNT}/subscribed_apps", None),
    ]
    for method, path, body in allowed:
        answer = await world.ask(method, f"/v21.0/{path}?limit=3&method=delete", json=body)
        assert answer.status == 200, (method, path)
        asked = world.platform.asked[-1]
        assert (asked.method, asked.path, asked.query) == (method, f"/v24.0/{path}", {"limit": "3"})
        assert_ours(asked)
        assert body is None or json.loads(asked.body) == body
    overriding = {"name": "a", "method": "delete", "fields": "id", "batch": [], "access_token": DESK_KEY}
    await world.ask("POST", f"/v21.0/{ACCOUNT}/message_templates", json=overriding)
    assert json.loads(world.platform.asked[-1].body) == {"name": "a"}
    before = len(world.platform.asked)
    refused = [
        ("POST", "1063/register"),
        ("POST", "1063/deregister"),
        ("POST", "1063"),
        ("DELETE", f"{ACCOUNT}/subscribed_apps"),
        ("GET", f"{ACCOUNT}/assigned_users"),
        ("GET", "me/accounts"),
        ("GET", "2064"),
        ("GET", "2064/whatsapp_business_profile"),
        ("POST", "2064/media"),
        ("GET", "556/message_templates"),
    ]
    for method, path in refused:
        answer = await world.ask(method, f"/v21.0/{path}", json={} if method == "POST" else None)
        await error_of(answer)
    assert len(world.platform.asked) == before


async def test_settings_may_stand_in_the_query_without_a_body(through: Passed) -> None:
    world = await through()
    said = {"is_catalog_visible": "true", "prefilled_message": "Hello, you", "generate_qr_image": "PNG"}
    for edge in ("whatsapp_commerce_settings", "message_qrdls"):
        answer = await world.ask("POST", f"/v21.0/1063/{edge}", params={**said, "batch": "x"})
        assert answer.status == 200
        asked = world.platform.asked[-1]
        assert (asked.path, asked.query, asked.body) == (f"/v24.0/1063/{edge}", said, b"")
        assert_ours(asked)


async def test_what_a_number_says_by_itself_is_told(through: Passed) -> None:
    world = await through()
    await world.ask("GET", "/v21.0/1063?fields=conversational_automation,owner_business_info")
    assert world.platform.asked[-1].query == {"fields": "conversational_automation"}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_what_others_use_too_is_changed_by_none_of_them(through: Passed, method: str) -> None:
    world = await through()
    answer = await world.ask(method, f"/v21.0/{ACCOUNT}/message_templates?name=a", json={"name": "a"})
    assert "operator" in (await error_of(answer))["message"]
    assert world.platform.asked == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_is_somebody_else_s_is_as_unknown_as_what_is_not_there(through: Passed, method: str) -> None:
    world = await through()
    world.platform.answers["GET /v24.0/78"] = {"id": "78"}
    told = []
    for written in ("2064", "78"):
        error = await error_of(await world.ask(method, f"/v21.0/{written}"))
        told.append({**error, "fbtrace_id": "", "error_data": "", **{"message": error["message"].replace(written, "")}})
        told[-1]["error_user_msg"] = error["error_user_msg"].replace(written, "")
    assert told[0] == told[1]
    assert [asked.path for asked in world.platform.asked] == ["/v24.0/78"]


async def test_fields_that_reach_on_into_other_objects_are_left_out(through: Passed) -> None:
    world = await through()
    await world.ask("GET", "/v21.0/1063?fields=id,whatsapp_business_account{phone_numbers}")
    assert world.platform.asked[-1].query == {}
    await world.ask("GET", f"/v21.0/{ACCOUNT}?fields=name,phone_numbers,owner_business_info")
    assert world.platform.asked[-1].query == {"fields": "name"}
    await world.ask("GET", "/v21.0/1063?fields=assigned_users")
    assert world.platform.asked[-1].query == {"fields": "id"}
    await world.ask("GET", "/v21.0/1063?fields=id,verified_name")
    assert world.platform.asked[-1].query == {"fields": "id,verified_name"}


async def test_a_subscription_can_not_send_callbacks_elsewhere(through: Passed) -> None:
    world = await through()
    diverting = {"override_callback_uri": "https://evil.example.com", "verify_token": "x"}
    answer = await world.ask("POST", f"/v21.0/{ACCOUNT}/subscribed_apps", json=diverting)
    assert answer.status == 200
    assert json.loads(world.platform.asked[-1].body) == {}


async def test_the_next_page_is_here_and_carries_the_key_where_the_request_did(through: Passed) -> None:
    world = await through()
    following = f"{world.origin}/v24.0/{ACCOUNT}/message_templates?access_token={KEY}&limit=1&after=MAZD"
    listed = {"data": [{"id": "1", "note": f"of {KEY}"}], "paging": {"cursors": {"after": "MAZD"}, "next": following}}
    world.platform.answers[f"GET /v24.0/{ACCOUNT}/message_templates"] = listed
    by_header = await world.ask("GET", f"/v21.0/{ACCOUNT}/message_templates")
    text = await by_header.text()
    assert KEY not in text
    assert "provider" not in text
    assert json.loads(text)["paging"]["next"] == f"{PUBLIC}/v21.0/{ACCOUNT}/message_templates?limit=1&after=MAZD"
    by_query = await world.house.http.get(f"/{ACCOUNT}/message_templates", params={"access_token": DESK_KEY})
    following = (await by_query.json())["paging"]["next"]
    assert following == f"{PUBLIC}/{ACCOUNT}/message_templates?limit=1&after=MAZD&access_token={DESK_KEY}"
    assert_ours(world.platform.asked[-1])
    assert (await world.house.http.get(following.removeprefix(PUBLIC))).status == 200


async def test_an_error_of_the_platform_comes_back_as_it_is(through: Passed) -> None:
    world = await through()

    async def refusing(_request: web.Request) -> web.Response:
        error = {"error": {"message": "(#100) no", "type": "OAuthException", "code": 100, "fbtrace_id": "x"}}
        return web.json_response(error, status=400, headers={"X-App-Usage": "{}"})

    world.platform.behaviour = refusing
    answer = await world.ask("GET", "/v21.0/1063")
    assert (answer.status, (await answer.json())["error"]["message"]) == (400, "(#100) no")
    assert "X-App-Usage" not in answer.headers


@pytest.mark.parametrize(
    ("written", "told"),
    [("7", "7"), ("Sun, 01 Mar 2026 12:00:40 GMT", "40"), ("soon", None), ("-1", "0"), ("999999", "3600")],
)
async def test_when_to_come_again_is_told_in_seconds(through: Passed, written: str, told: str | None) -> None:
    world = await through()

    async def says(_request: web.Request) -> web.Response:
        headers = {"Retry-After": written, "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
        return web.json_response({"error": {"message": "(#4) No", "code": 4}}, status=429, headers=headers)

    world.platform.behaviour = says
    answer = await world.ask("GET", "/1063/whatsapp_business_profile")
    assert (answer.status, answer.headers.get("Retry-After")) == (429, told)


async def test_a_refusal_of_the_providers_key_does_not_pass_for_one_of_the_clients(through: Passed) -> None:
    world = await through()

    async def refusing(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": f"bad token {KEY}", "code": 190}}, status=401)

    world.platform.behaviour = refusing
    with capture_logs() as logs:
        answer = await world.ask("GET", "/v21.0/1063")
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (503, 2)
    assert KEY not in repr(error) + repr(logs)
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["passing.unauthorized"]


DEEP = b'{"a":' * 700 + b"1" + b"}" * 700
NO_ANSWERS = [b"<html>", b'"text"', b"", b"[" * 100_000, DEEP, b'{"x": NaN}', b'{"x": [-1e999]}', b'{"x": -Infinity}']


@pytest.mark.parametrize("words", NO_ANSWERS, ids=lambda words: words[:16])
async def test_an_answer_that_is_none_of_the_api_is_a_bad_gateway(through: Passed, words: bytes) -> None:
    world = await through()

    async def strange(_request: web.Request) -> web.Response:
        return web.Response(body=words)

    world.platform.behaviour = strange
    answer = await world.ask("GET", "/v21.0/1063")
    assert (answer.status, (await error_of(answer))["code"]) == (502, 2)


async def test_a_provider_that_is_not_there_is_a_bad_gateway(through: Passed) -> None:
    world = await through()

    async def breaking(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(0)
        return web.Response()

    world.platform.behaviour = breaking
    answer = await world.ask("GET", "/v21.0/1063")
    assert (answer.status, (await error_of(answer))["code"]) == (502, 2)


async def test_the_account_lists_the_clients_own_numbers_alone(through: Passed) -> None:
    world = await through()
    listed = await (await world.ask("GET", f"/v21.0/{ACCOUNT}/phone_numbers")).json()
    assert [number["id"] for number in listed["data"]] == ["1063"]
    assert world.platform.asked == []


async def test_a_token_is_looked_at_here(through: Passed) -> None:
    world = await through()
    own = await (await world.ask("GET", f"/v21.0/debug_token?input_token={DESK_KEY}")).json()
    assert own["data"]["is_valid"] is True
    foreign = await (await world.ask("GET", f"/debug_token?input_token={SHOP_KEY}")).json()
    assert foreign["data"]["is_valid"] is False
    assert world.platform.asked == []


async def test_a_client_that_takes_its_whole_share_leaves_the_others_theirs(through: Passed) -> None:
    world = await through()
    go_on, arrived = asyncio.Event(), asyncio.Event()

    async def waiting(_request: web.Request) -> web.Response:
        if len(world.platform.asked) == SHARE:
            arrived.set()
        await go_on.wait()
        return web.json_response({"id": "1"})

    world.platform.behaviour = waiting
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(world.ask("GET", "/v21.0/1063")) for _ in range(SHARE)]
        await arrived.wait()
        surplus = await world.ask("GET", "/v21.0/1063")
        assert (surplus.status, (await error_of(surplus))["code"]) == (429, 130429)
        other = group.create_task(world.ask("GET", "/v21.0/2064", key=SHOP_KEY))
        while len(world.platform.asked) == SHARE:
            await asyncio.sleep(0)
        go_on.set()
    assert {(await task).status for task in [*asked, other]} == {200}
    assert (await world.ask("GET", "/v21.0/1063")).status == 200


LINK = MediaLink(client="desk", provider="dt", url="https://a.example/b?hash=c", ends_at=NOON + timedelta(minutes=5))
PROVIDER = ProviderConfig(name="dt", kind=CLOUD_API, base_url="https://a.example", key=KEY, callback_secret="")
OTHER = replace(PROVIDER, key="another key")


def test_a_sealed_address_opens_until_its_end_and_with_its_own_providers_key_alone() -> None:
    written = sealed(LINK, PROVIDER)
    assert opened(written, {"dt": PROVIDER}, now=NOON) == LINK
    assert opened(written, {"dt": PROVIDER}, now=LINK.ends_at) is None
    assert opened(written, {"dt": OTHER}, now=NOON) is None
    assert opened(written, {}, now=NOON) is None
    assert KEY not in written


@given(data=st.data())
def test_a_sealed_address_that_was_changed_opens_nothing(data: st.DataObject) -> None:
    written = sealed(LINK, PROVIDER)
    place = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != written[place]))
    changed = written[:place] + other + written[place + 1 :]
    assert opened(changed, {"dt": PROVIDER}, now=NOON) is None


@given(written=st.text(max_size=40) | st.builds(lambda text: f"{text}.{text}", st.text("abcW10-_=", max_size=20)))
def test_whatever_stands_in_the_place_of_a_sealed_address_is_none(written: str) -> None:
    assert opened(written, {"dt": PROVIDER}, now=NOON) is None


@pytest.mark.parametrize("code", [[], {}, "x", None, 1.5])
async def test_an_error_whose_code_is_none_is_handed_on_like_any_other(through: Passed, code: Any) -> None:
    world = await through()

    async def refusing(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "odd", "code": code}}, status=400)

    world.platform.behaviour = refusing
    answer = await world.ask("GET", f"/v21.0/{ACCOUNT}/message_templates")
    assert (answer.status, (await answer.json())["error"]["message"]) == (400, "odd")
