"""What every part of the state machine stands on: the store, its clocks, the model, and what both know of so far."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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
from tests.model.model import Model, Posted
from tests.model.world import BOUNDLESS, FALLBACK, LIMIT, MARGIN, NOON, PER, SENDER, TEXT, WANTED, InHand, Sent

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
    """One sender, two contacts, one client that listens. The clocks stand still but for `pass_time`."""

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
        self.store = self.run(open_store(self.url, self.policy, ticks=lambda: self.ticks, draw=lambda: 0.0))

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

    def downgrades(self, contact: Contact, besides: Posted | None = None) -> int:
        return self.model.downgrades(contact, self.now - PER, besides)

    def check_decision(
        self, decision: Decision, contact: Contact, content: Content, *, started: bool, downgrades: int
    ) -> None:
        """Free-form where and only where it is allowed; a fallback within the limit; a template as asked."""
        if content == WANTED:
            assert isinstance(decision, Send)
            assert decision.content == WANTED
        elif self.model.is_open(contact, self.now, MARGIN) and not started:
            assert isinstance(decision, Send)
            assert decision.content == TEXT
        elif self.is_usable and (started or downgrades < LIMIT):
            assert isinstance(decision, Downgrade)
            assert decision.content == FALLBACK
        else:
            assert isinstance(decision, Refuse)

    def report(self, sent: Sent, word: str, by: str) -> None:
        report = StatusReport(
            dedupe=f"status-{next(self.numbers)}",
            raw={},
            status=AttemptStatus(word),
            attempt=None if by == "id" else sent.token,
            provider_message_id=None if by == "token" else sent.provider_message_id,
            error=WORDS if word in ("failed", "window_closed") else None,
        )
        if by == "id" and sent.token not in self.recorded:
            self.unmatched.append((sent, word))
            assert self.arrive(Arrival(event=report)) == Ingested(kept=1)
            return
        assert self.arrive(Arrival(event=report)) == Ingested(applied=1)
        self.model.report(sent.posted, sent.attempt, word, self.now)
        self.model.note(self.now)
        if by == "both":
            self.recorded.add(sent.token)
            self.apply_unmatched(sent)

    def is_true(self, sent: Sent, word: str) -> bool:
        """Whether the provider can say this of an attempt: it took it, and did not say the contrary before."""
        known = {sent.attempt.status, *self.news_of(sent)}
        if known & {"withdrawn", "retry"} or (sent.attempt.status == "failed" and sent.token not in self.recorded):
            return False
        ends = known & {"failed", "window_closed"}
        if word in ("failed", "window_closed"):
            return not known & {"delivered", "read"} and ends <= {word}
        return not ends or word == "sent"

    def news_of(self, sent: Sent) -> list[str]:
        return [reported for other, reported in self.unmatched if other is sent]

    def apply_unmatched(self, sent: Sent) -> None:
        for reported in self.news_of(sent):
            self.model.report(sent.posted, sent.attempt, reported, self.now)
            self.model.note(self.now)
        self.unmatched = [(other, reported) for other, reported in self.unmatched if other is not sent]

    def tell(self, limit: int) -> int:
        lease = timedelta(seconds=30)
        deliveries = self.run(self.store.claim_deliveries(limit=limit, now=self.now, lease=lease)).deliveries
        assert len({delivery.lane for delivery in deliveries}) == len(deliveries) <= limit
        for delivery in deliveries:
            self.told.append(delivery)
            self.run(self.store.delivered(delivery, now=self.now))
        return len(deliveries)
