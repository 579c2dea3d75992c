"""What each error code of the platform means for us: one table.

Source: Meta, error codes (2026), and the few numbers that the On-Premises API had of its own. A code that does not
stand here says nothing more than that the message was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from gateway.domain.delivery import Cause

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Verdict(Enum):
    FAILED = auto()
    """Refused for good."""
    WINDOW_CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Again:
    """It may be taken at another time: not before `wait`, and after `at_most` refusals no more."""

    cause: Cause
    wait: timedelta | None = None
    at_most: int | None = None


Meaning = Verdict | Again

_ONCE_MORE = Again(Cause.SERVER, at_most=1)
_NOT_FOR_EVER = Again(Cause.SERVER, at_most=5)
_TROUBLE = Again(Cause.SERVER)
_THROTTLED = Again(Cause.THROTTLED)
_THROTTLED_A_WHILE = Again(Cause.THROTTLED, wait=5 * _MINUTE)
_THROTTLED_LONG = Again(Cause.THROTTLED, wait=_HOUR)
_NOT_ALLOWED = Again(Cause.UNAUTHORIZED)
_NOT_PAID = Again(Cause.BALANCE)
_REFUSED = Verdict.FAILED


def _all(codes: Iterable[int], meaning: Meaning) -> Mapping[int, Meaning]:
    return dict.fromkeys(codes, meaning)


CODES: Mapping[int, Meaning] = {
    # --- trouble on the platform's side: the same message again, later
    1: _ONCE_MORE,  # an invalid request, or a server error: it does not say which
    2: _TROUBLE,
    131000: _NOT_FOR_EVER,  # something went wrong
    131016: _TROUBLE,
    131057: Again(Cause.SERVER, wait=_MINUTE),  # in maintenance, as its throughput goes up
    133004: _TROUBLE,
    134102: _TROUBLE,
    135000: _ONCE_MORE,
    # --- too much: the sender waits
    4: _THROTTLED_A_WHILE,  # the app's calls
    80007: _THROTTLED_A_WHILE,  # the account's
    80008: _THROTTLED_A_WHILE,
    130429: _THROTTLED,  # the number's messages per second
    131048: _THROTTLED_LONG,  # too many were blocked or reported as spam
    471: _THROTTLED_LONG,  # the same of the On-Premises API
    # --- too much of this alone: only the message waits
    131056: Again(Cause.LIMITED),  # to this contact
    132069: Again(Cause.LIMITED, wait=_HOUR),  # of this Flow
    134101: Again(Cause.LIMITED, wait=10 * _MINUTE),  # the template is still being taken over
    # --- the key, the number or the account is not in order: nothing can leave until somebody acts
    0: _NOT_ALLOWED,
    3: _NOT_ALLOWED,
    10: _NOT_ALLOWED,
    33: _NOT_ALLOWED,  # the number's id is not one, or the number is gone
    190: _NOT_ALLOWED,
    **_all(range(200, 300), _NOT_ALLOWED),
    368: _NOT_ALLOWED,
    131005: _NOT_ALLOWED,
    131031: _NOT_ALLOWED,
    131037: _NOT_ALLOWED,  # a number of the platform's own without an approved name
    131045: _NOT_ALLOWED,
    2500: _NOT_ALLOWED,  # nothing is at this path: base_url leads past the API
    **_all((133000, 133005, 133006, 133008, 133009, 133010, 133015, 133016), _NOT_ALLOWED),
    131042: _NOT_PAID,
    134011: _NOT_PAID,
    # --- the window
    470: Verdict.WINDOW_CLOSED,
    131047: Verdict.WINDOW_CLOSED,
    # --- this message to this contact: refused. Of templates, domain.template_refusal says what follows; of an opt-out
    # (131050), what the store makes of it.
    **_all((100, 131008, 131009, 131021, 131051, 131052, 131053, 131055, 131062), _REFUSED),
    **_all((130403, 130472, 130497, 131026, 131030, 131044, 131049, 131050, 131060, 131063, 131064), _REFUSED),
    **_all((132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068), _REFUSED),
    **_all((472, 2000, 2001, 2002, 2003), _REFUSED),
    **_all((134100, 137000, 139100, 139101, 139102, 139103), _REFUSED),
}
