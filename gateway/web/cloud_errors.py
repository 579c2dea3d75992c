"""The Cloud API's words and numbers for our errors. Clients go by ``code``, and show ``message`` to people.

Source of the numbers: Meta, error codes (2026); of the statuses, which it no longer publishes, its older tables.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import hdrs

from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    IdempotencyConflict,
    InvalidRequest,
    MissingField,
    NotCarried,
    NotFound,
    ProviderRefused,
    StoreUnavailable,
    TemplateRefused,
    TooManyRequests,
    Unauthenticated,
    UserIdNotCarried,
    WindowClosed,
)
from gateway.web.errors import Said, Table
from gateway.web.wire_errors import (
    BodyEncoded,
    BodyTooLarge,
    BodyTooSlow,
    PassedOn,
    UnknownObject,
    UnreadableBody,
    Unsupported,
    WrongMethod,
)

_OUTER = frozenset({"messaging_product", "recipient_type", "type", "limit", "after"})
"""Parameters of which the platform says 100, whatever is wrong with them."""
_COUNT = re.compile(r"expected (?:no|exactly one|(?:at least |at most )?\d+) .*(?:, got \d+|\bcomponent\b)")
_KIND = re.compile(r"\.(?:sub_)?type$")
_NO_SUCH_OBJECT = 33
"""The platform's subcode for what is not there, or not with this method. It has a type of its own, as there are clients
that take an OAuthException for a key that is not valid."""
_NO_ACCESS = "It does not exist, or this key may not see it."
_NO_PATH = (
    "There is no such resource. Expected a path such as /v24.0/106540352242922/messages, with the phone number id of a "
    "sender"
)
_UNEXPECTED = "The gateway met with an error of its own."


def trace_id() -> str:
    """Every answer has one of its own; it says nothing."""
    return f"A{secrets.token_urlsafe(16)}"


def _error(
    status: int,
    code: int,
    title: str,
    details: str,
    *,
    subcode: int | None = None,
    headers: Mapping[str, str] | None = None,
    is_transient: bool = False,
) -> Said:
    error: dict[str, Any] = {
        "message": f"(#{code}) {title}: {details}",
        "type": "OAuthException" if subcode != _NO_SUCH_OBJECT else "GraphMethodException",
        "code": code,
        **({} if subcode is None else {"error_subcode": subcode}),
        "is_transient": is_transient,
        "error_user_title": title,
        "error_user_msg": details,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": trace_id(),
    }
    return Said(status=status, body={"error": error}, headers=headers or {})


def _unknown_object(error: UnknownObject) -> str:
    if error.id is None:
        return "Expected an ID in the path, which is digits: the phone number id of a sender, an account or a medium"
    return f"There is no object with the ID '{error.id}' here. {_NO_ACCESS}"


# --- fields ---------------------------------------------------------------------------------------------------------


def _place(error: InvalidRequest) -> str:
    """What was expected, and where, without saying it twice."""
    place = error.path.removeprefix("$.") if error.path.startswith("$.") else error.field
    return f"{place}: {error}"


def _missing(error: MissingField) -> Said:
    if error.field in _OUTER:
        return _invalid(error)
    return _error(400, 131008, "Required parameter is missing", _place(error))


def _wrong(error: InvalidRequest) -> Said:
    if error.field in _OUTER:
        return _invalid(error)
    return _error(400, 131009, "Parameter value is not valid", _place(error))


def _invalid(error: InvalidRequest) -> Said:
    return _error(400, 100, "Invalid parameter", _place(error))


_STATUSES: Mapping[type[UnreadableBody], int] = {BodyTooLarge: 413, BodyTooSlow: 408, BodyEncoded: 415}


def _unreadable(error: UnreadableBody) -> Said:
    details = f"{error.path}: {error}" if error.path != "$" else str(error)
    return replace(_error(400, 100, "Invalid body", details), status=_STATUSES.get(type(error), 400))


# --- templates ------------------------------------------------------------------------------------------------------

_UNUSABLE: tuple[tuple[str, int, str], ...] = (
    ("disabled", 132016, "Template is disabled"),
    ("paused", 132015, "Template is paused"),
    ("refused_recently", 132015, "Template is paused"),
)
"""By the word that the refusal has for it, in any spelling."""


def _template(error: TemplateRefused) -> Said:
    match error.code:
        case "template_unknown":
            return _error(404, 132001, "Template name does not exist in the translation", _named(error))
        case "template_arguments":
            return _arguments(error)
        case _:
            return _unusable(error)


def _named(error: TemplateRefused) -> str:
    return str(error) if error.path is None else f"{error.path.removeprefix('$.')}: {error}"


def _unusable(error: TemplateRefused) -> Said:
    told = str(error).lower()
    for word, code, title in _UNUSABLE:
        if word in told:
            return _error(400, code, title, str(error))
    return _error(404, 132001, "Template is not approved", str(error))


def _arguments(error: TemplateRefused) -> Said:
    """By the first thing that does not fit, which is the most telling one."""
    details = "; ".join(map(str, error.misfits)) or str(error)
    if _COUNT.match(str(error)):
        return _error(400, 132000, "Number of parameters does not match the template", details)
    if _KIND.search(error.path or ""):
        return _error(400, 132012, "Parameter format does not match the template", details)
    return _error(400, 132018, "Template parameters are not valid", details)


# --- what a client may wait for -------------------------------------------------------------------------------------


def _provider_words(refused: ProviderRefused) -> Said:
    error = refused.error
    if error.closes_window:
        return _window_closed(refused)
    if error.code == _BALANCE_OF_DECISION_TELECOM or error.status == 402:
        return _balance_empty(refused)
    code = error.code if error.code is not None and error.code >= _LOWEST_OF_PLATFORM else 131000
    return _error(400, code, error.name or "The provider refused the message", error.message or "it gave no reason")


_BALANCE_OF_DECISION_TELECOM = 3
_LOWEST_OF_PLATFORM = 100
"""Smaller numbers are other providers' own."""


