"""What can be wrong with a request before it means anything; part of the tree of ``domain.errors``.

GatewayError
├── InvalidRequest
│   └── UnreadableBody      the body is not one strict JSON object in UTF-8
│       ├── BodyTooLarge    it is over the limit of its route
│       ├── BodyTooSlow     it did not arrive in time
│       ├── BodyBroken      the connection ended, or its chunks made no sense
│       └── BodyEncoded     it is compressed, which we don't undo
├── NotFound
│   ├── UnknownObject       there is no such number, account or medium, or it is another client's
│   └── Unsupported         the object is known, and what was asked of it is not there with its provider
├── PassedOn                what was passed on to the provider came to nothing
├── WrongMethod             the path is known, the method is not
└── SubscriptionRefused     who asks whether we want callbacks does not know our word for it
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.domain.errors import GatewayError, InvalidRequest, NotFound
from gateway.web.json_path import ROOT

LONGEST_ID = 32


class UnreadableBody(InvalidRequest):
    """The body is not one strict JSON object in UTF-8."""

    def __init__(self, expected: str, path: str = ROOT) -> None:
        super().__init__("body", expected, path=path)


class BodyTooLarge(UnreadableBody):
    """The body is over the limit, which is in bytes."""

    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"expected a body of at most {limit} bytes")


class BodyTooSlow(UnreadableBody):
    """The whole body did not arrive in time."""

    code = "body_too_slow"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"expected the whole body within {seconds:g} seconds")


class BodyBroken(UnreadableBody):
    """The connection ended within the body, or its chunks made no sense."""

    def __init__(self) -> None:
        super().__init__("expected a whole body")


class BodyEncoded(UnreadableBody):
    """The body is compressed, or said to be."""

    code = "body_encoded"

    def __init__(self) -> None:
        super().__init__("expected a body without Content-Encoding")


class WrongMethod(GatewayError):
    """The path is known, but not with this method."""

    code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"This URL can only handle the following request methods: {self.allowed}.")


class UnknownObject(NotFound):
    """An id in the path that names nothing of the client's: unknown or foreign, one answer for both."""

    def __init__(self, written: str) -> None:
        # Ids are digits; anything else is not repeated.
        self.id = written if written.isascii() and written.isdigit() and len(written) <= LONGEST_ID else None
        super().__init__("there is no such object")


class Unsupported(NotFound):
    """What was asked for is not there with this sender's provider."""


class PassedOn(GatewayError):
    """A request that was passed on got no answer that could be handed back."""

    code = "provider_unavailable"

    def __init__(self, message: str, status: int = 502) -> None:
        self.status = status
        super().__init__(message)


class SubscriptionRefused(GatewayError):
    """Who asks whether we want a provider's callbacks does not know the word that we gave it."""

    code = "forbidden"
