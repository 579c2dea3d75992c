"""A store on a bench: its two clocks stand still until a test moves them, and its verbs have short names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.domain.compliance import Downgrade, Send
from gateway.domain.delivery import Outcome, PacePolicy, Submitted
from gateway.domain.identity import Contact, MessageId, Sender, draw_token
from gateway.domain.message import Content, Draft, FreeForm, Status
from gateway.ports import Arrival, Attempt, Claim, Claims, Deliveries, Delivery, Ingested, StorePolicy
from gateway.store import SqliteStore, open_store
from tests.store.asking import enqueue
from tests.store.factories import CONTACT, NOW, PROVIDER, SENDER, TEXT, a_downgrade, a_draft, a_send

QUICK = PacePolicy(sender_per_second=1_000_000)
"""The clocks of a bench stand still: a sender's pace would end most tests."""


@dataclass(slots=True, kw_only=True)
class Bench:
    url: str
    policy: StorePolicy
    store: SqliteStore
    now: datetime = NOW
    clock: list[float] = field(default_factory=lambda: [1_000_000.0])

    @classmethod
    async def open(cls, url: str, policy: StorePolicy | None = None) -> Bench:
        clock = [1_000_000.0]
        policy = policy or StorePolicy(pace=QUICK)
        store = await open_store(url, policy, ticks=lambda: clock[0], draw=lambda: 0.0)
        return cls(url=url, policy=policy, store=store, clock=clock)

    async def reopen(self, policy: StorePolicy | None = None, *, clock_steps: float = 0) -> None:
        """As after a restart: another process has opened the same file."""
        await self.store.aclose()
        self.clock[0] += clock_steps
        self.policy = policy or self.policy
        self.store = await open_store(self.url, self.policy, ticks=lambda: self.clock[0], draw=lambda: 0.0)

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on."""
        self.now += timedelta(seconds=seconds)
        self.clock[0] += seconds

    # --- messages ---------------------------------------------------------------------------------------------------

    async def post(
        self, draft: Draft | None = None, decision: Send | Downgrade | None = None, **draft_changes: Any
    ) -> MessageId:
        draft = draft or a_draft(**draft_changes)
        answer = await enqueue(self.store, draft, decision or a_send(draft.content), now=self.now)
        return answer.receipt.message_id

    async def status(self, message_id: MessageId) -> Status:
        return (await self.store.message(message_id, client=None)).status

    async def history(self, message_id: MessageId) -> list[str]:
        return [change.status.value for change in (await self.store.message(message_id, client=None)).history]

    # --- conversations ----------------------------------------------------------------------------------------------

    async def claims(self, limit: int = 100, *, sender: Sender = SENDER, **options: Any) -> Claims:
        options = {"downgrades_since": self.now - timedelta(hours=24), **options}
        return await self.store.claim(sender, limit=limit, now=self.now, **options)

    async def claim(self, *, sender: Sender = SENDER) -> Claim:
        """The one conversation that can be claimed."""
        (claim,) = (await self.claims(sender=sender)).claims
        return claim

    async def heads(self, **options: Any) -> list[MessageId]:
        """Which messages would be sent now; everything is given back."""
        claims = (await self.claims(**options)).claims
        for claim in claims:
            await self.store.release(claim, now=self.now)
        return [claim.message.id for claim in claims]

    async def begin(self, claim: Claim, content: Content = TEXT) -> Attempt | None:
        attempt = Attempt(
            message_id=claim.message.id, number=claim.attempts + 1, token=draw_token(claim.message.id), content=content
        )
        decision = a_send(content) if isinstance(content, FreeForm) else _template_decision(claim, content)
        return attempt if await self.store.begin(claim, attempt, decision, now=self.now) else None

    async def begun(self, claim: Claim, content: Content = TEXT) -> Attempt:
        attempt = await self.begin(claim, content)
        assert attempt is not None
        return attempt

    async def record(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> Status:
        return (await self.store.record(claim, attempt, outcome, now=self.now)).status

    async def attempt(self, outcome: Outcome, content: Content = TEXT) -> Attempt:
        """The whole way of the one conversation that can be claimed."""
        claim = await self.claim()
        attempt = await self.begun(claim, content)
        await self.record(claim, attempt, outcome)
        return attempt

    async def submitted(self, provider_message_id: str = "429", **draft_changes: Any) -> MessageId:
        message_id = await self.post(**draft_changes)
        await self.attempt(Submitted(provider_message_id=provider_message_id))
        return message_id

    # --- callbacks --------------------------------------------------------------------------------------------------

    async def ingest(self, *arrivals: Arrival, provider: str = PROVIDER) -> Ingested:
        return await self.store.ingest(provider, arrivals, now=self.now)

    async def is_window_open(self, contact: Contact = CONTACT) -> bool:
        conversation = await self.store.conversation(SENDER, contact, downgrades_since=self.now)
        return conversation.window.is_open(self.now)

    # --- webhooks ---------------------------------------------------------------------------------------------------

    async def deliveries(self, limit: int = 100, **options: Any) -> Deliveries:
        options = {"lease": timedelta(seconds=60), **options}
        return await self.store.claim_deliveries(limit=limit, now=self.now, **options)

    async def told(self) -> list[tuple[str, Any]]:
        """Address and body of every notice that can be delivered now; they are delivered."""
        told: list[Delivery] = []
        while deliveries := (await self.deliveries()).deliveries:
            for delivery in deliveries:
                await self.store.delivered(delivery, now=self.now)
            told += deliveries
        return [
            (delivery.url or delivery.endpoint, json.loads(delivery.body))
            for delivery in sorted(told, key=lambda one: one.id)
        ]

    async def change(self, sql: str, *values: Any) -> None:
        """Damage what is stored."""
        await self.store._run(lambda ledger: ledger.db.execute(sql, values).rowcount)

    def query(self, sql: str, *values: Any) -> Sequence[Any]:
        """Rows as another connection sees them; only of a file."""
        assert self.store.path is not None
        db = sqlite3.connect(self.store.path)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


def _template_decision(claim: Claim, content: Any) -> Send | Downgrade:
    return a_downgrade(content) if isinstance(claim.message.content, FreeForm) else a_send(content)
