"""What an answer of the platform's send API means. The error's code decides; the HTTP status counts where none is
known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.config import ProviderConfig
from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError
from gateway.provider.cloud_api_codes import CODES, Again, Meaning, Verdict
from gateway.provider.lenient import Unreadable, clean, integral, parse
from gateway.provider.refusal import LONGEST_WORDS, refuses_window
from gateway.provider.usage import regained_in
from gateway.retry_after import retry_after

_NOT_AN_ANSWER = "The answer could not be read"
_LOST_BEHIND_PROXY = frozenset({502, 504})
_BY_STATUS: Mapping[int, Again] = {
    401: Again(Cause.UNAUTHORIZED),
    402: Again(Cause.BALANCE),
    403: Again(Cause.UNAUTHORIZED),
    # The server says that it did not get the request, or not yet: nobody's fault, and surely not sent.
    408: Again(Cause.SERVER),
    425: Again(Cause.SERVER),
    429: Again(Cause.THROTTLED),
}
_LONGEST_PAUSE = timedelta(hours=1)
"""However long it is said to last: one message an hour shows whether it is over."""
_INVALID, _NO_SUCH_OBJECT = 100, 33
"""The code of anything that is wrong, and the subcode that says an object is not there, or not for this key. If it is
the number in the path, no message can leave, whatever is in it."""
_QUOTED_ID = re.compile(r"'([0-9]{1,32})'", re.ASCII)
_CODE_BEFORE_TITLE = re.compile(r"\A\(#\d+\) +(?=\S)", re.ASCII)
_TRANSIENT = Again(Cause.SERVER, at_most=5)


def classify(
    http_status: int,
    body: bytes,
    headers: Mapping[str, str],
    config: ProviderConfig,
    *,
    now: datetime,
    number: str | None = None,
) -> Outcome:
    """What an answer without a receipt means. `now` serves a ``Retry-After`` date in an answer without ``Date``;
    `number` is the id of that which the message was posted to, where it is known."""
    told, wait = _error_in(body), retry_after(headers, now)
    error = _words(told, http_status)
    match _meaning(told, error, config, number) or _by_status(told, error, http_status, wait):
        case Again(cause=Cause.SERVER) if http_status >= 500 and not config.retry_on_500:
            return Unknown(error=error)
        case Again() as again:
            waits = (
                again.wait,
                wait,
                regained_in(headers, longest=_LONGEST_PAUSE) if again.cause is Cause.THROTTLED else None,
            )
            longest = max((each for each in waits if each is not None), default=None)
            return Retry(cause=again.cause, error=error, retry_after=longest, at_most=again.at_most)
        case Verdict.WINDOW_CLOSED:
            return WindowWasClosed(error=error)
        case Verdict.FAILED:
            return Failed(error=error)
        case None:
            return Unknown(error=error)


def _meaning(
    told: Mapping[str, Any], error: ProviderError, config: ProviderConfig, number: str | None
) -> Meaning | None:
    if error.code == _INVALID and integral(told.get("error_subcode")) == _NO_SUCH_OBJECT and _is_of(number, told):
        return CODES[_NO_SUCH_OBJECT]
    known = None if error.code is None else CODES.get(error.code)
    if known is None and refuses_window(told, config.window_codes):
        return Verdict.WINDOW_CLOSED
    return known


def _is_of(number: str | None, told: Mapping[str, Any]) -> bool:
    """Whether the object that is missing may be the number in the path. One that the message names would be missing
    whenever it is sent again."""
    named = _QUOTED_ID.findall(str(told.get("message")))
    return number is not None and (number in named or not named)


def _by_status(told: Mapping[str, Any], error: ProviderError, status: int, wait: timedelta | None) -> Meaning | None:
    """What an answer means whose code nobody knows; None: it may have been taken."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 503 and wait is not None:
        return Again(Cause.THROTTLED)
    if error.code is None or status in _LOST_BEHIND_PROXY:
        return None
    if told.get("is_transient") is True:
        return _TRANSIENT
    return None if status >= 500 else Verdict.FAILED


# --- the platform's error, in either of its shapes ------------------------------------------------------------------


def _error_in(body: bytes) -> Mapping[str, Any]:
    """The error object: ``{"error": {...}}``, or the first of the On-Premises API's ``{"errors": [...]}``; empty
    without one."""
    try:
        said = parse(body)
    except Unreadable:
        return {}
    return next(_errors_of(said), {}) if isinstance(said, dict) else {}


def _errors_of(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = said.get("errors")
    for error in (said.get("error"), *(listed if isinstance(listed, list) else ())):
        if isinstance(error, dict) and integral(error.get("code")) is not None:
            yield error


def _words(told: Mapping[str, Any], status: int) -> ProviderError:
    """Its details say more than its message, which repeats the code; its message more than its title. The name is
    without the code, which stands beside it."""
    if not told:
        return ProviderError(status=status, name=_NOT_AN_ANSWER)
    inner = told.get("error_data")
    details = inner.get("details") if isinstance(inner, dict) else told.get("details")
    written = (told.get("title"), told.get("message"), details)
    found = [clean(text.strip(), LONGEST_WORDS) for text in written if isinstance(text, str) and text.strip()]
    return ProviderError(
        code=integral(told.get("code")),
        status=status,
        name=_CODE_BEFORE_TITLE.sub("", found[0]) if found else "",
        message=found[-1] if found else "",
    )
