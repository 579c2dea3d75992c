"""The straight way of an answer comes to the same as the general one: two stores, one history, every table compared."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.delivery import (
    AttemptStatus,
    Cause,
    DeliveryPolicy,
    Failed,
    OnUnknown,
    Outcome,
    Retry,
    Submitted,
    Unknown,
    WindowWasClosed,
)
from gateway.domain.errors import GatewayError
from gateway.domain.identity import Sender
from gateway.ports import Accepted, Attempt, Claim, StorePolicy
from gateway.store import attempts
from gateway.store.handing_over import hand_over
from tests.store.bench import QUICK, Bench
from tests.store.factories import (
    REFUSAL,
    TEXT,
    TOO_LATE,
    a_contact,
    a_downgrade,
    a_draft,
    a_report,
    a_send,
    an_inbound,
)

TOLD, UNTOLD = Sender("Told"), Sender("Untold")
_TABLES = ("conversation", "message", "attempt", "decision", "inbox", "lane", "notice", "endpoint", "sender", "backlog")
_RANDOM = {"event_id"}


@dataclass
class Twins:
    """Two stores that live through the same; the first one may take the straight way."""

    benches: tuple[Bench, Bench]
    straight: int = 0
    claims: list[tuple[Claim, Claim]] = field(default_factory=list)
    begun: list[tuple[tuple[Claim, Claim], Attempt]] = field(default_factory=list)
    runs: Iterator[int] = field(default_factory=lambda: count(1))
    at: int = 0

    async def both(self, act: Callable[[Bench], Awaitable[Any]]) -> tuple[Any, Any]:
        results: list[Any] = []
        for number, bench in enumerate(self.benches):
            self.at = number
            try:
                results.append(await act(bench))
            except GatewayError as error:
                results.append(type(error))
        return results[0], results[1]

    def hand_over(self, *args: Any, **options: Any) -> Any:
        recorded = None if self.at else hand_over(*args, **options)
        self.straight += recorded is not None
        return recorded


def token_of(message_id: int, number: int = 1) -> str:
    return f"{message_id}-{number}"


Step = Callable[[Twins, random.Random], Awaitable[Any]]


async def post(twins: Twins, rng: random.Random) -> None:
    may_begin = rng.choice([False, True])
    draft = a_draft(
        client=rng.choice(["listening", "quiet"]),
        sender=rng.choice([TOLD, UNTOLD]),
        contact=a_contact(rng.randrange(3)),
        callback_url=rng.choice([None, None, "https://app.example.com/statuses"]),
        wait=rng.choice([None, None, timedelta(seconds=20)]),
    )
    decision = rng.choice([a_send(draft.content), a_downgrade()])
    first, second = await twins.both(
        lambda bench: bench.store.enqueue(
            draft,
            lambda _: decision,
            now=bench.now,
            downgrades_since=bench.now - timedelta(hours=24),
            may_begin=may_begin,
        )
    )
    if isinstance(first, Accepted) and first.begun is not None:
        twins.begun.append(((first.begun[0], second.begun[0]), first.begun[1]))


async def begin(twins: Twins, rng: random.Random) -> None:
    sender = rng.choice([TOLD, UNTOLD])
    first, second = await twins.both(lambda bench: bench.claims(2, sender=sender))
    for pair in zip(first.claims, second.claims, strict=True):
        claim = pair[0]
        number = claim.attempts + 1
        token = token_of(claim.message.id, number)
        attempt = Attempt(message_id=claim.message.id, number=number, token=token, content=TEXT)
        if all(
            await twins.both(
                lambda bench, of=pair, a=attempt: bench.store.begin(of[twins.at], a, a_send(), now=bench.now)
            )
        ):
            twins.begun.append((pair, attempt))


async def record(twins: Twins, rng: random.Random) -> None:
    if not twins.begun:
        return
    pair, attempt = twins.begun.pop(rng.randrange(len(twins.begun)))
    outcome = _outcome(rng)
    await twins.both(lambda bench: bench.store.record(pair[twins.at], attempt, outcome, now=bench.now))
    if rng.random() < 0.1:  # its commit seemed to fail, and did not
        await twins.both(lambda bench: bench.store.record(pair[twins.at], attempt, outcome, now=bench.now))


def _outcome(rng: random.Random) -> Outcome:
    others = (Failed(error=REFUSAL), WindowWasClosed(error=TOO_LATE), Unknown(error=REFUSAL))
    retry = Retry(cause=rng.choice(list(Cause)), error=REFUSAL)
    taken = Submitted(provider_message_id=rng.choice([None, *[f"p{number}" for number in range(9)]]))
    return taken if rng.random() < 0.6 else rng.choice([*others, retry])


async def report(twins: Twins, rng: random.Random) -> None:
    status = rng.choice(
        [AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.FAILED, AttemptStatus.WINDOW_CLOSED]
    )
    by_token = {"attempt": token_of(rng.randrange(1, 20), rng.choice([1, 1, 2]))}
    by_id = {"provider_message_id": f"p{rng.randrange(9)}"}
    arrival, provider = a_report(status, **rng.choice([by_token, by_id])), rng.choice(["dt", "other"])
    await twins.both(lambda bench: bench.ingest(arrival, provider=provider))


async def write(twins: Twins, rng: random.Random) -> None:
    arrival = an_inbound(sender=rng.choice([TOLD, UNTOLD]), contact=a_contact(rng.randrange(3)))
    await twins.both(lambda bench: bench.ingest(arrival))


async def erase(twins: Twins, rng: random.Random) -> None:
    contact, run = a_contact(rng.randrange(3)), f"run {next(twins.runs)}"
    await twins.both(lambda bench: bench.store.erase(contact, run=run, by="operator", now=bench.now))
    if rng.random() < 0.5:
        await twins.both(lambda bench: bench.store.erase_on(run, now=bench.now))


async def pass_time(twins: Twins, rng: random.Random) -> None:
    seconds = rng.choice([1, 30, 70])
    for bench in twins.benches:
        bench.pass_time(seconds)


STEPS: tuple[Step, ...] = (*[post] * 6, *[begin] * 4, *[record] * 8, *[report] * 4, write, write, erase, pass_time)


async def state(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    def read(ledger: Any) -> dict[str, list[dict[str, Any]]]:
        return {
            table: [_meant(dict(row)) for row in ledger.db.execute(f"select * from {table} order by rowid")]  # noqa: S608
            if table not in ("endpoint", "sender", "backlog")
            else [dict(row) for row in ledger.db.execute(f"select * from {table} order by 1, 2")]  # noqa: S608
            for table in _TABLES
        }

    return await bench.store._run(read)


def _meant(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is drawn at random, and a lease that was over when its message left the line."""
    if "rests_until" in row and row["rests_until"] is None:
        row["leased_until"] = None
    return {name: _plain(value) for name, value in row.items() if name not in _RANDOM}


