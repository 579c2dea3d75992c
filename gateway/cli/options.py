"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.domain.identity import parse_contact

config_option = click.option(
    "--config",
    "path",
    default="config.yaml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The configuration to use.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")


def _contact(_: click.Context, __: click.Parameter, written: str | None) -> str | None:
    try:
        return parse_contact(written) if written else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


contact_option = click.option("--contact", callback=_contact, help="Only those of this contact.")
