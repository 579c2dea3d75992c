"""``gateway templates``: the registered templates, as the files have them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.cli.template_clear import clear_template
from gateway.cli.template_import import import_templates
from gateway.cli.template_lint import lint_templates
from gateway.cli.template_preview import preview_template
from gateway.cli.template_sync import diff_templates, sync_templates
from gateway.domain.errors import NotFound

if TYPE_CHECKING:
    from gateway.config_file import Ladder
    from gateway.registry import Key, Registry

_LISTED = ("name", "language", "category", "status", "health", "rung of")


@click.group()
def templates() -> None:
    """Registered templates: what there is, what is wrong with it, and what it takes."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The templates, where their files are, and the ladders that they stand on."""

    registry: Registry
    ladders: Sequence[Ladder]
    templates: Path
    schemas: Path | None

    @classmethod
    def at(cls, path: Path) -> Shelf:
        """Of this configuration. Raises ConfigInvalid with all problems of all files."""
        from gateway.config_file import load_folders, load_ladders
        from gateway.registry import Registry

        folders, ladders = load_folders(path, os.environ), load_ladders(path, os.environ)
        registry = Registry.load(folders.templates, folders.schemas)
        return cls(registry, ladders, folders.templates, folders.schemas)

    def find(self, written: str) -> Key:
        """The template that ``NAME`` or ``NAME/LANGUAGE`` means. Raises NotFound, which says what there is."""
        from gateway.domain.template import fold_language

        name, _, language = written.partition("/")
        known = [its_language for its_name, its_language in self.registry.names() if its_name == name]
        if not known:
            raise NotFound(f"there is no template {written}; `gateway templates list` shows what there is")
        if language and fold_language(language) not in known:
            raise NotFound(f"{name} is not registered in {language}; it is in {', '.join(known)}")
        return name, fold_language(language) if language else self._usual(name, known)

    def _usual(self, name: str, known: Sequence[str]) -> str:
        """The only language, or the only one that senders use."""
        from gateway.domain.template import fold_language

        used = {fold_language(language) for ladder in self.ladders for language in ladder.languages}
        for candidates in (known, [language for language in known if language in used]):
            if len(candidates) == 1:
                return candidates[0]
        raise NotFound(f"{name} is registered in {', '.join(known)}; say which: {name}/{known[0]}")


templates.add_command(clear_template)
templates.add_command(import_templates)
templates.add_command(lint_templates)
templates.add_command(preview_template)
templates.add_command(sync_templates)
templates.add_command(diff_templates)


@templates.command("list")
@config_option
@json_option
def list_templates(path: Path, as_json: bool) -> None:
    """List the templates, how they stand at the providers as far as the store knows it, and on whose ladders they
    stand. With --json: one JSON object on each line."""
    from gateway.cli.template_standing import standings_at, told
    from gateway.cli.template_views import row_view, rungs_told

    shelf = Shelf.at(path)
    standings, problem = asyncio.run(standings_at(path))
    rows = [
        {
            **row_view(template, shelf.ladders),
            "health": None if standings is None else dict(standings.of(template.definition)),
        }
        for template in shelf.registry.templates()
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    if problem is not None:
        click.echo(f"Their health is not shown: {problem}", err=True)
    cells = [{**row, "health": told(row["health"] or {}), "rung of": rungs_told(row["rungs"])} for row in rows]
    print_table(_LISTED, ([row[column] for column in _LISTED] for row in cells))


@templates.command("show")
@click.argument("name", metavar="NAME[/LANGUAGE]")
@config_option
@json_option
def show_template(name: str, path: Path, as_json: bool) -> None:
    """Show one template: what customers read, what fills it, what tightens it, and on whose ladders it stands."""
    from gateway.cli.template_views import lines_of, whole_view

    shelf = Shelf.at(path)
    template = shelf.registry.template(*shelf.find(name))
    assert template is not None  # noqa: S101 - it was found among those that there are
    view = whole_view(template, shelf.ladders, templates=shelf.templates, schemas=shelf.schemas)
    if as_json:
        click.echo(json.dumps(view, indent=2, ensure_ascii=False))
        return
    for line in lines_of(view):
        click.echo(line)


@templates.command("schema")
@click.argument("name", metavar="NAME[/LANGUAGE]")
@config_option
def print_schema(name: str, path: Path) -> None:
    """Print the contract of one template: a JSON Schema (2020-12) of its message's components, tightening included."""
    shelf = Shelf.at(path)
    click.echo(json.dumps(shelf.registry.contract(*shelf.find(name)), indent=2, ensure_ascii=False))
