"""What watches a running gateway, put together: metrics, traces, silences, and a door of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway.config import Config
from gateway.metrics import Metrics, Names, Scrape, SlotUse
from gateway.ports import Clock, Store
from gateway.post_traces import PostTraces
from gateway.slots import Slots
from gateway.status_traces import StatusTraces
from gateway.tracing import Tracer, tracer_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    metrics: Metrics
    tracer: Tracer

    @classmethod
    def of(cls, config: Config, stack: AsyncExitStack) -> Monitoring:
        """Made first and closed last, so that nothing is missed. Raises CannotStart."""
        metrics = Metrics(Names.of(config))
        tracer = tracer_for(config.tracing, metrics)
        stack.push_async_callback(tracer.aclose)
        return cls(metrics=metrics, tracer=tracer)

    def scrape(
        self,
        store: Store,
        clock: Clock,
        slots: Mapping[str, Slots],
        stack: AsyncExitStack,
        *,
        unusable: Callable[[], Mapping[tuple[str, str], int]],
        drifted: Callable[[], Mapping[str, int]],
    ) -> Scrape:
        """Answers ``/metrics``; `slots` are those of each provider, `unusable` the templates that are passed over by
        provider and reason, `drifted` those that are others at a provider."""

        def in_use() -> list[SlotUse]:
            return [SlotUse(provider=name, limit=one.in_flight, in_use=one.in_use) for name, one in slots.items()]

        scrape = Scrape(
            self.metrics, lambda now: store.census(now=now), clock, slots=in_use, unusable=unusable, drifted=drifted
        )
        stack.push_async_callback(scrape.aclose)
        return scrape

    def posts(self, store: Store) -> PostTraces:
        return PostTraces(store, self.tracer)

    def statuses(self, store: Store) -> StatusTraces | None:
        """None: nobody has to look up what nobody keeps."""
        return StatusTraces(store, self.tracer) if self.tracer.is_on else None
