"""What the platform says of a request, or later of a message, that it does not take."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

HREF = "/documentation/business-messaging/whatsapp/support/error-codes"
TOO_LATE = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
)
"""As seen in production."""

# code: the HTTP status of the platform's older table, and the title; the newer table gives no statuses
_TABLE: Mapping[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    368: (403, "Temporarily blocked for policies violations"),
    2500: (400, "Unknown path components"),
    80007: (400, "Rate limit issues"),
    80008: (400, "There have been too many calls to this WhatsApp Business account"),
    130403: (400, "Blocked by the business"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (400, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Business-scoped User ID (BSUID) recipients are not supported for this message"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Template hydrated text too long"),
    132007: (400, "Template format character policy violated"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "There is an issue with the parameters in the template"),
    133010: (400, "Phone number not registered"),
    135000: (400, "Generic user error"),
}
_PASSING = frozenset({2, 130429, 131000, 131016, 131057})
"""Those that the platform marks as transient."""
_BY_STATUS = {400: 100, 401: 190, 402: 131042, 403: 10, 404: 100, 429: 130429, 500: 131000, 503: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    code: int
    title: str
    details: str
    status: int = 400
    type: str = "OAuthException"
    subcode: int | None = None

    def to_json(self) -> Mapping[str, Any]:
        """As the answer to a request."""
        subcode = {} if self.subcode is None else {"error_subcode": self.subcode}
        transient = {"is_transient": True} if self.code in _PASSING else {}
        error = {
            "message": f"(#{self.code}) {self.title}",
            "type": self.type,
            "code": self.code,
            **subcode,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            **transient,
            "fbtrace_id": "A" + secrets.token_hex(11),
        }
        return {"error": error}

    def to_status(self) -> Mapping[str, Any]:
        """As a status that says why a message failed."""
        told = {"code": self.code, "title": self.title, "message": self.title}
        return {**told, "error_data": {"details": self.details}, "href": HREF}

    def answer(self) -> web.Response:
        headers = {"Retry-After": "1"} if self.code == 130429 else None
        return web.json_response(self.to_json(), status=self.status, headers=headers)


class Refused(Exception):
    """The platform does not take the request."""

    def __init__(self, complaint: Complaint) -> None:
        self.complaint = complaint
        super().__init__(complaint.details)


def complaint(code: int, details: str | None = None) -> Complaint:
    """What the platform says under this code, one that it doesn't have included."""
    status, title = _TABLE.get(code, (400, "Something is wrong"))
    return Complaint(code=code, title=title, details=details or _DETAILS.get(code, title), status=status)


_DETAILS = {131047: TOO_LATE, 131026: "Message Undeliverable."}


def missing(field: str) -> Refused:
    return Refused(complaint(131008, f"The parameter {field} is required."))


def wrong(field: str, expected: str, *, code: int = 131009) -> Refused:
    return Refused(complaint(code, f"Param {field}: {expected}"))


def unknown_object(written: str) -> Refused:
    """There is no such thing, or this key may not see it: the platform does not say which."""
    details = f"Unsupported request. Object with ID '{written}' does not exist, or cannot be loaded with this key."
    return Refused(replace(complaint(100, details), subcode=33, type="GraphMethodException"))


def no_key() -> Refused:
    return Refused(complaint(190, "The access token is missing or not one of this number."))


def of_status(status: int) -> web.Response:
    """An answer under this HTTP status; one that the platform has no code for is a proxy's."""
    if status in _BY_STATUS:
        return replace(complaint(_BY_STATUS[status]), status=status).answer()
    return web.Response(status=status, text=f"<html><body><h1>{status}</h1></body></html>", content_type="text/html")
