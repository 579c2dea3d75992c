"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "path",
    default="config.yaml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The configuration to use.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
