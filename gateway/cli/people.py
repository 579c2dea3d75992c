"""The operator's side of people and windows: through the running gateway, or, when none runs, on the store itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp

from gateway.cli.operating import NobodyRuns, ask, ask_over, knocking_at
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.config_file import Places
from gateway.domain.identity import Sender
from gateway.ingest import Directory
from gateway.operator import NAME_HEADER
from gateway.operator_contacts import PeopleDesk, list_view
from gateway.ports import ListQuery
from gateway.store import open_for_reading, open_store
from gateway.store_policy import store_policy

View = dict[str, Any]
Do = Callable[..., Awaitable[View]]
"""From the name of a deed and what is asked to what came of it."""


@asynccontextmanager
async def desk(
    places: Places, load: Callable[[], Config], *, name: str, makes_store: bool = False
) -> AsyncIterator[Do]:
    """Where deeds are done. When nobody runs the file's lock is taken, so that nobody starts meanwhile; a store that is
    not there yet is made only by what may come first of all. Raises GatewayError."""
    try:
        await ask(places.operator, "POST", "/people/senders", body={})
    except NobodyRuns:
        if places.store_file is None:
            raise
        if not makes_store:
            await (await open_for_reading(places.store_file)).aclose()  # raises for one that is not there, or not ours
    else:
        async with knocking_at(places.operator) as session:
            yield partial(_over_socket, session, places, name)
        return
    async with _alone(load(), name) as do:
        yield do


async def _over_socket(
    session: aiohttp.ClientSession, places: Places, name: str, deed: str, asked: Mapping[str, Any]
) -> View:
    headers = {NAME_HEADER: name}
    return await ask_over(session, places.operator, "POST", f"/people/{deed}", headers=headers, json=asked)


@asynccontextmanager
async def _alone(config: Config, name: str) -> AsyncIterator[Do]:
    store = await open_store(config.store_url, store_policy(config))
    try:
        senders = Directory.of(config.senders, use_arrival=False)
        own = PeopleDesk(contacts=store, clock=SystemClock(), senders=senders, notify=_nobody_waits, is_alone=True)
        yield partial(own.do, by=f"operator {name}")
    finally:
        await store.aclose()


def _nobody_waits() -> None:
    """No gateway runs."""


async def list_contacts(places: Places, asked: Mapping[str, Any]) -> View:
    """One page of the suppression list."""
    if places.store_file is None:
        return await ask(places.operator, "POST", "/people/list", body=asked)
    sender, limit = asked.get("sender"), asked.get("limit", ListQuery().limit)
    reader = await open_for_reading(places.store_file)
    try:
        query = ListQuery(sender=None if sender is None else Sender(sender), cursor=asked.get("cursor"), limit=limit)
        return list_view(await reader.suppressions(query))
    finally:
        await reader.aclose()
