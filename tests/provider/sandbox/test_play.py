from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.provider.sandbox import diary, phone, run_sandbox
from gateway.provider.sandbox.phone import Phones
from gateway.provider.sandbox.rules import Submission
from tests.provider.sandbox.stage import ANSWER, AUTHORIZATION, CONTACT, KEY, SENDER, Sandbox, a_template, an_answer

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = base64.b64decode("c2VjcmV0")


async def test_the_guide_lists_what_can_be_done(sandbox: Sandbox):
    async with sandbox.http.get(f"{sandbox.url}/guide") as answer:
        guide = await answer.text()
    assert answer.status == 200
    for path in (" /sandbox/contacts/", " /sandbox/messages?contact=", " /sandbox/clock", " /sandbox/faults"):
        assert path in guide
    for heard in ("answered", "pending", "dropped"):
        assert heard in guide


# --- time -----------------------------------------------------------------------------------------------------------


async def test_the_clock_tells_the_time_and_travels_forwards(sandbox: Sandbox):
    assert await sandbox.get("/clock") == {"now": "2026-03-01T12:00:00.000Z"}
    assert await sandbox.post("/clock", {"advance": "25h"}) == (200, {"now": "2026-03-02T13:00:00.000Z"})
    assert await sandbox.get("/clock") == {"now": "2026-03-02T13:00:00.000Z"}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"advance": "-1h"}, "advance"),
        ({"advance": "0s"}, "advance"),
        ({"advance": "tomorrow"}, "advance"),
        ({"advance": 3600}, "advance"),
        ({"advance": "9999d"}, "advance"),
        ({}, "advance"),
        ({"advance": "1h", "to": "noon"}, "to"),
        ([], "body"),
    ],
)
async def test_the_clock_goes_nowhere_else(sandbox: Sandbox, asked: Any, field: str):
    status, said = await sandbox.post("/clock", asked)
    assert (status, said["field"]) == (400, field)
    assert "error" in said
    assert await sandbox.get("/clock") == {"now": "2026-03-01T12:00:00.000Z"}


# --- wrong requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "asked", "field"),
    [
        ("nobody", {"to": SENDER, "text": "x"}, "contact"),
        ("0501234567", {"to": SENDER, "text": "x"}, "contact"),
        (CONTACT, {"to": "Nobody", "text": "x"}, "to"),
        (CONTACT, {"text": "x"}, "to"),
        (CONTACT, {"to": SENDER}, "text"),
        (CONTACT, {"to": SENDER, "text": ""}, "text"),
        (CONTACT, {"to": SENDER, "text": "x" * 4097}, "text"),
        (CONTACT, {"to": SENDER, "text": "x", "ago": "soon"}, "ago"),
        (CONTACT, {"to": SENDER, "text": "x", "ago": "31d"}, "ago"),
        (CONTACT, {"to": SENDER, "text": "x", "name": 7}, "name"),
        (CONTACT, {"to": SENDER, "text": "x", "from": "me"}, "from"),
    ],
)
async def test_a_customer_s_wrong_message_names_its_field_and_opens_nothing(
    sandbox: Sandbox, contact: str, asked: Any, field: str
):
    status, said = await sandbox.post(f"/contacts/{contact}/messages", asked)
    assert (status, said["field"]) == (400, field)
    assert (await sandbox.send())[0] == 400
    assert sandbox.application.taken == []


async def test_a_tap_needs_a_message_with_a_quick_reply(sandbox: Sandbox):
    status, said = await sandbox.post(f"/contacts/{CONTACT}/taps", {"to": SENDER})
    assert (status, said["field"]) == (400, "to")
    await sandbox.send_template(an_answer("x"))
    for button in (1, "Write", True, False, None, [0]):
        status, said = await sandbox.post(f"/contacts/{CONTACT}/taps", {"to": SENDER, "button": button})
        assert (status, said["field"], said["error"]) == (400, "button", "expected a quick reply: 0 (Read it)")


async def test_a_tap_on_a_link_is_told_to_nobody(sandbox: Sandbox):
    params = [{"type": "text", "text": "Olena", "parameter_name": "customer"}]
    params.append({"type": "text", "text": "7", "parameter_name": "number"})
    image = {"type": "image", "image": {"link": "https://example.com/a.png", "provider": {"name": "files"}}}
    track = {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "7"}]}
    parcel = {
        "namespace": "0f1e2d3c",
        "name": "parcel",
        "language": {"code": "en_US"},
        "components": [{"type": "header", "parameters": [image]}, {"type": "body", "parameters": params}, track],
    }
    assert (await sandbox.send_template({**parcel, "namespace": "another"}))[0] == 400
    assert (await sandbox.send_template(parcel))[0] == 200
    status, said = await sandbox.post(f"/contacts/{CONTACT}/taps", {"to": SENDER, "button": 0})
    assert (status, said["field"]) == (400, "button")


