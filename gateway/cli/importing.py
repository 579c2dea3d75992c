"""``gateway windows import``: take over the windows of conversations that are running already."""

from __future__ import annotations

import asyncio
import getpass
import io
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, json_option
from gateway.domain.errors import GatewayError

if TYPE_CHECKING:
    from gateway.cli.people import Do
    from gateway.cli.window_file import Lines, Row, SortedRows

BAD = 2
INTERRUPTED = 130
_AT_A_TIME = 10_000
_AT_ONCE = 3
"""So many transactions are asked for together: while one is written, the next is read."""


class NotRead(click.ClickException):
    """It is no file of windows."""

    exit_code = BAD


class Interrupted(GatewayError):
    """The import stopped in the middle, and nothing is half-done."""


@click.command("import")
@config_option
@json_option
@click.option("--skip-bad-lines", is_flag=True, help="Take over the good lines, and name the others.")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, allow_dash=True))
def import_windows(path: Path, as_json: bool, skip_bad_lines: bool, file: str) -> None:
    """Take over windows from a CSV file (- for standard input).

    Its header names sender, contact and last_inbound, in any order; last_inbound has a zone (2026-05-04T12:30:00Z).
    With any bad line nothing is taken over. An import that was interrupted is simply repeated.
    """
    from gateway.log import configure_logging

    configure_logging("warning")
    taken = Counts()
    try:
        lines = asyncio.run(_import(path, file, skips=skip_bad_lines, taken=taken))
    except KeyboardInterrupt:
        click.echo(f"Stopped. {taken.advice()}", err=True)
        raise SystemExit(INTERRUPTED) from None
    is_refused = bool(lines.bad) and not skip_bad_lines
    repeated = 0 if is_refused else lines.read - lines.bad - sum(taken.came_to.values())
    summary = {"read": lines.read, **taken.came_to, "repeated": repeated, "bad": lines.bad}
    if as_json:
        click.echo(
            json.dumps({**summary, "imported": not is_refused, "problems": [asdict(one) for one in lines.problems]})
        )
    else:
        _tell(lines, summary, is_refused=is_refused)
    raise SystemExit(BAD if is_refused else 0)


class Counts:
    """What became of the windows up to now."""

    def __init__(self) -> None:
        self.came_to = {"opened": 0, "known": 0, "closed": 0}

    def add(self, view: dict[str, Any]) -> None:
        for key in self.came_to:
            self.came_to[key] += view[key]

    def advice(self) -> str:
        done = sum(self.came_to.values())
        return f"{done} windows were gone through. Run the same command again: nothing is taken over twice."


def _tell(lines: Lines, summary: dict[str, int], *, is_refused: bool) -> None:
    for problem in lines.problems:
        click.echo(str(problem), err=True)
    if lines.bad > len(lines.problems):
        click.echo(f"and {lines.bad - len(lines.problems)} more", err=True)
    if is_refused:
        what = "Nothing was taken over: correct the lines above, or leave them out with --skip-bad-lines"
        click.echo(f"{what} ({lines.bad} of {lines.read} lines are bad)", err=True)
        return
    click.echo(
        "read {read}, opened {opened}, already known as new or newer {known}, closed already {closed}, "
        "repeated {repeated}, bad {bad}".format(**summary)
    )


async def _import(path: Path, file: str, *, skips: bool, taken: Counts) -> Lines:
    from gateway.cli.people import desk
    from gateway.config_file import load_config, load_places

    places = load_places(path, os.environ)
    async with desk(places, lambda: load_config(path, os.environ), name=getpass.getuser(), makes_store=True) as do:
        rows, lines = await _read(do, file)
        if not lines.bad or skips:
            await _take_over(do, rows, lines, taken)
    return lines


async def _read(do: Do, file: str) -> tuple[SortedRows, Lines]:
    """The whole file, checked against the senders and the time of the gateway that is to have it."""
    from gateway.cli.window_file import NoWindowFile, SortedRows, WindowFile
    from gateway.ingest import Directory

    known = await do("senders", {})
    senders = Directory(names=known["senders"], only=None)
    ahead = datetime.fromisoformat(known["now"]) - datetime.now(UTC)
    with _opened(file) as text, _progress("reading") as advance:
        try:
            windows = WindowFile(text, senders, lambda: datetime.now(UTC) + ahead)
        except NoWindowFile as error:
            raise NotRead(str(error)) from None
        rows = SortedRows()
        while some := list(islice(windows, _AT_A_TIME)):
            rows.add(some)
            advance(windows.lines.read)
            await asyncio.sleep(0)  # somebody may want to stop it
        return rows, windows.lines


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    """As text, whatever its bytes: what is no UTF-8 is no sender and no number."""
    with (
        open(sys.stdin.fileno() if file == "-" else file, "rb", closefd=file != "-") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="") as text,
    ):
        yield text


async def _take_over(do: Do, rows: SortedRows, lines: Lines, taken: Counts) -> None:
    """In small transactions, none of which holds others up; what was done stays done."""
    from gateway.operator_contacts import ROWS_AT_ONCE

    run, done = secrets.token_hex(8), 0
    with _progress("taking over", total=lines.read - lines.bad) as advance:
        for chunks in batched(rows.chunks(ROWS_AT_ONCE), _AT_ONCE):
            asked = (do("import", {"run": run, "rows": chunk}) for chunk in chunks)
            for came_to in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(came_to, GatewayError):
                    raise Interrupted(f"{came_to}. {taken.advice()}") from came_to
                if isinstance(came_to, BaseException):
                    raise came_to
                taken.add(came_to)
            done += sum(map(len, chunks))
            advance(done)


def batched(chunks: Iterator[list[Row]], size: int) -> Iterator[list[list[Row]]]:
    while some := list(islice(chunks, size)):
        yield some


@contextmanager
def _progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar at a terminal; takes how many are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
