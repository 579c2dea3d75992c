"""The page, its parts, its events and its files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from aiohttp import web

from gateway.provider.sandbox.page import events
from gateway.provider.sandbox.page.acts import Acts
from gateway.provider.sandbox.page.choice import Choice, read_choice
from gateway.provider.sandbox.page.compose import template_form
from gateway.provider.sandbox.page.desk_client import DeskAccess
from gateway.provider.sandbox.page.scene import Scene, Values
from gateway.provider.sandbox.reading import Misuse
from gateway.provider.sandbox.world import World

Part = Callable[[Choice], Awaitable[Values]]


class Page:
    def __init__(self, world: World, desks: tuple[DeskAccess, ...]) -> None:
        self._scene = Scene(world, desks)
        self._acts = Acts(self._scene)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("", self._to_page),
            web.get("/", self._page),
            web.get("/parts/{part}", self._part),
            web.get("/fields", self._fields),
            web.get("/events", self._events, allow_head=False),
            web.get("/static/{name:.+}", self._scene.assets.serve),
            *self._acts.routes(),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The desks speak to the gateway within; at the end nobody watches any more."""
        async with AsyncExitStack() as stack:
            for client in self._scene.clients:
                await stack.enter_async_context(client.running())
            yield

    async def end(self, app: web.Application) -> None:
        """Let open pages go, so that none delays the end."""
        self._scene.world.news.end()

    async def _to_page(self, request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(f"{request.path}/")

    async def _page(self, request: web.Request) -> web.Response:
        try:
            choice, wrong, status = self._choice(request), "", 200
        except Misuse as misuse:
            choice = read_choice({}, self._scene.world.senders, self._scene.roster)
            wrong, status = str(misuse), 400
        template = request.query.get("template", "")
        values = await self._scene.everything(choice, wrong, template, request.host)
        return self._scene.renderer.page("page.html", status=status, **values)

    async def _part(self, request: web.Request) -> web.Response:
        """``GET /parts/...``: one live part of the page."""
        choice, scene = self._choice(request), self._scene
        values = scene.common(choice)
        match request.match_info["part"]:
            case "phone" | "steps" as part:
                values |= scene.phone(choice)
            case "bench" as part:
                values |= scene.bench(choice)
            case "clock" as part:
                pass
            case "desk" as part:
                values |= {**await scene.desk(choice), "host": request.host}
            case _:
                raise Misuse("part", "expected phone, steps, desk, bench or clock")
        return scene.renderer.page(f"_{part}.html", **values)

    async def _fields(self, request: web.Request) -> web.Response:
        """``GET /fields?template=name/language``: what a template wants to be told."""
        form = template_form(self._scene.world.templates, request.query.get("template", ""))
        return self._scene.renderer.page("_fields.html", form=form)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        choice = self._choice(request)
        marks = partial(self._scene.marks, choice)
        return await events.stream(request, self._scene.world.news, choice.contact, marks)

    def _choice(self, request: web.Request) -> Choice:
        return read_choice(request.query, self._scene.world.senders, self._scene.roster)
