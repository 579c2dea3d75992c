"""What clients are told: notices, their endpoints and schedule, and the numbers that a message's callback_url gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from gateway.domain.message import Failure, OutboundMessage, Status
from gateway.domain.subscription import Format

RETRY_SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Waits between the ten tries of a webhook. Source: the schedule of Standard Webhooks."""

OPAQUE = "biz_opaque_callback_data"
"""Where a status of the platform's gives back what was sent with the message."""

BLOCK_FOR = timedelta(seconds=30)
"""How long an event that an endpoint could not take holds up the later ones of its contact."""

Kind = Literal["webhook", "callback_url"]
"""A client's own endpoint, from the configuration, or one that a message named."""

PENDING = 5
_VIEW = {
    Status.QUEUED: PENDING,
    Status.HELD: PENDING,
    Status.SENDING: PENDING,
    Status.SUBMITTED: 0,
    Status.SENT: 0,
    Status.DELIVERED: 1,
    Status.READ: 1,
    Status.REFUSED: 3,
    Status.CANCELLED: 3,
    Status.EXPIRED: 4,
    Status.UNKNOWN: 20,
}
_VIEW_OF_FAILURE = {Failure.REFUSED: 3, Failure.CLOSED: 2, Failure.REPORTED: 4}


def view_status(status: Status, failure: Failure | None = None) -> int:
    """The number that DecisionTelecom's surface shows for a status."""
    if status is Status.FAILED:
        return _VIEW_OF_FAILURE[failure or Failure.REFUSED]
    return _VIEW[status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One POST to one endpoint, durable from the transaction that caused it.

    `endpoint` is ``client:<name>`` (address and secret come from the configuration when it is posted), or
    ``url:<client>:<origin>`` of the `url` that a message named: all that a client has posted to one server is one
    endpoint, so that a dead one takes that client's share of slots and no more. Notices of one conversation to one
    endpoint are first tried in order.
    """

    endpoint: str
    type: str
    body: Mapping[str, Any]
    url: str | None = None
    format: Format = Format.STANDARD
    """The shape of the body, which the signature goes with."""


def client_endpoint(client: str) -> str:
    """The client's own webhook."""
    return f"client:{client}"


def whose(endpoint: str) -> tuple[Kind, str]:
    """What kind of endpoint it is, and which client's. An origin holds ``://`` once, behind its scheme."""
    kind, _, rest = endpoint.partition(":")
    return ("webhook", rest) if kind == "client" else ("callback_url", rest.rpartition("://")[0].rpartition(":")[0])


def view_changed(message: OutboundMessage, view: int) -> Notice:
    """The POST to a message's own callback_url, in the shape of DecisionTelecom's surface."""
    return Notice(
        endpoint=f"url:{message.client}:{_origin(message.callback_url or '')}",
        type="callback",
        body={"message_id": message.id, "status": view},
        url=message.callback_url,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
