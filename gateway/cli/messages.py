"""``gateway messages``: what an operator sees of messages, and may do to them."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, contact_option, json_option
from gateway.cli.since import LONG_AGO, MomentType, between
from gateway.cli.tables import print_table, shown
from gateway.domain.message import Status

if TYPE_CHECKING:
    from gateway.config_file import Places

_MESSAGE_ID = click.IntRange(1, 2**53 - 1)
_ONLY = {
    "retry": "only one that is unknown, and still has its content, can be sent again",
    "close": "only one that is unknown can be closed",
    "cancel": "only one that is queued or held can be cancelled",
}


@click.group()
def messages() -> None:
    """Messages: look them up, and decide what becomes of unknown ones."""


@messages.command("list")
@config_option
@json_option
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only those of this status.")
@contact_option
@click.option("--sender", help="Only those from this sender.")
@click.option("--client", help="Only those of this client.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
@click.option("--cursor", help="Go on where the page before ended.")
@click.option("--since", type=MomentType(), help="Only those accepted since then.")
@click.option("--until", type=MomentType(), help="Only those accepted before then.")
def list_messages(path: Path, as_json: bool, limit: int, **asked: Any) -> None:
    """List messages, newest first. With --json: one object, with the cursor of the next page."""
    from gateway.config_file import load_places

    words = {"limit": str(limit), **{name: value for name, value in asked.items() if value}}
    page = asyncio.run(_page(load_places(path, os.environ), words))
    if as_json:
        click.echo(json.dumps(page))
        return
    print_table(_LISTED, ([str(row[column]) for column in _LISTED] for row in page["messages"]))
    if page["next_cursor"]:
        click.echo(f"There are more: --cursor {page['next_cursor']}")


async def _page(places: Places, asked: dict[str, Any]) -> Mapping[str, Any]:
    from gateway.cli.looking import source
    from gateway.cli.operating import list_messages as look_up

    if "since" in asked or "until" in asked:
        async with source(places) as store:
            since, until = between(asked.get("since", LONG_AGO), asked.get("until"), store.now)
        asked |= {"since": since.isoformat(), "until": until.isoformat()}
    return await look_up(places, asked)


@messages.command("show")
@config_option
@json_option
@click.argument("message_id", type=_MESSAGE_ID)
def show_message(path: Path, as_json: bool, message_id: int) -> None:
    """Show one message: its decisions, attempts and statuses, and what operators did to it."""
    from gateway.cli.operating import show_message as look_up
    from gateway.config_file import load_places

    message = asyncio.run(look_up(load_places(path, os.environ), message_id))
    if as_json:
        click.echo(json.dumps(message))
    else:
        _print_message(message)


def _act(verb: str, path: Path, message_id: int, as_json: bool) -> None:
    from gateway.cli.operating import act
    from gateway.config_file import load_config, load_places
    from gateway.log import configure_logging

    configure_logging("warning")
    places = load_places(path, os.environ)
    acted = asyncio.run(act(places, lambda: load_config(path, os.environ), verb, message_id, name=getpass.getuser()))
    if as_json:
        click.echo(json.dumps({"id": str(message_id), **acted}))
    elif acted["done"]:
        click.echo(f"{message_id} is {acted['status']}")
    if not acted["done"]:
        raise click.ClickException(f"nothing was changed: {message_id} is {acted['status']}; {_ONLY[verb]}")


@messages.command()
@config_option
@json_option
@click.argument("message_id", type=_MESSAGE_ID)
def retry(path: Path, as_json: bool, message_id: int) -> None:
    """Send an unknown message again: its contact may then have it twice."""
    _act("retry", path, message_id, as_json)


@messages.command()
@config_option
@json_option
@click.argument("message_id", type=_MESSAGE_ID)
def close(path: Path, as_json: bool, message_id: int) -> None:
    """End an unknown message as failed."""
    _act("close", path, message_id, as_json)


@messages.command()
@config_option
@json_option
@click.argument("message_id", type=_MESSAGE_ID)
def cancel(path: Path, as_json: bool, message_id: int) -> None:
    """End a message that waits to leave."""
    _act("cancel", path, message_id, as_json)


# --- how it is shown ------------------------------------------------------------------------------------------------

_LISTED = ("id", "status", "client", "sender", "contact", "accepted_at", "changed_at")
_HEAD = ("id", "status", "failure", "client", "sender", "contact", "reference", "accepted_at", "expires_at")
_ATTEMPT = ("number", "status", "started_at", "ended_at", "provider_message_id", "error")
_ACT = ("at", "by", "act", "before", "after")


def _print_message(message: Mapping[str, Any]) -> None:
    for key in _HEAD:
        if message.get(key) is not None:
            click.echo(f"{key + ':':<13} {shown(str(message[key]))}")
    click.echo("\nDecisions")
    print_table(("at", "stage", "action", "template", "reasons"), map(_decision_row, message["decisions"]))
    click.echo("\nAttempts")
    print_table(_ATTEMPT, map(_attempt_row, message["attempts"]))
    click.echo("\nStatuses")
    print_table(("at", "status"), ([change["at"], change["status"]] for change in message["history"]))
    if message["acts"]:
        click.echo("\nActs")
        print_table(_ACT, ([act[key] for key in _ACT] for act in message["acts"]))


def _decision_row(decision: Mapping[str, Any]) -> list[str]:
    columns = [str(decision.get(key) or "") for key in ("at", "stage", "action", "template")]
    return [*columns, ", ".join(decision.get("reasons") or ())]


def _attempt_row(attempt: Mapping[str, Any]) -> list[str]:
    error = attempt["error"] or {}
    words = " ".join(str(error[key]) for key in ("code", "name", "message") if error.get(key) not in (None, ""))
    return [*(str(attempt[key] or "") for key in _ATTEMPT[:-1]), words]
