"""Accepting a message: request -> decide -> enqueue -> receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from gateway.config import SenderConfig
from gateway.decision import Decider
from gateway.domain.compliance import Downgrade, Hold, Reason, Refuse, Send
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    InvalidRequest,
    ProviderRefused,
    TemplateRefused,
    TooManyRequests,
    WindowClosed,
)
from gateway.domain.identity import Sender
from gateway.domain.message import OPEN, Draft, Status, TemplateMessage
from gateway.ports import Answer, Clock, Store
from gateway.registry import Registry
from gateway.waiting import Waiting

log = structlog.get_logger()

_UNDECIDED = OPEN | {Status.UNKNOWN}
_GRACE = timedelta(seconds=1)
"""A repetition waits a little longer than the first request, whose answer it waits for."""


class Accept:
    """Decides on a draft and stores it; what it answers is on disk."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        decider: Decider,
        senders: Mapping[Sender, SenderConfig],
        clock: Clock,
        waiting: Waiting,
        notify: Callable[[Sender], None],
    ) -> None:
        self._store = store
        self._registry = registry
        self._decider = decider
        self._senders = senders
        self._clock = clock
        self._waiting = waiting
        self._notify = notify

    async def __call__(self, draft: Draft) -> Answer:
        """The answer to a draft.

        Raises InvalidRequest, TemplateRefused, WindowClosed, ContactSuppressed, IdempotencyConflict, TooManyRequests
        and StoreUnavailable; BalanceEmpty and ProviderRefused only to a client that waits for the provider's answer.
        """
        if draft.wait is None:
            return await self._answer(draft)
        with self._waiting.room() as has_room:
            return await self._answer(draft if has_room else replace(draft, wait=None))

    async def _answer(self, draft: Draft) -> Answer:
        answer = await self._accept(draft)
        if answer.is_repeated:
            return _told(await self._answer_of_first(draft, answer))
        if draft.wait is not None:
            return await self._answer_of_provider(draft, draft.wait, answer)
        return answer

    async def _accept(self, draft: Draft) -> Answer:
        return await self._replayed(draft) or await self._decide(self._with_checked_templates(draft))

    async def _replayed(self, draft: Draft) -> Answer | None:
        if draft.idempotency is None:
            return None
        return await self._store.replay(draft.client, draft.idempotency, now=self._clock.now())

    def _with_checked_templates(self, draft: Draft) -> Draft:
        if draft.sender not in self._senders:
            raise InvalidRequest("source_addr", "expected a sender of this client")
        if isinstance(draft.content, TemplateMessage):
            draft = replace(draft, content=self._registry.check(draft.content))
        if draft.fallback is not None:
            # Whether it may be sent now is a matter for the decision, which passes over a rung that may not.
            draft = replace(draft, fallback=self._registry.check(draft.fallback, must_be_approved=False))
        return draft

    async def _decide(self, draft: Draft) -> Answer:
        answer = None
        while answer is None:  # another request may take the last fallback that the contact may be given
            answer = await self._decide_once(draft)
        return answer

    async def _decide_once(self, draft: Draft) -> Answer | None:
        now = self._clock.now()
        since = self._decider.downgrades_since(draft.sender, now)
        known = await self._store.conversation(draft.sender, draft.contact, downgrades_since=since)
        if draft.wait is not None and known.pause is PauseCause.BALANCE:
            return await self._unless_replayed(draft, BalanceEmpty("the provider's account is empty"))
        match self._decider(draft, known, now=now):
            case Send() | Downgrade() as decision:
                return await self._enqueue(draft, decision, since)
            case Refuse() as refusal:
                return await self._replayed(draft) or await self._refuse(draft, refusal)
            case Hold():
                raise AssertionError("hold is refused when the configuration is read")

    async def _refuse(self, draft: Draft, refusal: Refuse) -> NoReturn:
        await self._store.note_refusal(draft, refusal, now=self._clock.now())
        raise _refused(draft, refusal)

    async def _unless_replayed(self, draft: Draft, error: GatewayError) -> Answer:
        """The first answer, if the first request of this key was stored while this one was judged."""
        first = await self._replayed(draft)
        if first is None:
            raise error
        return first

    async def _enqueue(self, draft: Draft, decision: Send | Downgrade, since: datetime) -> Answer | None:
        answer = await self._store.enqueue(draft, decision, now=self._clock.now(), downgrades_since=since)
        if answer is None or answer.is_repeated:
            return answer
        receipt = answer.receipt
        log.info(
            "message.accepted",
            message_id=receipt.message_id,
            client=draft.client,
            sender=draft.sender,
            action=receipt.action,
            reasons=[reason.value for reason in decision.reasons],
        )
        self._notify(draft.sender)
        return answer

    async def _answer_of_provider(self, draft: Draft, wait: timedelta, answer: Answer) -> Answer:
        """Only the request that stored the message ends its wait; the store says what it comes to."""
        message_id = answer.receipt.message_id

        async def is_over() -> bool:
            record = await self._store.message(message_id, client=draft.client)
            return record.status not in _UNDECIDED

        await self._waiting.until(message_id, draft.sender, is_over, wait)
        refusal = await self._store.settle_wait(message_id)
        self._waiting.tell(message_id)
        return _told(replace(answer, refusal=refusal))

    async def _answer_of_first(self, draft: Draft, first: Answer) -> Answer:
        """A repetition that comes while the first request still waits gets the answer that the first one gets."""
        if first.waits_for is None or draft.idempotency is None:
            return first
        latest, idempotency = first, draft.idempotency

        async def is_over() -> bool:
            nonlocal latest
            latest = await self._store.replay(draft.client, idempotency, now=self._clock.now()) or latest
            return not latest.is_waiting

        with self._waiting.room() if draft.wait is None else nullcontext(True) as has_room:
            if not has_room:
                raise TooManyRequests("too many requests wait for the provider's answer", retry_after=1)
            await self._waiting.until(first.receipt.message_id, draft.sender, is_over, first.waits_for + _GRACE)
        return latest


def _told(answer: Answer) -> Answer:
    if answer.refusal is not None:
        raise ProviderRefused(answer.refusal)
    return answer


def _refused(draft: Draft, refusal: Refuse) -> WindowClosed | TemplateRefused | ContactSuppressed:
    reasons = [reason.value for reason in refusal.reasons]
    log.info("message.refused", client=draft.client, sender=draft.sender, reasons=reasons)
    if refusal.reasons[-1] is Reason.SUPPRESSED:
        suppression = refusal.evidence.suppression
        scope = "everything" if suppression is None else suppression.scope.value
        return ContactSuppressed(f"the contact is on the suppression list, for {scope}", reasons)
    if isinstance(draft.content, TemplateMessage):
        return TemplateRefused("template_paused", "expected a template that may be sent now", field="template_name")
    return WindowClosed("the service window is closed, and no template may stand in", reasons)
