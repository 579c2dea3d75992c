"""``gateway windows``: the service windows of contacts."""

from __future__ import annotations

import asyncio
import heapq
import os
from collections.abc import Mapping
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from gateway.cli.importing import import_windows
from gateway.cli.options import config_option, contact_option, json_option
from gateway.cli.since import SpanType
from gateway.cli.streams import SHOWN, Rows, check_limit, first, limit_option, tell, tell_of_more
from gateway.cli.tables import print_table

_LISTED = ("sender", "contact", "state", "opened_at", "closes_at", "opened_by", "evidence", "also_known_as")
_MOST_SORTED = 10_000


@click.group()
def windows() -> None:
    """Service windows: who may be written to freely, and until when."""


@windows.command("list")
@config_option
@json_option
@click.option("--sender", help="Only those of this sender.")
@contact_option
@click.option(
    "--state", type=click.Choice(["open", "closed", "refuted", "unknown"]), help="Only those that are so now."
)
@click.option("--closing-within", type=SpanType(), help="Only those that close within this time, the first one first.")
@limit_option
def list_windows(path: Path, as_json: bool, limit: int | None, closing_within: timedelta | None, **asked: Any) -> None:
    """List windows as they are now. With --json: one JSON object on each line.

    A window is open for 24 hours after the contact's last message or call, unless the provider refused an attempt
    since (refuted). The margin of the configuration is not counted here.
    """
    check_limit(limit, as_json=as_json)
    words = {name: value for name, value in asked.items() if value}
    if closing_within is not None:
        words["closing_within"] = str(int(closing_within.total_seconds()))
    asyncio.run(_list(path, words, limit, as_json=as_json))


async def _list(path: Path, asked: Mapping[str, str], limit: int | None, *, as_json: bool) -> None:
    from gateway.cli.looking import source
    from gateway.config_file import load_places

    async with source(load_places(path, os.environ)) as store:
        rows = store.rows("windows", asked)
        if "closing_within" in asked:
            rows = _soonest(rows, _MOST_SORTED if limit is None else limit + 1)
        if as_json:
            await tell(rows, limit)
            return
        listed, is_more = await first(rows, limit or SHOWN)
    print_table(_LISTED, ([_cell(row[column]) for column in _LISTED] for row in listed))
    tell_of_more(is_more=is_more)


def _cell(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value or "")


async def _soonest(rows: Rows, count: int) -> Rows:
    """So many of the open ones, the one that closes first first."""
    kept: list[dict[str, Any]] = []
    async for row in rows:
        if row["state"] == "open":
            kept.append(row)
        if len(kept) >= 2 * count:
            kept = heapq.nsmallest(count, kept, key=itemgetter("closes_at"))
    for row in heapq.nsmallest(count, kept, key=itemgetter("closes_at")):
        yield row


windows.add_command(import_windows)
