"""A sandbox over real HTTP, whose clock stands still unless it travels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.provider.sandbox import TravelClock, sandbox_app
from tests.provider.sandbox.stage import ANSWER, HOLOGRAM, KEY, OFFER, PARCEL, PAUSED, SENDER, Application, Sandbox

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Server = Callable[[web.Application], Awaitable[TestServer]]


@pytest.fixture
async def application(aiohttp_server: Server) -> Application:
    application = Application()
    app = web.Application()
    app.router.add_post("/{path:.*}", application.take)
    server = await aiohttp_server(app)
    application.url = str(server.make_url("/callbacks"))
    return application


@pytest.fixture
async def sandbox(aiohttp_server: Server, application: Application) -> AsyncIterator[Sandbox]:
    clock = TravelClock(lambda: START)
    outer = web.Application()
    mounted = sandbox_app(
        clock=clock,
        templates=[ANSWER, PARCEL, PAUSED, HOLOGRAM, OFFER],
        callbacks_to=lambda sender: application.url,
        key=KEY,
        senders=[SENDER, "Other Company"],
        desk_secrets=["whsec_c2VjcmV0"],
    )
    outer.add_subapp("/sandbox", mounted)
    server = await aiohttp_server(outer)
    async with aiohttp.ClientSession() as http:
        yield Sandbox(url=str(server.make_url("/sandbox")), http=http, clock=clock, application=application)
