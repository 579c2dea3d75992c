"""The suppression list from end to end: at acceptance, at sending, and as the provider reports it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.errors import ContactSuppressed
from gateway.web.errors import NATIVE, said
from tests.gateway.people import CONTACT, SHOP, Shop, a_shop, run


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as shop:
        yield shop


def refused_for(answer: tuple[int, dict[str, object]]) -> str:
    status, body = answer
    assert (status, body["code"], body["name"]) == (400, 1, "Invalid Parameter: destination_addr")
    return str(body["message"]).rpartition(" ")[2]


async def test_a_blocked_contact_is_sent_nothing_and_the_refusal_says_why(shop: Shop) -> None:
    await shop.customer_writes()
    blocked = await shop.run("contacts", "block", "+380 50 123 45 67", "--note", "asked on the phone")
    assert (blocked.exit_code, blocked.output) == (0, f"{CONTACT} is sent nothing by any sender\n")
    assert refused_for(await shop.post()) == "everything"
    assert refused_for(await shop.post_template("parcel")) == "everything"
    await shop.ends(await shop.post(destination_addr="380671234567"), "delivered")
    allowed = await shop.run("contacts", "allow", CONTACT)
    assert allowed.output.startswith("Lifted: everything, all senders: blocked by operator ")
    await shop.ends(await shop.post(), "delivered")


async def test_a_stop_of_templates_leaves_replies_alone(shop: Shop) -> None:
    await shop.customer_writes()
    await shop.run("contacts", "block", CONTACT, "--scope", "templates", "--sender", "380441234567")
    await shop.ends(await shop.post(), "delivered")
    assert refused_for(await shop.post_template("parcel")) == "templates"
    await shop.play("/clock", advance="25h")
    assert refused_for(await shop.post()) == "templates"
    assert (await shop.post(source_addr="Other"))[0] == 200, "it is for one sender"


async def test_what_was_accepted_before_a_block_is_refused_when_it_is_sent(shop: Shop) -> None:
    await shop.customer_writes()
    await shop.play("/faults", error=500, count=1)
    first = await shop.post()
    while not (await shop.ends(first, "queued", "sending"))["attempts"]:
        await asyncio.sleep(0.01)
    await shop.ends(first, "queued")
    await shop.run("contacts", "block", CONTACT)
    await shop.play("/clock", advance="1m")
    message = await shop.ends(first, "refused")
    decision = message["decisions"][-1]
    assert (decision["action"], decision["reasons"]) == ("refuse", ["suppressed"])
    suppression = decision["evidence"]["suppression"]
    assert (suppression["scope"], suppression["source"]) == ("everything", "operator")


async def test_a_customer_that_stops_marketing_is_still_written_to_about_its_own_orders(shop: Shop) -> None:
    await shop.prefers("stop")
    assert refused_for(await shop.post_template("offer")) == "marketing"
    await shop.ends(await shop.post_template("parcel"), "delivered")
    message = await shop.ends(await shop.post(), "delivered")
    assert message["decision"]["template"] == "parcel/en_US", "the ladder passes over the marketing rung"
    rungs = message["decision"]["evidence"]["rungs"]
    assert [(rung["name"], rung["problem"]) for rung in rungs] == [("offer", "suppressed"), ("parcel", None)]
    (entry,) = await shop.listed()
    assert (entry["contact"], entry["sender"], entry["scope"], entry["source"]) == (
        CONTACT,
        SHOP,
        "marketing",
        "provider",
    )
    await shop.play("/clock", advance="1h")
    await shop.prefers("resume")
    assert await shop.listed() == []
    await shop.ends(await shop.post_template("offer"), "delivered")


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_stop_that_only_a_refusal_tells_of_is_kept_with_its_evidence(shop: Shop, is_late: bool) -> None:
    await shop.play("/faults", lost_callbacks=1)
    await shop.play(f"/contacts/{CONTACT}/preferences", to=SHOP, marketing="stop")
    if is_late:
        await shop.play("/faults", late_refusals=1)
    await shop.ends(await shop.post_template("offer"), "failed")
    (entry,) = await shop.listed()
    assert (entry["scope"], entry["evidence"]["code"]) == ("marketing", 131050)
    assert refused_for(await shop.post_template("offer")) == "marketing"
    await shop.ends(await shop.post_template("parcel"), "delivered")


async def test_a_refusal_leaves_a_record_as_others_do(shop: Shop, tmp_path: Path) -> None:
    await shop.run("contacts", "block", CONTACT)
    await shop.post()
    db = sqlite3.connect(tmp_path / "gateway.db")
    rows = db.execute("select contact, reasons, evidence from refusal").fetchall()
    db.close()
    assert [(contact, json.loads(reasons)) for contact, reasons, _ in rows] == [(CONTACT, ["suppressed"])]
    assert json.loads(rows[0][2])["suppression"]["scope"] == "everything"


def test_the_native_surface_has_a_stable_code_for_it() -> None:
    answer = said(NATIVE, ContactSuppressed("the contact is on the suppression list", ["suppressed"]))
    assert (answer.status, answer.body["code"], answer.body["reasons"]) == (409, "contact_suppressed", ["suppressed"])


# --- the commands ---------------------------------------------------------------------------------------------------


async def test_commands_do_the_same_when_nobody_runs(tmp_path: Path) -> None:
    async with a_shop(tmp_path):
        pass
    assert (await run(tmp_path, "contacts", "block", CONTACT, "--scope", "marketing", "--json")).exit_code == 0
    again = await run(tmp_path, "contacts", "block", CONTACT, "--scope", "marketing")
    assert again.output == f"{CONTACT} is sent no marketing template by any sender, as before\n"
    table = (await run(tmp_path, "contacts", "list")).output.splitlines()
    assert table[1].split("\t")[:4] == [CONTACT, "(all)", "marketing", "operator"]
    assert "Lifted" in (await run(tmp_path, "contacts", "allow", CONTACT)).output
    assert (await run(tmp_path, "contacts", "allow", CONTACT)).output == f"Nothing stood on the list for {CONTACT}\n"
    async with a_shop(tmp_path) as shop:
        await shop.ends(await shop.post(), "delivered")


@pytest.mark.parametrize(
    ("words", "said_of"),
    [
        (("block", "0501234567"), "international form"),
        (("block", CONTACT, "--sender", "Nobody"), "expected a sender that the configuration names"),
        (("block", CONTACT, "--scope", "all"), "'all' is not one of"),
        (("block", CONTACT, "--note", "x" * 501), "at most 500 characters"),
        (("allow", "someone"), "international form"),
        (("list", "--cursor", "x"), "expected the cursor of an earlier page"),
    ],
)
@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_what_is_wrong_is_named(tmp_path: Path, words: tuple[str, ...], said_of: str, runs: bool) -> None:
    async with a_shop(tmp_path) as shop:
        told = await shop.run("contacts", *words) if runs else None
    told = told or await run(tmp_path, "contacts", *words)
    assert told.exit_code != 0
    assert said_of in told.output
