"""What the platform publishes comes in as a callback and goes out to a client as it came, but for ids of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.callback import CallbackEvent, InboundMessage, StatusReport
from gateway.domain.subscription import Format, Subscription
from gateway.domain.wamid import wamid
from gateway.ports import Arrival, StorePolicy
from gateway.provider.callback_decoder import callback_decoder
from tests.provider.factories import a_provider
from tests.store.bench import QUICK, Bench
from tests.store.factories import CLIENT, PROVIDER, SENDER

SAMPLES = Path(__file__).resolve().parents[1].parent / "shared" / "samples"
DECODE = callback_decoder(a_provider())
OURS = "an id of ours"
SUBSCRIPTION = Subscription(format=Format.CLOUD_API)
POLICY = StorePolicy(
    pace=QUICK,
    listeners={SENDER: (CLIENT,)},
    subscriptions={CLIENT: SUBSCRIPTION},
    providers={SENDER: PROVIDER},
)


def sampled(name: str) -> list[Any]:
    """The published callbacks that hold a message, or a status."""
    bodies = {path.stem: path.read_bytes() for path in sorted(SAMPLES.glob("wh_*.json"))}
    skipped = pytest.mark.skip(reason="no published callbacks at hand")
    return [
        pytest.param(body, id=stem)
        for stem, body in bodies.items()
        if any(value.get(name) for value in values_in(json.loads(body)))
    ] or [pytest.param(None, marks=skipped)]


def values_in(body: Any) -> Iterator[dict[str, Any]]:
    yield from (change["value"] for entry in body.get("entry", ()) for change in entry["changes"])


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = await Bench.open("memory:", POLICY)
    yield bench
    await bench.store.aclose()


async def told(bench: Bench) -> list[dict[str, Any]]:
    """The values of what the client receives; each body holds one, as most read no further."""
    bodies = [body for _, body in await bench.told()]
    assert [set(body) for body in bodies] == [{"object", "entry"}] * len(bodies)
    assert [[len(entry["changes"]) for entry in body["entry"]] for body in bodies] == [[1]] * len(bodies)
    return [value for body in bodies for value in values_in(body)]


def arrival(event: CallbackEvent) -> Arrival:
    return Arrival(event=event, sender=SENDER if isinstance(event, InboundMessage) else None)


@pytest.mark.parametrize("body", sampled("messages"))
async def test_a_message_goes_out_as_the_platform_sent_it(bench: Bench, body: bytes) -> None:
    (came,) = values_in(json.loads(body))
    await bench.ingest(*(arrival(event) for event in DECODE(body)))
    values = await told(bench)
    assert [value["messages"] for value in values] == [[message] for message in came["messages"]]
    for value in values:
        assert value["metadata"] == came["metadata"]
        assert {key: value[key] for key in came if key not in ("messages", "contacts")} == {
            key: came[key] for key in came if key not in ("messages", "contacts")
        }
        assert all(contact["user_id"] for contact in value["contacts"])
        without = [{key: one[key] for key in one if key != "user_id"} for one in value["contacts"]]
        known = [{key: one[key] for key in one if key != "user_id"} for one in came.get("contacts", without)]
        assert without == known


@pytest.mark.parametrize("body", sampled("statuses"))
async def test_a_status_goes_out_with_the_client_s_own_id_and_word_and_nothing_else_changed(
    bench: Bench, body: bytes
) -> None:
    (came,) = values_in(json.loads(body))
    (status,) = came["statuses"]
    message_id = await bench.submitted(status["id"], opaque=OURS, contact=status.get("recipient_id", "16505551234"))
    (event,) = DECODE(body)
    assert isinstance(event, StatusReport)
    await bench.ingest(arrival(event))
    (value,) = await told(bench)
    (sent,) = value["statuses"]
    assert sent["id"] == wamid(message_id)
    assert sent["biz_opaque_callback_data"] == OURS
    ours = ("id", "biz_opaque_callback_data", "recipient_id", "recipient_user_id")
    kept, came_as = ({key: one[key] for key in one if key not in ours} for one in (sent, status))
    assert kept == came_as
    for key in ("recipient_id", "recipient_user_id"):
        assert sent[key]
        assert sent[key] == status.get(key, sent[key])
    assert all(contact["user_id"] for contact in value["contacts"])
