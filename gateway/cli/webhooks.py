"""``gateway webhooks``: what was posted to clients, what was not, and posting it again."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.since import LONG_AGO, Moment, MomentType, between
from gateway.cli.streams import SHOWN, check_limit, first, limit_option, tell, tell_of_more
from gateway.cli.tables import print_table, shown
from gateway.cli.webhook_replay import replay_webhooks

_LISTED = (
    "created_at",
    "client",
    "to",
    "type",
    "state",
    "tries",
    "next_try_at",
    "error",
    "sender",
    "contact",
    "event_id",
)


@click.group()
def webhooks() -> None:
    """Webhooks: what was posted to clients and what was not, posting it again, and trying an endpoint."""


@webhooks.command("list")
@config_option
@json_option
@click.option("--client", help="Only those of this client.")
@click.option("--state", type=click.Choice(["waiting", "delivered", "failed"]), help="Only those that are so now.")
@click.option("--since", type=MomentType(), default=LONG_AGO, help="Only those of then or later. [default: all]")
@click.option("--until", type=MomentType(), help="Only those of before then. [default: now]")
@limit_option
def list_webhooks(
    path: Path, as_json: bool, limit: int | None, since: Moment, until: Moment | None, **asked: str | None
) -> None:
    """List events for clients, oldest first, and how their delivery stands. With --json: one JSON object on each line.

    A failed one used up its tries, or its endpoint is gone; `gateway webhooks replay` posts it again.
    """
    check_limit(limit, as_json=as_json)
    words = {name: value for name, value in asked.items() if value}
    asyncio.run(_list(path, since, until, words, limit, as_json=as_json))


async def _list(
    path: Path, since: Moment, until: Moment | None, asked: Mapping[str, str], limit: int | None, *, as_json: bool
) -> None:
    from gateway.cli.looking import source
    from gateway.config_file import load_places

    async with source(load_places(path, os.environ)) as store:
        start, end = between(since, until, store.now)
        span = {"since": start.isoformat()} | ({} if until is None else {"until": end.isoformat()})
        rows = store.rows("webhooks", {**asked, **span})
        if as_json:
            await tell(rows, limit)
            return
        listed, is_more = await first(rows, limit or SHOWN)
    print_table(_LISTED, (["" if row[key] is None else str(row[key]) for key in _LISTED] for row in listed))
    tell_of_more(is_more=is_more)


webhooks.add_command(replay_webhooks)


@webhooks.command("verify")
@config_option
@json_option
@click.option("--client", required=True, help="The client whose endpoint is asked.")
def verify(path: Path, as_json: bool, client: str) -> None:
    """Ask a client's endpoint as the platform does before it posts there: does it know the verify_token, and give back
    the challenge?"""
    from gateway.cli.webhook_verifying import verified

    told: dict[str, Any] = asyncio.run(verified(path, os.environ, client))
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(shown(f"{client}: {told['says']}"))
    if not told["verified"]:
        raise SystemExit(1)
