"""``gateway windows``: service windows."""

from __future__ import annotations

import click

from gateway.cli.importing import import_windows


@click.group()
def windows() -> None:
    """Service windows: take over those of conversations that are running already."""


windows.add_command(import_windows)
