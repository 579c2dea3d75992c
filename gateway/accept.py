"""Accepting a message: request -> decide -> enqueue -> receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from gateway.config import SenderConfig
from gateway.decision import Decider
from gateway.domain.compliance import Downgrade, Hold, Refuse, Send
from gateway.domain.delivery import PauseCause
from gateway.domain.errors import BalanceEmpty, InvalidRequest, ProviderRefused, TemplateRefused, WindowClosed
from gateway.domain.identity import Sender
from gateway.domain.message import OPEN, Draft, Status, TemplateMessage
from gateway.ports import Answer, Clock, Store
from gateway.registry import Registry
from gateway.waiting import Waiting

log = structlog.get_logger()

_UNDECIDED = OPEN | {Status.UNKNOWN}


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

        Raises InvalidRequest, TemplateRefused, WindowClosed, IdempotencyConflict, TooManyRequests and StoreUnavailable;
        BalanceEmpty and ProviderRefused only to a client that waits for the provider's answer.
        """
        if draft.wait is None:
            return await self._accept(draft)
        with self._waiting.room() as has_room:
            if not has_room:
                return await self._accept(replace(draft, wait=None))
            return await self._provider_answer(draft, await self._accept(draft))

    async def _accept(self, draft: Draft) -> Answer:
        now = self._clock.now()
        if draft.idempotency is not None:
            first = await self._store.replay(draft.client, draft.idempotency, now=now)
            if first is not None:
                return _told(first)
        return await self._decide(self._with_checked_templates(draft))

    def _with_checked_templates(self, draft: Draft) -> Draft:
        if draft.sender not in self._senders:
            raise InvalidRequest("source_addr", "expected a sender of this client")
        if isinstance(draft.content, TemplateMessage):
            draft = replace(draft, content=self._registry.check(draft.content))
        if draft.fallback is not None:
            draft = replace(draft, fallback=self._registry.check(draft.fallback))
        return draft

    async def _decide(self, draft: Draft) -> Answer:
        now = self._clock.now()
        since = self._decider.downgrades_since(draft.sender, now)
        known = await self._store.conversation(draft.sender, draft.contact, downgrades_since=since)
        if draft.wait is not None and known.pause is PauseCause.BALANCE:
            raise BalanceEmpty("the provider's account is empty")
        match self._decider(draft, known, now=now):
            case Send() | Downgrade() as decision:
                return await self._enqueue(draft, decision)
            case Refuse() as refusal:
                await self._store.note_refusal(draft, refusal, now=now)
                raise _refused(draft, refusal)
            case Hold():
                raise AssertionError("hold is refused when the configuration is read")

    async def _enqueue(self, draft: Draft, decision: Send | Downgrade) -> Answer:
        answer = await self._store.enqueue(draft, decision, now=self._clock.now())
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
        return _told(answer)

    async def _provider_answer(self, draft: Draft, answer: Answer) -> Answer:
        message_id = answer.receipt.message_id
        assert draft.wait is not None  # noqa: S101 - only drafts that wait come here

        async def is_over() -> bool:
            record = await self._store.message(message_id, client=draft.client)
            return record.status not in _UNDECIDED

        await self._waiting.until(message_id, draft.sender, is_over, draft.wait)
        refusal = await self._store.settle_wait(message_id)
        if refusal is not None:
            raise ProviderRefused(refusal)
        return answer


def _told(answer: Answer) -> Answer:
    if answer.refusal is not None:
        raise ProviderRefused(answer.refusal)
    return answer


def _refused(draft: Draft, refusal: Refuse) -> WindowClosed | TemplateRefused:
    reasons = [reason.value for reason in refusal.reasons]
    log.info("message.refused", client=draft.client, sender=draft.sender, reasons=reasons)
    if isinstance(draft.content, TemplateMessage):
        return TemplateRefused("template_paused", "expected a template that may be sent now", field="template_name")
    return WindowClosed("the service window is closed, and no template may stand in", reasons)
