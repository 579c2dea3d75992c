"""What clients are told: events for their webhooks, and the numbers that a message's callback_url gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from gateway.domain.callback import InboundMessage
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.message import Failure, OutboundMessage, Status

RETRY_SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Waits between the ten tries of a webhook. Source: the schedule of Standard Webhooks."""

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


def is_told(status: Status) -> bool:
    """Whether a change to this status goes to the client's webhook: all that is no longer only ours."""
    return status not in (Status.QUEUED, Status.HELD, Status.SENDING)


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


def whose(endpoint: str) -> tuple[Kind, str]:
    """What kind of endpoint it is, and which client's. An origin holds ``://`` once, behind its scheme."""
    kind, _, rest = endpoint.partition(":")
    return ("webhook", rest) if kind == "client" else ("callback_url", rest.rpartition("://")[0].rpartition(":")[0])


def received(client: str, sender: Sender, event: InboundMessage, *, now: datetime, sequence: int) -> Notice:
    """``message.received``: a contact wrote to a sender that the client uses."""
    facts = {
        "sender": sender,
        "contact": event.contact,
        "id": event.provider_message_id,
        "kind": event.kind,
        "text": event.text,
        "name": event.name,
        "written_at": rfc3339_or_none(event.at),
        "sequence": sequence,
        "raw": event.raw,
    }
    return Notice(
        endpoint=f"client:{client}",
        type="message.received",
        body={"type": "message.received", "timestamp": rfc3339(now), "data": facts},
    )


def status_changed(
    message: OutboundMessage,
    status: Status,
    *,
    now: datetime,
    sequence: int,
    error: ProviderError | None = None,
    raw: Any = None,
) -> Notice:
    """``message.status``: a message of the client moved. Its id is a string, as everywhere on the native surface."""
    facts = {
        "message_id": str(message.id),
        "sender": message.sender,
        "contact": message.contact,
        "status": status.value,
        "reference": message.reference,
        "error": None if error is None else {"code": error.code, "name": error.name, "message": error.message},
        "sequence": sequence,
        "raw": raw,
    }
    return Notice(
        endpoint=f"client:{message.client}",
        type="message.status",
        body={"type": "message.status", "timestamp": rfc3339(now), "data": facts},
    )


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
