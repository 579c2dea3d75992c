"""The operator's side of the store: through the running gateway, or, when none runs, on the file itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from gateway.clock import SystemClock
from gateway.config import Config
from gateway.config_file import Places
from gateway.domain.errors import GatewayError, NotFound, StoreUnavailable
from gateway.domain.identity import MessageId
from gateway.operator import NAME_HEADER, acted_view, list_view, query_from, record_view, verb_of
from gateway.store import open_for_reading, open_store
from gateway.store_policy import store_policy

_WITHIN = aiohttp.ClientTimeout(total=30)

View = dict[str, Any]


class NobodyRuns(GatewayError):
    """No gateway listens on the operator's socket."""


class Refused(GatewayError):
    """The running gateway says no, in its own words."""


async def list_messages(places: Places, asked: Mapping[str, str]) -> View:
    """One page of messages, newest first."""
    if places.store_file is None:
        return await ask(places.operator, "GET", "/messages", query=asked)
    reader = await open_for_reading(places.store_file)
    try:
        return list_view(await reader.messages(query_from(asked)))
    finally:
        await reader.aclose()


async def show_message(places: Places, message_id: int) -> View:
    """Everything about one message. Raises NotFound."""
    if places.store_file is None:
        return await ask(places.operator, "GET", f"/messages/{message_id}")
    reader = await open_for_reading(places.store_file)
    try:
        return record_view(await reader.message(MessageId(message_id), client=None))
    finally:
        await reader.aclose()


async def act(places: Places, load: Callable[[], Config], verb: str, message_id: int, *, name: str) -> View:
    """Retry, close or cancel a message: the status before and afterwards, and whether anything was done. Raises
    NotFound."""
    try:
        return await ask(places.operator, "POST", f"/messages/{message_id}/{verb}", headers={NAME_HEADER: name})
    except NobodyRuns:
        if places.store_file is None:
            raise
        await (await open_for_reading(places.store_file)).aclose()  # raises for a file that is not there, or not ours
        return await _act_alone(load(), verb, message_id, name=name)


async def _act_alone(config: Config, verb: str, message_id: int, *, name: str) -> View:
    """Nobody runs: take the file's lock, so that nobody starts meanwhile."""
    store = await open_store(config.store_url, store_policy(config))
    try:
        act = verb_of(store, verb)
        return acted_view(await act(MessageId(message_id), by=f"operator {name}", now=SystemClock().now()))
    finally:
        await store.aclose()


async def ask(
    socket: Path,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> View:
    """What the running gateway answers. Raises NobodyRuns, NotFound, StoreUnavailable, and Refused in its words."""
    async with knocking_at(socket) as session:
        return await ask_over(session, socket, method, path, params=query, headers=headers, json=body)


def knocking_at(socket: Path) -> aiohttp.ClientSession:
    """Connections to the operator's socket."""
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket)), timeout=_WITHIN)


async def ask_over(session: aiohttp.ClientSession, socket: Path, method: str, path: str, **options: Any) -> View:
    """The same over connections that are kept, for many questions."""
    try:
        async with session.request(method, f"http://gateway{path}", **options) as answer:
            return _told(answer.status, await answer.json())
    except aiohttp.ClientConnectorError as error:
        raise _unreachable(socket, error.os_error) from None
    except (aiohttp.ClientError, TimeoutError):
        raise StoreUnavailable("the running gateway gave no answer; look at its logs, then try again") from None


def _unreachable(socket: Path, error: OSError) -> GatewayError:
    """Only a socket that is absent, or that nobody listens on, says that nobody runs."""
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return NobodyRuns(f"no gateway listens on {socket}: start it, or name its configuration with --config")
    return Refused(f"{socket}: {error.strerror}; run this as the user that runs the gateway")


def _told(status: int, body: View) -> View:
    if status == 200:
        return body
    if status == 404:
        raise NotFound(str(body.get("message")))
    raise Refused(str(body.get("message")))
