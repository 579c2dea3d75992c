"""The store on SQLite: each verb is one unit of work, written in groups or read beside the writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gateway.domain.callback import StatusReport
from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.delivery import Outcome
from gateway.domain.errors import ProviderError, Stopping, StoreUnavailable
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.listing import ListedTemplate
from gateway.domain.message import Draft, Idempotency
from gateway.domain.suppression import Scope
from gateway.ports import (
    Accepted,
    Acted,
    Allowed,
    Answer,
    Arrival,
    Attempt,
    Census,
    Claim,
    Claims,
    Cleared,
    Decide,
    Deliveries,
    Delivery,
    Erasing,
    HeardElsewhere,
    Hearing,
    Imported,
    Ingested,
    Recorded,
    Replay,
    Replayed,
    Scrubbed,
    StoreObserver,
    Traced,
)
from gateway.store import (
    acts,
    attempts,
    claims,
    erasure,
    imports,
    intake,
    listings,
    notices,
    outbox,
    retention,
    suppressions,
    template_health,
    traced,
)
from gateway.store import arrivals as inbox
from gateway.store import census as watch
from gateway.store.group import Database, GroupCommit, Unit
from gateway.store.ledger import Ledger
from gateway.store.lock import FileLock
from gateway.store.reader import SqliteReader, Units
from gateway.store.scrubbing import scrub
from gateway.store.survey import Survey, with_sizes

P = ParamSpec("P")
T = TypeVar("T")
_MICROSECONDS = 1_000_000


class SqliteStore(SqliteReader):
    """One file, or memory, and all the verbs. `path` is None in memory; `created` says whether the file is new."""

    def __init__(
        self,
        writer: Database,
        units: Units,
        *,
        reader: Database | None,
        survey: Survey | None,
        lock: FileLock | None,
        path: Path | None,
        created: bool,
        observer: StoreObserver | None,
    ) -> None:
        super().__init__(reader or writer, units)
        self.path = path
        self.created = created
        self._writer = writer
        self._has_reader = reader is not None
        self._survey = survey
        self._lock = lock
        self._group = GroupCommit(writer, observer)
        self._closing: asyncio.Task[None] | None = None

    async def _look_up(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        look_up = super()._look_up if self._has_reader else self._run
        return await look_up(rule, *args, **kwargs)

    async def _run(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._group.run(self._units.of(rule, *args, **kwargs))

    async def is_ready(self) -> bool:
        try:
            await self._run(_beat)
        except StoreUnavailable:
            return False
        return True

    async def aclose(self) -> None:
        """Write what waits, then close, whoever stops waiting for it. Afterwards every verb raises Stopping."""
        self._is_closed = True
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store-close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._group.aclose()
        if self._survey is not None:
            await self._survey.aclose()
        if self._has_reader:
            await self._reader.close()
        await self._writer.close()
        if self._lock is not None:
            self._lock.release()

    # --- messages ---------------------------------------------------------------------------------------------------

    async def replay(self, client: str, idempotency: Idempotency, *, now: datetime) -> Answer | None:
        return await self._look_up(intake.replay, client, idempotency, now=now)

    async def enqueue(
        self,
        draft: Draft,
        decide: Decide,
        *,
        now: datetime,
        downgrades_since: datetime | None,
        may_begin: bool = False,
    ) -> Accepted | Refuse:
        unit = self._units.of(
            intake.enqueue, draft, decide, now=now, downgrades_since=downgrades_since, may_begin=may_begin
        )
        return await self._group.run(unit, unheard=self._put_back)

    def _put_back(self, accepted: Accepted | Refuse) -> Unit[None] | None:
        """Nobody waits any more for what was begun, so nobody sends it: it stands in line like any other."""
        if isinstance(accepted, Accepted) and accepted.begun is not None:
            claim, _ = accepted.begun
            return self._units.of(claims.release, claim, now=claim.message.accepted_at)
        return None

    async def settle_wait(self, message_id: MessageId) -> ProviderError | None:
        return await self._run(intake.settle_wait, message_id)

    async def cancel(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        return await self._run(acts.cancel, message_id, by=by, now=now)

    async def resend(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        return await self._run(acts.resend, message_id, by=by, now=now)

    async def close(self, message_id: MessageId, *, by: str, now: datetime) -> Acted:
        return await self._run(acts.close, message_id, by=by, now=now)

    # --- conversations ----------------------------------------------------------------------------------------------

    async def claim(
        self,
        sender: Sender,
        *,
        limit: int,
        now: datetime,
        downgrades_since: datetime | None,
        holding: Set[int] = frozenset(),
    ) -> Claims:
        return await self._run(
            claims.claim,
            sender,
            limit=limit,
            now=now,
            downgrades_since=downgrades_since,
            holding=frozenset(holding),
        )

    async def begin(self, claim: Claim, attempt: Attempt, decision: Send | Downgrade, *, now: datetime) -> bool:
        return await self._run(attempts.begin, claim, attempt, decision, now=now)

    async def record(self, claim: Claim, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Recorded:
        return await self._run(attempts.record, claim, attempt, outcome, now=now)

    async def refuse(self, claim: Claim, decision: Refuse, *, now: datetime) -> bool:
        return await self._run(claims.refuse, claim, decision, now=now)

    async def release(self, claim: Claim, *, now: datetime) -> None:
        await self._run(claims.release, claim, now=now)

    async def expire(self, *, now: datetime, limit: int = 256) -> int:
        return await self._run(claims.expire, now=now, limit=limit)

    async def recover(self, *, now: datetime) -> int:
        return await self._run(attempts.recover, now=now)

    # --- callbacks in -----------------------------------------------------------------------------------------------

    async def ingest(self, provider: str, arrivals: Sequence[Arrival], *, now: datetime) -> Ingested:
        return await self._run(inbox.ingest, provider, tuple(arrivals), now=now)

    async def sweep(self, *, now: datetime, limit: int = 500) -> int:
        return await self._run(retention.sweep, now=now, limit=limit)

    async def take_listed(self, provider: str, listed: Sequence[ListedTemplate], *, at: datetime) -> None:
        await self._run(listings.take_listed, provider, tuple(listed), at=at)

    async def end_list(self, provider: str, *, at: datetime) -> int:
        return await self._run(listings.end_list, provider, at=at)

    async def clear_template(
        self, name: str, language: str, *, provider: str | None, by: str, now: datetime
    ) -> Sequence[Cleared]:
        return await self._run(template_health.clear, name, language, provider=provider, by=by, now=now)

    # --- webhooks out -----------------------------------------------------------------------------------------------

    async def claim_deliveries(
        self, *, limit: int, now: datetime, lease: timedelta, excluding: Set[str] = frozenset()
    ) -> Deliveries:
        return await self._run(
            outbox.claim_deliveries, limit=limit, now=now, lease=lease, excluding=frozenset(excluding)
        )

    async def delivered(self, delivery: Delivery, *, now: datetime) -> None:
        await self._run(outbox.delivered, delivery, now=now)

    async def deliver_again(
        self, delivery: Delivery, *, due_at: datetime, hold_until: datetime, error: str, now: datetime
    ) -> None:
        await self._run(outbox.deliver_again, delivery, due_at=due_at, hold_until=hold_until, error=error)

    async def give_up(self, delivery: Delivery, *, error: str, now: datetime) -> None:
        await self._run(outbox.give_up, delivery, error=error, now=now)

    async def post_again(self, replay: Replay, *, by: str, now: datetime, limit: int = 100) -> Replayed:
        return await self._run(notices.post_again, replay, by=by, now=now, limit=limit)

    # --- watching ---------------------------------------------------------------------------------------------------

    async def _look_over(self, rule: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._survey is None:
            return await self._run(rule, *args, **kwargs)
        return await self._survey.look(self._units.of(rule, *args, **kwargs))

    async def census(self, *, now: datetime) -> Census:
        census = await self._look_over(watch.census, now=now)
        return census if self.path is None else with_sizes(census, self.path)

    async def listen(self) -> Sequence[Hearing]:
        return await self._run(watch.keep, await self._look_over(watch.news))

    async def reported(self, provider: str, reports: Sequence[StatusReport]) -> Sequence[Traced | None]:
        return await self._look_up(traced.reported, provider, tuple(reports))

    async def trace_of(self, message_id: MessageId) -> str | None:
        return await self._look_up(traced.trace_of, message_id)

    # --- people -----------------------------------------------------------------------------------------------------

    async def import_windows(self, windows: Sequence[HeardElsewhere], *, run: str, by: str, now: datetime) -> Imported:
        return await self._run(imports.import_windows, windows, run=run, by=by, now=now)

    async def suppress(
        self, contact: Contact, scope: Scope, *, sender: Sender | None, note: str | None, by: str, now: datetime
    ) -> bool:
        return await self._run(suppressions.suppress, contact, scope, sender=sender, note=note, by=by, now=now)

    async def allow(self, contact: Contact, *, sender: Sender | None, by: str, now: datetime) -> Allowed:
        return await self._run(suppressions.allow, contact, sender=sender, by=by, now=now)

    async def erase(self, contact: Contact, *, run: str, by: str, now: datetime) -> Erasing:
        return await self._run(erasure.begin, contact, run=run, by=by, now=now)

    async def erase_on(self, run: str | None, *, now: datetime, limit: int = 200) -> Erasing | None:
        return await self._run(erasure.go_on, run, now=now, limit=limit)

    async def scrub(self, *, largest: int | None) -> Scrubbed:
        if self._is_closed:
            raise Stopping
        return await self._writer.run(scrub, largest)


def _beat(ledger: Ledger) -> None:
    ledger.write("beat")
