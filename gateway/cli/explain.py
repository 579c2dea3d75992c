"""``gateway explain``: what would become of a message, and why."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from gateway.cli.options import config_option, json_option
from gateway.domain.errors import InvalidRequest

_FIRST_YEAR, _LAST_YEAR = 1971, 9000
"""A window's length before and after it there are times as well."""


class InstantType(click.ParamType[datetime]):
    """``2026-11-01T08:00:00Z``, ``2026-11-01T10:00+02:00``"""

    name = "RFC3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("expected an instant such as 2026-11-01T08:00:00Z", param, ctx)
        if at.tzinfo is None:
            self.fail(f"its zone is missing; write {value}Z for UTC", param, ctx)
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            self.fail(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}", param, ctx)
        return at


@click.command()
@config_option
@json_option
@click.option("--from", "sender", help="The sender: its id, an alias or its phone_number_id.")
@click.option("--to", "contact", help="The contact: a phone number, or a business-scoped user id.")
@click.option("--text", help="A text message.")
@click.option("--image", metavar="URL", help="An image by its link.")
@click.option("--template", metavar="NAME[/LANG]", help="A template message.")
@click.option("--body-arg", "arguments", multiple=True, help="An argument of its body; once for each.")
@click.option("--reference", help="What a fill knows as message.reference.")
@click.option("--intent", help="What it is about: an intent of the configuration.")
@click.option(
    "--body", "file", type=click.File("rb"), help="A whole body as a program posts it, in JSON; - for standard input."
)
@click.option("--at", type=InstantType(), help="The time to ask about. [default: now, by the gateway's clock]")
def explain(
    path: Path,
    as_json: bool,
    file: BinaryIO | None,
    reference: str | None,
    intent: str | None,
    at: datetime | None,
    **asked: Any,
) -> None:
    """Say what posting a message would come to, and why. Nothing is stored or sent.

    It reads the store's file and the configuration, while the gateway runs or not. With --json: the object that
    POST /v1/explain answers.
    """
    from gateway.cli.asking import explained
    from gateway.cli.explained import lines_of

    body = _body(asked) if file is None else _read(file, asked)
    beside = {name: value for name, value in (("reference", reference), ("intent", intent)) if value is not None}
    if "source_addr" not in body:
        body |= beside
    headers = {f"Gateway-{name.title()}": value for name, value in beside.items()}
    try:
        told = asyncio.run(explained(path, os.environ, body, headers=headers, at=at))
    except InvalidRequest as invalid:
        raise click.ClickException(f"{invalid.path}: {invalid}") from None
    if told.remark is not None:
        click.echo(f"note: {told.remark}", err=True)
    click.echo(json.dumps(told.view) if as_json else "\n".join(lines_of(told.view)))


_KINDS = ("text", "image", "template")


def _body(asked: dict[str, Any]) -> dict[str, Any]:
    """The message that the options describe."""
    kinds = [kind for kind in _KINDS if asked[kind] is not None]
    if len(kinds) != 1:
        raise click.UsageError("give one of --text, --image, --template and --body")
    if asked["sender"] is None or asked["contact"] is None:
        raise click.UsageError("give --from and --to")
    kind = kinds[0]
    return {"from": asked["sender"], "to": asked["contact"], "type": kind, kind: _content(kind, asked)}


def _content(kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case "text":
            return {"body": asked["text"]}
        case "image":
            return {"link": asked["image"]}
        case _:
            return _template(asked["template"], asked["arguments"])


def _template(named: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    name, _, language = named.partition("/")
    parameters = [{"type": "text", "text": argument} for argument in arguments]
    body = [{"type": "body", "parameters": parameters}] if parameters else []
    return {"name": name, "components": body, **({"language": language} if language else {})}


def _read(file: BinaryIO, asked: dict[str, Any]) -> dict[str, Any]:
    """The body in a file, read as strictly as one that is posted."""
    from gateway.web.strict_json import parse_body
    from gateway.web.wire_errors import UnreadableBody

    if any(asked[name] for name in ("sender", "contact", *_KINDS, "arguments")):
        raise click.UsageError("--body says all of it: give no other part of the message")
    try:
        return parse_body(file.read())
    except UnreadableBody as error:
        raise click.ClickException(f"{file.name}: {error.path}: {error}") from None
