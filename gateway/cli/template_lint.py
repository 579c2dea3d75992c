"""``gateway templates lint``: every problem of template files, with file and line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import shown

if TYPE_CHECKING:
    from gateway.registry.linting import Remark

_FOUND = 2
"""As `gateway check` ends when something is wrong."""


@click.command("lint")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option
@json_option
def lint_templates(files: Sequence[Path], path: Path, as_json: bool) -> None:
    """Say all that is wrong with template files, each with its line: those given, or all of the configuration.

    Errors are what does not load, and what the platform would refuse when the template is registered. What it has
    registered already is a warning. Warnings don't fail.
    """
    remarks = _remarks(files, path)
    errors = sum(remark.severity == "error" for remark in remarks)
    if as_json:
        click.echo(json.dumps({"errors": errors, "warnings": len(remarks) - errors, "remarks": _views(remarks)}))
    else:
        _tell(remarks, errors)
    raise SystemExit(_FOUND if errors else 0)


def _remarks(files: Sequence[Path], path: Path) -> list[Remark]:
    from gateway.config_file import load_folders
    from gateway.registry.linting import lint_files, lint_folder

    if files and not path.exists():  # a file can be looked at without any configuration
        return lint_files(files, None)
    folders = load_folders(path, os.environ)
    return lint_files(files, folders.schemas) if files else lint_folder(folders.templates, folders.schemas)


def _views(remarks: Sequence[Remark]) -> list[dict[str, Any]]:
    return [
        {
            "file": str(remark.path),
            "line": remark.position.line if remark.position else None,
            "column": remark.position.column if remark.position else None,
            "severity": remark.severity,
            "code": remark.code,
            "place": remark.place,
            "text": remark.text,
        }
        for remark in remarks
    ]


def _tell(remarks: Sequence[Remark], errors: int) -> None:
    for remark in remarks:
        click.echo(shown(str(remark)))
    click.echo(f"errors: {errors}, warnings: {len(remarks) - errors}", err=True)
