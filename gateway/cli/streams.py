"""Rows as they come from a store: a line of JSON each, or the first of them for a table."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import click

Rows = AsyncIterator[dict[str, Any]]

SHOWN = 50
LONGEST_TABLE = 1000

limit_option = click.option(
    "--limit", type=click.IntRange(min=1), help=f"At most so many. [default: {SHOWN}; with --json all]"
)


def check_limit(limit: int | None, *, as_json: bool) -> None:
    """Raises BadParameter for a table that nobody could read."""
    if not as_json and limit is not None and limit > LONGEST_TABLE:
        raise click.BadParameter(f"a table takes at most {LONGEST_TABLE}; use --json for more", param_hint="--limit")


async def tell(rows: Rows, limit: int | None) -> None:
    """Each row as a line of JSON, as soon as it is known."""
    count = 0
    async for row in rows:
        if count == limit:
            return
        click.echo(json.dumps(row))
        count += 1


async def first(rows: Rows, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The first of them, and whether there are more."""
    found: list[dict[str, Any]] = []
    async for row in rows:
        if len(found) == limit:
            return found, True
        found.append(row)
    return found, False


def tell_of_more(*, is_more: bool) -> None:
    if is_more:
        click.echo("There are more: take a larger --limit, or narrow it down.", err=True)
