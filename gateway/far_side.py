"""The far side as the configuration names it: how each sender's messages leave, and the sandbox on our own server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web

from gateway.addresses import SANDBOX
from gateway.base import Base
from gateway.config import ProviderConfig
from gateway.desk_keys import DeskKey
from gateway.domain.identity import Sender
from gateway.ports import TemplateList
from gateway.provider.decision_telecom import DecisionTelecomProvider
from gateway.provider.sandbox import PREFIX, DeskAccess, TravelClock, sandbox_app
from gateway.provider.template_list import CloudTemplateList
from gateway.sending import Route
from gateway.slots import Slots


def routes_of(base: Base, stack: AsyncExitStack) -> Mapping[Sender, Route]:
    routes: dict[Sender, Route] = {}
    for provider in base.config.providers:
        senders = [sender.id for sender in base.config.senders if sender.provider == provider.name]
        route = _route(base, provider, stack, is_shared=len(senders) > 1)
        routes.update(dict.fromkeys(senders, route))
    return routes


def _route(base: Base, provider: ProviderConfig, stack: AsyncExitStack, *, is_shared: bool) -> Route:
    client = DecisionTelecomProvider(provider, timeout=base.config.delivery.timeout)
    stack.push_async_callback(client.aclose)
    return Route(
        provider=client,
        slots=Slots(provider.in_flight, shared=is_shared),
        callback_url=partial(base.addresses.callback_url, provider),
    )


def lists_of(base: Base, stack: AsyncExitStack) -> Mapping[str, TemplateList]:
    """The lists of templates, by the names of those providers that have one."""
    lists = {}
    for provider in base.config.providers:
        if provider.templates is not None:
            client = lists[provider.name] = CloudTemplateList(provider.name, provider.templates)
            stack.push_async_callback(client.aclose)
    return lists


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
