"""Single changes to a send that conforms. A place is written as ``body/parameters/0/text``, or ``button 1/index``."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Components = list[Any]
Place = tuple[str | int, ...]

MARK = "qzx"
"""Stands in everything that a customer would read or an application would not want to see repeated."""
MARKED_NUMBER = 8675309
MARKS = (MARK, str(MARKED_NUMBER))


@dataclass(frozen=True, slots=True)
class Change:
    told: str
    path: str
    apply: Callable[[Any, str | int], None]
    """Changes what stands under the last step of the path, within its container."""

    def __call__(self, components: Components) -> Components:
        changed = deepcopy(components)
        *outer, last = place_of(components, self.path)
        self.apply(value_at(changed, tuple(outer)), last)
        return changed


def place_of(components: Components, path: str) -> Place:
    """The keys and indices that a path means here; the last key need not be there."""
    place: list[str | int] = []
    value: Any = components
    for step in path.split("/"):
        place.append(_index(value, step) if isinstance(value, list) else step)
        value = value.get(step) if isinstance(value, dict) else value[place[-1]]
    return tuple(place)


def value_at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _index(items: list[Any], step: str) -> int:
    return int(step) if step.isdigit() else next(at for at, item in enumerate(items) if _called(item) == step)


def _called(component: Any) -> str:
    index = component.get("index")
    return component["type"] if index is None else f"{component['type']} {index}"


def without(path: str) -> Change:
    def apply(container: Any, key: str | int) -> None:
        del container[key]

    return Change(f"without {path}", path, apply)


def put(path: str, value: Any, told: str | None = None) -> Change:
    def apply(container: Any, key: str | int) -> None:
        container[key] = deepcopy(value)

    return Change(f"{path} is {told or repr(value)}", path, apply)


def twice(path: str) -> Change:
    """What stands in a list once more, at its end."""

    def apply(container: Any, key: str | int) -> None:
        container.append(deepcopy(container[key]))

    return Change(f"twice {path}", path, apply)


def beside(path: str, value: Any, told: str) -> Change:
    """One more in the list in which `path` stands, at its end."""

    def apply(container: Any, _: str | int) -> None:
        container.append(deepcopy(value))

    return Change(f"beside {path} {told}", path, apply)


def renamed(path: str, name: str) -> Change:
    def apply(container: Any, key: str | int) -> None:
        container[name] = container.pop(key)

    return Change(f"{path} renamed {name}", path, apply)
