"""``gateway templates import``: definitions of the platform's API become template files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table, shown
from gateway.domain.errors import ConfigInvalid

if TYPE_CHECKING:
    from gateway.registry.importing import Import, Imported

_COLUMNS = ("name", "language", "status", "outcome", "file", "notes")
_NOT_ALL = 1
_LARGEST = 64 * 1024 * 1024
_MORE = "The file is one page of several (paging.next): get the others and import them too."
_DRY = "Nothing was written."


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@config_option
@json_option
@click.option("--force", is_flag=True, help="Replace files that say something else; their `fill` is kept.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
def import_templates(file: Path, path: Path, as_json: bool, force: bool, dry_run: bool) -> None:
    """Write a template file for each definition in FILE (- is standard input), as the platform's API returns them.

    FILE is JSON: {"data": [...]}, a list, or one definition. Fields that we don't know are kept. What can't be read is
    named with its place, and the others are imported; the exit code is 1 then, and when a file that says something
    else was left as it is.
    """
    done = _imported(_text_in(file), path, replaces=force, writes=not dry_run)
    if as_json:
        click.echo(json.dumps(_view(done, dry_run=dry_run), ensure_ascii=False))
    else:
        _tell(file, done)
        for line in (_MORE if done.has_next_page else None, _DRY if dry_run else None):
            if line:
                click.echo(line, err=True)
    raise SystemExit(_NOT_ALL if done.problems or _left(done.taken) else 0)


def _text_in(file: Path) -> str:
    from gateway.config_file.reading import Unreadable, read_text

    if str(file) == "-":
        return sys.stdin.buffer.read(_LARGEST).decode(errors="replace")
    try:
        return read_text(file, largest=_LARGEST)
    except Unreadable as unreadable:
        raise ConfigInvalid([f"{file}: {problem}" for problem in unreadable.problems]) from None


def _imported(text: str, path: Path, *, replaces: bool, writes: bool) -> Import:
    from gateway.config_file import load_folders
    from gateway.registry.importing import Import

    folder = load_folders(path, os.environ).templates
    if not folder.is_dir():
        raise ConfigInvalid([f"{folder}: there is no such folder; create it, or correct paths.templates"])
    done = Import(folder, replaces=replaces, writes=writes)
    done.everything_in(text)
    return done


def _left(taken: Sequence[Imported]) -> list[Imported]:
    """Those whose files say something else, and still do."""
    return [one for one in taken if one.outcome == "differs"]


def _view(done: Import, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "templates": [_row(one) for one in done.taken],
        "problems": [{"place": place, "text": text} for place, text in done.problems],
    }


def _row(one: Imported) -> dict[str, Any]:
    return {
        "name": one.name,
        "language": one.language,
        "status": one.status,
        "outcome": one.outcome.value,
        "file": str(one.path),
        "notes": list(one.notes),
    }


def _tell(file: Path, done: Import) -> None:
    rows = [{**_row(one), "notes": ", ".join(one.notes)} for one in done.taken]
    if rows:
        print_table(_COLUMNS, ([row[column] for column in _COLUMNS] for row in rows))
    for place, text in done.problems:
        click.echo(shown(": ".join(part for part in (str(file), place, text) if part)), err=True)
    if _left(done.taken):
        click.echo("Files that say something else were left as they are; --force replaces them.", err=True)
