"""The description of the API: of every route, of nothing besides, and the same for everybody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import hdrs, web

from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    IdempotencyConflict,
    InvalidRequest,
    Misfit,
    ProviderError,
    ProviderRefused,
    StoreUnavailable,
    TemplateRefused,
    TooManyRequests,
    WindowClosed,
)
from gateway.domain.message import Draft
from gateway.ports import Answer
from gateway.shipped import shipped
from gateway.web.cloud_edges import EDGES
from gateway.web.describing import DESCRIBED
from gateway.web.openapi_routes import OPERATIONS
from gateway.web.server import build_app
from tests.web.conftest import SHOP_KEY, House, Open, a_config
from tests.web.test_native_send import post


async def described(house: House) -> dict[str, Any]:
    answer = await house.http.get("/openapi.json")
    whole: dict[str, Any] = await answer.json()
    assert answer.status == 200
    return whole


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """What the router itself knows; applications that are mounted beside ours speak for themselves."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    }


def paths_of(whole: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in whole["paths"].items() for method in methods}


async def test_a_decision_to_tell_of_a_refusal_later_is_described(open_house: Open, tmp_path: Path) -> None:
    config = a_config(tmp_path)
    clients = tuple(replace(client, closed_window="as_status") for client in config.clients)
    house = await open_house(config=replace(config, clients=clients))
    body = {"to": "380501234567", "type": "text", "text": {"body": "Hello"}}
    answer = await house.http.post("/messages", json=body, headers={"D360-API-KEY": SHOP_KEY})
    assert (answer.status, answer.headers["Gateway-Decision"]) == (200, "refused")
    told = (await described(house))["paths"]["/messages"]["post"]["responses"]["200"]["headers"]
    assert "refused" in told["Gateway-Decision"]["schema"]["enum"]


async def test_every_route_is_described_and_everything_described_is_routed(house: House) -> None:
    told = paths_of(await described(house))
    assert told == routes_of(build_app(house.parts))
    assert told == {(row.method, row.path) for row in OPERATIONS}


async def test_a_name_in_it_means_one_thing_and_is_said_once(house: House) -> None:
    """What the schema of OpenAPI itself can't say."""
    whole = await described(house)
    operations = [(path, each) for path, methods in whole["paths"].items() for each in methods.values()]
    assert len({each["operationId"] for _, each in operations}) == len(operations) == len(OPERATIONS)
    schemes, tags = set(whole["components"]["securitySchemes"]), {tag["name"] for tag in whole["tags"]}
    for path, each in operations:
        parameters = [(parameter["in"], parameter["name"]) for parameter in each.get("parameters", ())]
        assert len(set(parameters)) == len(parameters)
        assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", path))
        assert set(each["tags"]) <= tags
        assert {name for scheme in each["security"] for name in scheme} <= schemes
    shapes = [re.sub(r"{\w+}", "{}", path) for path in whole["paths"] if "{version}" not in path]
    assert sorted(set(shapes)) == sorted(shapes)


async def test_every_edge_that_is_answered_is_described_and_no_other(house: House) -> None:
    paths = (await described(house))["paths"]
    for prefix in ("", "/{version}"):
        told = {
            (method.upper(), edge)
            for method, each in paths[f"{prefix}/{{id}}/{{edge}}"].items()
            for parameter in each["parameters"]
            if parameter["name"] == "edge"
            for edge in parameter["schema"]["enum"]
        }
        assert told == set(EDGES)


async def test_what_is_served_apart_is_not_described_here(house: House) -> None:
    config = house.parts.config
    apart = replace(house.parts, config=replace(config, server=replace(config.server, internal="127.0.0.1:9090")))
    app = build_app(apart)
    whole = json.loads(app[DESCRIBED].openapi.body)
    assert paths_of(whole) == routes_of(app)
    assert ("GET", "/metrics") not in paths_of(whole)


