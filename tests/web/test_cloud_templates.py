"""Template lists in the platform's form, made of our own registry, where the provider has no such list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config import WebhookConfig
from gateway.registry import Registry
from tests.web.conftest import DESK_KEY, House, Open, a_config, bearer
from tests.web.test_cloud_api import error_of

BASE = "https://gateway.example.com"
FILE = """\
name: {name}
language: {language}
category: {category}
status: {status}
components:
  - {{type: BODY, text: "Hello {{{{1}}}}, it is ready."}}
"""
Listed = Callable[..., Awaitable[Any]]


@pytest.fixture
async def house(open_house: Open, tmp_path: Path) -> House:
    config = a_config(tmp_path)
    for name, language, category, status in (
        ("a_sale", "en_US", "MARKETING", "APPROVED"),
        ("a_sale", "uk", "MARKETING", "APPROVED"),
        ("order_ready", "en_US", "UTILITY", "PENDING"),
    ):
        text = FILE.format(name=name, language=language, category=category, status=status)
        (config.templates / f"{name}.{language}.yaml").write_text(text, encoding="utf-8")
    config = replace(config, server=replace(config.server, public_url=BASE))
    return await open_house(config=config, registry=Registry.load(config.templates, None))


async def listed(house: House, path: str = "/v14.0/555/message_templates", **query: str) -> Any:
    answer = await house.http.get(path, params=query, headers=bearer(DESK_KEY))
    assert answer.status == 200, await answer.text()
    return await answer.json()


def keys(body: Any) -> list[tuple[str, str]]:
    return [(one["name"], one["language"]) for one in body["data"]]


ALL = [("a_sale", "en_US"), ("a_sale", "uk"), ("order_ready", "en_US"), ("ticket_answer", "en_US")]


async def test_all_templates_are_listed_as_the_platform_lists_them(house: House) -> None:
    body = await listed(house)
    assert keys(body) == ALL
    one = body["data"][-1]
    assert one["status"] == "APPROVED"
    assert one["category"] == "UTILITY"
    assert one["components"][0]["type"] == "BODY"
    ids = {one["id"] for one in body["data"]}
    assert len(ids) == 4
    assert all(id_.isdigit() and int(id_) < 2**53 for id_ in ids)
    assert "next" not in body["paging"]
    assert {one["id"] for one in (await listed(house))["data"]} == ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "a_sale"}, ALL[:2]),
        ({"name": "a_sale", "language": "en-US"}, ALL[:1]),
        ({"language": "uk"}, [("a_sale", "uk")]),
        ({"status": "approved"}, [ALL[0], ALL[1], ALL[3]]),
        ({"status": "PENDING"}, [ALL[2]]),
        ({"status": '["PENDING","REJECTED"]'}, [ALL[2]]),
        ({"category": "MARKETING,AUTHENTICATION"}, ALL[:2]),
        ({"name": "nothing"}, []),
    ],
)
async def test_a_list_is_filtered(house: House, query: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert keys(await listed(house, **query)) == expected


async def test_fields_leave_out_the_others(house: House) -> None:
    body = await listed(house, fields="name,status")
    assert set(body["data"][0]) == {"id", "name", "status"}


async def test_pages_follow_one_another_and_the_last_one_says_so(house: House) -> None:
    found, query = [], {"access_token": DESK_KEY, "limit": "3", "status": "APPROVED,PENDING"}
    following = f"{BASE}/v14.0/555/message_templates"
    answer = await house.http.get(following.removeprefix(BASE), params=query)
    while True:
        body = await answer.json()
        found += keys(body)
        if "next" not in body["paging"]:
            break
        assert body["paging"]["next"].startswith(f"{BASE}/v14.0/555/message_templates?")
        answer = await house.http.get(body["paging"]["next"].removeprefix(BASE))
    assert found == ALL


async def test_the_next_page_carries_no_key_that_was_not_in_the_address(house: House) -> None:
    body = await listed(house, limit="1")
    assert DESK_KEY not in body["paging"]["next"]
    assert "after=" in body["paging"]["next"]


async def test_a_summary_counts_when_it_is_asked_for(house: House) -> None:
    assert "summary" not in await listed(house)
    summary = (await listed(house, summary="total_count,message_template_count", name="a_sale"))["summary"]
    assert (summary["total_count"], summary["message_template_count"]) == (2, 4)
    assert {"message_template_limit", "are_translations_complete"} <= set(summary)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"after": "!"}, {"after": "W10"}])
async def test_a_page_that_is_none_is_refused_and_the_parameter_named(house: House, query: dict[str, str]) -> None:
    answer = await house.http.get("/v14.0/555/message_templates", params=query, headers=bearer(DESK_KEY))
    error = await error_of(answer)
    assert answer.status == 400
    assert next(iter(query)) in error["message"]


@pytest.mark.parametrize(("method", "edge"), [("POST", "message_templates"), ("DELETE", "message_templates")])
async def test_what_the_provider_has_not_is_refused_in_the_platforms_words(
    house: House, method: str, edge: str
) -> None:
    answer = await house.http.request(method, f"/v14.0/555/{edge}", headers=bearer(DESK_KEY))
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (400, 100)
    assert edge in error["message"]


async def test_360dialogs_clients_get_its_form_of_the_list(house: House) -> None:
    headers = {"D360-API-KEY": DESK_KEY}
    answer = await house.http.get("/v1/configs/templates", params={"limit": "2", "offset": "1"}, headers=headers)
    body = await answer.json()
    listed = body.pop("waba_templates")
    assert (answer.status, body) == (200, {"count": 2, "total": 4, "limit": 2, "offset": 1})
    assert [(one["name"], one["language"], one["status"]) for one in listed] == [
        ("a_sale", "uk", "approved"),
        ("order_ready", "en_US", "pending"),
    ]
    for query in ({"limit": "many"}, {"offset": "-1"}, {"limit": "1001"}):
        refused = await house.http.get("/v1/configs/templates", params=query, headers=headers)
        assert refused.status == 400
        assert next(iter(query)) in (await error_of(refused))["message"]


@pytest.mark.parametrize(
    ("body", "code"), [({"url": "https://elsewhere.example.com/"}, 131009), ({"url": 7}, 131009), ({}, 131008)]
)
async def test_where_callbacks_go_is_the_operators_to_say(
    open_house: Open, tmp_path: Path, body: dict[str, Any], code: int
) -> None:
    hook = WebhookConfig(url="https://desk.example.com/hook", secret="a-secret")
    config = a_config(tmp_path)
    clients = tuple(replace(client, webhook=hook) for client in config.clients)
    house = await open_house(config=replace(config, clients=clients))
    url, headers = "/v1/configs/webhook", {"D360-API-KEY": DESK_KEY}
    same = await house.http.post(url, json={"url": hook.url}, headers=headers)
    assert (same.status, await same.json()) == (200, {"url": hook.url, "headers": {}})
    other = await house.http.post(url, json=body, headers=headers)
    error = await error_of(other)
    assert (other.status, error["code"]) == (400, code)
    assert "url" in error["message"]
    assert hook.url not in str(error)
    unknown = await house.http.post(url, json=body, headers={"D360-API-KEY": "nobodys"})
    assert (unknown.status, (await error_of(unknown))["code"]) == (401, 190)


@pytest.mark.parametrize("path", ["1063/media", "1063/whatsapp_business_profile"])
async def test_a_number_without_media_and_profile_says_so(house: House, path: str) -> None:
    headers = {**bearer(DESK_KEY), "Content-Type": "multipart/form-data; boundary=b"}
    method = "POST" if path.endswith("media") else "GET"
    answer = await house.http.request(
        method, f"/v14.0/{path}", headers=headers, data=b"x" if method == "POST" else None
    )
    error = await error_of(answer)
    assert (answer.status, error["code"]) == (400, 100)


async def test_a_medium_by_id_is_nowhere_and_the_error_says_that_a_link_is_needed(house: House) -> None:
    error = await error_of(await house.http.get("/v14.0/777", headers=bearer(DESK_KEY)))
    assert "link" in error["message"]


async def test_a_number_is_told_from_the_configuration(house: House) -> None:
    answer = await house.http.get("/v14.0/1063", headers=bearer(DESK_KEY))
    body = await answer.json()
    assert (body["id"], body["display_phone_number"], body["verified_name"]) == ("1063", "380441234567", "Desk")
    some = await house.http.get("/v14.0/1063?fields=verified_name", headers=bearer(DESK_KEY))
    assert await some.json() == {"id": "1063", "verified_name": "Desk"}


async def test_an_account_lists_the_numbers_of_the_key(house: House) -> None:
    answer = await house.http.get("/v14.0/555/phone_numbers", headers=bearer(DESK_KEY))
    assert [one["id"] for one in (await answer.json())["data"]] == ["1063"]
