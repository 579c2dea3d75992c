"""The platform's own API over real HTTP: two numbers of which each has its key, beside a sender of the other API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from gateway.provider.sandbox import Account, TravelClock, sandbox_app
from tests.provider.sandbox.cloud.stage import (
    FLAT_KEY,
    FLAT_SENDER,
    KEY,
    NUMBER,
    NUMBER_ID,
    OTHER_ID,
    OTHER_KEY,
    OTHER_NUMBER,
    SECRET,
    Cloud,
    Hearing,
)
from tests.provider.sandbox.conftest import START, Server
from tests.provider.sandbox.stage import ANSWER, OFFER, PARCEL, PAUSED

CODE = {
    "name": "code",
    "language": "en_US",
    "category": "AUTHENTICATION",
    "components": [{"type": "BODY"}, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}],
}


@pytest.fixture
async def hearing(aiohttp_server: Server) -> Hearing:
    hearing = Hearing()
    app = web.Application()
    app.router.add_post("/{path:.*}", hearing.take)
    app.router.add_get("/{path:.*}", hearing.challenge)
    server = await aiohttp_server(app)
    hearing.url = str(server.make_url("/callbacks"))
    return hearing


@pytest.fixture
async def cloud(aiohttp_server: Server, hearing: Hearing) -> AsyncIterator[Cloud]:
    clock = TravelClock(lambda: START)
    first = Account(
        sender=NUMBER,
        phone_number_id=NUMBER_ID,
        display=NUMBER,
        keys=(KEY,),
        app_secret=SECRET,
        callbacks_to=f"{hearing.url}/meta",
    )
    other = Account(
        sender=OTHER_NUMBER,
        phone_number_id=OTHER_ID,
        display=OTHER_NUMBER,
        keys=(OTHER_KEY,),
        callbacks_to=lambda sender: f"{hearing.url}/dialog",
    )
    mounted = sandbox_app(
        clock=clock,
        templates=[ANSWER, PARCEL, PAUSED, OFFER, CODE],
        callbacks_to=f"{hearing.url}/flat",
        key=FLAT_KEY,
        senders=[FLAT_SENDER],
        accounts=[first, other],
    )
    outer = web.Application()
    outer.add_subapp("/sandbox", mounted)
    server = await aiohttp_server(outer)
    async with aiohttp.ClientSession() as http:
        yield Cloud(url=str(server.make_url("/sandbox")), http=http, clock=clock, application=hearing)
