"""What a provider's refusal says of the template that was refused, and for how long it counts.

Codes: Meta, error codes (2026), and the On-Premises API's 2000 to 2003.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.errors import ProviderError

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What follows from one code: so long the template is not sent in that language."""

    lasts: timedelta | None
    """None: until the provider says that it may be sent again."""
    lasts_again: timedelta | None = None
    """When it is refused so again within a day of the end of the first time; None: as long as the first time."""
    is_of_arguments: bool = False
    """It may be what was filled in that was refused, not the template."""


_ARGUMENTS = Meaning(lasts=timedelta(minutes=5), is_of_arguments=True)
"""Time enough that a queue doesn't run into the same wall; a corrected file or definition is soon tried again."""

MEANINGS = {
    2000: _ARGUMENTS,
    2001: _ARGUMENTS,
    2002: _ARGUMENTS,
    2003: _ARGUMENTS,
    132000: _ARGUMENTS,
    # Missing in that language, or not approved. News may never reach us: a try a day costs one refusal.
    132001: Meaning(lasts=_DAY),
    132005: _ARGUMENTS,
    # The content violates a policy. The code doesn't tell the template's own text from what was filled in, so it needs
    # the same proof as a wrong argument; but a text is not corrected in minutes.
    132007: Meaning(lasts=_HOUR, is_of_arguments=True),
    132008: _ARGUMENTS,
    132012: _ARGUMENTS,
    # Paused: by the platform's own times, three hours and then six.
    132015: Meaning(lasts=3 * _HOUR, lasts_again=6 * _HOUR),
    # Disabled for good: only news can undo it.
    132016: Meaning(lasts=None),
    132018: _ARGUMENTS,
    # Its Flow is blocked. No callback about templates says when that is over: a try a day.
    132068: Meaning(lasts=_DAY),
    # Its Flow was sent ten times within the hour.
    132069: Meaning(lasts=_HOUR),
}

STRIKES = 3
"""So many refusals of arguments in a row that clients wrote, each of another message, say that it is the template:
its definition is not what our contract was made from. One says nothing of the next client's arguments."""

STRIKES_WITHIN = timedelta(minutes=10)
"""Refusals further apart than this are not in a row: what was taken between them is not counted."""

_NUMBER = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """That a template was refused. With `until` at `at` it is only remembered; None: until there is news."""

    code: int
    at: datetime
    until: datetime | None
    strikes: int = 1

    def is_in_force(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    def outlasts(self, other: Mark) -> bool:
        """Whether it ends later."""
        return other.until is not None and (self.until is None or self.until > other.until)


def template_code(error: ProviderError | None) -> int | None:
    """The code by which an error names the template; it may stand in the words only, behind a number of the
    provider's own."""
    if error is None:
        return None
    if error.code in MEANINGS:
        return error.code
    said = (int(number) for number in _NUMBER.findall(f"{error.name} {error.message}"))
    return next((code for code in said if code in MEANINGS), None)


def marked(before: Mark | None, code: int, at: datetime, *, is_filled_by_us: bool) -> Mark:
    """The mark after a refusal. `is_filled_by_us`: the arguments came from our own file, so that whatever is sent next
    would be refused alike.

    A mark in force only gives way to one that lasts longer: refusals of what was under way lengthen nothing. One that
    is over gives way to any newer one.
    """
    new = _new_mark(before, code, at, is_filled_by_us=is_filled_by_us)
    if before is None:
        return new
    if before.is_in_force(at):
        return new if new.code != before.code and new.outlasts(before) else before
    return new if at >= before.at else before


def _new_mark(before: Mark | None, code: int, at: datetime, *, is_filled_by_us: bool) -> Mark:
    meaning = MEANINGS[code]
    if meaning.is_of_arguments and not is_filled_by_us:
        strikes = _strikes(before, at)
        lasts = meaning.lasts if strikes >= STRIKES else timedelta(0)
    else:
        strikes, lasts = 1, (meaning.lasts_again or meaning.lasts) if _is_again(before, code, at) else meaning.lasts
    return Mark(code=code, at=at, until=None if lasts is None else at + lasts, strikes=strikes)


def _strikes(before: Mark | None, at: datetime) -> int:
    is_in_row = before is not None and MEANINGS[before.code].is_of_arguments and at - before.at <= STRIKES_WITHIN
    return before.strikes + 1 if before is not None and is_in_row else 1


def _is_again(before: Mark | None, code: int, at: datetime) -> bool:
    return before is not None and before.code == code and before.until is not None and at - before.until <= _DAY
