"""What a provider lists becomes files, where they say something else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.health import TemplateStatus
from gateway.domain.listing import ListedTemplate
from gateway.domain.template import TemplateDefinition
from gateway.registry.comparing import Difference, What
from gateway.registry.importing import Import, Imported
from gateway.registry.loading import Key

_PASSING = (TemplateStatus.PAUSED, TemplateStatus.LIMIT_EXCEEDED)
"""Over by themselves: written into a file, they would stop its template until somebody writes the file again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of it: `written` are the files that say now what is listed, by name and language."""

    written: Mapping[Key, Imported]
    problems: tuple[str, ...]


def take(differences: Iterable[Difference], folder: Path) -> Taken:
    """Write what is listed into the folder, one file after the other. A file's fill, repair and namespace stay."""
    done = Import(folder, replaces=True)
    written: dict[Key, Imported] = {}
    problems: list[str] = []
    for difference in differences:
        if difference.listed is None or What.UNREADABLE in difference.what:
            continue
        before = len(done.taken), len(done.problems)
        done.everything_in(json.dumps(_to_write(difference.listed, difference.ours)))
        if len(done.taken) > before[0] and not _is_only_passing(difference):
            written[difference.key] = done.taken[-1]
        told = [("/".join(difference.key), *problem) for problem in done.problems[before[1] :]]
        problems += [": ".join(part for part in parts if part) for parts in told]
    return Taken(written=written, problems=tuple(problems))


def _is_only_passing(difference: Difference) -> bool:
    """The two still differ, as they should."""
    theirs, ours = difference.theirs, difference.ours
    return theirs is not None and ours is not None and _is_kept(theirs.status, ours)


def _to_write(listed: ListedTemplate, ours: TemplateDefinition | None) -> Mapping[str, Any]:
    status = str(listed.document.get("status", "")).upper()
    return (
        {**listed.document, "status": ours.status} if ours is not None and _is_kept(status, ours) else listed.document
    )


def _is_kept(status: str, ours: TemplateDefinition) -> bool:
    return status in _PASSING and ours.is_approved
