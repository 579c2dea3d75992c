"""The refusals of the provider's API, in its own shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

TOO_LATE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number. "
    "In this case, you can only send a template message"
)
"""The provider's own sentence. The number that comes with it is not documented: this one is a guess."""

TOO_LATE_CODE = 7


@dataclass(frozen=True, slots=True)
class Rejection:
    """What the provider says to a request that it does not take, under the HTTP status of the same number."""

    name: str
    message: str
    code: int
    status: int

    def to_json(self) -> Mapping[str, Any]:
        return {"name": self.name, "message": self.message, "code": self.code, "status": self.status}


class Rejected(Exception):
    """The provider does not take the request."""

    def __init__(self, rejection: Rejection) -> None:
        self.rejection = rejection
        super().__init__(rejection.message)


UNAUTHORIZED = Rejection("Unauthorized", "Your request was made with invalid credentials.", 0, 401)
NOT_JSON = Rejection("Bad Request", "The body is not a JSON object.", 0, 400)
NOT_FOUND = Rejection("Not Found", "Page not found.", 0, 404)
NOT_POST = Rejection(
    "Method Not Allowed",
    "Method Not Allowed. This URL can only handle the following request methods: POST.",
    0,
    405,
)
BALANCE_EMPTY = Rejection("Topup balance is required", "User balance is empty", 3, 402)
WINDOW_CLOSED = Rejection("Re-engagement message", TOO_LATE, TOO_LATE_CODE, 400)
OPTED_OUT = Rejection(
    "User's number is part of an opt-out",
    "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from "
    "your business",
    131050,
    400,
)
"""The platform's code for it. How this provider words it is not documented: the words are a guess."""
THROTTLED = Rejection("Too Many Requests", "Rate limit exceeded", 0, 429)
TROUBLE = Rejection(
    "Internal server error",
    "The server encountered an unexpected condition which prevented it from fulfilling the request",
    2,
    500,
)


def platform_refused(code: int) -> Rejection:
    """The platform's code for what is wrong with a message. How this provider words it is not documented."""
    return Rejection("Message refused", f"(#{code}) The message can't be sent", code, 400)


def invalid(field: str, message: str) -> Rejected:
    """A field is missing or wrong."""
    return Rejected(Rejection(f"Invalid Parameter: {field}", message, 1, 400))


_BY_STATUS = {each.status: each for each in (UNAUTHORIZED, NOT_FOUND, NOT_POST, BALANCE_EMPTY, THROTTLED, TROUBLE)}
_BY_STATUS[400] = invalid("text", "Empty parameter or parameter validation error").rejection


def of_status(status: int) -> Rejection | None:
    """What the provider itself says under this status; None for one that only a proxy before it answers."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 500:
        return Rejection(HTTPStatus(status).phrase, HTTPStatus(status).phrase, 0, status)
    return None
