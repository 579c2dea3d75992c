"""``gateway templates list`` and ``clear`` beside a running gateway, and without one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.log import configure_logging
from tests.gateway.people import Shop, a_listed_shop, a_shop, furnish, left_as, run, tell

NAMED = [{"type": "BODY", "text": "Hello {{1}} from the shop"}]


@pytest.fixture(autouse=True)
def only_commands_write_to_the_output() -> None:
    """The gateway of these tests runs in the same process."""
    configure_logging("warning")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as shop:
        yield shop


@pytest.fixture
async def listed_shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_listed_shop(tmp_path) as shop:
        await shop.gateway.refreshes.of["sandbox"].once()
        yield shop


async def change(shop: Shop, name: str = "offer", **fields: Any) -> None:
    """The template is another one there, and the list is read again."""
    await shop.play("/clock", advance="1m")
    await shop.play("/templates", template=name, **fields)
    await shop.gateway.refreshes.of["sandbox"].once()


async def listed(shop: Shop) -> dict[str, Any]:
    rows = map(json.loads, (await shop.run("templates", "list", "--json")).stdout.splitlines())
    return {row["name"]: row["health"] for row in rows}


async def test_the_command_shows_how_each_template_stands_as_the_store_knows_it(listed_shop: Shop) -> None:
    usable = {"sandbox": "usable"}
    assert await listed(listed_shop) == {"offer": usable, "parcel": usable}
    await change(listed_shop, status="PAUSED")
    assert (await listed(listed_shop))["offer"]["sandbox"].startswith("paused: until ")
    await change(listed_shop, status="APPROVED", components=NAMED)
    assert await listed(listed_shop) == {"offer": {"sandbox": "drifted"}, "parcel": usable}
    path = listed_shop.folder / "templates" / "parcel.en_US.yaml"
    path.with_name("letter.en_US.yaml").write_text(path.read_text().replace("name: parcel", "name: letter"))
    assert (await listed(listed_shop))["letter"] == {"sandbox": "not listed"}
    told = (await listed_shop.run("templates", "list")).stdout.splitlines()
    assert told[2].split("\t")[:5] == ["offer", "en_US", "MARKETING", "APPROVED", "drifted"]


async def test_a_store_that_can_not_be_read_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    furnish(tmp_path)
    (tmp_path / "gateway.db").write_text("this is no database, whatever its name says")
    told = await run(tmp_path, "templates", "list")
    assert (told.exit_code, len(told.stdout.splitlines())) == (0, 3)
    assert told.stderr.startswith("Their health is not shown: ")


# --- an operator's word -----------------------------------------------------------------------------------------------


async def test_an_operator_lifts_what_stands_against_a_template_and_it_leaves_a_row(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132016, template="offer", count=1)
    assert await left_as(shop) == "parcel/en_US"
    told = await shop.run("templates", "clear", "offer")
    assert (told.exit_code, told.stdout) == (0, "Lifted at sandbox: refused_recently: 132016\n")
    assert await left_as(shop, destination_addr="380671234567") == "offer/en_US"
    with closing(sqlite3.connect(shop.folder / "gateway.db")) as db:
        ((deed, facts),) = db.execute("select deed, facts from operator_deed").fetchall()
    lifted = {"template": "offer/en_US", "lifted": {"sandbox": "refused_recently: 132016"}}
    assert (deed, json.loads(facts)) == ("clear template", lifted)


async def test_a_status_that_was_told_is_lifted_at_the_provider_that_is_named(shop: Shop) -> None:
    await tell(shop, event="DISABLED")
    unknown = await shop.run("templates", "clear", "offer/en_US", "--provider", "other")
    assert unknown.exit_code != 0
    assert "expected the name of a provider: sandbox" in unknown.stderr
    assert await left_as(shop) == "parcel/en_US"
    told = json.loads((await shop.run("templates", "clear", "offer/en_US", "--json")).stdout)
    assert told == {"cleared": [{"provider": "sandbox", "was": "disabled"}]}
    assert await left_as(shop, destination_addr="380671234567") == "offer/en_US"


async def test_it_is_lifted_in_the_store_when_nobody_runs(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        await tell(shop, event="DISABLED")
    assert (await run(tmp_path, "templates", "clear", "offer")).stdout == "Lifted at sandbox: disabled\n"
    async with a_shop(tmp_path) as shop:
        assert await left_as(shop) == "offer/en_US"
