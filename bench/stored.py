"""What the gateway's file says of a run, read by somebody else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.failing import CannotMeasure

_LOOK_EVERY = 0.02
_OPEN = "select count(*) from message where status <> 'submitted'"
_MESSAGES = """
select count(*) as messages, count(*) filter (where message.status = 'submitted') as submitted,
    count(*) filter (where conversation.contact % 2 = 1) as to_closed
from message join conversation on conversation.id = message.conversation
"""
_ATTEMPTS = """
select count(*) as attempts, count(distinct provider_message_id) as ids,
    count(*) filter (where is_template) as templates
from attempt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Counts of rows. `to_closed` is how many messages are for contacts whose window is closed."""

    messages: int
    submitted: int
    to_closed: int
    attempts: int
    ids: int
    templates: int


@contextmanager
def _reading(store: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"file:{quote(str(store))}?mode=ro", uri=True, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        yield db
    finally:
        db.close()


def read(store: Path) -> Stored:
    with _reading(store) as db:
        return Stored(**db.execute(_MESSAGES).fetchone(), **db.execute(_ATTEMPTS).fetchone())


def wait_until_submitted(store: Path, *, within: float) -> float:
    """Look at the file until every message in it was submitted; when that was seen, by ``time.monotonic``."""
    latest = time.monotonic() + within
    with _reading(store) as db:
        while True:
            (left,) = db.execute(_OPEN).fetchone()
            now = time.monotonic()
            if not left:
                return now
            if now > latest:
                raise CannotMeasure(f"{left} messages were not submitted within {within:.0f} s after the load")
            time.sleep(_LOOK_EVERY)


def problems(stored: Stored, *, answered: int, in_flight: int, taken: int, templates: int) -> list[str]:
    """What is wrong with a run whose messages have all left: lost, doubled, or not as their windows demand."""
    told = []
    if not answered <= stored.messages <= answered + in_flight:
        told.append(f"{answered} requests were answered with 200, but {stored.messages} messages are stored")
    if len({stored.messages, stored.submitted, stored.attempts, stored.ids, taken}) != 1:
        told.append(f"lost or doubled: {stored}, and the provider took {taken}")
    if not stored.to_closed == stored.templates == templates:
        told.append(f"{stored.to_closed} had to leave as templates; {stored.templates} did, and {templates} arrived")
    return told
