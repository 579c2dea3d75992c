"""``gateway sandbox``: the provider to try things on, alone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from gateway.domain.errors import CannotStart

if TYPE_CHECKING:
    from gateway.provider.sandbox import Account

Number = tuple[str, str]
"""A phone number id, and the phone number in digits, empty if it was not told."""

LONGEST_ID, LONGEST_NUMBER = 20, 15


def _http_address(_: click.Context, __: click.Parameter, written: str | None) -> str | None:
    if written is not None and not _is_http_address(written):
        raise click.BadParameter("expected an http or https address")
    return written


def _is_http_address(written: str) -> bool:
    try:
        parts = urlsplit(written)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _numbers(_: click.Context, __: click.Parameter, written: Sequence[str]) -> tuple[Number, ...]:
    numbers = tuple(_number(each) for each in written)
    if len({number_id for number_id, _ in numbers}) < len(numbers):
        raise click.BadParameter("expected each id once")
    return numbers


def _number(written: str) -> Number:
    number_id, _, number = written.partition("=")
    number = number.removeprefix("+")
    if not _is_digits(number_id, LONGEST_ID) or not (number == "" or _is_digits(number, LONGEST_NUMBER)):
        raise click.BadParameter("expected digits, or digits and a phone number: 106540352242922=+380441234567")
    return number_id, number


def _is_digits(written: str, longest: int) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= longest


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8090, show_default=True, type=click.IntRange(0, 65535), help="The port to listen on.")
@click.option(
    "--templates",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of the templates that are registered. [default: those that ship]",
)
@click.option(
    "--callbacks-to",
    metavar="URL",
    callback=_http_address,
    help="Where customers' messages go, in DecisionTelecom's form: <public_url>/callbacks/<name>/<callback_secret> of "
    "the gateway to try.",
)
@click.option(
    "--cloud-callbacks-to",
    metavar="URL",
    callback=_http_address,
    help="Where messages and statuses go in the Cloud API's form: <public_url>/callbacks/<name>, of 360dialog with the "
    "callback_secret behind it. Beside --callbacks-to it is for senders of digits alone.",
)
@click.option(
    "--app-secret",
    metavar="SECRET",
    envvar="SANDBOX_APP_SECRET",
    help="Signs the Cloud API's callbacks; without it they are not signed, like 360dialog's. [env: SANDBOX_APP_SECRET]",
)
@click.option(
    "--phone-number-id",
    "numbers",
    metavar="ID[=NUMBER]",
    multiple=True,
    callback=_numbers,
    help="A business number of the Cloud API, and its phone number; may be repeated. [default: any digits]",
)
@click.option(
    "--key",
    metavar="KEY",
    envvar="SANDBOX_KEY",
    help="The key that all APIs must be shown. [default: any] [env: SANDBOX_KEY]",
)
def sandbox(
    *,
    host: str,
    port: int,
    folder: Path | None,
    callbacks_to: str | None,
    cloud_callbacks_to: str | None,
    app_secret: str | None,
    numbers: tuple[Number, ...],
    key: str | None,
) -> None:
    """Run the provider to try things on alone.

    DecisionTelecom's API is at /v1/api, the Cloud API at /v24.0 and any other version, 360dialog's at /messages, and
    the customers at /sandbox. To try a provider of kind cloud-api:

      gateway sandbox --cloud-callbacks-to http://127.0.0.1:8080/callbacks/meta --app-secret s3cret
    """
    from gateway.doors import cannot_listen
    from gateway.log import configure_logging
    from gateway.provider.sandbox import Account, run_sandbox
    from gateway.shipped import shipped

    configure_logging("warning")
    anyone = Account(sender="", phone_number_id="", app_secret=app_secret, callbacks_to=cloud_callbacks_to)
    is_cloud = cloud_callbacks_to is not None and not numbers
    alone = run_sandbox(
        templates=folder or shipped("templates"),
        host=host,
        port=port,
        callbacks_to=callbacks_to,
        key=key,
        accounts=_accounts(anyone, numbers),
        anyone=anyone if is_cloud else None,
        started=partial(
            _announce,
            hears=callbacks_to is not None or cloud_callbacks_to is not None,
            business=anyone.business if numbers else None,
        ),
    )
    try:
        asyncio.run(_until_stopped(alone))
    except OSError as fault:
        raise CannotStart(cannot_listen(host, port, fault)) from None


def _accounts(like: Account, numbers: Sequence[Number]) -> list[Account]:
    return [
        replace(like, sender=number or number_id, phone_number_id=number_id, display=number or number_id)
        for number_id, number in numbers
    ]


_DEAF = """\
Without --callbacks-to or --cloud-callbacks-to nobody hears what customers write, so no window ever opens. They take
the gateway's address:
--callbacks-to http://127.0.0.1:8080/callbacks/<name of the provider>/<its callback_secret>
--cloud-callbacks-to http://127.0.0.1:8080/callbacks/<name of the provider> --app-secret <its app_secret>"""


def _announce(address: str, *, hears: bool, business: str | None) -> None:
    click.echo(f"base_url for a provider of kind decision-telecom: {address}/v1/api")
    click.echo(f"base_url for one of kind cloud-api: {address}/v24.0, of kind 360dialog: {address}")
    click.echo(
        f"base_url under its templates (any account number and token): {address}/v24.0\nCustomers: {address}/sandbox/"
    )
    if business is not None:
        click.echo(f"account of its numbers, for what is asked of one on the Cloud API: {business}")
    if not hears:
        click.echo(_DEAF)


async def _until_stopped(running: Coroutine[Any, Any, None]) -> None:
    """SIGTERM and Ctrl-C end it in order."""
    task = asyncio.ensure_future(running)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
