"""The far side as the configuration names it: how each sender's messages leave, and the sandbox on our own server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from aiohttp import web

from gateway.addresses import SANDBOX
from gateway.base import Base
from gateway.config import PLATFORM, ProviderConfig, SenderConfig, TemplateListConfig
from gateway.desk_keys import DeskKey
from gateway.domain.identity import Sender
from gateway.ports import Passing, Provider
from gateway.provider.cloud_api import CloudApiProvider
from gateway.provider.decision_telecom import DecisionTelecomProvider
from gateway.provider.passing import PlatformPassing
from gateway.provider.sandbox import PREFIX, DeskAccess, TravelClock, sandbox_app
from gateway.provider.template_list import CloudTemplateList
from gateway.sending import Route
from gateway.slots import Slots
from gateway.template_refresh import Refresh, Refreshes


def routes_of(base: Base, stack: AsyncExitStack) -> Mapping[Sender, Route]:
    routes: dict[Sender, Route] = {}
    for provider in base.config.providers:
        senders = [sender for sender in base.config.senders if sender.provider == provider.name]
        route = _route(base, provider, senders, stack)
        routes.update(dict.fromkeys((sender.id for sender in senders), route))
    return routes


def _route(base: Base, provider: ProviderConfig, senders: Sequence[SenderConfig], stack: AsyncExitStack) -> Route:
    client = _client(provider, senders, base.config.delivery.timeout)
    stack.push_async_callback(client.aclose)
    return Route(
        provider=client,
        slots=Slots(provider.in_flight, shared=len(senders) > 1),
        callback_url=partial(base.addresses.callback_url, provider),
    )


def _client(provider: ProviderConfig, senders: Sequence[SenderConfig], timeout: timedelta) -> Provider:
    if provider.kind in PLATFORM:
        return CloudApiProvider(provider, {sender.id: sender.phone_number_id for sender in senders}, timeout=timeout)
    return DecisionTelecomProvider(provider, timeout=timeout)


def passings_of(base: Base, stack: AsyncExitStack) -> Mapping[str, Passing]:
    """The way to each provider of the platform's kind for what is not a message, by its name."""
    made = {p.name: PlatformPassing(p, base.egress) for p in base.config.providers if p.kind in PLATFORM}
    for passing in made.values():
        stack.push_async_callback(passing.aclose)
    return made


def refreshes_of(base: Base, stack: AsyncExitStack) -> Refreshes:
    """What reads the lists of templates, for those providers that have one."""
    named = {provider.name: provider.templates for provider in base.config.providers}
    refreshes = {name: _refresh(base, name, listed, stack) for name, listed in named.items() if listed is not None}
    return Refreshes(refreshes)


def _refresh(base: Base, provider: str, listed: TemplateListConfig, stack: AsyncExitStack) -> Refresh:
    async def changed() -> None:
        await base.watch()
        await base.drifts()

    client = CloudTemplateList(provider, listed)
    stack.push_async_callback(client.aclose)
    return Refresh(
        client,
        store=base.store,
        clock=base.clock,
        metrics=base.monitoring.metrics,
        every=listed.refresh,
        changed=changed,
    )


def mounts_of(base: Base) -> Sequence[tuple[str, web.Application]]:
    """The sandbox on our own server, if a provider is one; customers' messages come back the way any provider's do."""
    config, clock = base.config, base.clock
    sandboxes = {provider.name: provider for provider in config.providers if provider.kind == SANDBOX}
    if not sandboxes:
        return ()
    provider_of = {sender.id: sandboxes[sender.provider] for sender in config.senders if sender.provider in sandboxes}

    def callbacks_to(sender: str) -> str | None:
        provider = provider_of.get(Sender(sender))
        return None if provider is None else base.addresses.callback_url(provider)

    app = sandbox_app(
        clock=clock if isinstance(clock, TravelClock) else TravelClock(),
        templates=config.templates,
        callbacks_to=callbacks_to,
        key=[provider.key for provider in sandboxes.values()],
        senders=list(provider_of),
        desk_secrets=[client.webhook.secret for client in config.clients if client.webhook is not None],
        desks=[_desk(base, drawn) for drawn in base.desk_keys],
    )
    return ((PREFIX, app),)


def _desk(base: Base, drawn: DeskKey) -> DeskAccess:
    return DeskAccess(
        client=drawn.client,
        base_url=base.addresses.local,
        key=drawn.key,
        senders=drawn.senders,
        follows_clock=isinstance(base.clock, TravelClock),
    )
