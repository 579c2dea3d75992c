"""POST /v1/messages: what is taken, what is answered, and that explaining takes and says the same."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from gateway.domain.delivery import Failed
from gateway.domain.errors import ProviderError
from gateway.domain.identity import MessageId
from gateway.domain.message import OnClosedWindow
from gateway.domain.wamid import message_id_in
from gateway.ports import MessageQuery
from tests.web.conftest import DESK_KEY, SHOP_KEY, House, Open, basic, bearer
from tests.web.test_explain import CONTACT, NATIVE, a_template
from tests.web.test_native import assert_problem

TEMPLATE: dict[str, Any] = {"from": "Desk", "to": CONTACT, "type": "template", "template": a_template("7")}
KINDS: dict[str, Any] = {
    "text": {"body": "Hello", "preview_url": True},
    "image": {"link": "https://a.example/c.png", "caption": "See"},
    "video": {"link": "https://a.example/c.mp4"},
    "audio": {"link": "https://a.example/c.ogg"},
    "document": {"link": "https://a.example/c.pdf", "filename": "c.pdf"},
    "sticker": {"link": "https://a.example/c.webp"},
    "location": {"latitude": 50.45, "longitude": 30.52, "name": "Kyiv"},
    "contacts": [{"name": {"formatted_name": "Ann", "first_name": "Ann"}, "phones": [{"phone": "+380501234567"}]}],
    "reaction": {"message_id": "wamid.1", "emoji": "\N{THUMBS UP SIGN}"},
    "interactive": {
        "type": "button",
        "body": {"text": "Which?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "This"}}]},
    },
}


def of(kind: str, **more: Any) -> dict[str, Any]:
    return {"from": "Desk", "to": CONTACT, "type": kind, kind: KINDS[kind], **more}


async def post(house: House, body: Any = NATIVE, *, key: str = DESK_KEY, **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.http.post("/v1/messages", json=body, headers={**bearer(key), **named})


async def receipt(house: House, body: Any = NATIVE, **headers: str) -> dict[str, Any]:
    answer = await post(house, body, **headers)
    shown: dict[str, Any] = await answer.json(content_type=None)
    assert answer.status == 202, shown
    return shown


async def shown(house: House, receipt: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = await (await house.get(f"/v1/messages/{receipt['id']}")).json()
    return record


# --- what is answered -------------------------------------------------------------------------------------------------


async def test_a_message_in_an_open_window_is_received_with_what_was_decided(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=1))
    answer = await post(house)
    body = await answer.json()
    assert answer.status == 202
    assert list(body) == ["id", "wamid", "status", "decision"]
    assert message_id_in(body["wamid"]) == MessageId(int(body["id"]))
    assert isinstance(body["id"], str)
    assert body["status"] == "queued"
    assert body["decision"] == {
        "action": "send",
        "template": None,
        "reasons": ["window_open"],
        "window_closes_at": "2026-03-03T11:00:00.000Z",
    }
    assert answer.headers["Location"] == f"/v1/messages/{body['id']}"
    assert answer.headers["Gateway-Decision"] == "sent"
    assert answer.headers["Gateway-Window-Closes-At"] == "2026-03-03T11:00:00.000Z"


async def test_what_the_receipt_says_of_the_decision_is_what_the_record_says(house: House) -> None:
    told = await receipt(house, {**NATIVE, "reference": "A7"})
    record = await shown(house, told)
    assert {name: record["decision"][name] for name in ("action", "template", "reasons")} == {
        name: told["decision"][name] for name in ("action", "template", "reasons")
    }
    assert told["decision"]["template"] == "ticket_answer/en_US"
    assert told["decision"]["reasons"] == ["window_closed", "window_unknown", "fallback"]
    assert (record["reference"], record["status"]) == ("A7", told["status"])


@pytest.mark.parametrize("kind", KINDS)
async def test_every_type_of_content_is_kept_as_it_was_posted(house: House, kind: str) -> None:
    await house.contact_writes()
    content = (await shown(house, await receipt(house, of(kind))))["content"]
    assert content["type"] == kind
    if kind == "image":
        assert (content["file_url"], content["text"]) == ("https://a.example/c.png", "See")
    else:
        assert content["payload"] == KINDS[kind]


async def test_what_is_asked_beside_the_message_is_stored_with_it(house: House) -> None:
    more = {"ttl": 90, "on_closed_window": "refuse", "biz_opaque_callback_data": "mine", "reference": "A7"}
    body = {**NATIVE, **more, "context": {"message_id": "wamid.1"}, "callback_url": "https://desk.example/told"}
    await house.contact_writes()
    told = await receipt(house, body)
    message = (await house.parts.store.message(MessageId(int(told["id"])), client="desk")).message
    assert message.expires_at - message.accepted_at == timedelta(seconds=90)
    assert message.on_closed_window is OnClosedWindow.REFUSE
    assert (message.opaque, message.reference, message.reply_to) == ("mine", "A7", "wamid.1")
    assert message.callback_url == "https://desk.example/told"


async def test_a_reference_may_stand_in_the_header_as_on_the_other_surface(house: House) -> None:
    headers = {"Gateway_Reference": "A7"}
    told = await receipt(house, NATIVE, **headers)
    assert (await shown(house, told))["reference"] == "A7"
    explained = await (await house.explain(NATIVE, **headers)).json()
    assert "A7" in explained["rendered"]["body"]


async def test_the_same_key_and_body_are_answered_the_same_receipt(house: House) -> None:
    first = await receipt(house, Idempotency_Key="k")
    house.clock.moment += timedelta(hours=1)
    await house.contact_writes()
    assert await receipt(house, Idempotency_Key="k") == first
    other = await post(house, {**NATIVE, "text": {"body": "Another"}}, Idempotency_Key="k")
    await assert_problem(other, 409, "idempotency_conflict")


async def test_a_key_used_on_another_surface_is_another_key(house: House) -> None:
    elsewhere = await (await house.send(Idempotency_Key="k")).json()
    assert (await receipt(house, Idempotency_Key="k"))["id"] != str(elsewhere["message_id"])


async def test_a_waiting_client_is_told_the_provider_s_refusal(house: House) -> None:
    await house.contact_writes()
    waiting = asyncio.create_task(post(house, Prefer="wait=20"))
    await house.accepted.wait()
    words = ProviderError(code=1, status=400, name="Invalid Parameter", message="no")
    house.waiting.tell(await house.attempt(Failed(error=words)))
    problem = await assert_problem(await waiting, 422, "provider_refused")
    assert problem["provider"] == {"code": 1, "name": "Invalid Parameter", "message": "no"}


# --- what is refused --------------------------------------------------------------------------------------------------


async def test_a_closed_window_with_nothing_to_stand_in_is_a_conflict(house: House) -> None:
    answer = await post(house, {**NATIVE, "on_closed_window": "refuse"})
    problem = await assert_problem(answer, 409, "window_closed")
    assert problem["reasons"][-1] == "downgrade_off"
    assert (await house.parts.store.messages(MessageQuery())).messages == ()


@pytest.mark.parametrize(
    ("body", "field", "at"),
    [
        ({**TEMPLATE, "template": a_template()}, "template", "$.template.components"),
        ({**NATIVE, "fallback": a_template()}, "fallback", "$.fallback.components"),
        ({**NATIVE, "fallback": a_template("7", name="nobody")}, "fallback", "$.fallback"),
    ],
)
async def test_arguments_that_don_t_fit_are_told_by_their_place_in_this_body(
    house: House, body: dict[str, Any], field: str, at: str
) -> None:
    answer = await post(house, body)
    problem: dict[str, Any] = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["field"]) == (422, field)
    places = [problem["path"], *(each["path"] for each in problem.get("errors", ()))]
    assert all(place.startswith(at) for place in places), problem
    explained = await (await house.explain(body)).json()
    assert [each["path"] for each in problem.get("errors", ())] in ([], [m["path"] for m in explained["misfits"]])
    assert explained["decision"] == "refuse"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"from": None}, "from", "it is missing"),
        ({"from": "Shop"}, "from", "expected a sender of this key"),
        ({"callback_url": "http://127.0.0.1/x"}, "callback_url", "private address"),
        ({"callback_url": "ftp://desk.example"}, "callback_url", "an http or https URL"),
        ({"type": "image", "text": None, "image": {"link": "http://10.0.0.1/a.png"}}, "image", "expected a link"),
        ({"ttl": 2592001}, "ttl", "a number of seconds"),
        ({"colour": "red"}, "colour", "no field of this name"),
    ],
)
async def test_a_malformed_body_is_refused_and_nothing_is_stored(
    house: House, changes: dict[str, Any], field: str, words: str
) -> None:
    body = {**NATIVE, **changes}
    problem = await assert_problem(await post(house, body), 400, "invalid_request")
    assert (problem["field"], words in problem["detail"]) == (field, True), problem
    assert (await house.parts.store.messages(MessageQuery())).messages == ()
    assert await assert_problem(await house.explain(body), 400, "invalid_request") == problem


async def test_it_takes_this_surface_s_key_only(house: House) -> None:
    for headers in (basic(DESK_KEY), {}):
        answer = await house.http.post("/v1/messages", json=NATIVE, headers=headers)
        await assert_problem(answer, 401, "unauthenticated")
    await assert_problem(await post(house, key=SHOP_KEY), 400, "invalid_request")


async def test_nothing_is_taken_while_the_gateway_stops(open_house: Open) -> None:
    house = await open_house(is_stopping=lambda: True)
    answer = await post(house)
    await assert_problem(answer, 503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


# --- what explaining says ---------------------------------------------------------------------------------------------

BESIDE: dict[str, list[Any]] = {
    "from": ["Desk", "Desk", "Desk", "1063", "Shop", 5],
    "to": [CONTACT, CONTACT, int(CONTACT), "+" + CONTACT, "US.123456", "x"],
    "recipient": ["US.123456", ""],
    "type": [*KINDS, "template", "TEXT", "poll", 5],
    "fallback": [a_template("7"), a_template("7"), a_template(), {"name": "nobody"}, {}],
    "on_closed_window": ["refuse", "downgrade", "hold"],
    "ttl": [1, 60, 0, "60"],
    "reference": ["A7", "A7", "", "a\nb"],
    "intent": ["parcel", ""],
    "context": [{"message_id": "wamid.1"}, {}, 5],
    "callback_url": ["https://a.example/x", "http://127.0.0.1/x"],
    "colour": ["red", None],
}


def a_body(draw: random.Random) -> dict[str, Any]:
    """A message of any type, mostly right, with something of all that may stand beside it."""
    kind = draw.choice([*KINDS, "template"])
    body = {"from": "Desk", "to": CONTACT, "type": kind, kind: KINDS.get(kind, a_template("7"))}
    for name in draw.sample(list(BESIDE), draw.choice([0, 1, 1, 2, 3])):
        body[name] = draw.choice([*BESIDE[name], None])
    return body


async def test_posting_and_explaining_never_disagree(open_house: Open) -> None:
    house = await open_house(limits={"client_per_second": 100_000})
    draw, met = random.Random(7), set()  # noqa: S311 - bodies, not a secret
    for number in range(300):
        if number == 150:
            await house.contact_writes()
        met.add(await assert_agree(house, a_body(draw)))
    assert met == {"send", "downgrade", "refuse", "malformed"}


async def assert_agree(house: House, body: dict[str, Any]) -> str:
    """What became of it, after both said the same."""
    explained = await house.explain(body)
    posted = await post(house, body)
    told, view = await posted.json(content_type=None), await explained.json(content_type=None)
    if explained.status != 200:
        assert (posted.status, told) == (explained.status, view)
        return "malformed"
    if view["decision"] == "refuse":
        assert posted.status in (409, 422), (view, told)
        return "refuse"
    assert posted.status == 202, (body, view, told)
    template = view["template"] and f"{view['template']['name']}/{view['template']['language']}"
    assert (told["decision"]["action"], told["decision"]["template"]) == (view["decision"], template)
    assert told["decision"]["reasons"] == [reason["code"] for reason in view["reasons"]]
    return str(view["decision"])


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/explain"])
async def test_a_fallback_must_not_lead_to_a_private_place(house: House, path: str) -> None:
    header = {"type": "header", "parameters": [{"type": "image", "image": {"link": "http://10.0.0.1/a.jpg"}}]}
    body = {**NATIVE, "fallback": {"name": "order_update", "components": [header]}}
    answer = await house.http.post(path, json=body, headers=bearer(DESK_KEY))
    told = await answer.json(content_type=None)
    assert (answer.status, told["field"]) == (400, "fallback")
    assert told["path"] == "$.fallback.components[0].parameters[0].image.link"