async def test_asking_for_a_phone_needs_its_number(sandbox: Sandbox):
    for query in ("", "?contact=", "?contact=x"):
        async with sandbox.http.get(f"{sandbox.url}/messages{query}") as answer:
            assert answer.status == 400
            assert (await answer.json())["field"] == "contact"


async def test_a_reset_forgets_everything_but_the_time(sandbox: Sandbox):
    await sandbox.travel("1h")
    await sandbox.customer_writes()
    await sandbox.send()
    assert await desk_answers(sandbox, b"{}", signed(b"{}", NOON.timestamp())) == 204
    await sandbox.post("/faults", {"late_callbacks": "1h"})
    await sandbox.customer_writes("Never told")
    assert (await sandbox.post("/reset"))[0] == 200
    assert await sandbox.on_phone() == []
    assert await sandbox.get("/desk") == {"received": []}
    assert await sandbox.get("/faults") == {"faults": []}
    assert (await sandbox.send())[0] == 400
    assert await sandbox.get("/clock") == {"now": "2026-03-01T13:00:00.000Z"}
    await sandbox.travel("2h")
    await sandbox.customer_writes("Told")
    assert "Never told" not in [body.get("text") for _, body in sandbox.application.taken]


# --- what is kept is bounded ----------------------------------------------------------------------------------------


def a_submission(contact: str) -> Submission:
    return Submission(sender=SENDER, contact=contact, kind="text", text="x")


def test_a_phone_keeps_its_latest_messages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phone, "PER_CONTACT", 3)
    phones = Phones()
    messages = [phones.arrive(a_submission(CONTACT), NOON) for _ in range(5)]
    assert phones.on_phone(CONTACT) == messages[2:]


def test_all_phones_together_forget_the_oldest_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phone, "MESSAGES", 3)
    monkeypatch.setattr(phone, "PER_CONTACT", 2)
    phones = Phones()
    taken = [phones.arrive(a_submission(contact), NOON) for contact in ("a", "b", "b", "b", "a")]
    assert phones.on_phone("a") == taken[4:]
    assert phones.on_phone("b") == taken[2:4]
    assert [phones.message(each.id) for each in taken[:2]] == [None, None]


def test_the_pairs_heard_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phone, "PAIRS", 2)
    phones = Phones()
    for contact in ("a", "b", "a", "c"):
        phones.hear(SENDER, contact, NOON)
    assert [phones.is_open(SENDER, contact, NOON) for contact in "abc"] == [True, False, True]


# --- the desk -------------------------------------------------------------------------------------------------------


def signed(body: bytes, sent_at: float, key: bytes = SECRET) -> dict[str, str]:
    content = b".".join((b"evt_1", str(int(sent_at)).encode(), body))
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(sent_at)),
        "webhook-signature": f"v1,AAAA v1,{signature}",
    }


async def desk_answers(sandbox: Sandbox, body: bytes, headers: dict[str, str]) -> int:
    async with sandbox.http.post(f"{sandbox.url}/desk", data=body, headers=headers) as answer:
        return answer.status


async def test_the_desk_shows_what_was_signed(sandbox: Sandbox):
    await sandbox.travel("25h")
    event = {"type": "message.received", "data": {"text": "Hello"}}
    body = json.dumps(event).encode()
    for sent_at in (sandbox.clock.now(), sandbox.clock.real_now()):
        assert await desk_answers(sandbox, body, signed(body, sent_at.timestamp())) == 204
    assert await sandbox.get("/desk") == {"received": [{"id": "evt_1", **event}] * 2}


async def test_the_desk_takes_nothing_else(sandbox: Sandbox):
    now, body = NOON.timestamp(), b"{}"
    good = signed(body, now)
    for headers in (
        {},
        signed(body, now, key=b"another"),
        signed(body, now - 301),
        {**good, "webhook-id": "evt_2"},
        {**good, "webhook-timestamp": "now"},
        {**good, "webhook-signature": "v1,\xff"},
    ):
        assert await desk_answers(sandbox, body, headers) == 401
    assert await desk_answers(sandbox, b'{"a": 1}', good) == 401
    assert await sandbox.get("/desk") == {"received": []}


# --- phones ---------------------------------------------------------------------------------------------------------


