"""Look-ups over a connection that can't write, and how rules become units of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

from gateway.domain.errors import Stopping
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.ports import (
    Conversation,
    DecisionPage,
    DecisionQuery,
    KnownHealth,
    KnownListing,
    ListPage,
    ListQuery,
    MessagePage,
    MessageQuery,
    MessageRecord,
    NoticePage,
    NoticeQuery,
    Outlook,
    SenderState,
    StorePolicy,
    Stretch,
    Stretches,
    Tally,
    WindowPage,
    WindowQuery,
)
from gateway.store import (
    decisions,
    listings,
    lookups,
    notices,
    outlook,
    reports,
    suppressions,
    template_health,
    windows,
)
from gateway.store.group import Database, Unit, outside, read_whole
from gateway.store.ledger import Ledger, Shared
from gateway.store.pace import paces_of

P = ParamSpec("P")
T = TypeVar("T")
_MICROSECONDS = 1_000_000


class Units:
    """Makes rules into units of work: with everything they depend on, to be called on the database thread."""

    def __init__(self, policy: StorePolicy, *, ticks: Callable[[], float], draw: Callable[[], float]) -> None:
        self._policy = policy
        self._paces = paces_of(policy.pace)
        self._ticks = ticks
        self._draw = draw

    def of(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> Unit[T]:
        def unit(db: sqlite3.Connection, shared: Shared) -> T:
            return rule(shared.ledger or self._ledger(db, shared), *args, **kwargs)

        return unit

    def _ledger(self, db: sqlite3.Connection, shared: Shared) -> Ledger:
        tick = int(self._ticks() * _MICROSECONDS)
        ledger = shared.ledger = Ledger(
            db=db, shared=shared, policy=self._policy, paces=self._paces, tick=tick, draw=self._draw
        )
        return ledger


class SqliteReader:
    """Look-ups over a connection that can't write."""

    def __init__(self, reader: Database, units: Units) -> None:
        self._reader = reader
        self._units = units
        self._is_closed = False

    async def message(self, message_id: MessageId, *, client: str | None) -> MessageRecord:
        return await self._look_up(lookups.message, message_id, client=client)

    async def messages(self, query: MessageQuery) -> MessagePage:
        return await self._look_up(lookups.messages, query)

    async def conversation(
        self, sender: Sender, contact: Contact, *, downgrades_since: datetime | None, client: str = ""
    ) -> Conversation:
        return await self._look_up(
            lookups.conversation, sender, contact, downgrades_since=downgrades_since, client=client
        )

    async def outlook(
        self,
        sender: Sender,
        contact: Contact,
        *,
        downgrades_since: datetime | None,
        also: tuple[Contact, ...] = (),
        client: str = "",
    ) -> Outlook:
        return await self._look_up(
            outlook.outlook, sender, contact, downgrades_since=downgrades_since, also=also, client=client
        )

    async def sender_states(self) -> Sequence[SenderState]:
        return await self._look_up(lookups.sender_states)

    async def provider_id_of(self, message_id: MessageId, *, client: str, sender: Sender) -> str | None:
        return await self._look_up(lookups.provider_id_of, message_id, client=client, sender=sender)

    async def decisions(self, query: DecisionQuery) -> DecisionPage:
        return await self._look_up(decisions.decisions, query)

    async def refusals(self, query: DecisionQuery) -> DecisionPage:
        return await self._look_up(decisions.refusals, query)

    async def windows(self, query: WindowQuery) -> WindowPage:
        return await self._look_up(windows.windows, query)

    async def stretches(self, since: datetime, until: datetime) -> Stretches:
        return await self._look_up(reports.stretches, since, until)

    async def tally_messages(self, stretch: Stretch) -> Tally:
        return await self._look_up(reports.tally_messages, stretch)

    async def tally_refusals(self, stretch: Stretch) -> Tally:
        return await self._look_up(reports.tally_refusals, stretch)

    async def template_healths(self, *, after: int = 0) -> Sequence[KnownHealth]:
        return await self._look_up(template_health.healths, after=after)

    async def listed_templates(self, *, after: int = 0) -> Sequence[KnownListing]:
        return await self._look_up(listings.listed_templates, after=after)

    async def suppressions(self, query: ListQuery) -> ListPage:
        return await self._look_up(suppressions.page, query)

    async def notices(self, query: NoticeQuery) -> NoticePage:
        return await self._look_up(notices.notices, query)

    async def aclose(self) -> None:
        self._is_closed = True
        await self._reader.close()

    async def _look_up(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._is_closed:
            raise Stopping
        try:
            return await self._reader.run(read_whole, self._units.of(rule, *args, **kwargs))
        except sqlite3.Error as error:
            raise outside(error) from error
