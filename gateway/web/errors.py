"""What HTTP makes of our errors: one table per surface. Only here do errors have numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs

from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    IdempotencyConflict,
    InvalidRequest,
    NotCarried,
    NotFound,
    ProviderRefused,
    Refused,
    SignatureMismatch,
    StoreUnavailable,
    TemplateRefused,
    TooManyRequests,
    Unauthenticated,
    WindowClosed,
)
from gateway.web.wire_errors import (
    BodyEncoded,
    BodyTooLarge,
    BodyTooSlow,
    SubscriptionRefused,
    UnreadableBody,
    WrongMethod,
)

Table = Mapping[type[GatewayError], Callable[[Any], "Said"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An error in the words and numbers of one surface."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def said(table: Table, error: GatewayError) -> Said:
    """The row of the table for an error: that of its class, or of the nearest one above it."""
    row = next(table[kind] for kind in type(error).__mro__ if kind in table)
    return row(error)


def _retry_after(error: TooManyRequests | StoreUnavailable) -> Mapping[str, str]:
    return {hdrs.RETRY_AFTER: str(max(1, error.retry_after))}


_NOT_FOUND = "There is no such resource."
"""One text for what is unknown and for what is another client's."""


# --- DecisionTelecom: exactly {name, message, code, status}, whose clients fail on any other key ----------------------

WINDOW_CLOSED = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)
"""Source: DecisionTelecom, WhatsApp API, errors."""

_BALANCE_CODES = frozenset({3, 131042, 134011})
"""DecisionTelecom's own, and the platform's: no means of payment, terms of payment not agreed to."""
_UNEXPECTED = "The server encountered an unexpected condition which prevented it from fulfilling the request"
_FORWARDED = frozenset({400, 402, 409, 413, 422})
"""Statuses of a provider's refusal that mean to our client what they meant to us."""


def _classic(status: int, code: int, name: str, message: str, headers: Mapping[str, str] | None = None) -> Said:
    body = {"name": name, "message": message, "code": code, "status": status}
    return Said(status=status, body=body, headers=headers or {})


def _invalid_parameter(error: InvalidRequest | TemplateRefused) -> Said:
    if isinstance(error, TemplateRefused) and error.misfits:
        return _classic(400, 1, f"Invalid Parameter: {error.field}", "; ".join(map(str, error.misfits)))
    is_inside = error.path not in (None, f"$.{error.field}")
    message = f"{error.path}: {error}" if is_inside and f"{error.path}" not in str(error) else str(error)
    return _classic(400, 1, f"Invalid Parameter: {error.field}", message)


def _unreadable(error: UnreadableBody) -> Said:
    status = 413 if isinstance(error, BodyTooLarge) else 400
    is_inside = error.path != "$"
    return _classic(status, 0, "Bad Request", f"{error.path}: {error}" if is_inside else str(error))


def _provider_words(refused: ProviderRefused) -> Said:
    error = refused.error
    if error.closes_window:
        return _window_closed(refused)
    if error.code in _BALANCE_CODES or error.status == 402:
        return _balance_empty(refused)
    status = error.status if error.status in _FORWARDED else 400
    name = error.name or "Invalid Parameter"
    return _classic(status or 400, error.code or 1, name, error.message or "The provider refused the message")


def _window_closed(_error: GatewayError) -> Said:
    return _classic(400, 7, "Only template messages are allowed", WINDOW_CLOSED)


def _balance_empty(_error: GatewayError) -> Said:
    return _classic(402, 3, "Topup balance is required", "User balance is empty")


