"""The sandbox as an application: under a path of the gateway's own server, or alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.api import ProviderApi
from gateway.provider.sandbox.callbacks import Address, Callbacks
from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.desk import Desk
from gateway.provider.sandbox.diary import Diary
from gateway.provider.sandbox.faults import Faults
from gateway.provider.sandbox.news import News, Topic
from gateway.provider.sandbox.page import DeskAccess, Page
from gateway.provider.sandbox.page.guard import from_here_only
from gateway.provider.sandbox.phone import Phones
from gateway.provider.sandbox.play import Play, explain_misuse
from gateway.provider.sandbox.template_api import TemplateApi
from gateway.provider.sandbox.templates import Catalogue
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
    desks: Sequence[DeskAccess] = (),
) -> web.Application:
    """The application to mount with ``add_subapp(PREFIX, ...)``.

    `templates` is a folder of definition files, or the definitions; `key` is what callers of the provider's API must
    show, or several of which one will do (None: anything). `callbacks_to` is where customers' messages go, and statuses
    of messages without a callback_url. `senders` are those registered, the first by default (none: any name is one).
    The desk takes the webhooks that one of `desk_secrets` signed; with `desks` the page speaks to the gateway before
    the sandbox, as the clients that they are.
    """
    news = News()
    faults = Faults(changed=partial(news.tell, Topic.FAULTS))
    world = World(
        clock=clock,
        news=news,
        phones=Phones(),
        diary=Diary(),
        faults=faults,
        callbacks=Callbacks(clock=clock, faults=faults, default=callbacks_to),
        desk=Desk(clock=clock, secrets=desk_secrets, news=news),
        catalogue=Catalogue(templates),
        senders=tuple(senders),
        keys=(key,) if isinstance(key, str) else tuple(key or ()),
    )
    page = Page(world, tuple(desks))
    app = web.Application(middlewares=[from_here_only, explain_misuse])
    app[WORLD] = world
    listed = TemplateApi(world)
    app.add_routes([*page.routes(), *ProviderApi(world).routes(), *listed.routes()])
    app.add_routes([*Play(world).routes(), *listed.controls(), *world.desk.routes()])
    app.cleanup_ctx.extend([_within(world.callbacks.running), _within(page.running)])
    app.on_shutdown.append(page.end)
    return app


WORLD = web.AppKey("world", World)


def standalone_app(sandbox: web.Application) -> web.Application:
    """A server of its own: the sandbox under its prefix, and the provider's API at the root as well."""
    outer = web.Application()
    outer.add_routes([*ProviderApi(sandbox[WORLD]).routes(), *TemplateApi(sandbox[WORLD]).routes()])
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