def _plain(value: Any) -> Any:
    """Digests are under a key of each store's own."""
    return re.sub("erased:[0-9a-f]+", "erased:", value) if isinstance(value, str) else value


async def live(twins: Twins, seed: int, steps: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - to be drawn again
    for _ in range(steps):
        await rng.choice(STEPS)(twins, rng)
        assert await state(twins.benches[0]) == await state(twins.benches[1])


async def _whole(seed: int, policy: StorePolicy, patch: pytest.MonkeyPatch) -> int:
    twins = Twins(benches=(await Bench.open("memory:", policy), await Bench.open("memory:", policy)))
    drawn = [count(1), count(1)]
    patch.setattr("gateway.store.intake.draw_message_id", lambda _: next(drawn[twins.at]))
    patch.setattr("gateway.store.intake.draw_token", token_of)
    patch.setattr(attempts, "hand_over", twins.hand_over)
    try:
        await live(twins, seed, 40)
    finally:
        for bench in twins.benches:
            await bench.store.aclose()
    return twins.straight


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    on_unknown=st.sampled_from(OnUnknown),
    pause_after=st.sampled_from([0, 2, 3]),
    observing=st.booleans(),
)
def test_both_ways_come_to_the_same(seed: int, on_unknown: OnUnknown, pause_after: int, *, observing: bool) -> None:
    policy = StorePolicy(
        pace=QUICK,
        delivery=DeliveryPolicy(on_unknown=on_unknown, pause_after=pause_after),
        listeners={TOLD: ("listening",)},
        providers={TOLD: "dt", UNTOLD: "other"},
        observing=frozenset({UNTOLD} if observing else ()),
    )
    with pytest.MonkeyPatch.context() as patch:
        asyncio.run(_whole(seed, policy, patch))


def test_the_straight_way_is_taken() -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert sum(asyncio.run(_whole(seed, StorePolicy(pace=QUICK), patch)) for seed in range(20)) > 10
