"""What is different between two loads of the operator's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.domain.ladder import Key
from gateway.registry.registered import RegisteredTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Templates, as ``name/language``."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def changes_between(before: Mapping[Key, RegisteredTemplate], after: Mapping[Key, RegisteredTemplate]) -> Changes:
    both = before.keys() & after.keys()
    return Changes(
        added=_told(after.keys() - both),
        changed=_told(key for key in both if not _is_same(before[key], after[key])),
        removed=_told(before.keys() - both),
    )


def _told(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(sorted("/".join(key) for key in keys))


def _is_same(one: RegisteredTemplate, other: RegisteredTemplate) -> bool:
    """By what the files say; what was compiled from it follows."""
    tightenings = [each.tightening.document if each.tightening is not None else None for each in (one, other)]
    is_same_file = (one.definition, one.fill, one.repair) == (other.definition, other.fill, other.repair)
    return is_same_file and tightenings[0] == tightenings[1]
