"""``gateway contacts``: what contacts may not be sent, and erasing all about one."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.domain.identity import parse_contact, redact
from gateway.domain.suppression import Scope

_LISTED = ("contact", "sender", "scope", "source", "since", "by", "note")


def _contact(_: click.Context, __: click.Parameter, written: str) -> str:
    try:
        return parse_contact(written)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


contact_argument = click.argument("contact", callback=_contact)
sender_option = click.option("--sender", help="Only for this sender, by its id or an alias.  [default: all of them]")


@click.group()
def contacts() -> None:
    """Contacts: what they may not be sent, and erasing all about one."""


@contacts.command()
@config_option
@json_option
@contact_argument
@sender_option
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in reversed(Scope)]),
    default=Scope.EVERYTHING.value,
    show_default=True,
    help="What stops: everything, all template messages, or only those of category MARKETING.",
)
@click.option("--note", help="Why, for those who read the list; at most 500 characters.")
def block(path: Path, as_json: bool, contact: str, **asked: str | None) -> None:
    """Put a contact on the suppression list."""
    done = _do(path, "block", {"contact": contact, **asked})
    if as_json:
        click.echo(json.dumps(done))
        return
    whose = f"by {done['sender']}" if done["sender"] else "by any sender"
    what = {"everything": "nothing", "templates": "no template message"}.get(done["scope"], "no marketing template")
    click.echo(f"{contact} is sent {what} {whose}" + ("" if done["changed"] else ", as before"))


@contacts.command()
@config_option
@json_option
@contact_argument
@sender_option
def allow(path: Path, as_json: bool, contact: str, sender: str | None) -> None:
    """Take a contact off the suppression list, opt-outs that the provider reported up to now included."""
    done = _do(path, "allow", {"contact": contact, "sender": sender})
    if as_json:
        click.echo(json.dumps(done))
        return
    if not done["lifted"]:
        click.echo(f"Nothing stood on the list for {contact}" + (f" and {sender}" if sender else ""))
    for entry in done["lifted"]:
        click.echo(f"Lifted: {_told(entry)}")
    for entry in done["left"]:
        click.echo(f"Still holds: {_told(entry)}")


def _told(entry: Mapping[str, Any]) -> str:
    whose = "an opt-out that the provider reported" if entry["source"] == "provider" else f"blocked by {entry['by']}"
    return f"{entry['scope']}, {entry['sender'] or 'all senders'}: {whose}, since {entry['since']}"


@contacts.command("list")
@config_option
@json_option
@click.option("--sender", help="Only what holds for this sender, by its id.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
@click.option("--cursor", help="Go on where the page before ended.")
def list_contacts(path: Path, as_json: bool, **asked: Any) -> None:
    """Show the suppression list, newest entries first."""
    from gateway.cli.people import list_contacts as look_up
    from gateway.config_file import load_places

    query = {key: value for key, value in asked.items() if value is not None}
    page = asyncio.run(look_up(load_places(path, os.environ), query))
    if as_json:
        click.echo(json.dumps(page))
        return
    print_table(_LISTED, (_row(entry) for entry in page["contacts"]))
    if page["next_cursor"]:
        click.echo(f"There are more: --cursor {page['next_cursor']}")


def _row(entry: Mapping[str, Any]) -> list[str]:
    known = {**entry, "contact": entry["contact"] or "(erased)", "sender": entry["sender"] or "(all)"}
    return [str(known[column] or "") for column in _LISTED]


@contacts.command()
@config_option
@json_option
@contact_argument
@click.option("--yes", is_flag=True, help="Don't ask.")
def erase(path: Path, as_json: bool, contact: str, yes: bool) -> None:
    """Erase all that is known of a person. It can't be undone; it can be repeated.

    What waits for this contact is cancelled first. Counts stay, and so does its place on the suppression list, without
    its name.
    """
    _confirm(contact, yes)
    view = asyncio.run(_erase(path, contact))
    counts, files = view["counts"], view["files"]
    if as_json:
        click.echo(json.dumps({"counts": counts, "files": files}))
        return
    found = {key: number for key, number in counts.items() if number and key != "sending"}
    if not any(counts.values()):
        click.echo("Nothing of this contact was found.")
        return
    click.echo("Erased: " + ", ".join(f"{number} {_KINDS.get(key, key)}" for key, number in found.items()))
    if counts.get("sending"):
        click.echo(
            f"{counts['sending']} more were just being sent: what comes back of them is kept without the contact."
        )
    if files not in (None, "clean"):
        click.echo(_KEPT)


_KEPT = """\
The store's file was not written anew (one of over 256 MB only is while nobody serves it), so its unused parts may still
hold copies. Stop the gateway, and run this once more."""
_KINDS = {
    "cancelled": "messages that waited (cancelled)",
    "suppressions": "names on the suppression list",
    "deeds": "names in the operators' log",
    "messages": "messages",
}


def _confirm(contact: str, is_sure: bool) -> None:
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("erasing can't be undone; say --yes where nobody can be asked")
    click.confirm(f"Erase all about {redact(contact)}? It can't be undone.", abort=True)


async def _erase(path: Path, contact: str) -> Mapping[str, Any]:
    """Until it is through; the gateway answers every few seconds how far it is."""
    from gateway.cli.people import desk
    from gateway.config_file import load_config, load_places

    _set_up_logging()
    places, asked = load_places(path, os.environ), {"contact": contact, "run": secrets.token_hex(8)}
    async with desk(places, lambda: load_config(path, os.environ), name=getpass.getuser()) as do:
        view = await do("erase", asked)
        while not view["done"]:
            view = await do("erase", {"contact": contact, "run": view["run"], "goes_on": True})
    return view


def _do(path: Path, deed: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """One deed, by the running gateway or alone."""

    async def done() -> Mapping[str, Any]:
        from gateway.cli.people import desk
        from gateway.config_file import load_config, load_places

        places = load_places(path, os.environ)
        name, makes = getpass.getuser(), deed == "block"
        async with desk(places, lambda: load_config(path, os.environ), name=name, makes_store=makes) as do:
            return await do(deed, {key: value for key, value in asked.items() if value is not None})

    _set_up_logging()
    return asyncio.run(done())


def _set_up_logging() -> None:
    from gateway.log import configure_logging

    configure_logging("warning")
