"""What the provider lists, from end to end: health follows it, and messages that only our file allows never leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway import template_refresh
from tests.gateway.people import CONTACT, SHOP, Shop, a_listed_shop, a_shop

NAMED = [{"type": "BODY", "text": "Hello {{1}} from the shop"}]
_contacts = count()


@pytest.fixture(autouse=True)
def every_event_is_logged() -> None:
    """Whatever a command that ran in this process before has configured."""
    structlog.reset_defaults()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_listed_shop(tmp_path) as shop:
        await health(shop, "offer", lambda known: known["status"] == "APPROVED")
        yield shop


async def health(shop: Shop, name: str, is_so: Any) -> Any:
    """What is known of the template at the provider, once it is so."""
    async with asyncio.timeout(20):
        while True:
            known = (await shop.get(f"/v1/templates/{name}/en_US"))["health"]["sandbox"]
            if is_so(known):
                return known
            await asyncio.sleep(0.01)


async def change(shop: Shop, name: str = "offer", **fields: Any) -> None:
    """The template is another one there, and the list is read again."""
    await shop.play("/clock", advance="1m")
    await shop.play("/templates", template=name, **fields)
    await reread(shop)


async def reread(shop: Shop) -> template_refresh.Next:
    return await shop.gateway.refreshes.of["sandbox"].once()


async def left_as(shop: Shop) -> str:
    """With which template a text to somebody else leaves."""
    contact = str(380_670_000_000 + next(_contacts))
    message = await shop.ends(await shop.post(destination_addr=contact), "delivered")
    return str(message["decision"]["template"])


async def rewrite(shop: Shop, name: str, components: list[Any], fill: list[str]) -> None:
    """Our file says so now, and the gateway has taken it."""
    path = shop.folder / "templates" / f"{name}.en_US.yaml"
    head = path.read_text().partition("components:")[0]
    path.write_text(f"{head}components: {json.dumps(components)}\nfill: {json.dumps({'body': fill})}\n")
    assert await shop.gateway.reload()


# --- health -----------------------------------------------------------------------------------------------------------


async def test_a_template_that_is_listed_as_paused_makes_room_for_the_next_rung_until_it_is_not(shop: Shop) -> None:
    assert await left_as(shop) == "offer/en_US"
    await change(shop, status="PAUSED")
    assert await left_as(shop) == "parcel/en_US"
    status, body = await shop.post_template("offer")
    assert (status, body["name"]) == (400, "Invalid Parameter: template_name")
    await change(shop, status="APPROVED", quality_score={"score": "YELLOW"})
    assert await left_as(shop) == "offer/en_US"
    assert (await health(shop, "offer", bool))["quality"] == "YELLOW"


async def test_a_reading_that_says_nothing_new_is_not_told_again(shop: Shop) -> None:
    with capture_logs() as told:
        await shop.play("/clock", advance="1m")
        await reread(shop)
    assert [event["event"] for event in told if event["event"].startswith("template")] == ["template_list.read"]


# --- drift ------------------------------------------------------------------------------------------------------------


async def test_a_rung_that_fits_the_file_and_not_what_is_registered_is_passed_over(shop: Shop) -> None:
    with capture_logs() as told:
        await change(shop, components=NAMED)
        await reread(shop)
    drifted = [event for event in told if event["event"] == "template.drifted"]
    assert [(one["template"], one["differs"]) for one in drifted] == [
        ("offer/en_US", "body takes 1 parameter there, nothing here")
    ]
    message = await shop.ends(await shop.post(), "delivered")
    assert [attempt["status"] for attempt in message["attempts"]] == ["delivered"]
    offer, parcel = message["decision"]["evidence"]["rungs"]
    assert offer["problem"].startswith("drift: $.template.components: expected exactly one body component")
    assert parcel["problem"] is None
    assert (await health(shop, "offer", bool))["drift"] == "body takes 1 parameter there, nothing here"


async def test_the_route_and_the_command_explain_a_drift_alike(shop: Shop) -> None:
    await change(shop, components=NAMED)
    await reread(shop)
    body = {"from": SHOP, "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
    told = await shop.run("explain", "--from", SHOP, "--to", CONTACT, "--text", "Hello", "--json")
    assert told.exit_code == 0, told.output
    command, route = json.loads(told.stdout.splitlines()[-1]), await shop.explain(body)
    assert (command["template"], command["rungs"]) == (route["template"], route["rungs"])
    assert command["rungs"][0]["problem"] == "drift"


async def test_one_odd_definition_there_hides_no_drift_of_another(shop: Shop) -> None:
    odd = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": True}]}
    await shop.play("/templates", template="parcel", components=[{"type": "BODY", "text": "Hi"}, odd])
    await change(shop, components=NAMED)
    await reread(shop)
    assert (await health(shop, "offer", bool))["drift"] == "body takes 1 parameter there, nothing here"


async def test_what_waits_is_decided_again_by_what_is_registered_when_it_leaves(shop: Shop) -> None:
    await shop.play("/faults", error=500, count=1)
    posted = await shop.post()
    while not (await shop.ends(posted, "queued", "sending"))["attempts"]:
        await asyncio.sleep(0.01)
    await shop.ends(posted, "queued")
    await shop.play("/templates", template="offer", components=NAMED)
    await reread(shop)
    await shop.play("/clock", advance="1m")
    message = await shop.ends(posted, "delivered")
    assert message["decision"]["template"] == "parcel/en_US"


async def test_a_requested_template_that_is_another_one_there_is_refused_with_what_it_takes_there(shop: Shop) -> None:
    await change(shop, components=NAMED)
    status, body = await shop.post_template("offer")
    assert (status, body["code"]) == (400, 1)
    assert "the template that is registered at the provider differs from its file" in body["message"]
    assert (await shop.get("/v1/messages"))["messages"] == []


async def test_other_words_alone_stop_nothing(shop: Shop) -> None:
    await change(shop, components=[{"type": "BODY", "text": "Good day from the shop"}])
    assert (await health(shop, "offer", bool))["drift"] == "customers read other texts there than here"
    assert await left_as(shop) == "offer/en_US"


async def test_the_drift_is_counted_and_is_gone_with_the_corrected_file(shop: Shop) -> None:
    await change(shop, components=NAMED)
    async with shop.http.get(f"{shop.gateway.base_url}/metrics") as answer:
        metrics = await answer.text()
    assert 'gateway_templates_drifted{provider="sandbox"} 1.0' in metrics
    assert 'gateway_template_list_reads_total{outcome="read",provider="sandbox"}' in metrics
    await rewrite(shop, "offer", NAMED, ["you"])
    assert (await health(shop, "offer", bool))["drift"] is None
    assert await left_as(shop) == "offer/en_US"


async def test_a_file_that_goes_ahead_of_the_provider_drifts_with_the_reload(shop: Shop) -> None:
    await rewrite(shop, "offer", NAMED, ["you"])
    assert (await health(shop, "offer", bool))["drift"] == "body takes nothing there, 1 parameter here"
    assert await left_as(shop) == "parcel/en_US"


async def test_what_a_list_said_that_is_no_longer_configured_counts_no_more(tmp_path: Path) -> None:
    async with a_listed_shop(tmp_path) as shop:
        await change(shop, components=NAMED)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().partition(", templates: {base_url")[0] + path.read_text().partition("24h}")[2])
    async with a_shop(tmp_path) as shop:
        assert (await health(shop, "offer", bool))["drift"] is None


async def test_a_definition_that_we_do_not_understand_is_told_and_stops_nothing(shop: Shop) -> None:
    with capture_logs() as told:
        await change(shop, components=[{"type": "BODY", "text": "Hello {{1}} and {{3}} from us"}])
    assert [one["template"] for one in told if one["event"] == "template.unreadable"] == ["offer/en_US"]
    assert (await health(shop, "offer", bool))["drift"] is None


# --- callbacks --------------------------------------------------------------------------------------------------------


async def components_changed(shop: Shop) -> None:
    value = {"message_template_name": "offer", "message_template_language": "en_US", "message_template_element": "x"}
    change = {"field": "message_template_components_update", "value": value}
    clock = await shop.play("/clock", advance="1s")
    entry = {"id": "1", "time": clock["now"], "changes": [change]}
    url = shop.gateway.addresses.callback_url(shop.gateway.config.providers[0])
    async with shop.http.post(url, json={"object": "whatsapp_business_account", "entry": [entry]}) as answer:
        assert answer.status == 200, await answer.text()


async def test_news_of_changed_components_has_the_list_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_refresh, "ASKED_AT_MOST_EACH", timedelta(0))
    async with a_listed_shop(tmp_path) as shop:
        await health(shop, "offer", lambda known: known["status"] == "APPROVED")
        await shop.play("/templates", template="offer", components=NAMED)
        await components_changed(shop)
        known = await health(shop, "offer", lambda known: known["drift"] is not None)
        assert known["components_changed_at"] is not None


async def test_without_a_list_news_of_changed_components_is_told(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        with capture_logs() as told:
            await components_changed(shop)
        assert [one["template"] for one in told if one["event"] == "template.components_changed"] == ["offer/en_US"]
