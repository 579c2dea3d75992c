"""``gateway templates clear``: an operator lifts what stands against a template at a provider."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import shown

_NOTHING = "Nothing stood against it."


@click.command("clear")
@click.argument("name", metavar="NAME[/LANGUAGE]")
@config_option
@json_option
@click.option("--provider", help="Only at this provider.  [default: all of them]")
def clear_template(name: str, path: Path, as_json: bool, provider: str | None) -> None:
    """Lift what stands against a template: a refusal that marked it, or a status that a provider has told.

    It is sent again at once. What the provider tells or refuses from now on counts as before.
    """
    from gateway.cli.templates import Shelf
    from gateway.log import configure_logging

    configure_logging("warning")
    found, language = Shelf.at(path).find(name)
    asked = {"name": found, "language": language, **({} if provider is None else {"provider": provider})}
    done = asyncio.run(_clear(path, asked))
    if as_json:
        click.echo(json.dumps(done))
        return
    for one in done["cleared"]:
        click.echo(shown(f"Lifted at {one['provider']}: {one['was']}"))
    if not done["cleared"]:
        click.echo(_NOTHING)


async def _clear(path: Path, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    from gateway.cli.operating import NobodyRuns, ask
    from gateway.config_file import load_places
    from gateway.operator import NAME_HEADER

    places, name = load_places(path, os.environ), getpass.getuser()
    try:
        return await ask(places.operator, "POST", "/templates/clear", headers={NAME_HEADER: name}, body=asked)
    except NobodyRuns:
        if places.store_file is None:
            raise
        return await _alone(path, places.store_file, asked, name)


async def _alone(path: Path, file: Path, asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Nobody runs: take the file's lock, so that nobody starts meanwhile."""
    from gateway.clock import SystemClock
    from gateway.config_file import load_config
    from gateway.operator_templates import TemplateDesk
    from gateway.store import open_for_reading, open_store
    from gateway.store_policy import store_policy

    await (await open_for_reading(file)).aclose()  # raises for a file that is not there, or not ours
    config = load_config(path, os.environ)
    store = await open_store(config.store_url, store_policy(config))
    try:
        desk = TemplateDesk(
            healths=store, clock=SystemClock(), changed=_nobody_decides, providers=config.provider_names()
        )
        return await desk.clear(asked, by=f"operator {name}")
    finally:
        await store.aclose()


async def _nobody_decides() -> None:
    """No gateway runs."""
