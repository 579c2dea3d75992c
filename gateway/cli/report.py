"""``gateway report``: what happened, and what would have happened, summed up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.since import Moment, MomentType, between
from gateway.cli.tables import print_table, shown

View = Mapping[str, Any]


@click.command()
@config_option
@json_option
@click.option("--since", type=MomentType(), default="7d", show_default=True, help="Messages accepted from then on.")
@click.option("--until", type=MomentType(), help="Up to then. [default: now]")
@click.option("--sender", help="Only this sender.")
@click.option(
    "--html", "file", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Write a page with charts."
)
def report(
    path: Path, as_json: bool, since: Moment, until: Moment | None, sender: str | None, file: Path | None
) -> None:
    """Sum up decisions and what came of them, for each sender. TIME is 7d, 2026-11-01 (in UTC) or 2026-11-01T08:00Z.

    For a sender in mode: observe it says what enforcing would have done, and how often the provider agreed.
    """
    if file is not None and not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}", param_hint="--html")
    view = asyncio.run(_view(path, since, until, sender))
    if file is not None:
        _write(file, view)
    if as_json:
        click.echo(json.dumps(view))
    elif file is not None:
        click.echo(f"{file} is written")
    else:
        _print(view)


async def _view(path: Path, since: Moment, until: Moment | None, sender: str | None) -> View:
    from gateway.cli.looking import period_of, source
    from gateway.config_file import load_history, load_places

    kept = load_history(path, os.environ)
    async with source(load_places(path, os.environ)) as store:
        start, end = between(since, until, store.now)
        with _progress() as progress:
            return await store.report(period_of(start, end, sender), kept, progress)


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """A bar on the standard error of a terminal; it goes when the work is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Counting", total=1)
        yield lambda share: bar.update(task, completed=share)


def _write(file: Path, view: View) -> None:
    from gateway.report import page

    try:
        file.write_text(page(view), encoding="utf-8")
    except OSError as fault:
        raise click.ClickException(f"{file} can't be written: {fault.strerror}") from None


# --- how it is shown ------------------------------------------------------------------------------------------------


def _print(view: View) -> None:
    click.echo(f"{shown(view['since'])} to {shown(view['until'])}")
    if view["is_cut"]:
        click.echo(f"History is kept {view['history_days']:g} days: what is older is no longer counted.")
    for section in view["sections"]:
        _print_section(section)
    if not view["sections"]:
        click.echo("No message was accepted or refused in this time.")


def _print_section(section: View) -> None:
    from gateway.report import figures, matrix, said

    click.echo(f"\n{shown(section['sender'])} ({section['mode']})\n{said(section)}\n")
    rows = [[label, str(count), told] for label, count, told in figures(section)]
    print_table(("what", "count", "that is"), rows)
    answers = ("window", "delivered", "taken", "refused", "failed", "unknown")
    held = [[label, *map(str, counts)] for label, counts in matrix(section) if sum(counts)]
    _print_part("Were we right about the window?", answers, held)
    titles = _TITLES[section["mode"]]
    _print_rows(titles[0], section["stood_in"], ("template", "count"))
    _print_rows(titles[1], section["refusals"], ("reason", "count"))
    _print_rows("Templates of the ladder that could not be taken", section["passed_over"], _PASSED_OVER)
    _print_rows("Template messages that don't fit", section["misfits"], (*_PASSED_OVER[:2], "path", "count"))


_PASSED_OVER = ("template", "problem", "count")
_TITLES = {
    "observe": ("Templates that would have stood in", "Why nothing would have stood in"),
    "enforce": ("Templates that stood in", "Why nothing stood in"),
}


def _print_rows(title: str, rows: Sequence[View], columns: Sequence[str]) -> None:
    _print_part(title, columns, [[str(row[column] or "") for column in columns] for row in rows])


def _print_part(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        click.echo(f"\n{title}")
        print_table(columns, rows)
