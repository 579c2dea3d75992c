"""Every error of ours, in one tree.

GatewayError
├── InvalidRequest          a field is missing or wrong: names its path and what was expected
│   ├── MissingField        it is not there at all
│   └── NotCarried          the sender's provider can't express it
│       └── UserIdNotCarried    not to a business-scoped user id
├── Unauthenticated         no key, a wrong key or a revoked one: one answer for all three
│   └── SignatureMismatch   a callback is not signed by its provider
├── NotFound                unknown or foreign: one answer for both
├── IdempotencyConflict     the same key with another body
├── Refused                 our own rule says no; nothing is sent
│   ├── WindowClosed        the window is closed and nothing may stand in
│   ├── ContactSuppressed   the contact is on the suppression list
│   └── TemplateRefused     the template is unknown, not sendable, or its arguments don't fit
├── TooManyRequests         a client is over its rate, or has too many messages queued
├── BalanceEmpty            the provider's account is empty, told only to a request that waits
├── ProviderRefused         the provider's refusal, told only to a request that waits
├── StoreUnavailable        nothing was acknowledged; try again
│   └── Stopping            the gateway is on its way down
└── CannotStart             told to the operator, by the command line
    ├── ConfigInvalid       all problems of a configuration at once
    ├── StoreInUse          another process holds the file
    └── SchemaTooNew        the store was written by a newer version

Only the tables in ``web`` know what HTTP makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GatewayError(Exception):
    """The base of all errors that we raise on purpose."""

    code = "internal_error"


class InvalidRequest(GatewayError):
    """A field is missing or wrong. `field` is the outer field, `path` the JSON path of the exact place."""

    code = "invalid_request"

    def __init__(self, field: str, expected: str, *, path: str | None = None) -> None:
        self.field = field
        self.expected = expected
        self.path = path or f"$.{field}"
        super().__init__(expected)


class MissingField(InvalidRequest):
    """A field is not there: one more thing that is wrong for most, for the Cloud API something with its own number."""


class NotCarried(InvalidRequest):
    """The sender's provider can't express it. `field` names what is in the way, and the text what may be sent."""

    code = "not_carried"


class UserIdNotCarried(NotCarried):
    """It can be sent to a phone number alone, and the contact is known by a business-scoped user id."""


class Unauthenticated(GatewayError):
    """The request carries no key that is valid now."""

    code = "unauthenticated"


class SignatureMismatch(Unauthenticated):
    """A callback is not signed by the provider that it names."""


class NotFound(GatewayError):
    """There is no such thing, or it is not the caller's."""

    code = "not_found"


class IdempotencyConflict(GatewayError):
    """The idempotency key was used before, with another body."""

    code = "idempotency_conflict"


class Refused(GatewayError):
    """Our own rule says no. `reasons` are the codes of the decision."""

    code = "refused"

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__(message)


class WindowClosed(Refused):
    """The contact has not written within the service window, and nothing may stand in."""

    code = "window_closed"


class ContactSuppressed(Refused):
    """The contact is on the suppression list, by its own wish or by an operator's word."""

    code = "contact_suppressed"


@dataclass(frozen=True, slots=True)
class Misfit:
    """One argument that does not fit: where it stands in the request, what was expected there and what came."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class TemplateRefused(Refused):
    """The template can't be sent. `code` says which of the three reasons it is; `path` where in the request.

    With arguments that don't fit, `misfits` are all of them, and the message and `path` those of the first.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str = "template_params",
        path: str | None = None,
        misfits: Sequence[Misfit] = (),
    ) -> None:
        self.code = code
        self.field = field
        self.path = path
        self.misfits = tuple(misfits)
        super().__init__(message, (code,))


class TooManyRequests(GatewayError):
    """The client is over its rate or its queue. `retry_after` is in seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class BalanceEmpty(GatewayError):
    """The sender is paused because the provider's account is empty."""

    code = "balance_empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """What the provider said: `code` is its own number, `status` the HTTP status that goes with it."""

    code: int | None = None
    status: int | None = None
    name: str = ""
    message: str = ""
    closes_window: bool = False
    """It is the 24-hour refusal, whatever its number and words are with this provider."""


class ProviderRefused(GatewayError):
    """The provider refused the message while its sender waited for the answer."""

    code = "provider_refused"

    def __init__(self, error: ProviderError) -> None:
        self.error = error
        super().__init__(error.message)


class StoreUnavailable(GatewayError):
    """The store did not take it: nothing was acknowledged. `retry_after` is in seconds."""

    code = "store_unavailable"

    def __init__(self, message: str = "the store is not available", retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Stopping(StoreUnavailable):
    """The gateway is stopping and takes nothing new."""

    def __init__(self) -> None:
        super().__init__("the gateway is stopping")


class CannotStart(GatewayError):
    """The gateway can't start as it is configured."""

    code = "cannot_start"


class ConfigInvalid(CannotStart):
    """Every problem of a configuration: each names its file and path, and the remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class StoreInUse(CannotStart):
    """Another process holds the store's file."""


class SchemaTooNew(CannotStart):
    """The store was written by a newer version of the gateway."""
