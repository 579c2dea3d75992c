"""The sandbox as an application: under a path of the gateway's own server, or alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.api import ProviderApi
from gateway.provider.sandbox.callbacks import Address, Callbacks
from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.desk import Desk
from gateway.provider.sandbox.faults import Faults
from gateway.provider.sandbox.phone import Phones
from gateway.provider.sandbox.play import Play, explain_misuse
from gateway.provider.sandbox.templates import load_templates
from gateway.provider.sandbox.world import World

PREFIX = "/sandbox"

TemplateSource = Path | Iterable[Mapping[str, Any]]


def sandbox_app(
    *,
    clock: TravelClock,
    templates: TemplateSource,
    callbacks_to: Address = None,
    key: str | Sequence[str] | None = None,
    senders: Sequence[str] = (),
    desk_secrets: Iterable[str] = (),
) -> web.Application:
    """The application to mount with ``add_subapp(PREFIX, ...)``.

    `templates` is a folder of definition files, or the definitions; `key` is what callers of the provider's API must
    show, or several of which one will do (None: anything). `callbacks_to` is where customers' messages go, and statuses
    of messages without a callback_url. `senders` are those registered, the first by default (none: any name is one).
    The desk takes the webhooks that one of `desk_secrets` signed.
    """
    faults = Faults()
    world = World(
        clock=clock,
        phones=Phones(),
        faults=faults,
        callbacks=Callbacks(clock=clock, faults=faults, default=callbacks_to),
        desk=Desk(clock=clock, secrets=desk_secrets),
        templates=load_templates(templates),
        senders=tuple(senders),
        keys=(key,) if isinstance(key, str) else tuple(key or ()),
    )
    app = web.Application(middlewares=[explain_misuse])
    app[WORLD] = world
    app.add_routes([*ProviderApi(world).routes(), *Play(world).routes(), *world.desk.routes()])
    app.cleanup_ctx.append(_within(world.callbacks.running))
    return app


WORLD = web.AppKey("world", World)


def standalone_app(sandbox: web.Application) -> web.Application:
    """A server of its own: the sandbox under its prefix, and the provider's API at the root as well."""
    outer = web.Application()
    outer.add_routes(ProviderApi(sandbox[WORLD]).routes())
    outer.add_subapp(PREFIX, sandbox)
    return outer


async def run_sandbox(
    *,
    templates: TemplateSource,
    host: str = "127.0.0.1",
    port: int = 8090,
    callbacks_to: Address = None,
    key: str | None = None,
    senders: Sequence[str] = (),
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve the sandbox alone until cancelled; `started` is told its address."""
    sandbox = sandbox_app(clock=TravelClock(), templates=templates, callbacks_to=callbacks_to, key=key, senders=senders)
    runner = web.AppRunner(standalone_app(sandbox), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        if started is not None:
            started(f"http://{host}:{runner.addresses[0][1]}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _within(
    running: Callable[[], AbstractAsyncContextManager[None]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with running():
            yield

    return context
