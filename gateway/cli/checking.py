"""Everything that can be wrong before a start: configuration, templates and schemas, and the ladders between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.config import Config
from gateway.config_file import Places, load_config, load_folders, load_places, warnings
from gateway.domain.errors import ConfigInvalid
from gateway.domain.ladder import steps_of
from gateway.ladders import ladder_problems, ladder_warnings
from gateway.registry import Registry
from gateway.tracing import missing_package

T = TypeVar("T")
Load = Callable[[Path, Mapping[str, str]], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found; `config` only if nothing is wrong."""

    config: Config | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def check(path: Path, environ: Mapping[str, str]) -> Checked:
    """Look at everything that the configuration names, and tell all problems at once."""
    problems: list[str] = []
    config = _told(problems, load_config, path, environ)
    places = _told(problems, load_places, path, environ)
    registry = _told(problems, _registry, path, environ)
    if places is not None:
        problems += _missing_folders(path, places)
    problems += _missing_packages(path, config)
    found = [*_warnings(path, config), *(registry.warnings if registry is not None else ())]
    if config is not None and registry is not None:
        problems += [f"{path}: {told}" for told in ladder_problems(config, registry)]
        found += [f"{path}: {told}" for told in ladder_warnings(config, registry)]
        found += _useless_ladders(path, config, registry)
    return Checked(config=None if problems else config, problems=tuple(problems), warnings=tuple(found))


def _told(problems: list[str], load: Load[T], path: Path, environ: Mapping[str, str]) -> T | None:
    """What could be loaded; or None, and what is wrong has joined the problems, told once."""
    try:
        return load(path, environ)
    except ConfigInvalid as invalid:
        problems += [problem for problem in invalid.problems if problem not in problems]
        return None


def _registry(path: Path, environ: Mapping[str, str]) -> Registry:
    folders = load_folders(path, environ)
    return Registry.load(folders.templates, folders.schemas)


def _missing_folders(path: Path, places: Places) -> Iterator[str]:
    for place, file in (("store.url", places.store_file), ("server.operator", places.operator)):
        if file is not None and not file.parent.is_dir():
            yield f"{path}: {place}: there is no folder {file.parent}; make it, or name another"


def _missing_packages(path: Path, config: Config | None) -> Iterator[str]:
    problem = None if config is None else missing_package(config.tracing)
    if problem is not None:
        yield f"{path}: {problem}"


def _useless_ladders(path: Path, config: Config, registry: Registry) -> Iterator[str]:
    for index, sender in enumerate(config.senders):
        steps = steps_of(sender.ladder, sender.languages)
        if steps and not registry.usable_rungs(steps):
            yield (
                f"{path}: senders[{index}].ladder: nothing on the ladder of {sender.id} is APPROVED and has a fill: "
                "every free-form message into a closed window will be refused, unless it brings a fallback of its own"
            )


def _warnings(path: Path, config: Config | None) -> list[str]:
    return [] if config is None else [f"{path}: {warning}" for warning in warnings(config)]
