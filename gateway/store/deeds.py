"""What operators did to contacts and windows: a row for each use of their power, in however many transactions."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.store.codec import micros, to_json
from gateway.store.ledger import Ledger


def new_run() -> str:
    """The name of one use."""
    return secrets.token_hex(8)


def note_deed(
    ledger: Ledger,
    run: str,
    deed: str,
    *,
    by: str,
    now: datetime,
    sender: str | None = None,
    contact: str | None = None,
    facts: Mapping[str, Any],
) -> None:
    ledger.write(
        "note_deed",
        run=run,
        at=micros(now),
        actor=by,
        deed=deed,
        sender=sender,
        contact=contact,
        facts=to_json(facts),
    )


def counts_of(ledger: Ledger, run: str) -> Counter[str]:
    """How much was done in a run up to now."""
    row = ledger.row("deed_of_run", run=run)
    return Counter() if row is None else Counter(json.loads(row["facts"]))


def count_deed(ledger: Ledger, run: str, more: Mapping[str, int]) -> Counter[str]:
    """Add to what was done in a run that is noted; how much it is then."""
    counts = counts_of(ledger, run)
    counts.update(more)
    ledger.write("count_deed", run=run, facts=to_json(counts))
    return counts