def _window_closed(_error_: GatewayError) -> Said:
    return _error(
        400,
        131047,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
        "Only a template message can be sent",
    )


def _balance_empty(_error_: GatewayError) -> Said:
    return _error(400, 131042, "Business eligibility payment issue", "The balance at the provider is empty")


def _retry_after(error: TooManyRequests | StoreUnavailable) -> Mapping[str, str]:
    return {hdrs.RETRY_AFTER: str(max(1, error.retry_after))}


CLOUD_API: Table = {
    Unauthenticated: lambda _: _error(
        401,
        190,
        "Invalid access token",
        "The access token is missing or not valid",
        headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="gateway"'},
    ),
    TooManyRequests: lambda error: _error(
        429, 130429, "Rate limit hit", str(error), headers=_retry_after(error), is_transient=True
    ),
    WrongMethod: lambda error: _error(
        405, 100, "Unsupported request", str(error), subcode=_NO_SUCH_OBJECT, headers={hdrs.ALLOW: error.allowed}
    ),
    UnknownObject: lambda error: _error(
        400, 100, "Unsupported request", _unknown_object(error), subcode=_NO_SUCH_OBJECT
    ),
    Unsupported: lambda error: _error(400, 100, "Unsupported request", str(error), subcode=_NO_SUCH_OBJECT),
    NotFound: lambda _: _error(404, 2500, "Unknown path", _NO_PATH),
    UnreadableBody: _unreadable,
    MissingField: _missing,
    NotCarried: lambda error: _error(400, 131051, "Unsupported message type", _place(error)),
    UserIdNotCarried: lambda error: _error(
        400, 131062, "Business-scoped user ids are not supported for this message", _place(error)
    ),
    InvalidRequest: _wrong,
    TemplateRefused: _template,
    IdempotencyConflict: lambda _: _error(
        409, 100, "Invalid parameter", "Idempotency-Key: expected a new key, or the body that this key was used with"
    ),
    StoreUnavailable: lambda error: _error(
        503, 2, "Service unavailable", "Try again", headers=_retry_after(error), is_transient=True
    ),
    BalanceEmpty: _balance_empty,
    ProviderRefused: _provider_words,
    WindowClosed: _window_closed,
    ContactSuppressed: lambda error: _error(400, 131050, "The recipient does not want these messages", str(error)),
    PassedOn: lambda error: _error(error.status, 2, "Service unavailable", str(error), is_transient=True),
    GatewayError: lambda _: _error(500, 1, "Unknown error", _UNEXPECTED),
}
