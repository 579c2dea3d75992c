"""Has a store take a message of which it was decided before what is to become of it."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.compliance import Decision, Downgrade, Refuse, Send
from gateway.domain.message import Draft
from gateway.ports import Accepted, Answer, Messages


async def ask(
    store: Messages,
    draft: Draft,
    decision: Decision,
    *,
    now: datetime,
    downgrades_since: datetime | None = None,
    may_begin: bool = False,
) -> Accepted | Refuse:
    """Post it, whatever is known of its conversation."""
    since = now if downgrades_since is None else downgrades_since
    return await store.enqueue(draft, lambda _: decision, now=now, downgrades_since=since, may_begin=may_begin)


async def enqueue(store: Messages, draft: Draft, decision: Send | Downgrade, *, now: datetime) -> Answer:
    """What a client is told whose message was taken."""
    accepted = await ask(store, draft, decision, now=now)
    assert isinstance(accepted, Accepted)
    return accepted.answer


async def refuse(store: Messages, draft: Draft, refusal: Refuse, *, now: datetime) -> None:
    """Have it refused as it comes."""
    assert await ask(store, draft, refusal, now=now) is refusal
