"""Whose a customer's message is, and what it does to the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import SenderConfig
from gateway.domain.callback import CallbackEvent, IdentityChange, InboundMessage, StatusReport, Unrecognized
from gateway.domain.identity import Contact, Sender
from gateway.ingest import Directory, Ingest
from gateway.metrics import Metrics, Names
from gateway.ports import Arrival, Ingested

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP = SenderConfig(id=Sender("Shop"), provider="dt", aliases=("380441234567",), phone_number_id="1063")
BANK = SenderConfig(id=Sender("Bank"), provider="dt")


class StandingClock:
    def now(self) -> datetime:
        return NOW

    async def wake(self) -> None:
        raise AssertionError("nobody sleeps here")


class Kept:
    """An inbox that keeps what it is given."""

    arrivals: Sequence[Arrival] = ()

    async def ingest(self, provider: str, arrivals: Sequence[Arrival], *, now: datetime) -> Ingested:
        self.arrivals = arrivals
        return Ingested(applied=len(arrivals))

    async def sweep(self, *, now: datetime, limit: int = 500) -> int:
        return 0


async def arrival(
    event: CallbackEvent,
    *senders: SenderConfig,
    use_arrival: bool = False,
    also_opened_by: frozenset[str] = frozenset(),
) -> Arrival:
    inbox = Kept()
    ingest = Ingest(
        inbox=inbox,
        clock=StandingClock(),
        directories={"dt": Directory.of(senders, use_arrival=use_arrival)},
        also_opened_by=also_opened_by,
        notify=lambda: None,
        metrics=Metrics(Names()),
    )
    await ingest("dt", [event])
    return inbox.arrivals[0]


def an_inbound(*names: str, at: datetime | None = NOW, kind: str = "text") -> InboundMessage:
    return InboundMessage(contact=Contact("380501234567"), kind=kind, dedupe="m:1", raw={}, sender_names=names, at=at)


@pytest.mark.parametrize("name", ["Shop", "380441234567", "+380 44 123-45-67", "00380441234567", "1063"])
async def test_a_sender_is_known_by_its_id_its_aliases_and_its_phone_number_id(name: str) -> None:
    assert (await arrival(an_inbound(name), SHOP, BANK)).sender == "Shop"


async def test_the_first_name_that_is_known_counts() -> None:
    assert (await arrival(an_inbound("999", "380441234567"), SHOP, BANK)).sender == "Shop"


async def test_a_message_that_names_nobody_belongs_to_the_only_sender() -> None:
    assert (await arrival(an_inbound(), BANK)).sender == "Bank"


@pytest.mark.parametrize("names", [(), ("Nobody",)])
async def test_with_several_senders_what_names_none_of_them_opens_nothing(names: tuple[str, ...]) -> None:
    kept = await arrival(an_inbound(*names), SHOP, BANK)
    assert (kept.sender, kept.problem, kept.opened_at) == (None, "unattributed", None)


async def test_a_name_that_is_none_of_ours_is_not_taken_for_the_only_sender() -> None:
    assert (await arrival(an_inbound("Nobody"), BANK)).problem == "unattributed"


async def test_a_time_later_than_arrival_counts_as_arrival() -> None:
    assert (await arrival(an_inbound(at=NOW + timedelta(hours=3)), SHOP)).opened_at == NOW


async def test_a_message_without_a_time_opens_nothing_unless_the_operator_chose_arrival() -> None:
    assert (await arrival(an_inbound(at=None), SHOP)).opened_at is None
    chosen = await arrival(an_inbound(at=None), SHOP, use_arrival=True)
    assert (chosen.opened_at, chosen.evidence) == (NOW, "arrival")


async def test_a_call_opens_the_window_and_the_evidence_says_so() -> None:
    called = await arrival(an_inbound(kind="call"), SHOP)
    assert (called.opened_at, called.evidence) == (NOW, "call")


async def test_a_reaction_opens_nothing_unless_the_operator_counts_it() -> None:
    assert (await arrival(an_inbound(kind="reaction"), SHOP)).opened_at is None
    counted = await arrival(an_inbound(kind="reaction"), SHOP, also_opened_by=frozenset({"reaction"}))
    assert counted.opened_at == NOW


async def test_statuses_open_nothing_and_the_rest_is_kept_as_unrecognized() -> None:
    status = await arrival(StatusReport(dedupe="s", raw={}, status=None), SHOP)
    assert (status.opened_at, status.problem) == (None, None)
    assert (await arrival(Unrecognized(dedupe="u", raw={}, why="x"), SHOP)).problem == "unrecognized"


@pytest.mark.parametrize(
    ("names", "sender", "problem"),
    [(("1063",), "Shop", None), ((), None, None), (("999",), None, "unattributed")],
)
async def test_a_change_of_ids_is_that_of_the_sender_that_is_named_or_of_all(
    names: tuple[str, ...], sender: str | None, problem: str | None
) -> None:
    ids = {"previous": (Contact("US.1"),), "current": (Contact("US.2"),)}
    came = await arrival(IdentityChange(dedupe="i", raw={}, sender_names=names, **ids), SHOP, BANK)
    assert (came.sender, came.problem) == (sender, problem)
