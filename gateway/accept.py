"""Accepting a message: request -> decide -> enqueue -> receipt."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway.config import SenderConfig
from gateway.decision import Decider
from gateway.domain.carriage import NO_CARRIAGES, Carriage, objection_to
from gateway.domain.compliance import Downgrade, Reason, Refuse, Send, is_observed
from gateway.domain.errors import (
    ContactSuppressed,
    InvalidRequest,
    ProviderRefused,
    TemplateRefused,
    TooManyRequests,
    WindowClosed,
)
from gateway.domain.health import REASONS
from gateway.domain.hydration import offer_is_over
from gateway.domain.identity import Sender
from gateway.domain.message import OPEN, Draft, Idempotency, Receipt, Status, TemplateMessage
from gateway.metrics import Metrics
from gateway.ports import Accepted, Answer, Clock, Store
from gateway.registry import Registry
from gateway.starting import Starting
from gateway.template_checks import with_checked_templates
from gateway.template_drift import PROBLEM as DRIFT
from gateway.tracing import UNTRACED, Fact, Tracer
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
        starting: Starting,
        metrics: Metrics,
        tracer: Tracer = UNTRACED,
        carriages: Mapping[Sender, Carriage] = NO_CARRIAGES,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell` is called when there is something to tell a client's webhook."""
        self._store = store
        self._registry = registry
        self._decider = decider
        self._senders = senders
        self._clock = clock
        self._waiting = waiting
        self._starting = starting
        self._metrics = metrics
        self._tracer = tracer
        self._carriages = carriages
        self._tell = tell
        self._log = log.bind()  # once: a lazy logger looks for its configuration at every line

    async def __call__(self, draft: Draft) -> Answer:
        """The answer to a draft.

        Raises InvalidRequest, NotCarried, TemplateRefused, WindowClosed, ContactSuppressed, IdempotencyConflict,
        TooManyRequests and StoreUnavailable; BalanceEmpty and ProviderRefused only to a client that waits for the
        provider's answer.
        """
        if draft.wait is not None:
            return await self._answer_within(draft.wait, draft)
        answer = await self._accept(draft)
        return await self._answer_again(draft, answer) if answer.is_repeated else answer

    async def _answer_within(self, wait: timedelta, draft: Draft) -> Answer:
        with self._waiting.room() as has_room:
            if not has_room:
                draft = replace(draft, wait=None)
            answer = await self._accept(draft)
            if answer.is_repeated:
                return await self._answer_again(draft, answer)
            return await self._answer_of_provider(draft, wait, answer) if has_room else answer

    def _accept(self, draft: Draft) -> Coroutine[None, None, Answer]:
        return self._traced(draft) if self._tracer.is_on else self._stored(draft)

    async def _traced(self, draft: Draft) -> Answer:
        with self._tracer.span("message.accept", client=draft.client, sender=draft.sender) as span:
            answer = await self._stored(replace(draft, traceparent=self._tracer.traceparent()))
            span.note(message_id=answer.receipt.message_id, action=answer.receipt.action, repeated=answer.is_repeated)
            return answer

    def _stored(self, draft: Draft) -> Coroutine[None, None, Answer]:
        return self._decided(draft) if draft.idempotency is None else self._replayed(draft, draft.idempotency)

    async def _replayed(self, draft: Draft, idempotency: Idempotency) -> Answer:
        first = await self._store.replay(draft.client, idempotency, now=self._clock.now())
        return first or await self._decided(draft)

    async def _decided(self, draft: Draft) -> Answer:
        if draft.sender not in self._senders:
            raise InvalidRequest("source_addr", "expected a sender of this client")
        if (objection := objection_to(draft, self._carriages)) is not None:
            raise objection
        draft, now = with_checked_templates(draft, self._senders[draft.sender], self._registry), self._clock.now()
        since = self._decider.downgrades_since(draft.sender, now)
        with self._starting.place(draft.sender) as place:
            enqueuing = self._store.enqueue(
                draft, partial(self._decider, draft, now=now), now=now, downgrades_since=since, may_begin=place.is_kept
            )
            accepted = await self._tracer.step("message.enqueue", enqueuing, telling=_decision_in)
            if isinstance(accepted, Refuse):
                self._metrics.decided("accept", accepted)
                raise _refused(draft, accepted)
            place.give(accepted.begun)
        if accepted.refused is not None:
            self._note_refused(draft, accepted, accepted.refused)
        if accepted.decision is not None:
            self._note(draft, accepted, accepted.decision)
            if accepted.begun is None:
                self._starting.notify(draft.sender)
        return accepted.answer

    def _note(self, draft: Draft, accepted: Accepted, decision: Send | Downgrade) -> None:
        receipt = accepted.answer.receipt
        self._metrics.accepted(draft.client, draft.sender)
        self._metrics.decided("accept", decision)
        if accepted.begun is not None:
            self._metrics.decided("send", decision)
        self._log.info(
            "message.accepted",
            message_id=receipt.message_id,
            client=draft.client,
            sender=draft.sender,
            action=receipt.action,
            reasons=[reason.value for reason in decision.reasons],
        )
        if isinstance(decision.content, TemplateMessage) and not is_observed(decision):
            self._warn_of_offer(receipt, decision.content, decision.evidence.at)

    def _note_refused(self, draft: Draft, accepted: Accepted, refusal: Refuse) -> None:
        self._metrics.accepted(draft.client, draft.sender)
        self._metrics.decided("accept", refusal)
        reasons, message_id = [reason.value for reason in refusal.reasons], accepted.answer.receipt.message_id
        self._log.info(
            "message.refused", message_id=message_id, client=draft.client, sender=draft.sender, reasons=reasons
        )
        self._tell()

    def _warn_of_offer(self, receipt: Receipt, content: TemplateMessage, at: datetime) -> None:
        if offer_is_over(content.components, at):
            self._log.warning("template.offer_is_over", message_id=receipt.message_id, template=receipt.template)

    async def _answer_again(self, draft: Draft, first: Answer) -> Answer:
        self._metrics.repeated(draft.client)
        return _told(await self._answer_of_first(draft, first))

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


