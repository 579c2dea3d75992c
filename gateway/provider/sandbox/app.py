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
from gateway.provider.sandbox.cloud.account import Account, Accounts
from gateway.provider.sandbox.cloud.media import Media
from gateway.provider.sandbox.cloud.profiles import Profiles
from gateway.provider.sandbox.cloud.routes import cloud_routes
from gateway.provider.sandbox.cloud.teller import Teller
from gateway.provider.sandbox.desk import Desk
from gateway.provider.sandbox.diary import Diary
from gateway.provider.sandbox.faults import Faults
from gateway.provider.sandbox.news import News, Topic
from gateway.provider.sandbox.page import DeskAccess, Page
from gateway.provider.sandbox.page.guard import from_here_only
from gateway.provider.sandbox.people import People
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
    accounts: Sequence[Account] = (),
    anyone: Account | None = None,
) -> web.Application:
    """The application to mount with ``add_subapp(PREFIX, ...)``.

    `templates` is a folder of definition files, or the definitions; `key` is what callers of the provider's API must
    show, or several of which one will do (None: anything). `callbacks_to` is where customers' messages go, and statuses
    of messages without a callback_url. `senders` are those registered, the first by default (none: any name is one).
    The desk takes the webhooks that one of `desk_secrets` signed; with `desks` the page speaks to the gateway before
    the sandbox, as the clients that they are.

    `accounts` are the business numbers that the platform's own API knows; each is a sender as well. `anyone` is what
    every other number is like there (None: with `accounts` or `senders` there are no others; without them any digits
    will do, and what customers write is told in DecisionTelecom's form). Without `callbacks_to` its form is that of all
    callbacks.
    """
    news, people, diary = News(), People(), Diary()
    faults = Faults(changed=partial(news.tell, Topic.FAULTS))
    callbacks = Callbacks(clock=clock, faults=faults, default=callbacks_to)
    names = _names(senders, accounts)
    known = Accounts(accounts, anyone=anyone, is_alone=callbacks_to is None, senders=names)
    teller = Teller(clock=clock, accounts=known, people=people, callbacks=callbacks, faults=faults, name_of=diary.name)
    world = World(
        clock=clock,
        news=news,
        phones=Phones(),
        diary=diary,
        faults=faults,
        callbacks=callbacks,
        desk=Desk(clock=clock, secrets=desk_secrets, news=news),
        catalogue=Catalogue(templates),
        senders=names if senders else (),
        keys=(key,) if isinstance(key, str) else tuple(key or ()),
        accounts=known,
        people=people,
        media=Media(clock),
        profiles=Profiles(),
        teller=teller,
    )
    page = Page(world, tuple(desks))
    app = web.Application(middlewares=[from_here_only, explain_misuse])
    app[WORLD] = world
    app.add_routes([*page.routes(), *ProviderApi(world).routes()])
    app.add_routes([*Play(world).routes(), *TemplateApi(world).controls(), *world.desk.routes()])
    app.add_routes(cloud_routes(world))
    app.cleanup_ctx.extend([_within(each) for each in (world.callbacks.running, world.media.running, page.running)])
    app.on_shutdown.append(page.end)
    return app


def _names(senders: Sequence[str], accounts: Sequence[Account]) -> tuple[str, ...]:
    """Every sender once; none means that any name is one."""
    return tuple(dict.fromkeys([*senders, *(account.sender for account in accounts)]))


WORLD = web.AppKey("world", World)


def standalone_app(sandbox: web.Application) -> web.Application:
    """A server of its own: the sandbox under its prefix, and the providers' APIs at the root as well."""
    outer = web.Application()
    outer.add_routes([*ProviderApi(sandbox[WORLD]).routes(), *cloud_routes(sandbox[WORLD])])
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
    accounts: Sequence[Account] = (),
    anyone: Account | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve the sandbox alone until cancelled; `started` is told its address."""
    sandbox = sandbox_app(
        clock=TravelClock(),
        templates=templates,
        callbacks_to=callbacks_to,
        key=key,
        senders=senders,
        accounts=accounts,
        anyone=anyone,
    )
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
