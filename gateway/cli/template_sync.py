"""``gateway templates sync`` and ``diff``: what providers list, beside the files."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table, shown
from gateway.domain.errors import ConfigInvalid, GatewayError

if TYPE_CHECKING:
    from gateway.config import TemplateListConfig
    from gateway.registry import Registry
    from gateway.registry.comparing import Difference
    from gateway.registry.taking import Taken

_COLUMNS = ("provider", "name", "language", "what", "details")
_DIFFERS = 1
_READ_ONLY = "Nothing was written; --write writes what is there into the files."
_TAKEN = "A running gateway takes the files on SIGHUP, or by itself with paths.watch."

provider_option = click.option("--provider", "only", metavar="NAME", help="Only what this provider lists.")

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What one provider lists, beside the files."""

    provider: str
    differences: Sequence[Difference]


class ListUnknown(GatewayError):
    """No list was read, so that nothing can be said of what is in it."""


@click.command("sync")
@config_option
@json_option
@provider_option
@click.option("--write", "writes", is_flag=True, help="Write what is listed into the files; their `fill` is kept.")
def sync_templates(path: Path, as_json: bool, only: str | None, writes: bool) -> None:
    """Read the lists of templates that providers have (`providers[].templates`), and say what the files say otherwise.

    Without --write nothing is changed. The exit code is 1 when something differs still, or could not be read.
    """
    compared = _compared(path, only)
    if writes and len(compared) > 1:
        names = ", ".join(one.provider for one in compared)
        raise click.UsageError(f"several providers list templates: say with --provider whose to write ({names})")
    taken = _taken(path, compared[0]) if writes else None
    rows = [_row(one.provider, each, taken) for one in compared for each in one.differences]
    problems = [] if taken is None else taken.problems
    if as_json:
        click.echo(json.dumps({"written": writes, "templates": rows, "problems": problems}, ensure_ascii=False))
    else:
        _tell(rows, taken)
    raise SystemExit(_DIFFERS if any(row["differs"] for row in rows) else 0)


@click.command("diff")
@click.argument("name", metavar="[NAME[/LANGUAGE]]", required=False)
@config_option
@json_option
@provider_option
def diff_templates(name: str | None, path: Path, as_json: bool, only: str | None) -> None:
    """Show how the templates that providers list differ from the files: what messages must carry, and what customers
    read, from here to there. The exit code is 1 when anything does. With --json: one JSON object on each line."""
    from gateway.cli.templates import Shelf

    wanted = None if name is None else Shelf.at(path).find(name)
    found = [
        (one.provider, each)
        for one in _compared(path, only)
        for each in one.differences
        if _is_shown(each) and wanted in (None, each.key)
    ]
    for provider, difference in found:
        if as_json:
            click.echo(json.dumps(_whole(provider, difference), ensure_ascii=False))
        else:
            _show(provider, difference)
    raise SystemExit(_DIFFERS if found else 0)


def _compared(path: Path, only: str | None) -> list[Compared]:
    from gateway.config_file import load_folders, load_template_lists
    from gateway.registry import Registry

    lists = _chosen(load_template_lists(path, os.environ), only)
    folders = load_folders(path, os.environ)
    registry = Registry.load(folders.templates, folders.schemas)
    return asyncio.run(_read(lists, registry))


def _chosen(lists: Mapping[str, TemplateListConfig], only: str | None) -> Mapping[str, TemplateListConfig]:
    if only is not None and only not in lists:
        known = ", ".join(lists) or "none"
        raise ConfigInvalid([f"providers: none is called {only} and lists its templates; those that do: {known}"])
    if not lists:
        remedy = "give one the key `templates`, as config.example.yaml shows"
        raise ConfigInvalid([f"providers: none lists its templates, so the files are all that is known; {remedy}"])
    return lists if only is None else {only: lists[only]}


async def _read(lists: Mapping[str, TemplateListConfig], registry: Registry) -> list[Compared]:
    from gateway.registry.comparing import differences

    compared = []
    for provider, config in lists.items():
        listed = await _listed(provider, config)
        compared.append(Compared(provider=provider, differences=differences(listed, registry)))
    return compared


async def _listed(provider: str, config: TemplateListConfig) -> list[Any]:
    """All that is listed. Raises ListUnknown: of half a list nothing could be said to be missing."""
    from gateway.ports import ListFailed
    from gateway.provider.template_list import CloudTemplateList

    client = CloudTemplateList(provider, config)
    try:
        return [one async for page in client.pages() for one in page.templates]
    except ListFailed as failed:
        raise ListUnknown(f"{provider}: the list of templates {failed}") from None
    finally:
        await client.aclose()


# --- writing ----------------------------------------------------------------------------------------------------------


def _taken(path: Path, compared: Compared) -> Taken:
    from gateway.config_file import load_folders
    from gateway.registry.taking import take

    return take(compared.differences, load_folders(path, os.environ).templates)


def _row(provider: str, difference: Difference, taken: Taken | None) -> View:
    name, language = difference.key
    file = None if taken is None else taken.imported.get(difference.key)
    is_done = taken is not None and file is not None and difference.key not in taken.still
    return {
        "provider": provider,
        "name": name,
        "language": language,
        "what": [what.value for what in difference.what],
        "details": list(difference.details),
        "differs": not is_done,
        "outcome": None if file is None else file.outcome.value,
        "file": None if file is None else str(file.path),
    }


def _tell(rows: Sequence[View], taken: Taken | None) -> None:
    columns = _COLUMNS if taken is None else (*_COLUMNS, "outcome", "file")
    cells = [{**row, "what": ", ".join(row["what"]), "details": "; ".join(row["details"])} for row in rows]
    if rows:
        print_table(columns, ([str(row[column] or "") for column in columns] for row in cells))
    else:
        click.echo("What is listed and what the files say is the same.", err=True)
    for problem in () if taken is None else taken.problems:
        click.echo(shown(problem), err=True)
    if taken is None and rows:
        click.echo(_READ_ONLY, err=True)
    if taken is not None and taken.imported:
        click.echo(_TAKEN, err=True)


# --- showing ----------------------------------------------------------------------------------------------------------


def _is_shown(difference: Difference) -> bool:
    """What matters to messages: that a template is paused is told by others, and is over by itself."""
    from gateway.registry.comparing import What

    return difference.drift is not None or What.UNREADABLE in difference.what


def _whole(provider: str, difference: Difference) -> View:
    from gateway.domain.contract import contract_of

    name, language = difference.key
    sides = {"there": difference.theirs, "here": difference.ours}
    return {
        "provider": provider,
        "name": name,
        "language": language,
        "contract": [] if difference.drift is None else list(difference.drift.contract),
        "wording": [] if difference.drift is None else list(difference.drift.wording),
        "unreadable": None if difference.drift is not None else "; ".join(difference.details),
        "schemas": {side: contract_of(known) for side, known in sides.items() if known is not None},
    }


def _show(provider: str, difference: Difference) -> None:
    click.echo(shown(f"{'/'.join(difference.key)} at {provider}"))
    for line in _lines(difference):
        click.echo(f"  {shown(line)}".rstrip())
    click.echo()


def _lines(difference: Difference) -> Iterator[str]:
    if difference.drift is None:
        yield from (f"what is listed can't be read: {detail}" for detail in difference.details)
        return
    yield from difference.drift.contract or ("messages must carry the same there and here",)
    yield from difference.drift.wording
