"""Countries in which one phone number is written in several ways, all of them in use as ids or in address books.

A rule reads every spelling of a number to the same parts, and writes all spellings from these. A number that no rule
reads has one spelling: landlines where only mobile numbers changed, and all other countries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gateway.domain.identity import Contact


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a country's numbers are read, in whichever spelling, and in which they are written, the current one first."""

    reads: re.Pattern[str]
    writes: Callable[[re.Match[str]], Iterable[str]]


def _brazilian(number: re.Match[str]) -> Iterable[str]:
    area, line = number["area"], number["line"]
    return f"55{area}9{line}", f"55{area}{line}"


def _mexican(number: re.Match[str]) -> Iterable[str]:
    national = number["national"]
    return f"52{national}", f"521{national}"


def _argentine(number: re.Match[str]) -> Iterable[str]:
    """How long the area code is can't be seen, but ``15`` taken out of either place leaves the same number."""
    national = number["national"] or number["area"] + number["line"]
    lengths = (2,) if national.startswith("11") else (3, 4)
    return f"549{national}", f"54{national}", *(f"54{national[:cut]}15{national[cut:]}" for cut in lengths)


_RULES: Mapping[str, _Rule] = {
    # The ninth digit of mobile numbers, a 9 before the eight old ones, of which the first is 6 to 9; landlines kept
    # eight. Source: Anatel, resolution 553/2010, in force everywhere since 2016; ids of earlier users are without it.
    "55": _Rule(re.compile(r"55(?P<area>[1-9][1-9])9?(?P<line>[6-9][0-9]{7})"), _brazilian),
    # The 1 before mobile numbers. Source: IFT, dialling plan of 2019-08-03, which ended it; ids still have it.
    "52": _Rule(re.compile(r"521?(?P<national>[2-9][0-9]{9})"), _mexican),
    # The 9 before mobile numbers, written from abroad, and the 15 behind the area code, written at home.
    # Source: WhatsApp's help on international numbers; the national numbering plan: ten digits, area codes 11, 2.., 3..
    "54": _Rule(
        re.compile(
            r"549?(?P<national>(?:11|[23][0-9])[0-9]{8})"
            r"|54(?=[0-9]{12}$)(?P<area>11|[23][0-9]{2,3})15(?P<line>[0-9]{6,8})"
        ),
        _argentine,
    ),
}


def other_spellings(contact: Contact) -> tuple[Contact, ...]:
    """In which other ways the contact's number is written; none for a user id."""
    rule = _RULES.get(contact[:2])
    number = None if rule is None else rule.reads.fullmatch(contact)
    if rule is None or number is None:
        return ()
    return tuple(Contact(spelling) for spelling in rule.writes(number) if spelling != contact)
