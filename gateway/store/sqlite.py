"""The store on SQLite: each verb is one unit of work, written in groups or read beside the writer."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence, Set
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.delivery import Outcome
from gateway.domain.errors import ProviderError, Stopping, StoreUnavailable
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Draft, Idempotency, Status
from gateway.ports import (
    Answer,
    Arrival,
    Attempt,
    Claim,
    Claims,
    Conversation,
    Deliveries,
    Delivery,
    Ingested,
    MessagePage,
    MessageQuery,
    MessageRecord,
    SenderState,
    StorePolicy,
)
from gateway.store import acts, arrivals, attempts, claims, intake, lookups, outbox, retention
from gateway.store.group import Database, GroupCommit, outside, read_whole
from gateway.store.ledger import Ledger
from gateway.store.lock import FileLock

P = ParamSpec("P")
T = TypeVar("T")
_MICROSECONDS = 1_000_000


class SqliteReader:
    """Look-ups over a connection that can't write."""

    def __init__(self, reader: Database, policy: StorePolicy, *, ticks: Callable[[], float]) -> None:
        self._reader = reader
        self._policy = policy
        self._ticks = ticks
        self._draw: Callable[[], float] = random.random

    async def message(self, message_id: MessageId, *, client: str | None) -> MessageRecord:
        return await self._look_up(lookups.message, message_id, client=client)

    async def messages(self, query: MessageQuery) -> MessagePage:
        return await self._look_up(lookups.messages, query)

    async def conversation(self, sender: Sender, contact: Contact, *, downgrades_since: datetime) -> Conversation:
        return await self._look_up(lookups.conversation, sender, contact, downgrades_since=downgrades_since)

    async def sender_states(self) -> Sequence[SenderState]:
        return await self._look_up(lookups.sender_states)

    async def aclose(self) -> None:
        await self._reader.close()

    async def _look_up(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._reader.run(read_whole, self._unit(partial(rule, *args, **kwargs)))
        except sqlite3.Error as error:
            raise outside(error) from error

    def _unit(self, rule: Callable[[Ledger], T]) -> Callable[[sqlite3.Connection], T]:
        """The rule with everything that it depends on, for the database thread."""

        def unit(db: sqlite3.Connection) -> T:
            tick = int(self._ticks() * _MICROSECONDS)
            return rule(Ledger(db=db, policy=self._policy, tick=tick, draw=self._draw))

        return unit