async def test_every_reference_leads_somewhere_and_every_schema_is_led_to(house: House) -> None:
    whole = await described(house)
    schemas = whole["components"]["schemas"]
    led_to = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(whole)))
    assert led_to == set(schemas)
    for schema in schemas.values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


async def test_bodies_are_described_by_the_documents_they_are_checked_with(house: House) -> None:
    schemas = (await described(house))["components"]["schemas"]
    for name in ("send-whatsapp", "send-whatsapp-bare", "receive-whatsapp"):
        document = json.loads((shipped("schemas") / f"{name}.schema.json").read_text("utf-8"))
        assert schemas[name] == {key: part for key, part in document.items() if key not in ("$schema", "$comment")}
    message = json.loads((shipped("schemas") / "cloud-message.schema.json").read_text("utf-8"))
    beside = json.loads((shipped("schemas") / "native-message.schema.json").read_text("utf-8"))
    for kind in message["properties"]["type"]["enum"]:
        assert schemas[f"content-{kind}"] == message["properties"][kind]
        assert message["properties"].keys() - schemas[f"cloud-{kind}"]["properties"].keys() <= set(
            message["properties"]["type"]["enum"]
        )
        native = schemas[f"native-{kind}"]["properties"]
        ours = {name: part for name, part in native.items() if name in beside["properties"]}
        assert ours == {name: beside["properties"][name] for name in ours}
        assert set(beside["properties"]) - set(ours) == ({"fallback"} if kind == "template" else set())


RAISED = [
    InvalidRequest("text", "expected a text"),
    TemplateRefused("template_unknown", "there is no such template"),
    TemplateRefused("template_arguments", "no", path="$.template", misfits=[Misfit("$.template", "too few")]),
    WindowClosed("closed", ["window_closed"]),
    ContactSuppressed("suppressed", ["suppressed"]),
    IdempotencyConflict("another body"),
    TooManyRequests("too many", retry_after=3),
    BalanceEmpty("empty"),
    StoreUnavailable(),
    GatewayError("a mistake of ours"),
    *(ProviderRefused(ProviderError(code=9, status=status, message="no")) for status in (400, 402, 409, 413, 422, 451)),
]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/api/send-whatsapp"])
@pytest.mark.parametrize("raised", RAISED, ids=repr)
async def test_whatever_becomes_of_a_message_the_answer_is_described(
    open_house: Open, path: str, raised: Exception
) -> None:
    async def accept(_draft: Draft) -> Answer:
        raise raised

    house = await open_house(accept=accept)
    answer = await (post(house) if path == "/v1/messages" else house.send())
    whole = await described(house)
    told = whole["paths"][path]["post"]["responses"][str(answer.status)]
    schema = {**told["content"][answer.content_type]["schema"], "components": whole["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(await answer.json(content_type=None))
    assert {name for name in ("Retry-After", "WWW-Authenticate") if name in answer.headers} == set(
        told.get("headers", ())
    )


async def test_nobody_needs_a_key_to_read_it_and_nothing_in_it_is_a_secret(house: House) -> None:
    text = json.dumps(await described(house)) + await (await house.http.get("/docs")).text()
    (provider, *_), (sender, *_) = house.parts.config.providers, house.parts.config.senders
    for secret in (provider.key, provider.callback_secret, provider.base_url, *sender.aliases):
        assert secret not in text


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_who_has_it_already_is_told_so(house: House, path: str) -> None:
    first = await house.http.get(path)
    assert "max-age" in first.headers["Cache-Control"]
    again = await house.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = await house.http.get(path, headers={"If-None-Match": '"another"'})
    assert other.status == 200


async def test_the_page_runs_nothing_and_asks_nobody(house: House) -> None:
    page = await house.http.get("/docs")
    html, policy = await page.text(), page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in html
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []


async def test_the_page_shows_every_route_with_a_line_to_try(house: House) -> None:
    html = await (await house.http.get("/docs")).text()
    for row in OPERATIONS:
        assert f'id="{row.id}"' in html
    assert html.count("<pre") == len(OPERATIONS)
