"""Loading the configuration: YAML and environment -> frozen Config, or every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from gateway.config import Config, TemplateListConfig
from gateway.config_file.building import build
from gateway.config_file.checks import problems_across
from gateway.config_file.ladders import Ladder, bare_senders, is_of_ladder, ladders_in
from gateway.config_file.places import Folders, Places, folders_in, places_in, retention_in
from gateway.config_file.reading import Expanded, Unreadable, expand, read_yaml
from gateway.config_file.shape import convert, problems_of_shape
from gateway.config_file.template_lists import bare_providers, is_of_list, lists_in, lists_read_in
from gateway.config_file.tree import Problem, Tree, part, shown
from gateway.config_file.warning import warnings
from gateway.domain.errors import ConfigInvalid

__all__ = [
    "Folders",
    "Ladder",
    "Places",
    "config_from",
    "load_config",
    "load_folders",
    "load_history",
    "load_ladders",
    "load_lists_read",
    "load_places",
    "load_template_lists",
    "warnings",
]

_LONGEST_SOCKET = 107
"""The operating system takes no longer path for a Unix socket."""

_PLACES = (("server", "operator"), ("store", "url"))
_FOLDERS = (("paths", "templates"), ("paths", "schemas"))
_HISTORY = (("retention", "history"),)


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in this file. Raises ConfigInvalid with all problems, each with file, place and remedy."""
    return config_from(_read(path), environ, folder=path.resolve().parent, name=str(path))


def config_from(tree: Tree, environ: Mapping[str, str], *, folder: Path, name: str) -> Config:
    """The configuration in these values, as a file called `name` in `folder` would hold them. Raises ConfigInvalid."""
    expanded = _expanded(tree, environ)
    _refuse(name, _problems(expanded))
    config = build(expanded.tree, folder)
    _refuse(name, _long_socket(config))
    return config


def load_places(path: Path, environ: Mapping[str, str]) -> Places:
    """Where a gateway with this file keeps its store and its socket, whatever else is wrong with the file or missing
    in the environment. Raises ConfigInvalid."""
    return places_in(_only(_PLACES, path, environ), path.resolve().parent)


def load_folders(path: Path, environ: Mapping[str, str]) -> Folders:
    """Where the file's templates and schemas are, whatever else is wrong. Raises ConfigInvalid."""
    return folders_in(_only(_FOLDERS, path, environ), path.resolve().parent)


def load_ladders(path: Path, environ: Mapping[str, str]) -> tuple[Ladder, ...]:
    """The ladders of the file's senders, whatever else is wrong. Raises ConfigInvalid."""
    expanded = _expanded(bare_senders(_read(path)), environ)
    _refuse(str(path), ((place, problem) for place, problem in _problems(expanded) if is_of_ladder(place)))
    return ladders_in(expanded.tree)


def load_template_lists(path: Path, environ: Mapping[str, str]) -> Mapping[str, TemplateListConfig]:
    """Where the file's providers list their templates, by their names, whatever else is wrong. Raises ConfigInvalid."""
    expanded = _expanded(bare_providers(_read(path)), environ)
    _refuse(str(path), ((place, problem) for place, problem in _problems(expanded) if is_of_list(place)))
    return lists_in(expanded.tree)


def load_lists_read(path: Path, environ: Mapping[str, str]) -> Mapping[str, bool]:
    """Of each of the file's providers whether its list of templates is read, whatever is wrong. Raises ConfigInvalid
    for a file that can't be read."""
    return lists_read_in(_expanded(bare_providers(_read(path)), environ).tree)


def load_history(path: Path, environ: Mapping[str, str]) -> timedelta:
    """For how long the file's gateway keeps what became of messages, whatever else is wrong. Raises ConfigInvalid."""
    return retention_in(_only(_HISTORY, path, environ)).history


def _only(wanted: Collection[tuple[str, str]], path: Path, environ: Mapping[str, str]) -> Tree:
    """The values at these places, found good."""
    tree = _read(path)
    kept: dict[str, dict[str, object]] = {}
    for section, key in wanted:
        if key in part(tree, section):
            kept.setdefault(section, {})[key] = tree[section][key]
    expanded = _expanded(kept, environ)
    _refuse(str(path), ((place, problem) for place, problem in _problems(expanded) if place in wanted))
    return expanded.tree


def _read(path: Path) -> Tree:
    try:
        return read_yaml(path)
    except Unreadable as error:
        raise ConfigInvalid([f"{path}: {problem}" for problem in error.problems]) from None


def _expanded(tree: Tree, environ: Mapping[str, str]) -> Expanded:
    expanded = expand(tree, environ)
    convert(expanded.tree, expanded.whole)
    return expanded


def _refuse(name: str, problems: Iterator[Problem]) -> None:
    told = dict.fromkeys(f"{name}: {shown(place)}: {problem}" for place, problem in problems)
    if told:
        raise ConfigInvalid(list(told))


def _problems(expanded: Expanded) -> Iterator[Problem]:
    """What can't be replaced is told once, and nothing more of that place."""
    yield from expanded.problems
    for place, problem in _found(expanded.tree):
        if place not in expanded.failed:
            yield place, problem


def _found(tree: Tree) -> Iterator[Problem]:
    """Of a value whose shape is wrong nothing more is told."""
    misshapen = list(problems_of_shape(tree))
    yield from misshapen
    told = {place for place, _ in misshapen}
    yield from ((place, problem) for place, problem in problems_across(tree) if place not in told)


def _long_socket(config: Config) -> Iterator[Problem]:
    length = len(str(config.server.operator).encode())
    if length > _LONGEST_SOCKET:
        remedy = f"is {length} bytes long from the root, a socket takes {_LONGEST_SOCKET}; choose a shorter path"
        yield ("server", "operator"), remedy