def _decision_in(accepted: Accepted | Refuse) -> dict[str, Fact]:
    decision = accepted if isinstance(accepted, Refuse) else accepted.decision
    return {} if decision is None else {"action": type(decision).__name__.lower(), "reasons": [*decision.reasons]}


def _told(answer: Answer) -> Answer:
    if answer.refusal is not None:
        raise ProviderRefused(answer.refusal)
    return answer


def _sendable(refusal: Refuse) -> str:
    """What was expected, and what the provider has told of the template, if that is why."""
    problems = [rung.problem for rung in refusal.evidence.rungs if rung.problem]
    told = [problem for problem in problems if problem.partition(":")[0] in REASONS]
    expected = "expected a template that may be sent now"
    return f"{expected}, this one is {told[-1]}" if told else expected


def _unfit_there(refusal: Refuse) -> TemplateRefused | None:
    """It fits our file, and not what the provider has; None: that is not why."""
    rung = next(iter(refusal.evidence.rungs[-1:]), None)
    kind, _, told = (rung.problem or "").partition(": ") if rung is not None else ("", "", "")
    if rung is None or kind != DRIFT:
        return None
    message = f"the template that is registered at the provider differs from its file: {told}"
    return TemplateRefused("template_arguments", message, path=rung.path)


def _refused(draft: Draft, refusal: Refuse) -> WindowClosed | TemplateRefused | ContactSuppressed:
    reasons = [reason.value for reason in refusal.reasons]
    log.info("message.refused", client=draft.client, sender=draft.sender, reasons=reasons)
    if refusal.reasons[-1] is Reason.SUPPRESSED:
        suppression = refusal.evidence.suppression
        scope = "everything" if suppression is None else suppression.scope.value
        return ContactSuppressed(f"the contact is on the suppression list, for {scope}", reasons)
    if isinstance(draft.content, TemplateMessage):
        return _unfit_there(refusal) or TemplateRefused("template_paused", _sendable(refusal), field="template_name")
    return WindowClosed("the service window is closed, and no template may stand in", reasons)
