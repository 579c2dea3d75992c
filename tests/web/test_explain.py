"""POST /v1/explain: what posting a message would come to, and what in a request is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.identity import Sender
from gateway.ports import MessageQuery
from tests.web.conftest import DESK_KEY, NOON, SHOP_KEY, TEXT, House, basic
from tests.web.test_native import assert_problem

CONTACT = "380501234567"
NATIVE: dict[str, Any] = {"from": "Desk", "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
KEYS = ["at", "decision", "reasons", "would_be", "window", "rungs", "template", "rendered", "misfits", "pace"]
KEYS += ["would_change"]


def a_template(*arguments: Any, name: str = "ticket_answer") -> dict[str, Any]:
    parameters = [{"type": "text", "text": argument} for argument in arguments]
    return {"name": name, "language": "en_US", "components": [{"type": "body", "parameters": parameters}]}


async def explained(house: House, body: Any = NATIVE, **headers: str) -> dict[str, Any]:
    answer = await house.explain(body, **headers)
    view: dict[str, Any] = await answer.json()
    assert (answer.status, list(view)) == (200, KEYS), view
    return view


def codes(view: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in view["reasons"]]


# --- what is answered -------------------------------------------------------------------------------------------------


async def test_within_the_window_a_text_leaves_as_it_is_and_the_rungs_are_not_needed(house: House) -> None:
    await house.contact_writes(ago=timedelta(hours=1))
    view = await explained(house)
    assert (view["decision"], codes(view), view["template"]) == ("send", ["window_open"], None)
    assert view["rendered"] == {"header": None, "body": "Hello", "footer": None, "buttons": []}
    assert view["window"] == {
        "open": True,
        "opened_at": "2026-03-02T11:00:00.000Z",
        "closes_at": "2026-03-03T11:00:00.000Z",
        "margin": 60.0,
        "seconds_left": 23 * 3600 - 60.0,
        "opened_by": view["window"]["opened_by"],
        "evidence": "message",
        "refuted_at": None,
    }
    assert str(view["window"]["opened_by"]).startswith("in-")
    [rung] = view["rungs"]
    assert (rung["name"], rung["verdict"], rung["problem"]) == ("ticket_answer", "not_needed", None)
    [change] = view["would_change"]
    assert (change["what"], change["when"]) == ("window_closes", "2026-03-03T10:59:00.000Z")
    assert change["then"] == {"decision": "downgrade", "template": {"name": "ticket_answer", "language": "en_US"}}


async def test_without_a_window_the_fallback_is_shown_as_the_contact_will_read_it(house: House) -> None:
    view = await explained(house, {**NATIVE, "reference": "A7"})
    assert (view["decision"], codes(view)) == ("downgrade", ["window_closed", "window_unknown", "fallback"])
    assert view["template"] == {"name": "ticket_answer", "language": "en_US"}
    assert view["rendered"]["body"] == "We have an answer to your request A7. Reply to read it."
    assert [change["what"] for change in view["would_change"]] == ["customer_writes"]
    assert all(reason["sentence"].endswith(".") for reason in view["reasons"])


async def test_arguments_that_don_t_fit_are_an_answer_with_every_misfit(house: House) -> None:
    body = {**NATIVE, "type": "template", "template": a_template("a\nb", "c")}
    del body["text"]
    view = await explained(house, body)
    assert (view["decision"], codes(view)) == ("refuse", ["template_requested", "template_unusable"])
    assert view["rendered"] is None
    assert {misfit["path"].partition(".parameters")[0] for misfit in view["misfits"]} == {"$.template.components[0]"}
    [change] = view["would_change"]
    assert change["what"] == "arguments_corrected"
    assert change["paths"] == list(dict.fromkeys(misfit["path"] for misfit in view["misfits"]))
    refused = await house.send(_documented(body["template"]))
    told = (await refused.json())["message"]
    assert all(misfit["path"] in told for misfit in view["misfits"])


async def test_a_misfit_of_the_own_fallback_is_told_where_it_stands(house: House) -> None:
    view = await explained(house, {**NATIVE, "fallback": a_template()})
    assert (view["decision"], codes(view)[-1]) == ("refuse", "template_unusable")
    places = [*(each["path"] for each in view["misfits"]), view["rungs"][0]["path"], *view["would_change"][0]["paths"]]
    assert all(place.startswith("$.fallback") for place in places), places
    assert "$.template" not in json.dumps(view)


async def test_the_request_may_say_that_nothing_is_to_stand_in(house: House) -> None:
    view = await explained(house, {**NATIVE, "on_closed_window": "refuse"})
    assert (view["decision"], codes(view)[-1]) == ("refuse", "downgrade_off")
    assert [change["what"] for change in view["would_change"]] == ["customer_writes", "downgrading_on"]


async def test_those_before_it_in_line_are_counted(house: House) -> None:
    for _ in range(2):
        await house.sent()
    assert (await explained(house))["pace"]["ahead"] == 2


# --- what is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["Desk", "380441234567", "1063"])
@pytest.mark.parametrize("to", [CONTACT, int(CONTACT), "+380 50 123-45-67"])
async def test_senders_and_contacts_are_known_by_each_of_their_names(house: House, sender: str, to: Any) -> None:
    await house.contact_writes()
    assert (await explained(house, {**NATIVE, "from": sender, "to": to}))["decision"] == "send"


def _documented(template: dict[str, Any]) -> dict[str, Any]:
    params = {"type": "template", "template": template}
    return {**TEXT, "message_type": 4, "template_name": template["name"], "template_params": params}


@pytest.mark.parametrize(
    ("native", "documented"),
    [
        (NATIVE, TEXT),
        ({"from": "Desk", "to": CONTACT, "text": {"body": "Hello", "preview_url": False}}, TEXT),
        (
            {"from": "Desk", "to": CONTACT, "type": "image", "image": {"link": "https://a.b/c.png", "caption": "See"}},
            {**TEXT, "message_type": 2, "text": "See", "file_url": "https://a.b/c.png"},
        ),
        (
            {"from": "Desk", "to": CONTACT, "type": "template", "template": a_template("7")},
            _documented(a_template("7")),
        ),
        (
            {**NATIVE, "fallback": a_template("7")},
            {**_documented(a_template("7")), "message_type": 1},
        ),
    ],
)
async def test_both_forms_of_a_message_are_answered_alike(house: House, native: Any, documented: Any) -> None:
    for _ in range(2):
        assert await explained(house, native) == await explained(house, documented)
        await house.contact_writes()


async def test_the_reference_of_an_existing_integration_is_that_of_its_header(house: House) -> None:
    view = await explained(house, TEXT, Gateway_Reference="A7")
    assert view["rendered"]["body"] == "We have an answer to your request A7. Reply to read it."


# --- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"type": "video"}, "video", "it is missing"),
        ({"video": {"link": "https://a.b/c.mp4"}}, "video", "expected no video beside the type text"),
        ({"intent": "parcel"}, "intent", "expected the name of an intent"),
        ({"context": {"message_id": 5}}, "context", "the id of a message"),
        ({"on_closed_window": "hold"}, "on_closed_window", "hold is not built yet"),
        ({"type": "image"}, "image", "an id or a link"),
        ({"type": "image", "image": {"caption": "See"}}, "image", "an id or a link"),
        ({"image": {"link": "https://a.b/c.png"}}, "image", "expected no image beside the type text"),
        ({"from": "Shop"}, "from", "expected a sender of this key"),
        ({"from": "Nobody"}, "from", "expected a sender of this key"),
        ({"to": "0501234567"}, "to", "international form"),
        ({"to": None}, "to", "it is missing"),
        ({"reference": "a\nb"}, "reference", "printable"),
        ({"colour": "red"}, "colour", "no field of this name"),
        ({"fallback": {"components": []}}, "fallback", "it is missing"),
        ({"ttl": 0}, "ttl", "a number of seconds"),
    ],
)
async def test_a_malformed_body_is_an_error_that_names_the_field(
    house: House, changes: dict[str, Any], field: str, words: str
) -> None:
    problem = await assert_problem(await house.explain({**NATIVE, **changes}), 400, "invalid_request")
    assert problem["field"] == field
    assert words in problem["detail"]


async def test_a_template_message_takes_no_fallback(house: House) -> None:
    body = {"from": "Desk", "to": CONTACT, "type": "template", "template": a_template("7"), "fallback": a_template("7")}
    problem = await assert_problem(await house.explain(body), 400, "invalid_request")
    assert problem["field"] == "fallback"


async def test_another_clients_sender_is_as_one_that_is_not_there(house: House) -> None:
    foreign = await (await house.explain(NATIVE, key=SHOP_KEY)).json(content_type=None)
    unknown = await (await house.explain({**NATIVE, "from": "Nobody"}, key=SHOP_KEY)).json(content_type=None)
    assert foreign == unknown


async def test_it_takes_the_native_surfaces_key_only(house: House) -> None:
    answer = await house.http.post("/v1/explain", json=NATIVE, headers=basic(DESK_KEY))
    await assert_problem(answer, 401, "unauthenticated")
    nobody = await house.http.post("/v1/explain", json=NATIVE)
    await assert_problem(nobody, 401, "unauthenticated")


# --- what is left behind ----------------------------------------------------------------------------------------------


async def test_nothing_is_stored_counted_or_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "a word that nobody may read"
    before = await (await house.http.get("/metrics")).text()
    await explained(house, {**NATIVE, "text": {"body": secret}, "reference": secret})
    await explained(house, {**NATIVE, "fallback": a_template(secret, secret)})
    after = await (await house.http.get("/metrics")).text()
    decided = [line for line in after.splitlines() if line.startswith("gateway_deci")]
    assert decided
    assert decided == [line for line in before.splitlines() if line.startswith("gateway_deci")]
    assert (await house.parts.store.messages(MessageQuery())).messages == ()
    printed = capsys.readouterr()
    assert secret not in printed.out + printed.err


# --- what was decided of a message ------------------------------------------------------------------------------------


async def test_the_record_of_a_message_gives_the_same_answer(house: House) -> None:
    before = await explained(house, TEXT, Gateway_Reference="A7")
    answer = await house.send(Gateway_Reference="A7")
    message_id = (await answer.json())["message_id"]
    house.clock.moment += timedelta(hours=3)
    recorded = (await (await house.get(f"/v1/messages/{message_id}")).json())["explanation"]
    assert recorded == {**before, "pace": None}


async def test_of_content_that_is_not_kept_any_more_nothing_is_shown(house: House) -> None:
    message_id = await house.sent(_documented(a_template("a private word")))
    await house.parts.store.claim(Sender("Desk"), limit=1, now=NOON + timedelta(days=2), downgrades_since=None)
    assert await house.parts.store.sweep(now=NOON + timedelta(days=40)) > 0
    recorded = (await (await house.get(f"/v1/messages/{message_id}")).json())["explanation"]
    assert (recorded["decision"], recorded["rendered"]) == ("send", None)
    assert recorded["template"] == {"name": "ticket_answer", "language": "en_US"}
