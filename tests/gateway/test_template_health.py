"""Templates that the provider won't send, from end to end: the next rung stands in, until there is better news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.people import SHOP, Shop, a_shop, left_as, tell


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as shop:
        yield shop


async def test_a_refused_fallback_makes_room_for_the_next_rung_and_for_all_that_follow(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132015, template="offer", count=1)
    first = await shop.ends(await shop.post(), "delivered")
    assert [attempt["status"] for attempt in first["attempts"]] == ["template_refused", "delivered"]
    assert first["decision"]["template"] == "parcel/en_US"
    second = await shop.ends(await shop.post(destination_addr="380671234567"), "delivered")
    assert len(second["attempts"]) == 1
    offer, parcel = second["decision"]["evidence"]["rungs"]
    assert offer["problem"].startswith("refused_recently: 132015 until ")
    assert (parcel["name"], parcel["problem"]) == ("parcel", None)


async def test_it_is_used_again_once_it_is_approved(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132015, template="offer", count=1)
    assert await left_as(shop) == "parcel/en_US"
    await tell(shop, event="APPROVED", reason="NONE", message_template_category="MARKETING")
    assert await left_as(shop, destination_addr="380671234567") == "offer/en_US"


async def test_it_is_tried_again_when_the_platform_s_pause_is_over(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132015, template="offer", count=1)
    await left_as(shop)
    await shop.play("/clock", advance="3h")
    assert await left_as(shop, destination_addr="380671234567") == "offer/en_US"


async def test_a_refusal_that_comes_in_a_status_does_the_same(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132001, template="offer", count=1, sender=SHOP)
    await shop.play("/faults", late_refusals=1)
    first = await shop.ends(await shop.post(), "delivered")
    assert [attempt["status"] for attempt in first["attempts"]] == ["template_refused", "delivered"]


async def test_a_requested_template_that_is_paused_is_refused_at_once_and_until_when_is_said(shop: Shop) -> None:
    await tell(shop, event="PAUSED", other_info={"title": "FIRST_PAUSE"})
    status, body = await shop.post_template("offer")
    assert (status, body["code"], body["name"]) == (400, 1, "Invalid Parameter: template_name")
    assert body["message"].startswith("expected a template that may be sent now, this one is paused: until ")
    assert await left_as(shop) == "parcel/en_US"
    await tell(shop, event="APPROVED", other_info={"title": "UNPAUSE"})
    await shop.ends(await shop.post_template("offer"), "delivered")


async def test_a_requested_template_that_the_provider_refuses_has_failed(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132016, count=1)
    message = await shop.ends(await shop.post_template("offer"), "failed")
    assert (message["error"]["code"], len(message["attempts"])) == (132016, 1)


async def test_when_every_rung_is_refused_the_message_has_failed_and_each_rung_says_why(shop: Shop) -> None:
    await shop.play("/faults", refuse_template=132001)
    message = await shop.ends(await shop.post(), "failed")
    assert [attempt["status"] for attempt in message["attempts"]] == ["template_refused", "template_refused"]
    problems = [rung["problem"].partition(":")[0] for rung in message["decision"]["evidence"]["rungs"]]
    assert (problems, message["decision"]["reasons"][-1]) == (["refused_recently"] * 2, "no_rung")
    status, body = await shop.post(destination_addr="380671234567")
    assert (status, body["code"]) == (400, 7)


async def test_a_template_that_becomes_marketing_is_kept_from_a_contact_that_stopped_that(shop: Shop) -> None:
    await shop.prefers("stop")
    assert await left_as(shop) == "parcel/en_US"
    await tell(
        shop,
        "template_category_update",
        message_template_name="parcel",
        new_category="UTILITY",
        correct_category="MARKETING",
    )
    status, body = await shop.post_template("parcel")
    assert (status, body["name"]) == (400, "Invalid Parameter: destination_addr")
    assert body["message"].endswith("for marketing")


async def test_what_is_known_outlives_a_restart(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        await tell(shop, event="DISABLED")
    async with a_shop(tmp_path) as shop:
        assert await left_as(shop) == "parcel/en_US"
