"""The composition root: Config -> running gateway. Wiring only; what starts first stops last."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from gateway.accept import Accept
from gateway.clock import SystemClock
from gateway.config import Config, ProviderConfig, SenderConfig
from gateway.decision import Decider
from gateway.dispatch import Dispatch, Route
from gateway.domain.errors import CannotStart
from gateway.domain.identity import MessageId, Sender
from gateway.egress import Egress
from gateway.ingest import Ingest, directories
from gateway.operator import operator_app
from gateway.ports import Clock, Store, StorePolicy
from gateway.provider.callback_decoder import callback_decoder
from gateway.provider.decision_telecom import DecisionTelecomProvider
from gateway.provider.sandbox import PREFIX, TravelClock, sandbox_app
from gateway.registry import Registry
from gateway.relay import Relay
from gateway.slots import Slots
from gateway.store import SqliteStore, open_store
from gateway.upkeep import Upkeep
from gateway.waiting import Waiting
from gateway.web.server import Parts, build_app
from gateway.webhook import WebhookClient

log = structlog.get_logger()

WATCHDOG_GRACE = timedelta(seconds=15)
"""How much longer than ``delivery.stop_timeout`` a stop may take before the watchdog ends the process."""


@dataclass(slots=True)
class Stopping:
    """Whether the gateway is on its way down; it takes nothing new then."""

    has_begun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway, as the command line and the tests see it."""

    config: Config
    port: int
    store: Store
    clock: Clock
    dispatch: Dispatch
    relay: Relay
    stopping: Stopping

    @property
    def base_url(self) -> str:
        return f"http://{_reachable(self.config.server.host)}:{self.port}"

    def open_messages(self) -> Sequence[MessageId]:
        return self.dispatch.open_messages()


async def serve(config: Config, *, announce: Callable[[Gateway], None] | None = None) -> int:
    """Run until SIGTERM or SIGINT. The exit status: 0 after a stop in order. Raises CannotStart."""
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    async with running(config) as gateway:
        if announce is not None:
            announce(gateway)
        await asked_to_stop.wait()
        log.info("gateway.stopping", open=len(gateway.open_messages()))
        watchdog = _watchdog(gateway)
    watchdog.cancel()
    log.info("gateway.stopped")
    return 0


