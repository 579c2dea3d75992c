"""Everything that is wrong with template files, each with its line: what does not load, what the platform would refuse,
and what an operator should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from yaml.nodes import Node

from gateway.config_file.reading import Unreadable, read_text
from gateway.domain.registration import Severity, findings
from gateway.domain.template import Place, shown
from gateway.registry.files import LARGEST_TEMPLATE, raw_template
from gateway.registry.importing import OURS
from gateway.registry.lines import Position, nodes_of, position_of, told_position
from gateway.registry.loading import Loading, Noted, key_of, template_paths

CODES = ("does_not_load", "doubtful_fill", "doubtful_contract", "doubtful_key", "not_read")
"""The codes of what is not a rule of registration; they stay as they are."""

_OPTIONAL = ("parameter_format", *OURS)
"""What nobody misses in a file where it is misspelt."""
_NEARLY = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is to be said of a file. `position` is None where nothing of the file can be pointed at."""

    path: Path
    position: Position | None
    severity: Severity
    code: str
    place: str
    text: str

    def __str__(self) -> str:
        at = f":{self.position.line}:{self.position.column}" if self.position else ""
        place = f"{self.place}: " if self.place else ""
        return f"{self.path}{at}: {self.severity}: {self.code}: {place}{self.text}"


def lint_folder(templates: Path, schemas: Path | None) -> list[Remark]:
    """Of all template files of a folder, and of the tightenings."""
    loading = Loading()
    loading.templates(templates, loading.tightenings(schemas))
    return _remarks(loading.problems, loading.warnings, template_paths(templates))


def lint_files(paths: Sequence[Path], schemas: Path | None) -> list[Remark]:
    """Of these files, and of their tightenings."""
    loading = Loading()
    tightenings = {key_of(path): schema for path, schema in loading.tightenings(schemas).items()}
    for path in paths:
        loading.template(path, tightenings.get(key_of(path)))
    keys = {key_of(path) for path in paths}
    return _remarks((noted for noted in loading.problems if key_of(noted.path) in keys), loading.warnings, paths)


def _remarks(problems: Iterable[Noted], warnings: Iterable[Noted], paths: Sequence[Path]) -> list[Remark]:
    nodes: dict[Path, Node | None] = {}
    found = [_remark(noted, Severity.ERROR, "does_not_load", nodes) for noted in problems]
    found += [_remark(noted, Severity.WARNING, _code_of(noted, paths), nodes) for noted in warnings]
    for path in paths:
        found += _registration(path, nodes)
    return sorted(found, key=lambda remark: (remark.path, remark.position or Position(0, 0), remark.severity))


def _code_of(noted: Noted, paths: Sequence[Path]) -> str:
    if noted.path not in paths:
        return "not_read"
    return "doubtful_fill" if noted.place[:1] == ("fill",) else "doubtful_contract"


def _registration(path: Path, nodes: dict[Path, Node | None]) -> Iterator[Remark]:
    document = raw_template(path)
    for finding in findings(document) if document is not None else ():
        yield _remark(Noted(path, finding.place, finding.text), finding.severity, finding.code, nodes)
    for key, meant in _misspelt(document or {}):
        text = f"means nothing here; {meant} may be meant"
        yield _remark(Noted(path, (key,), text), Severity.WARNING, "doubtful_key", nodes)


def _misspelt(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields that nobody knows are kept, as the platform has more of them each year; one that is nearly ours is not
    what its author took it for."""
    for key in document.keys() - set(_OPTIONAL):
        yield from ((key, meant) for meant in get_close_matches(key, _OPTIONAL, n=1, cutoff=_NEARLY))


def _remark(noted: Noted, severity: Severity, code: str, nodes: dict[Path, Node | None]) -> Remark:
    return Remark(
        path=noted.path,
        position=told_position(noted.text) or _position(noted.path, noted.place, nodes),
        severity=severity,
        code=code,
        place=shown(noted.place),
        text=noted.text,
    )


def _position(path: Path, place: Place, nodes: dict[Path, Node | None]) -> Position | None:
    """Each file is read once."""
    if path not in nodes:
        try:
            nodes[path] = nodes_of(read_text(path, largest=LARGEST_TEMPLATE))
        except Unreadable:
            nodes[path] = None
    return position_of(nodes[path], place)
