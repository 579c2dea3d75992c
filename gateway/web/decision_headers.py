"""What was decided about a message, in headers: bodies are those of the API that is spoken."""

from __future__ import annotations

from gateway.domain.instant import rfc3339
from gateway.domain.message import Receipt


def decision_headers(receipt: Receipt) -> dict[str, str]:
    """Of a message that was accepted: what is to be done with it, and why."""
    closes_at = receipt.window_closes_at
    headers = {
        "Gateway-Decision": receipt.action,
        "Gateway-Template": receipt.template,
        "Gateway-Reason": receipt.reason,
        "Gateway-Observed": receipt.observed,
        "Gateway-Repaired": receipt.repaired,
        "Gateway-Window-Closes-At": None if closes_at is None else rfc3339(closes_at),
    }
    return {name: value for name, value in headers.items() if value is not None}