@asynccontextmanager
async def running(config: Config, *, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """A gateway that serves as long as the block lasts. Raises CannotStart."""
    registry = Registry.load(config.templates, config.schemas)
    is_sandbox = all(provider.kind == "sandbox" for provider in config.providers)
    clock = clock or (TravelClock() if is_sandbox else SystemClock())
    async with AsyncExitStack() as stack:
        store = await open_store(config.store_url, store_policy(config))
        stack.push_async_callback(store.aclose)
        _tell_of(store)
        log.info("store.recovered", unknown=await store.recover(now=clock.now()))
        listening = stack.enter_context(_listen(config))
        port = int(listening.getsockname()[1])
        config = _with_addresses(config, port)
        yield await _start(config, registry, store, clock, listening, stack)


async def _start(
    config: Config, registry: Registry, store: Store, clock: Clock, listening: socket.socket, stack: AsyncExitStack
) -> Gateway:
    senders = {sender.id: sender for sender in config.senders}
    decider = Decider(registry, senders, config.window.margin)
    waiting = Waiting(config.limits.waiting)
    stopping = Stopping()
    egress = Egress(config.callback_hosts)
    webhooks = WebhookClient(egress)
    stack.push_async_callback(webhooks.aclose)
    relay = Relay(
        outbox=store,
        webhooks=webhooks,
        clock=clock,
        clients={client.name: client.webhook for client in config.clients if client.webhook is not None},
    )
    dispatch = Dispatch(
        store=store,
        decider=decider,
        routes=_routes(config, stack),
        clock=clock,
        waiting=waiting,
        notify_relay=relay.notify,
    )

    def notify() -> None:
        dispatch.notify_all()
        relay.notify()

    parts = Parts(
        accept=Accept(
            store=store,
            registry=registry,
            decider=decider,
            senders=senders,
            clock=clock,
            waiting=waiting,
            notify=dispatch.notify,
        ),
        ingest=Ingest(
            inbox=store,
            clock=clock,
            directories=directories(config),
            also_opened_by=config.window.also_opened_by,
            notify=notify,
        ),
        store=store,
        registry=registry,
        clock=clock,
        config=config,
        decoders={provider.name: callback_decoder(provider) for provider in config.providers},
        may_post_to=egress.problem,
        is_stopping=lambda: stopping.has_begun,
        mounts=_sandbox(config, clock),
    )
    gateway = Gateway(
        config=config,
        port=int(listening.getsockname()[1]),
        store=store,
        clock=clock,
        dispatch=dispatch,
        relay=relay,
        stopping=stopping,
    )
    # Stopped in reverse: refuse what is new, stop claiming and wait for answers, hand on what is due, close the door.
    await _open_door(parts, listening, stack)
    relay_task = asyncio.create_task(relay.run(), name="relay")
    stack.push_async_callback(_ended, relay_task)
    stack.push_async_callback(relay.stop)
    upkeep = Upkeep(store=store, clock=clock, notify=notify)
    stack.push_async_callback(_ended, asyncio.create_task(upkeep.run(), name="upkeep"))
    dispatch.start()
    stack.push_async_callback(_stop_dispatch, gateway)
    await _open_operator_door(operator_app(store, clock), config.server.operator, stack)
    log.info("gateway.started", url=gateway.base_url, senders=len(config.senders))
    return gateway


def store_policy(config: Config) -> StorePolicy:
    """What the store must know of the configuration."""
    return StorePolicy(
        delivery=config.delivery,
        pace=config.pace,
        listeners=config.listeners(),
        client_queued=config.limits.client_queued,
        keep_content=config.retention.content,
        keep_history=config.retention.history,
    )


def _tell_of(store: SqliteStore) -> None:
    """Which file it is; louder when it is new, since a wrong path looks like an empty store."""
    if store.path is None:
        log.warning("store.in_memory", advice="nothing outlives this process")
    elif store.created:
        log.warning("store.created", path=str(store.path))
    else:
        log.info("store.opened", path=str(store.path))


# --- addresses ------------------------------------------------------------------------------------------------------


def _listen(config: Config) -> socket.socket:
    host, port = config.server.host, config.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as fault:
        raise CannotStart(
            f"server: {host}:{port} can't be listened on ({fault.strerror}); choose another port"
        ) from None


def _reachable(host: str) -> str:
    """An address at which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", ""):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


def _with_addresses(config: Config, port: int) -> Config:
    """The configuration with what is known only now: the port, and where a sandbox on our own server is."""
    local = f"http://{_reachable(config.server.host)}:{port}"
    is_sandbox = any(provider.kind == "sandbox" for provider in config.providers)
    public_url = config.server.public_url or (local if is_sandbox else "")
    return replace(
        config,
        server=replace(config.server, public_url=public_url),
        providers=tuple(_addressed(provider, local) for provider in config.providers),
    )


def _addressed(provider: ProviderConfig, local: str) -> ProviderConfig:
    if provider.kind != "sandbox":
        return provider
    return replace(
        provider,
        base_url=provider.base_url or f"{local}/sandbox/v1/api",
        key=provider.key or secrets.token_urlsafe(24),
        callback_secret=provider.callback_secret or secrets.token_urlsafe(24),
    )


def _callback_url(config: Config, provider: ProviderConfig, token: str = "") -> str | None:
    if not config.server.public_url:
        return None
    path = f"{config.server.public_url}/callbacks/{provider.name}/{provider.callback_secret}"
    return f"{path}/{token}" if token else path


# --- the far side ---------------------------------------------------------------------------------------------------


def _routes(config: Config, stack: AsyncExitStack) -> Mapping[Sender, Route]:
    routes: dict[Sender, Route] = {}
    for provider in config.providers:
        senders = [sender for sender in config.senders if sender.provider == provider.name]
        routes.update(_provider_routes(config, provider, senders, stack))
    return routes


def _provider_routes(
    config: Config, provider: ProviderConfig, senders: Sequence[SenderConfig], stack: AsyncExitStack
) -> Mapping[Sender, Route]:
    client = DecisionTelecomProvider(provider, timeout=config.delivery.timeout)
    stack.push_async_callback(client.aclose)
    route = Route(
        provider=client,
        slots=Slots(provider.in_flight, shared=len(senders) > 1),
        callback_url=partial(_callback_url, config, provider),
    )
    return {sender.id: route for sender in senders}


def _sandbox(config: Config, clock: Clock) -> Sequence[tuple[str, web.Application]]:
    """The sandbox on our own server, if a provider is one; customers' messages come back the way any provider's do."""
    sandboxes = {provider.name: provider for provider in config.providers if provider.kind == "sandbox"}
    if not sandboxes:
        return ()
    provider_of = {sender.id: sandboxes[sender.provider] for sender in config.senders if sender.provider in sandboxes}

    def callbacks_to(sender: str) -> str | None:
        provider = provider_of.get(Sender(sender))
        return None if provider is None else _callback_url(config, provider)

    app = sandbox_app(
        clock=clock if isinstance(clock, TravelClock) else TravelClock(),
        templates=config.templates,
        callbacks_to=callbacks_to,
        key=[provider.key for provider in sandboxes.values()],
        senders=list(provider_of),
        desk_secrets=[client.webhook.secret for client in config.clients if client.webhook is not None],
    )
    return ((PREFIX, app),)


# --- doors ----------------------------------------------------------------------------------------------------------


async def _open_door(parts: Parts, listening: socket.socket, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(
        build_app(parts), access_log=None, keepalive_timeout=30, auto_decompress=False, shutdown_timeout=2
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening, backlog=1024).start()


async def _open_operator_door(app: web.Application, path: Path, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, path).start()
    except OSError as fault:
        raise CannotStart(
            f"server.operator: {path}: {fault.strerror or fault}; a socket's path has at most about 100 characters"
        ) from None
    finally:
        os.umask(before)
    stack.callback(path.unlink, missing_ok=True)


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


def _watchdog(gateway: Gateway) -> threading.Timer:
    """Ends the process when the stop in order hangs, and says what was still open."""

    def give_up() -> None:
        log.error("gateway.stop_hung", messages=list(gateway.open_messages()))
        os._exit(70)

    limit = gateway.config.delivery.stop_timeout + WATCHDOG_GRACE
    watchdog = threading.Timer(limit.total_seconds(), give_up)
    watchdog.daemon = True
    watchdog.start()
    return watchdog
