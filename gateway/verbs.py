"""The verbs, put together on what they are built on."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.accept import Accept
from gateway.base import Base
from gateway.config import PLATFORM, Config
from gateway.dispatch import Dispatch
from gateway.domain.carriage import Carriage, cloud_api, texts_and_pictures
from gateway.domain.identity import Sender
from gateway.explain import Explain
from gateway.ingest import Ingest, directories
from gateway.registry import Registry
from gateway.relay import Relay
from gateway.sending import Route, Sending
from gateway.template_refresh import Refreshes


def carriages_of(config: Config, registry: Registry) -> Mapping[Sender, Carriage]:
    """For each sender what its provider can carry."""
    kinds = {provider.name: provider.kind for provider in config.providers}
    everything = cloud_api(registry.definition)
    return {
        sender.id: everything if kinds[sender.provider] in PLATFORM else texts_and_pictures for sender in config.senders
    }


def accept_of(base: Base, dispatch: Dispatch, relay: Relay) -> Accept:
    return Accept(
        store=base.store,
        registry=base.registry,
        decider=base.decider,
        senders={sender.id: sender for sender in base.config.senders},
        clock=base.clock,
        waiting=base.waiting,
        starting=dispatch,
        metrics=base.monitoring.metrics,
        tracer=base.monitoring.tracer,
        carriages=carriages_of(base.config, base.registry),
        tell=relay.notify,
    )


def dispatch_of(base: Base, relay: Relay, routes: Mapping[Sender, Route]) -> Dispatch:
    send = Sending(
        store=base.store,
        decider=base.decider,
        routes=routes,
        clock=base.clock,
        waiting=base.waiting,
        notify_relay=relay.notify,
        metrics=base.monitoring.metrics,
        tracer=base.monitoring.tracer,
        templates_changed=base.watch,
    )
    return Dispatch(store=base.store, decider=base.decider, routes=routes, clock=base.clock, sending=send)


def ingest_of(base: Base, dispatch: Dispatch, relay: Relay, refreshes: Refreshes) -> Ingest:
    def notify() -> None:
        dispatch.notify_all()
        relay.notify()

    return Ingest(
        inbox=base.store,
        clock=base.clock,
        directories=directories(base.config),
        also_opened_by=base.config.window.also_opened_by,
        notify=notify,
        metrics=base.monitoring.metrics,
        trace=base.monitoring.statuses(base.store),
        templates_changed=base.watch,
        heard=refreshes.heard,
    )


def explain_of(base: Base) -> Explain:
    return Explain(
        store=base.store,
        registry=base.registry,
        decider=base.decider,
        senders={sender.id: sender for sender in base.config.senders},
        clock=base.clock,
        health=base.watch.health,
        carriages=carriages_of(base.config, base.registry),
    )
