"""Why a message failed, as the platform says such things: a code of its own table, and words.

Where the provider's code is not the platform's, or nobody but us refused it, the nearest one is taken, and ``details``
say what happened. Source of the codes: Meta, error codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.errors import ProviderError
from gateway.domain.message import Status

PARAMETER_INVALID = 131009
SOMETHING_WRONG = 131000
UNDELIVERABLE = 131026
PAYMENT = 131042
REENGAGEMENT = 131047
OPTED_OUT = 131050
TEMPLATE_PAUSED = 132015

_TITLES: Mapping[int, str] = {
    PARAMETER_INVALID: "Parameter value is not valid",
    SOMETHING_WRONG: "Something went wrong",
    UNDELIVERABLE: "Message undeliverable",
    PAYMENT: "Business eligibility payment issue",
    REENGAGEMENT: "Re-engagement message",
    OPTED_OUT: "User's stopped marketing messages",
    TEMPLATE_PAUSED: "Template is paused",
}
_LEAST_OF_PLATFORM = 100
"""Codes below are words of the HTTP API that a provider has of its own, or too general to act on."""
_OWN_CODES = {1: PARAMETER_INVALID, 3: PAYMENT}
"""Of a DecisionTelecom error, which is known by its name."""
_EMPTY = 402
_WINDOW_CODES = (7, 470)
"""The 24-hour refusal on DecisionTelecom's surface, and before the Cloud API."""

_CLOSED = "More than 24 hours have passed since the contact last wrote, and no template could stand in."
_OF_REASON: Sequence[tuple[str, int, str]] = (
    ("suppressed", OPTED_OUT, "The contact is on the gateway's list of those who may not be sent this."),
    ("window_closed", REENGAGEMENT, _CLOSED),
    ("template_unusable", TEMPLATE_PAUSED, "The template can't be sent now."),
)
_OF_STATUS: Mapping[Status, tuple[int, str]] = {
    Status.EXPIRED: (UNDELIVERABLE, "It could not leave the gateway within its time to live, and was not sent."),
    Status.CANCELLED: (UNDELIVERABLE, "An operator of the gateway cancelled it before it left."),
    Status.REFUSED: (UNDELIVERABLE, "The gateway refused it when it was to leave."),
    Status.FAILED: (SOMETHING_WRONG, "An operator of the gateway closed it; it is not known whether it arrived."),
}


def platform_errors(status: Status, error: ProviderError | None, reasons: Sequence[str]) -> list[Mapping[str, Any]]:
    """``errors`` of a failed status. `reasons` are the codes of the last decision, where it was a refusal."""
    if error is not None:
        return [_of_provider(error)]
    for reason, code, details in _OF_REASON:
        if status is Status.REFUSED and reason in reasons:
            return [_error(code, details)]
    return [_error(*_OF_STATUS[status])]


def _of_provider(error: ProviderError) -> Mapping[str, Any]:
    code = _code_of(error)
    said = ": ".join(word for word in (error.name, error.message) if word)
    if code == error.code:
        return _error(code, error.message or said, title=error.name or error.message)
    number = "" if error.code is None else f" (code {error.code})"
    return _error(code, f"{said or 'The provider refused it'}{number}")


def _code_of(error: ProviderError) -> int:
    if error.closes_window or error.code in _WINDOW_CODES:
        return REENGAGEMENT
    if error.status == _EMPTY:
        return PAYMENT
    if error.code is None:
        return SOMETHING_WRONG
    if error.code >= _LEAST_OF_PLATFORM:
        return error.code
    return _OWN_CODES.get(error.code, SOMETHING_WRONG) if error.name else SOMETHING_WRONG


def _error(code: int, details: str, *, title: str | None = None) -> Mapping[str, Any]:
    title = _TITLES.get(code) or title or "Message failed"
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}}
