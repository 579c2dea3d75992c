"""To which trace something belongs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.domain.callback import StatusReport
from gateway.domain.identity import MessageId
from gateway.domain.message import Status
from gateway.ports import Traced
from gateway.store.codec import storable
from gateway.store.ledger import Ledger


def reported(ledger: Ledger, provider: str, reports: Sequence[StatusReport]) -> tuple[Traced | None, ...]:
    """What each report is about, by the attempt that it was posted to or by the provider's id."""
    return tuple(_traced(_row(ledger, provider, report)) for report in reports)


def trace_of(ledger: Ledger, message_id: MessageId) -> str | None:
    row = ledger.row("trace_of", id=message_id)
    return None if row is None else row["traceparent"]


def _row(ledger: Ledger, provider: str, report: StatusReport) -> sqlite3.Row | None:
    if report.attempt is not None:
        return ledger.row("report_by_token", token=storable(report.attempt))
    if report.provider_message_id is None:
        return None
    provider_message_id = storable(report.provider_message_id)
    return ledger.row("report_by_provider_id", provider=provider, provider_message_id=provider_message_id)


def _traced(row: sqlite3.Row | None) -> Traced | None:
    if row is None:
        return None
    return Traced(
        message_id=MessageId(row["id"]),
        attempt=row["number"],
        status=Status(row["status"]),
        traceparent=row["traceparent"],
    )
