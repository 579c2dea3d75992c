"""The command line. What a command needs beyond it is imported when it runs: ``gateway keys new`` needs no server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import structlog
import uvloop

from gateway import __version__, keys
from gateway.cli.contacts import contacts
from gateway.cli.decisions import decisions
from gateway.cli.explain import explain
from gateway.cli.messages import messages
from gateway.cli.options import config_option, json_option
from gateway.cli.report import report
from gateway.cli.sandbox import sandbox
from gateway.cli.templates import templates
from gateway.cli.webhooks import webhooks
from gateway.cli.windows import windows
from gateway.config import Config
from gateway.domain.errors import ConfigInvalid, GatewayError

log = structlog.get_logger(__name__)

CONFIG_INVALID = 2


class Told(click.ClickException):
    """What went wrong, for somebody at a terminal: lines, and no traceback."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class ConfigTold(Told):
    """The problems of a configuration."""

    exit_code = CONFIG_INVALID


class Gateway(click.Group):
    """Turns errors of ours into lines and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigInvalid as error:
            raise ConfigTold("\n".join(error.problems)) from None
        except GatewayError as error:
            raise Told(f"gateway: {error}") from None


def main() -> None:
    """Run the command that the process was started with."""
    cli(prog_name="gateway")


@click.group(cls=Gateway)
@click.version_option(__version__)
def cli() -> None:
    """A gateway that keeps WhatsApp messages within the 24-hour service window and its templates."""


cli.add_command(decisions)
cli.add_command(explain)
cli.add_command(messages)
cli.add_command(contacts)
cli.add_command(report)
cli.add_command(sandbox)
cli.add_command(templates)
cli.add_command(webhooks)
cli.add_command(windows)


@cli.command()
@config_option
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least important events to log.",
)
def serve(path: Path, log_level: str) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    from gateway.cli.checking import check as look_at
    from gateway.log import configure_logging
    from gateway.serving import serve as run

    configure_logging(log_level, for_good=True)
    checked = look_at(path, os.environ)
    if checked.config is None:
        raise ConfigInvalid(checked.problems)
    for warning in checked.warnings:
        log.warning("config.warning", warning=warning)
    raise SystemExit(uvloop.run(run(checked.config)))


@cli.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
def demo(port: int) -> None:
    """Run the gateway beside a provider to try things on. Nothing is kept, and nothing leaves this machine."""
    from gateway.demo import demo_banner
    from gateway.log import configure_logging
    from gateway.serving import serve as run

    configure_logging("warning")
    config = _demo_config(port)
    raise SystemExit(uvloop.run(run(config, announce=lambda _: click.echo(demo_banner(port)))))


def _demo_config(port: int) -> Config:
    from gateway.config_file import config_from
    from gateway.demo import demo_config

    return config_from(demo_config(port), {}, folder=Path.cwd(), name="demo")


@cli.command()
@config_option
@json_option
def check(path: Path, as_json: bool) -> None:
    """Look at the configuration, templates and schemas, and say all that is wrong. Warnings don't fail."""
    from gateway.cli.checking import check as look_at

    checked = look_at(path, os.environ)
    if as_json:
        click.echo(json.dumps({"problems": checked.problems, "warnings": checked.warnings}))
    else:
        _tell(path, checked.problems, checked.warnings)
    raise SystemExit(CONFIG_INVALID if checked.problems else 0)


def _tell(path: Path, problems: tuple[str, ...], warnings: tuple[str, ...]) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if not problems:
        click.echo(f"{path}: good" + (f", with {len(warnings)} to look at" if warnings else ""))


def _named(_: click.Context, __: click.Parameter, name: str) -> str:
    if not name.strip():
        raise click.BadParameter("expected the name of a client")
    return name


@cli.group("keys")
def keys_group() -> None:
    """Keys of clients."""


@keys_group.command("new")
@click.option("--client", required=True, callback=_named, help="The client's name in the configuration.")
@json_option
def new_key(client: str, as_json: bool) -> None:
    """Make a key. It is shown this once; the configuration keeps its hash."""
    key = keys.new_key()
    line = f"sha256:{keys.digest(key).hex()}"
    if as_json:
        click.echo(json.dumps({"client": client, "key": key, "config": line}))
        return
    click.echo(f"The key of {client}; it is shown this once:\n\n  {key}\n")
    click.echo(f"The line for keys: of {client} in the configuration:\n\n  - {line}")
