"""What every part of the state machine stands on: the store, its clocks, the model, and what both know of so far."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from gateway.domain.compliance import Decision, Downgrade, Refuse, Send
from gateway.domain.delivery import DeliveryPolicy, OnUnknown
from gateway.domain.identity import Contact
from gateway.domain.message import Content
from gateway.ports import Arrival, Delivery, Ingested, Store, StorePolicy
from gateway.store import open_store
from tests.model.model import Model
from tests.model.posted import Posted
from tests.model.world import BOUNDLESS, FALLBACKS, LIMIT, MARGIN, NOON, PER, SENDER, TEXT, WANTED, InHand, Sent

T = TypeVar("T")
Verb = TypeVar("Verb", bound=Callable[..., None])
Step = tuple[str, dict[str, Any]]
PICK = st.integers(0, 7)


def move(*, when: Callable[[Any], Any] = lambda _: True, **arguments: st.SearchStrategy[Any]) -> Callable[[Verb], Verb]:
    """Makes a method one of the steps that the machine takes, when it can be taken.

    All of them stand behind one rule: of many rules hypothesis leaves most out of each example, and what is worth
    finding here takes many kinds of steps.
    """

    def marked(verb: Verb) -> Verb:
        verb.when, verb.arguments = when, st.fixed_dictionaries(arguments)  # type: ignore[attr-defined]
        return verb

    return marked


def steps_of(*parts: type) -> st.SearchStrategy[Step]:
    moves = {name: verb for part in parts for name, verb in vars(part).items() if hasattr(verb, "arguments")}
    return st.one_of([st.tuples(st.just(name), verb.arguments) for name, verb in sorted(moves.items())])


class Stage(RuleBasedStateMachine):
    """One sender, two people, one client that listens. The clocks stand still but for `pass_time`."""

    url = "memory:"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = NOON
        self.ticks = 1000.0
        self.numbers = count(1)
        self.store: Store | None = None
        self.in_hand: list[InHand] = []
        self.sent: list[Sent] = []
        self.unmatched: list[tuple[Sent, str]] = []
        self.recorded: set[str] = set()
        self.arrivals: list[Arrival] = []
        self.told: list[Delivery] = []
        self.is_usable = True
        self.contested: dict[str, float] = {}
        """Whose two conversations became one while both were held, and until when the longer lease may last."""

    def run(self, verb: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await verb

        return self.runner.run(awaited())

    @initialize(
        on_unknown=st.sampled_from(OnUnknown), retry_templates=st.booleans(), ttl=st.sampled_from([2, 24, 24 * 7])
    )
    def start_up(self, on_unknown: OnUnknown, retry_templates: bool, ttl: int) -> None:
        self.ttl = timedelta(hours=ttl)
        self.policy = StorePolicy(
            delivery=DeliveryPolicy(on_unknown=on_unknown, retry_templates=retry_templates, message_ttl=self.ttl),
            pace=BOUNDLESS,
            listeners={SENDER: ("desk",)},
        )
        self.model = Model(on_unknown=on_unknown.value, retry_templates=retry_templates)
        self.store = self.open()

    def open(self) -> Store:
        return self.run(open_store(self.url, self.policy, ticks=lambda: self.ticks, draw=lambda: 0.0))

    def arrive(self, arrival: Arrival) -> Ingested:
        self.arrivals.append(arrival)
        return self.ingest([arrival])

    def ingest(self, arrivals: list[Arrival]) -> Ingested:
        return self.run(self.store.ingest("dt", arrivals, now=self.now))

    def pass_time(self, step: timedelta, *, is_swept: bool = True) -> None:
        self.now += step
        self.ticks += step.total_seconds()
        if is_swept:
            self.run(self.store.expire(now=self.now))
            self.model.expire(self.now)

    def downgrades(self, contact: Contact, before: Posted | None = None) -> int:
        return self.model.downgrades(contact, self.now - PER, before)

    def check_decision(
        self,
        decision: Decision,
        contact: Contact,
        content: Content,
        *,
        started: bool,
        downgrades: int,
        refused: Set[str | None] = frozenset(),
    ) -> None:
        """Free-form where and only where it is allowed; the first fallback that was not refused, within the limit; a
        template as asked, a marketing one; and to a contact on the suppression list nothing that it is there for."""
        scope = self.model.scope(contact)
        left = [fallback for fallback in FALLBACKS if fallback.name not in refused]
        is_free = content == TEXT and self.model.is_open(contact, self.now, MARGIN) and not started
        is_stopped = scope == "everything" or (scope == "templates" and not is_free)
        if is_stopped or (scope == "marketing" and content == WANTED):
            assert isinstance(decision, Refuse)
        elif content == WANTED:
            assert isinstance(decision, Send)
            assert decision.content == WANTED
        elif is_free:
            assert isinstance(decision, Send)
            assert decision.content == TEXT
        elif left and self.is_usable and (started or downgrades < LIMIT):
            assert isinstance(decision, Downgrade)
            assert decision.content == left[0]
        else:
            assert isinstance(decision, Refuse)

    def tell(self, limit: int) -> int:
        lease = timedelta(seconds=30)
        deliveries = self.run(self.store.claim_deliveries(limit=limit, now=self.now, lease=lease)).deliveries
        assert len({delivery.lane for delivery in deliveries}) == len(deliveries) <= limit
        for delivery in deliveries:
            self.told.append(delivery)
            self.run(self.store.delivered(delivery, now=self.now))
        return len(deliveries)
