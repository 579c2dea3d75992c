"""The composition root: Config -> running gateway. Wiring only; what starts first stops last."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from aiohttp import web

from gateway.accept import Accept
from gateway.addresses import SANDBOX, Addresses
from gateway.base import Base, Stopping
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.decision import Decider
from gateway.desk_keys import with_desk_keys
from gateway.dispatch import Dispatch
from gateway.domain.identity import MessageId, Sender
from gateway.doors import listen, open_door, open_internal_door, open_operator_door
from gateway.egress import Egress
from gateway.far_side import mounts_of, passings_of, refreshes_of, routes_of
from gateway.ingest import Directory, Ingest
from gateway.ladders import Ladders
from gateway.metrics import Scrape
from gateway.monitoring import Monitoring
from gateway.operator import operator_app
from gateway.operator_contacts import PeopleDesk, add_people_routes
from gateway.operator_templates import TemplateDesk, add_template_routes
from gateway.operator_webhooks import WebhookDesk, add_webhook_routes
from gateway.ports import Clock, Store
from gateway.provider.callback_decoder import callback_decoder
from gateway.provider.sandbox import TravelClock
from gateway.registry import Registry
from gateway.relay import Relay
from gateway.reloading import Reloading
from gateway.sending import Route
from gateway.silence import Silence
from gateway.store import SqliteStore, open_store
from gateway.store_policy import store_policy
from gateway.template_drift import DriftWatch
from gateway.template_health import HealthWatch
from gateway.template_refresh import Refreshes
from gateway.upkeep import Upkeep
from gateway.verbs import accept_of, dispatch_of, explain_of, ingest_of
from gateway.waiting import Waiting
from gateway.watching import keep_watching
from gateway.web.server import Parts, build_app, build_internal_app
from gateway.webhook import WebhookClient

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway, as the command line and the tests see it."""

    config: Config
    addresses: Addresses
    store: Store
    clock: Clock
    dispatch: Dispatch
    relay: Relay
    stopping: Stopping
    reload: Reloading
    """Takes changed template files, if nothing is wrong with them."""
    templates: TemplateDesk
    """What an operator may do about templates."""
    refreshes: Refreshes
    """Read what providers list as registered."""
    internal: str | None = None
    """Where monitoring is answered, if it is apart."""

    @property
    def base_url(self) -> str:
        return self.addresses.local

    def open_messages(self) -> Sequence[MessageId]:
        return self.dispatch.open_messages()


