"""``gateway webhooks replay``: what a client did not take is posted again."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.since import Moment, MomentType, between

if TYPE_CHECKING:
    from gateway.config_file import Places

Step = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


@click.command("replay")
@config_option
@json_option
@click.option("--client", required=True, help="The client whose events are posted again.")
@click.option("--since", required=True, type=MomentType(), help="Those of then or later.")
@click.option("--until", type=MomentType(), help="Those of before then. [default: now]")
@click.option(
    "--state",
    type=click.Choice(["failed", "all"]),
    default="failed",
    show_default=True,
    help="Those that failed, or also those that were delivered.",
)
@click.option("--yes", is_flag=True, help="Don't ask before delivered ones are posted again.")
def replay_webhooks(path: Path, as_json: bool, yes: bool, **asked: Any) -> None:
    """Post events to a client again: each under the id that it had, with all its tries.

    What an erasure emptied is not posted; what retention removed is not there any more.
    """
    from gateway.log import configure_logging

    configure_logging("warning")
    if asked["state"] == "all" and not yes and not as_json:
        click.confirm(f"{asked['client']} gets again what it has taken already. Go on?", abort=True)
    told = asyncio.run(_replay(path, **asked))
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{told['replayed']} to be posted again" + _erased(told["erased"]))


def _erased(count: int) -> str:
    return f"; {count} say nothing any more, as their contacts were erased" if count else ""


async def _replay(path: Path, *, client: str, since: Moment, until: Moment | None, state: str) -> dict[str, Any]:
    from gateway.cli.looking import time_at
    from gateway.config_file import load_places

    places = load_places(path, os.environ)
    start, end = between(since, until, await time_at(places))
    asked = {
        "client": client,
        "since": start.isoformat(),
        "until": end.isoformat(),
        "state": state,
        "run": secrets.token_hex(8),
    }
    return await _by_gateway(path, places, asked, getpass.getuser())


async def _by_gateway(path: Path, places: Places, asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    from gateway.cli.operating import NobodyRuns, ask
    from gateway.operator import NAME_HEADER

    async def step(asked: Mapping[str, Any]) -> dict[str, Any]:
        return await ask(places.operator, "POST", "/webhooks/replay", headers={NAME_HEADER: name}, body=asked)

    try:
        return await _to_the_end(step, asked)
    except NobodyRuns:
        if places.store_file is None:
            raise
        return await _alone(path, places.store_file, asked, name)


async def _to_the_end(step: Step, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Step by step, so that nobody else waits for it."""
    told = await step(asked)
    while not told["done"]:
        told = await step(asked)
    return told


async def _alone(path: Path, file: Path, asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Nobody runs: take the file's lock, so that nobody starts meanwhile. The next start posts them."""
    from gateway.clock import SystemClock
    from gateway.config_file import load_config
    from gateway.operator_webhooks import WebhookDesk
    from gateway.store import open_for_reading, open_store
    from gateway.store_policy import store_policy

    await (await open_for_reading(file)).aclose()  # raises for a file that is not there, or not ours
    config = load_config(path, os.environ)
    store = await open_store(config.store_url, store_policy(config))
    try:
        clients = frozenset(config.subscriptions())
        desk = WebhookDesk(outbox=store, clock=SystemClock(), clients=clients, ask_again=lambda _: None)
        return await _to_the_end(lambda asked: desk.replay(asked, by=f"operator {name}"), asked)
    finally:
        await store.aclose()
