"""What clients are told, and the lanes in which it waits."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.delivery import AttemptStatus, Cause, Failed, PacePolicy, Retry, Submitted
from gateway.domain.errors import ProviderError
from gateway.domain.message import HANDED_OVER, Status
from gateway.ports import Delivery, StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, CONTACT, REFUSAL, SENDER, TOO_LATE, a_contact, a_report, an_inbound

URL = "https://desk.example.com/status"
LISTENING = StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT, "crm")})
HOOK, CRM = f"client:{CLIENT}", "client:crm"


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(LISTENING)


def statuses(told: list[tuple[str, Any]], endpoint: str = HOOK) -> list[str]:
    return [body["data"]["status"] for name, body in told if name == endpoint]


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_an_inbound_message_goes_to_every_client_that_listens(bench: Bench) -> None:
    await bench.ingest(an_inbound(text="Where is it?", raw={"odd": ["field"]}, provider_message_id="wamid.1"))
    told = dict(await bench.told())
    assert set(told) == {HOOK, CRM}
    facts = told[CRM]["data"]
    assert told[CRM]["type"] == "message.received"
    assert (facts["text"], facts["contact"], facts["id"]) == ("Where is it?", CONTACT, "wamid.1")
    assert facts["raw"] == {"odd": ["field"]}


async def test_a_status_goes_to_the_client_that_posted_the_message(bench: Bench) -> None:
    message_id = await bench.submitted("429")
    await bench.ingest(a_report(AttemptStatus.DELIVERED, provider_message_id="429", raw={"id": 429}))
    told = await bench.told()
    assert {endpoint for endpoint, _ in told} == {HOOK}
    assert statuses(told) == ["submitted", "delivered"]
    assert told[1][1]["data"]["message_id"] == str(message_id)
    assert told[1][1]["data"]["raw"] == {"id": 429}


async def test_a_client_that_does_not_listen_is_told_nothing(bench: Bench) -> None:
    await bench.submitted(client="bot")
    assert await bench.told() == []


async def test_a_failure_is_told_with_the_provider_s_words(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(Failed(error=REFUSAL))
    ((_, body),) = await bench.told()
    assert body["data"]["error"] == {"code": 1, "name": REFUSAL.name, "message": REFUSAL.message}


async def test_the_sequence_counts_what_is_told_of_a_conversation(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    await bench.submitted("1")
    await bench.ingest(an_inbound(), an_inbound(contact=a_contact(2)))
    sequences = [body["data"]["sequence"] for endpoint, body in await bench.told() if endpoint == HOOK]
    assert sequences == [1, 2, 3, 1]


async def test_the_callback_url_is_told_each_change_of_the_number_that_it_shows(bench: Bench) -> None:
    message_id = await bench.submitted("429", callback_url=URL, client="bot")
    for status in (AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.READ):
        await bench.ingest(a_report(status, provider_message_id="429"))
    assert await bench.told() == [
        (URL, {"message_id": message_id, "status": 0}),
        (URL, {"message_id": message_id, "status": 1}),
    ]


async def test_all_addresses_that_a_client_has_on_one_server_are_one_endpoint(bench: Bench) -> None:
    for number in range(2):
        await bench.submitted(callback_url=f"{URL}?id={number}", client="bot", contact=a_contact(number))
    deliveries = (await bench.deliveries()).deliveries
    assert {one.endpoint for one in deliveries} == {"url:bot:https://desk.example.com"}
    assert [one.url for one in deliveries] == [f"{URL}?id=0", f"{URL}?id=1"]


async def test_a_message_that_goes_back_to_the_queue_is_shown_as_pending_again(bench: Bench) -> None:
    await bench.submitted("429", callback_url=URL, client="bot")
    await bench.ingest(a_report(AttemptStatus.WINDOW_CLOSED, provider_message_id="429", error=TOO_LATE))
    assert [body["status"] for _, body in await bench.told()] == [0, 5]


async def test_every_way_to_end_is_told(bench: Bench) -> None:
    message_id = await bench.post(callback_url=URL)
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    await bench.post(contact=a_contact(2))
    bench.pass_time(24 * 3600)
    await bench.store.expire(now=bench.now)
    told = await bench.told()
    assert statuses(told) == ["cancelled", "expired"]
    assert (URL, {"message_id": message_id, "status": 3}) in told


async def test_bodies_are_compact_ascii(bench: Bench) -> None:
    await bench.ingest(an_inbound(text="Де моє замовлення? 📦"))
    delivery = (await bench.deliveries(1)).deliveries[0]
    assert delivery.body.isascii()
    assert b'": ' not in delivery.body
    assert json.loads(delivery.body)["data"]["text"] == "Де моє замовлення? 📦"


# --- lanes ----------------------------------------------------------------------------------------------------------


async def received(bench: Bench, *texts: str, contact: int = 1) -> None:
    await bench.ingest(*(an_inbound(text=text, contact=a_contact(contact)) for text in texts))


def texts(deliveries: tuple[Delivery, ...], endpoint: str = HOOK) -> list[str]:
    return [json.loads(one.body)["data"]["text"] for one in deliveries if one.endpoint == endpoint]


async def fail(bench: Bench, delivery: Delivery, *, again_in: float, holds: float) -> None:
    await bench.store.deliver_again(
        delivery,
        due_at=bench.now + timedelta(seconds=again_in),
        hold_until=bench.now + timedelta(seconds=holds),
        error="503",
        now=bench.now,
    )


async def test_only_the_head_of_a_lane_is_given_out(bench: Bench) -> None:
    await received(bench, "one", "two")
    first = (await bench.deliveries()).deliveries
    assert texts(first) == ["one"]
    assert (await bench.deliveries()).deliveries == ()
    await bench.store.delivered(first[0], now=bench.now)
    assert len((await bench.deliveries()).deliveries) == 1


async def test_a_failed_notice_holds_its_lane_for_a_while_and_then_is_passed(bench: Bench) -> None:
    await received(bench, "one", "two")
    for delivery in (await bench.deliveries()).deliveries:
        await fail(bench, delivery, again_in=300, holds=30)
    waiting = await bench.deliveries()
    assert (waiting.deliveries, waiting.again_at) == ((), bench.now + timedelta(seconds=30))
    bench.pass_time(30)
    assert texts((await bench.deliveries()).deliveries) == ["two"]
    bench.pass_time(270)
    retried = (await bench.deliveries()).deliveries
    assert texts(retried) == ["one"]
    assert retried[0].tries == 1


async def test_a_retry_keeps_the_id_of_its_event(bench: Bench) -> None:
    await received(bench, "one")
    first = (await bench.deliveries(1)).deliveries[0]
    await fail(bench, first, again_in=5, holds=5)
    bench.pass_time(5)
    again = {one.endpoint: one for one in (await bench.deliveries()).deliveries}[first.endpoint]
    assert (again.event_id, again.body) == (first.event_id, first.body)


async def test_what_was_given_up_stays_visible_and_holds_nobody_up(opened_file: Opener) -> None:
    bench = await opened_file(LISTENING)
    await received(bench, "one", "two")
    for delivery in (await bench.deliveries()).deliveries:
        await bench.store.give_up(delivery, error="410", now=bench.now)
    assert texts((await bench.deliveries()).deliveries) == ["two"]
    assert (
        bench.query("select state, error, tries from notice where ended_at is not null") == [("failed", "410", 1)] * 2
    )


async def test_one_endpoint_s_trouble_is_not_another_s(bench: Bench) -> None:
    await received(bench, "one", "two")
    for delivery in (await bench.deliveries()).deliveries:
        if delivery.endpoint == HOOK:
            await fail(bench, delivery, again_in=300, holds=30)
        else:
            await bench.store.delivered(delivery, now=bench.now)
    assert texts((await bench.deliveries()).deliveries, CRM) == ["two"]


async def test_endpoints_take_turns(bench: Bench) -> None:
    for number in range(5):
        await received(bench, "one", contact=number)
    first = (await bench.deliveries(4)).deliveries
    assert sorted(one.endpoint for one in first) == [CRM, CRM, HOOK, HOOK]


async def test_turns_go_on_from_one_claim_to_the_next(bench: Bench) -> None:
    for number in range(3):
        await received(bench, "one", contact=number)
    served = []
    for _ in range(6):
        served.append((await bench.deliveries(1)).deliveries[0].endpoint)
        bench.pass_time(0.001)
    assert served[:2] * 3 == served
    assert set(served) == {HOOK, CRM}


async def test_an_excluded_endpoint_is_not_asked(bench: Bench) -> None:
    await received(bench, "one")
    assert [one.endpoint for one in (await bench.deliveries(excluding={HOOK})).deliveries] == [CRM]


async def test_a_lane_whose_worker_did_not_come_back_is_given_out_again(bench: Bench) -> None:
    await received(bench, "one")
    stale = (await bench.deliveries()).deliveries
    bench.pass_time(60)
    again = (await bench.deliveries()).deliveries
    assert [one.event_id for one in again] == [one.event_id for one in stale]
    await fail(bench, stale[0], again_in=300, holds=30)
    assert (await bench.deliveries()).deliveries == (), "a stale failure frees nothing"


async def test_a_late_success_counts_though_the_lane_was_taken_over(bench: Bench) -> None:
    await received(bench, "one", "two")
    (stale, *_) = (await bench.deliveries()).deliveries
    bench.pass_time(60)
    (current, *_) = [one for one in (await bench.deliveries()).deliveries if one.lane == stale.lane]
    await bench.store.delivered(stale, now=bench.now)
    assert (await bench.deliveries()).deliveries == (), "the lane is still the other worker's"
    await fail(bench, current, again_in=300, holds=30)
    assert texts((await bench.deliveries()).deliveries, stale.endpoint) == ["two"]


async def test_after_a_restart_nobody_holds_a_lane(opened_file: Opener) -> None:
    bench = await opened_file(LISTENING)
    await received(bench, "one")
    before = (await bench.deliveries()).deliveries
    await bench.reopen()
    assert [one.event_id for one in (await bench.deliveries()).deliveries] == [one.event_id for one in before]


async def test_notices_commit_with_what_caused_them(opened: Opener) -> None:
    """Whatever moves together, every status that is told has its notice, once."""
    bench = await opened(StorePolicy(listeners={SENDER: (CLIENT,)}, pace=PacePolicy(sender_per_second=1e6)))
    ids = await asyncio.gather(*(bench.post(contact=a_contact(number)) for number in range(20)))
    claims = (await bench.claims()).claims
    attempts = await asyncio.gather(*(bench.begun(claim) for claim in claims))
    outcomes = [
        Submitted(provider_message_id=str(number)) if number % 2 else Failed(error=REFUSAL) for number in range(20)
    ]
    await asyncio.gather(
        *(bench.record(claim, one, outcome) for claim, one, outcome in zip(claims, attempts, outcomes, strict=True))
    )
    told = [(int(body["data"]["message_id"]), body["data"]["status"]) for _, body in await bench.told()]
    assert sorted(told) == sorted([(message_id, (await bench.status(message_id)).value) for message_id in ids])


async def test_a_pause_is_told_to_nobody(bench: Bench) -> None:
    message_id = await bench.post(callback_url=URL)
    await bench.attempt(Retry(cause=Cause.THROTTLED, error=ProviderError(status=429)))
    assert await bench.told() == []
    assert await bench.status(message_id) not in HANDED_OVER
    assert await bench.status(message_id) is Status.QUEUED