DECISION_TELECOM: Table = {
    Unauthenticated: lambda _: _classic(
        401,
        0,
        "Unauthorized",
        "Your request was made with invalid credentials.",
        {hdrs.WWW_AUTHENTICATE: 'Basic realm="gateway"'},
    ),
    TooManyRequests: lambda error: _classic(429, 0, "Too Many Requests", str(error), _retry_after(error)),
    WrongMethod: lambda error: _classic(
        405, 0, "Method Not Allowed", f"Method Not Allowed. {error}", {hdrs.ALLOW: error.allowed}
    ),
    NotFound: lambda _: _classic(404, 0, "Not Found", _NOT_FOUND),
    UnreadableBody: _unreadable,
    InvalidRequest: _invalid_parameter,
    NotCarried: _invalid_parameter,
    TemplateRefused: _invalid_parameter,
    IdempotencyConflict: lambda _: _classic(
        409, 1, "Invalid Parameter: Idempotency-Key", "expected a new key, or the body that this key was used with"
    ),
    StoreUnavailable: lambda error: _classic(503, 2, "Internal server error", _UNEXPECTED, _retry_after(error)),
    BalanceEmpty: _balance_empty,
    ProviderRefused: _provider_words,
    WindowClosed: _window_closed,
    ContactSuppressed: lambda error: _classic(400, 1, "Invalid Parameter: destination_addr", str(error)),
    GatewayError: lambda _: _classic(500, 2, "Internal server error", _UNEXPECTED),
}


# --- native: application/problem+json with a stable code --------------------------------------------------------------


def _problem(status: int, title: str, detail: str | None = None) -> Callable[[GatewayError], Said]:
    """A row of the table; a fixed `detail` where what was raised must not show."""

    def row(error: GatewayError) -> Said:
        body = {"title": title, "status": status, "code": error.code, "detail": detail or str(error)}
        return Said(status=status, body={**body, **_details(error)}, headers=_problem_headers(error))

    return row


def _details(error: GatewayError) -> Mapping[str, Any]:
    match error:
        case TemplateRefused(misfits=[_, *_] as misfits):
            errors = [{"path": misfit.path, "detail": misfit.text} for misfit in misfits]
            return {"field": error.field, "path": error.path, "errors": errors}
        case InvalidRequest() | TemplateRefused():
            return {"field": error.field, "path": error.path}
        case Refused():
            return {"reasons": list(error.reasons)}
        case ProviderRefused(error=words):
            return {"provider": {"code": words.code, "name": words.name, "message": words.message}}
        case _:
            return {}


def _problem_headers(error: GatewayError) -> Mapping[str, str]:
    match error:
        case TooManyRequests() | StoreUnavailable():
            return _retry_after(error)
        case Unauthenticated():
            return {hdrs.WWW_AUTHENTICATE: 'Bearer realm="gateway"'}
        case WrongMethod():
            return {hdrs.ALLOW: error.allowed}
        case _:
            return {}


NATIVE: Table = {
    InvalidRequest: _problem(400, "Invalid request"),
    NotCarried: _problem(400, "Not carried"),
    BodyTooLarge: _problem(413, "Body too large"),
    BodyTooSlow: _problem(408, "Body too slow"),
    BodyEncoded: _problem(415, "Body encoded"),
    Unauthenticated: _problem(401, "Unauthenticated", "The key is missing or not valid."),
    NotFound: _problem(404, "Not found", _NOT_FOUND),
    WrongMethod: _problem(405, "Method not allowed"),
    IdempotencyConflict: _problem(409, "Idempotency conflict"),
    WindowClosed: _problem(409, "Window closed"),
    ContactSuppressed: _problem(409, "Contact suppressed"),
    TemplateRefused: _problem(422, "Template refused"),
    TooManyRequests: _problem(429, "Too many requests"),
    BalanceEmpty: _problem(402, "Balance empty"),
    ProviderRefused: _problem(422, "Provider refused"),
    StoreUnavailable: _problem(503, "Store unavailable"),
    GatewayError: lambda error: Said(
        status=500, body={"title": "Internal error", "status": 500, "code": GatewayError.code, "detail": ""}
    ),
}


# --- callbacks: nobody reads the body, the status says whether to come again ------------------------------------------


def _refusal(status: int) -> Callable[[GatewayError], Said]:
    return lambda error: Said(status=status, body={"ok": False, "code": error.code}, headers=_problem_headers(error))


CALLBACKS: Table = {
    NotFound: _refusal(404),
    WrongMethod: _refusal(405),
    SignatureMismatch: lambda error: Said(status=401, body={"ok": False, "code": error.code}),
    SubscriptionRefused: _refusal(403),
    BodyTooLarge: _refusal(413),
    BodyTooSlow: _refusal(408),
    BodyEncoded: _refusal(415),
    UnreadableBody: _refusal(400),
    StoreUnavailable: _refusal(503),
    GatewayError: lambda _: Said(status=500, body={"ok": False, "code": GatewayError.code}),
}