@asynccontextmanager
async def running(config: Config, *, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """A gateway that serves as long as the block lasts. Raises CannotStart."""
    registry = Registry.load(config.templates, config.schemas)
    is_sandbox = all(provider.kind == SANDBOX for provider in config.providers)
    clock = clock or (TravelClock() if is_sandbox else SystemClock())
    async with AsyncExitStack() as stack:
        monitoring = Monitoring.of(config, stack)
        store = await open_store(config.store_url, store_policy(config), observer=monitoring.metrics)
        stack.push_async_callback(store.aclose)
        _tell_of(store)
        log.info("store.recovered", unknown=await store.recover(now=clock.now()))
        await _warn_of_forgotten(store, config)
        listening = stack.enter_context(listen(config.server))
        yield await _start(config, registry, store, clock, monitoring, listening, stack)


async def _start(
    config: Config,
    registry: Registry,
    store: Store,
    clock: Clock,
    monitoring: Monitoring,
    listening: socket.socket,
    stack: AsyncExitStack,
) -> Gateway:
    base = await _base(config, registry, store, clock, monitoring, port=int(listening.getsockname()[1]))
    config, addresses, watch, drifts = base.config, base.addresses, base.watch, base.drifts
    relay = _relay(base, stack)
    routes = routes_of(base, stack)
    dispatch, refreshes = dispatch_of(base, relay, routes), refreshes_of(base, stack)
    accept, ingest = accept_of(base, dispatch, relay), ingest_of(base, dispatch, relay, refreshes)
    parts = _parts(base, accept, ingest, _scrape(base, routes, stack), stack)
    internal = await open_internal_door(build_internal_app(parts), config.server.internal, stack)
    gateway = Gateway(
        config=config,
        addresses=addresses,
        store=store,
        clock=clock,
        dispatch=dispatch,
        relay=relay,
        stopping=base.stopping,
        reload=Reloading(config=config, registry=registry, metrics=monitoring.metrics, changed=drifts),
        templates=TemplateDesk(healths=store, clock=clock, changed=watch, providers=config.provider_names()),
        refreshes=refreshes,
        internal=internal,
    )
    await _run(gateway, build_app(parts), listening, stack)
    _keep_running(watch.run(), "template-health", stack)
    log.info("gateway.started", url=gateway.base_url, internal=internal, senders=len(config.senders))
    return gateway


async def _base(
    config: Config, registry: Registry, store: Store, clock: Clock, monitoring: Monitoring, *, port: int
) -> Base:
    """With what the store knows of templates already."""
    addresses = Addresses.of(config.server, port)
    config, desk_keys = with_desk_keys(addresses.fill_in(config))
    watch = await HealthWatch.begun(store=store, clock=clock, metrics=monitoring.metrics)
    listing = frozenset(provider.name for provider in config.providers if provider.templates is not None)
    drifts = await DriftWatch.begun(store=store, registry=registry, providers=listing)
    senders = {sender.id: sender for sender in config.senders}
    return Base(
        config=config,
        desk_keys=desk_keys,
        addresses=addresses,
        registry=registry,
        store=store,
        clock=clock,
        decider=Decider(registry, senders, config.window.margin, watch.health, Ladders(config.intents), drifts.drift),
        waiting=Waiting(config.limits.waiting),
        egress=Egress(config.callback_hosts),
        stopping=Stopping(),
        monitoring=monitoring,
        watch=watch,
        drifts=drifts,
    )


def _relay(base: Base, stack: AsyncExitStack) -> Relay:
    webhooks = WebhookClient(base.egress)
    stack.push_async_callback(webhooks.aclose)
    return Relay(
        outbox=base.store,
        webhooks=webhooks,
        clock=base.clock,
        clients={client.name: client.webhook for client in base.config.clients if client.webhook is not None},
        metrics=base.monitoring.metrics,
        traces=base.monitoring.posts(base.store),
    )


def _scrape(base: Base, routes: Mapping[Sender, Route], stack: AsyncExitStack) -> Scrape:
    slots = {route.provider.name: route.slots for route in routes.values()}

    def unusable() -> Mapping[tuple[str, str], int]:
        return base.watch.health.unusable(base.registry.names(), base.clock.now())

    return base.monitoring.scrape(
        base.store, base.clock, slots, stack, unusable=unusable, drifted=base.drifts.drift.counts
    )


def _parts(base: Base, accept: Accept, ingest: Ingest, scrape: Scrape, stack: AsyncExitStack) -> Parts:
    config = base.config
    return Parts(
        accept=accept,
        ingest=ingest,
        explain=explain_of(base),
        store=base.store,
        registry=base.registry,
        clock=base.clock,
        config=config,
        decoders={provider.name: callback_decoder(provider) for provider in config.providers},
        may_post_to=base.egress.problem,
        is_stopping=lambda: base.stopping.has_begun,
        metrics=base.monitoring.metrics,
        scrape=scrape,
        tracer=base.monitoring.tracer,
        passing=passings_of(base, stack),
        base_url=base.addresses.local,
        mounts=mounts_of(base),
        health=base.watch.health,
        drift=base.drifts.drift,
    )


async def _run(gateway: Gateway, app: web.Application, listening: socket.socket, stack: AsyncExitStack) -> None:
    """Start everything that runs by itself. It stops in reverse: the operator's door closes, nothing more is claimed
    and answers are waited for, what is due is handed on, and the public door closes last."""
    await open_door(app, listening, stack)
    _keep_running(gateway.relay.run(), "relay", stack)
    stack.push_async_callback(gateway.relay.stop)
    upkeep = Upkeep(store=gateway.store, clock=gateway.clock, notify=gateway.relay.notify)
    _keep_running(upkeep.run(), "upkeep", stack)
    _keep_running(Silence(store=gateway.store, clock=gateway.clock).run(), "silence", stack)
    if gateway.config.watch:
        watching = keep_watching(gateway.config.templates, gateway.config.schemas, gateway.reload)
        _keep_running(watching, "templates", stack)
    for name, refresh in gateway.refreshes.of.items():
        _keep_running(refresh.run(), f"template-list-{name}", stack)
    gateway.dispatch.start()
    stack.push_async_callback(_stop_dispatch, gateway)
    operator = operator_app(gateway.store, gateway.clock)
    add_people_routes(operator, _people_desk(gateway))
    add_template_routes(operator, gateway.templates)
    add_webhook_routes(operator, _webhook_desk(gateway))
    await open_operator_door(operator, gateway.config.server.operator, stack)


def _people_desk(gateway: Gateway) -> PeopleDesk:
    def notify() -> None:
        gateway.dispatch.notify_all()
        gateway.relay.notify()

    senders = Directory.of(gateway.config.senders, use_arrival=False)
    return PeopleDesk(contacts=gateway.store, clock=gateway.clock, senders=senders, notify=notify)


def _webhook_desk(gateway: Gateway) -> WebhookDesk:
    return WebhookDesk(
        outbox=gateway.store,
        clock=gateway.clock,
        clients=frozenset(gateway.config.subscriptions()),
        ask_again=gateway.relay.ask_again,
    )


def _keep_running(job: Coroutine[None, None, None], name: str, stack: AsyncExitStack) -> None:
    stack.push_async_callback(_ended, asyncio.create_task(job, name=name))


async def _warn_of_forgotten(store: Store, config: Config) -> None:
    """Messages of a sender that the configuration no longer names wait, silently, until their time to live is over."""
    known = {sender.id for sender in config.senders}
    for state in await store.sender_states():
        if state.queued and state.sender not in known:
            log.warning("sender.not_configured", sender=state.sender, queued=state.queued)


def _tell_of(store: SqliteStore) -> None:
    """Which file it is; louder when it is new, since a wrong path looks like an empty store."""
    if store.path is None:
        log.warning("store.in_memory", advice="nothing outlives this process")
    elif store.created:
        log.warning("store.created", path=str(store.path))
    else:
        log.info("store.opened", path=str(store.path))


# --- the way down ---------------------------------------------------------------------------------------------------


async def _stop_dispatch(gateway: Gateway) -> None:
    gateway.stopping.has_begun = True
    still_open = await gateway.dispatch.stop(gateway.config.delivery.stop_timeout)
    if still_open:
        log.warning("gateway.stopped_with_open_attempts", messages=list(still_open))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
