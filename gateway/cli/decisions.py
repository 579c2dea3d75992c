"""``gateway decisions``: what was decided, and why."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, contact_option, json_option
from gateway.cli.since import Moment, MomentType, between
from gateway.cli.streams import SHOWN, Rows, check_limit, first, limit_option, tell, tell_of_more
from gateway.cli.tables import print_table, shown

if TYPE_CHECKING:
    from gateway.cli.looking import Source

_ACTIONS = click.Choice(["sent", "downgraded", "refused"])
_COLUMNS = ("at", "stage", "action", "instead", "id", "client", "sender", "contact", "template", "reasons", "evidence")


@click.command()
@config_option
@json_option
@click.option("--since", type=MomentType(), default="24h", show_default=True, help="From then on.")
@click.option("--until", type=MomentType(), help="Up to then. [default: now]")
@click.option("--sender", help="Only those of this sender.")
@contact_option
@click.option("--client", help="Only those on messages of this client.")
@click.option("--action", type=_ACTIONS, help="Only where this was done.")
@click.option("--instead", type=click.Choice(["downgraded", "refused"]), help="Only where observing kept us from this.")
@click.option("--stage", type=click.Choice(["accept", "send"]), help="Only those at acceptance, or those at sending.")
@limit_option
def decisions(
    path: Path, as_json: bool, since: Moment, until: Moment | None, limit: int | None, **asked: str | None
) -> None:
    """List decisions, oldest first, each with its reasons and evidence. With --json: one JSON object on each line.

    A decision at sending is listed where it differs from the one at acceptance. TIME is 7d, 2026-11-01 (in UTC) or
    2026-11-01T08:00Z.
    """
    check_limit(limit, as_json=as_json)
    words = {name: value for name, value in asked.items() if value}
    asyncio.run(_list(path, since, until, words, limit, as_json=as_json))


async def _list(
    path: Path, since: Moment, until: Moment | None, asked: dict[str, str], limit: int | None, *, as_json: bool
) -> None:
    from gateway.cli.looking import source
    from gateway.config_file import load_places

    async with source(load_places(path, os.environ)) as store:
        start, end = between(since, until, store.now)
        rows = _in_order(store, {**asked, "since": start.isoformat(), "until": end.isoformat()})
        if as_json:
            await tell(rows, limit)
            return
        listed, is_more = await first(rows, limit or SHOWN)
    print_table(_COLUMNS, map(_row, listed))
    tell_of_more(is_more=is_more)


async def _in_order(store: Source, asked: Mapping[str, str]) -> Rows:
    """Those on messages and those that let nothing in, in the order of time."""
    taken, refused = store.rows("decisions", asked), store.rows("refusals", asked)
    refusal = await anext(refused, None)
    async for decision in taken:
        while refusal is not None and refusal["at"] < decision["at"]:
            yield refusal
            refusal = await anext(refused, None)
        yield decision
    if refusal is not None:
        yield refusal
    async for refusal in refused:
        yield refusal


def _row(decision: Mapping[str, Any]) -> list[str]:
    cells = {**decision, "id": decision["message_id"], "reasons": ", ".join(decision["reasons"])}
    cells |= {"instead": _instead(decision["instead"]), "evidence": _evidence(decision["evidence"])}
    return [str(cells[column] or "") for column in _COLUMNS]


def _instead(instead: Mapping[str, Any] | None) -> str:
    if instead is None:
        return ""
    words = (instead.get("action"), instead.get("template"), f"({', '.join(instead.get('reasons') or ())})")
    return " ".join(str(word) for word in words if word)


def _evidence(evidence: Mapping[str, Any]) -> str:
    """The window that it was decided on, and the templates that were passed over."""
    rungs = [rung for rung in evidence.get("rungs") or () if rung.get("problem")]
    passed_over = [f"{rung['name']}/{rung['language']}: {rung['problem']}" for rung in rungs]
    return "; ".join([_window(evidence.get("window") or {}), *passed_over])


def _window(window: Mapping[str, Any]) -> str:
    if window.get("closes_at"):
        return f"window to {shown(str(window['closes_at']))}"
    return f"window refuted {shown(str(window['refuted_at']))}" if window.get("anchor") else "window unknown"
