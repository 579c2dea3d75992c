"""Reading a request of the platform's API, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.provider.sandbox.cloud.complaint import Refused, complaint, missing, wrong

URL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of the request, and where it stands. `overlong` is the code for a text that is too long there."""

    values: Mapping[str, Any]
    path: str = ""
    overlong: int = 100

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> Any:
        """Whatever stands there, nothing not included."""
        value = self.values.get(name)
        if value is None:
            raise missing(self.at(name))
        return value

    def text(self, name: str, longest: int) -> str:
        value = self.raw(name)
        if not isinstance(value, str):
            raise wrong(self.at(name), "a string was expected", code=100)
        if not value.strip():
            raise missing(self.at(name))
        if len(value) > longest:
            raise wrong(self.at(name), f"must be at most {longest} characters long", code=self.overlong)
        return value

    def maybe(self, name: str, longest: int) -> str:
        """A text, or an empty one."""
        return self.text(name, longest) if self.values.get(name) not in (None, "") else ""

    def within(self, name: str) -> Fields:
        value = self.raw(name)
        if not isinstance(value, dict):
            raise wrong(self.at(name), "an object was expected", code=100)
        return Fields(value, self.at(name), self.overlong)

    def each(self, name: str, most: int, least: int = 1) -> Sequence[Fields]:
        """The objects of a list."""
        value = self.raw(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise wrong(self.at(name), "a list of objects was expected", code=100)
        if not least <= len(value) <= most:
            raise wrong(self.at(name), f"{least} to {most} were expected, not {len(value)}")
        return [Fields(one, f"{self.at(name)}[{index}]", self.overlong) for index, one in enumerate(value)]

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        value = self.raw(name)
        if value not in allowed:
            raise wrong(self.at(name), f"one of {', '.join(allowed)} was expected", code=100)
        return str(value)

    def url(self, name: str) -> str:
        value = self.text(name, URL_LENGTH)
        try:
            parts = urlsplit(value)
        except ValueError:
            raise wrong(self.at(name), "a URL was expected") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise wrong(self.at(name), "a URL that begins with http:// or https:// was expected")
        return value

    def number(self, name: str, largest: float) -> float:
        """A number, or a string that holds one, no further from zero than this."""
        value = self.raw(name)
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError, OverflowError):
            raise wrong(self.at(name), "a number was expected") from None
        if not -largest <= number <= largest:
            raise wrong(self.at(name), f"a number from -{largest:g} to {largest:g} was expected")
        return number

    def only(self, *names: str) -> None:
        """Refuse whatever else stands there."""
        for name in self.values:
            if name not in names:
                raise Refused(complaint(100, f'Unexpected key "{name[:64]}" on param "{self.path}".'))
