"""What a provider lists becomes files, where they say something else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.health import TemplateStatus
from gateway.domain.ladder import Key
from gateway.domain.message import JsonObject
from gateway.registry.comparing import Difference
from gateway.registry.importing import Import, Imported

_PASSING = (TemplateStatus.PAUSED, TemplateStatus.LIMIT_EXCEEDED)
"""Over by themselves: written into a file, they would stop its template until somebody writes the file again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of it: `imported` are the files that were written, or say the same already, by name and language."""

    imported: Mapping[Key, Imported]
    still: frozenset[Key]
    """Those that differ nevertheless, as they should: in a status that is over by itself."""
    problems: tuple[str, ...]


def take(differences: Iterable[Difference], folder: Path) -> Taken:
    """Write what is listed into the folder, one file after the other. A file's fill, repair and namespace stay."""
    done = Import(folder, replaces=True)
    imported: dict[Key, Imported] = {}
    problems: list[str] = []
    takeable = [one for one in differences if one.theirs is not None]
    for difference in takeable:
        before = len(done.taken), len(done.problems)
        done.everything_in(json.dumps(_to_write(difference)))
        if len(done.taken) > before[0]:
            imported[difference.key] = done.taken[-1]
        told = [("/".join(difference.key), *problem) for problem in done.problems[before[1] :]]
        problems += [": ".join(part for part in parts if part) for parts in told]
    still = frozenset(one.key for one in takeable if _is_status_kept(one))
    return Taken(imported=imported, still=still, problems=tuple(problems))


def _to_write(difference: Difference) -> JsonObject:
    assert difference.listed is not None  # noqa: S101 - there is a definition of theirs
    document = difference.listed.document
    if difference.ours is None or not _is_status_kept(difference):
        return document
    return {**document, "status": difference.ours.status}


def _is_status_kept(difference: Difference) -> bool:
    theirs, ours = difference.theirs, difference.ours
    return theirs is not None and ours is not None and theirs.status in _PASSING and ours.is_approved
