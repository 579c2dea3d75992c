"""By which id the provider knows a message of ours: its client's and its sender's alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.delivery import Submitted, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.identity import MessageId, Sender
from gateway.ports import StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, CONTACT, PROVIDER, SENDER


async def known_as(bench: Bench, message_id: int, *, client: str = CLIENT, sender: Sender = SENDER) -> str | None:
    return await bench.store.provider_id_of(MessageId(message_id), client=client, sender=sender)


async def test_a_message_that_was_taken_is_known_by_the_providers_id(bench: Bench) -> None:
    message_id = await bench.submitted("wamid.HBgL")
    assert await known_as(bench, message_id) == "wamid.HBgL"


@pytest.mark.parametrize(("client", "sender"), [("another", SENDER), (CLIENT, Sender("Other"))])
async def test_nobody_else_learns_it(bench: Bench, client: str, sender: Sender) -> None:
    message_id = await bench.submitted("wamid.HBgL")
    assert await known_as(bench, message_id, client=client, sender=sender) is None


async def test_a_message_that_does_not_exist_or_was_not_taken_yet_has_none(bench: Bench) -> None:
    message_id = await bench.post()
    assert await known_as(bench, message_id) is None
    assert await known_as(bench, 12345) is None
    await bench.attempt(Unknown(error=ProviderError()))
    assert await known_as(bench, message_id) is None


async def test_an_id_of_another_provider_is_none_for_this_one(opened_file: Opener) -> None:
    policy = StorePolicy(pace=QUICK, providers={SENDER: PROVIDER})
    bench = await opened_file(policy)
    message_id = await bench.submitted("429")
    assert await known_as(bench, message_id) == "429"
    await bench.reopen(replace(policy, providers={SENDER: "meta"}))
    assert await known_as(bench, message_id) is None


async def test_of_an_erased_contact_none_is_left(bench: Bench) -> None:
    message_id = await bench.submitted("wamid.HBgL")
    await bench.store.erase(CONTACT, run="r", by="test", now=bench.now)
    while await bench.store.erase_on(None, now=bench.now) is not None:
        pass
    assert await known_as(bench, message_id) is None


async def test_the_latest_attempt_with_one_counts(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.attempt(Submitted(provider_message_id="first"))
    await bench.change(
        "insert into attempt (message, number, token, status, is_template, started_at,"
        " provider_message_id) select message, 2, 'x', 'submitted', 0, started_at, 'second' from attempt"
    )
    assert await known_as(bench, message_id) == "second"