async def test_a_phone_that_is_off_gets_what_waited_when_it_is_on(sandbox: Sandbox):
    await sandbox.customer_writes()
    assert await sandbox.post(f"/contacts/{CONTACT}/phone", {"on": False}) == (200, {"on": False})
    _, taken = await sandbox.send(callback_url=f"{sandbox.application.url}/own")
    assert [body["status"] for body in (await sandbox.application.bodies(2))[1:]] == [0]
    assert await sandbox.api("receive-whatsapp", taken) == (200, {**taken, "status": 0})
    assert await sandbox.on_phone() == []
    assert await sandbox.post(f"/contacts/{CONTACT}/phone", {"on": True}) == (200, {"on": True})
    assert (await sandbox.application.bodies(3))[-1] == {**taken, "status": "delivered"}
    assert [message["id"] for message in await sandbox.on_phone()] == [taken["message_id"]]
    assert await sandbox.api("receive-whatsapp", taken) == (200, {**taken, "status": 1})


async def test_a_customer_who_writes_has_switched_the_phone_on(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.post(f"/contacts/{CONTACT}/phone", {"on": False})
    await sandbox.send()
    await sandbox.customer_writes("And now?")
    assert [message["status"] for message in await sandbox.on_phone()] == ["read"]


async def test_a_customer_who_reads_and_says_nothing_opens_no_window(sandbox: Sandbox):
    await sandbox.customer_writes()
    await sandbox.send(callback_url=f"{sandbox.application.url}/own")
    await sandbox.travel("24h")
    assert await sandbox.post(f"/contacts/{CONTACT}/reads", {"to": SENDER}) == (200, {"read": 1})
    assert await sandbox.post(f"/contacts/{CONTACT}/reads", {"to": SENDER}) == (200, {"read": 0})
    assert (await sandbox.application.bodies(4))[-1]["status"] == "read"
    status, refused = await sandbox.send()
    assert (status, refused["code"]) == (400, 7)


@pytest.mark.parametrize("asked", [{}, {"on": "yes"}, {"on": None}, {"off": True}])
async def test_a_switch_that_is_neither_on_nor_off_is_refused(sandbox: Sandbox, asked: dict[str, Any]):
    status, answer = await sandbox.post(f"/contacts/{CONTACT}/phone", asked)
    assert (status, answer["field"]) == (400, "off" if "off" in asked else "on")


def test_what_waits_for_a_phone_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phone, "PER_CONTACT", 2)
    phones = Phones()
    phones.switch_off("1")
    for text in ("a", "b", "c"):
        phones.arrive(Submission(sender="S", contact="1", kind="text", text=text), NOON)
    assert phones.waiting("1") == 2
    assert [message.submission.text for message in phones.switch_on("1", NOON)] == ["b", "c"]


def test_what_waited_is_forgotten_in_the_order_in_which_it_arrived(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phone, "MESSAGES", 2)
    phones = Phones()
    phones.switch_off("1")
    waited = phones.arrive(Submission(sender="S", contact="1", kind="text", text="waits"), NOON)
    phones.arrive(Submission(sender="S", contact="2", kind="text", text="first"), NOON)
    phones.switch_on("1", NOON)
    phones.arrive(Submission(sender="S", contact="1", kind="text", text="third"), NOON)
    assert [message.submission.text for message in phones.on_phone("1")] == ["waits", "third"]
    assert phones.on_phone("2") == []
    phones.arrive(Submission(sender="S", contact="2", kind="text", text="fourth"), NOON)
    assert phones.message(waited.id) is None
    assert [message.submission.text for message in phones.on_phone("1")] == ["third"]


def test_what_customers_said_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diary, "PER_CONTACT", 2)
    monkeypatch.setattr(diary, "CONTACTS", 2)
    kept = diary.Diary()
    for number, contact in enumerate(("1", "1", "1", "2", "3")):
        kept.note(diary.Said(id=number, sender="S", contact=contact, text="", at=NOON), f"Name {contact}")
    assert kept.latest(10) == ["3", "2"]
    assert (kept.said("1"), kept.name("1"), kept.name("2")) == ((), None, "Name 2")
    for number in (7, 8, 9):
        kept.note(diary.Said(id=number, sender="S", contact="2", text="", at=NOON), None)
    assert [said.id for said in kept.said("2")] == [8, 9]


# --- alone ----------------------------------------------------------------------------------------------------------


async def test_alone_it_serves_the_provider_s_paths_at_the_root_too(tmp_path: Path):
    (tmp_path / "ticket_answer.en_US.yaml").write_text(json.dumps(ANSWER))
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run_sandbox(templates=tmp_path, port=0, key=KEY, started=address.set_result))
    url = await asyncio.wait_for(address, 5)
    async with aiohttp.ClientSession(headers={"Authorization": AUTHORIZATION}) as http:
        for path in ("/v1/api", "/sandbox/v1/api"):
            async with http.post(f"{url}{path}/send-whatsapp", json=a_template(an_answer("x"))) as answer:
                assert answer.status == 200
        async with http.get(f"{url}/sandbox/messages", params={"contact": CONTACT}) as answer:
            assert len((await answer.json())["messages"]) == 2
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(url)
