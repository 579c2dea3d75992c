"""The way of one claimed message: decide again -> begin -> send -> record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from gateway.decision import Decider
from gateway.domain.compliance import Downgrade, Hold, Refuse, Send
from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError, StoreUnavailable
from gateway.domain.identity import Sender, draw_token
from gateway.domain.message import OutboundMessage, Status, TemplateMessage
from gateway.domain.template_refusal import template_code
from gateway.metrics import OUTCOMES, Metrics
from gateway.ports import Attempt, Claim, Clock, Conversations, Provider, Recorded
from gateway.quoting import Quoted, Quoting, quotes_ours
from gateway.slots import Slots
from gateway.tracing import NO_SPAN, UNTRACED, Fact, Span, Tracer
from gateway.waiting import Waiting

log = structlog.get_logger()

FIRST_BYTE_WITHIN = 5.0
"""Seconds between the commit of an attempt and its first byte; later it is withdrawn. Keeps a process that was stopped
for a while from sending what another may have taken over."""

STORE_BACK_OFF = 0.5

Job = Coroutine[None, None, bool]
"""The way of one claim, to be awaited once. It comes to whether the conversation may have more in line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one sender's messages leave."""

    provider: Provider
    slots: Slots
    callback_url: Callable[[str], str | None]
    """From an attempt's token to the URL that its statuses come to."""


class Sending:
    """Sends the message at the head of a claimed conversation."""

    def __init__(
        self,
        *,
        store: Conversations,
        decider: Decider,
        routes: Mapping[Sender, Route],
        clock: Clock,
        waiting: Waiting,
        notify_relay: Callable[[], None],
        metrics: Metrics,
        tracer: Tracer = UNTRACED,
        templates_changed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._decider = decider
        self._routes = routes
        self._clock = clock
        self._waiting = waiting
        self._notify_relay = notify_relay
        self._metrics = metrics
        self._tracer = tracer
        self._templates_changed = templates_changed
        self._quoting = Quoting(store)
        self._log = log.bind()  # once: a lazy logger looks for its configuration at every line

    def __call__(self, claim: Claim) -> Job:
        """Decide on the claim's message as things stand now, and make one attempt."""
        if self._tracer.is_on:
            return self._within_span(claim, partial(self._decide, claim))
        return self._decide(claim, NO_SPAN)

    def begun(self, claim: Claim, attempt: Attempt, write_by: float) -> Job:
        """Send what was begun as it was accepted."""
        if self._tracer.is_on:
            return self._within_span(claim, partial(self._finish, claim, attempt, write_by))
        return self._finish(claim, attempt, write_by, NO_SPAN)

    async def _within_span(self, claim: Claim, way: Callable[[Span], Job]) -> bool:
        message = claim.message
        with self._tracer.span(
            "message.attempt",
            parent=message.traceparent,
            message_id=message.id,
            client=message.client,
            sender=message.sender,
            attempt=claim.attempts + 1,
        ) as span:
            return await way(span)

    async def _decide(self, claim: Claim, span: Span) -> bool:
        with self._tracer.span("message.decide"):
            decision = self._decider(
                claim.message,
                claim,
                now=self._clock.now(),
                template_started=claim.template_started,
                refused=claim.refused_templates,
            )
        span.note(action=type(decision).__name__.lower(), reasons=[*decision.reasons])
        match decision:
            case Send() | Downgrade():
                return await self._attempt(claim, decision, span)
            case Refuse():
                await self._refuse(claim, decision)
                return True
            case Hold():
                raise AssertionError("hold is refused when the configuration is read")

    async def _refuse(self, claim: Claim, decision: Refuse) -> None:
        if not await self._written(self._store.refuse(claim, decision, now=self._clock.now())):
            await self.release(claim)
            return
        self._metrics.decided("send", decision)
        reasons = [reason.value for reason in decision.reasons]
        log.info("message.refused", message_id=claim.message.id, sender=claim.message.sender, reasons=reasons)
        self._waiting.tell(claim.message.id)
        self._notify_relay()

    async def _attempt(self, claim: Claim, decision: Send | Downgrade, span: Span) -> bool:
        attempt = Attempt(
            message_id=claim.message.id,
            number=claim.attempts + 1,
            token=draw_token(claim.message.id),
            content=decision.content,
        )
        write_by = time.monotonic() + FIRST_BYTE_WITHIN
        beginning = self._written(self._store.begin(claim, attempt, decision, now=self._clock.now()))
        is_begun = await self._tracer.step("message.begin", beginning)
        if not is_begun:
            span.note(begun=False)
            await self.release(claim)
            return True
        self._metrics.decided("send", decision)
        return await self._finish(claim, attempt, write_by, span)

    async def _written(self, verb: Coroutine[None, None, bool]) -> bool:
        """Whether the store took it; nothing was sent when it did not."""
        try:
            return await verb
        except StoreUnavailable:
            log.warning("sending.store_unavailable")
            return False

    async def release(self, claim: Claim) -> None:
        """Give a claim back of which nothing was sent, so that nobody waits for its lease to end."""
        while True:
            try:
                return await self._store.release(claim, now=self._clock.now())
            except StoreUnavailable:
                await asyncio.sleep(STORE_BACK_OFF)

    async def _finish(self, claim: Claim, attempt: Attempt, write_by: float, span: Span) -> bool:
        """The second half of the way, from where the attempt stands as ``sending``."""
        route = self._routes[claim.message.sender]
        outcome = await self._tracer.step(
            "provider.send",
            self._send(claim, attempt, route, write_by),
            kind="client",
            telling=_word_of,
            provider=route.provider.name,
        )
        status, has_more = await self._tracer.step("message.record", self._record(claim, attempt, outcome))
        if self._templates_changed is not None and _names_template(attempt, outcome):
            await self._templates_changed()
        span.note(status=status)
        self._tell(claim, attempt, outcome, status)
        return has_more

    async def _send(self, claim: Claim, attempt: Attempt, route: Route, write_by: float) -> Outcome:
        message, started = claim.message, time.perf_counter()
        try:
            outcome = await self._sent(message, attempt, route, write_by)
        except Exception as fault:
            log.exception("sending.send_failed", message_id=message.id, attempt=attempt.number)
            outcome = Unknown(error=ProviderError(name=type(fault).__name__, message="the attempt broke off"))
        self._metrics.attempted(message.sender, route.provider.name, outcome, time.perf_counter() - started)
        return outcome

    async def _sent(self, message: OutboundMessage, attempt: Attempt, route: Route, write_by: float) -> Outcome:
        """What came of it; messages of ours that it is about are named as the provider knows them."""
        content = attempt.content
        if quotes_ours(message, content):
            quoted = await self._quoting(message, content)
            if not isinstance(quoted, Quoted):
                return quoted
            message, content = quoted.message, quoted.content
        url = route.callback_url(attempt.token)
        return await route.provider.send(message, content, token=attempt.token, callback_url=url, write_by=write_by)

    async def _record(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> Recorded:
        """An outcome is evidence: it is offered to the store until it is taken."""
        now = self._clock.now()
        if isinstance(outcome, Submitted):
            self._metrics.submitted(claim.message.sender, now - claim.message.accepted_at)
        while True:
            try:
                return await self._store.record(claim, attempt, outcome, now=now)
            except StoreUnavailable:
                log.warning("sending.record_postponed", message_id=claim.message.id, attempt=attempt.number)
                await asyncio.sleep(STORE_BACK_OFF)
                now = self._clock.now()

    def _tell(self, claim: Claim, attempt: Attempt, outcome: Outcome, status: Status) -> None:
        self._log.info(
            "message.attempted",
            message_id=claim.message.id,
            sender=claim.message.sender,
            attempt=attempt.number,
            status=status,
            **_facts(outcome),
        )
        self._waiting.tell(claim.message.id)
        self._notify_relay()
        if isinstance(outcome, Retry) and outcome.cause is Cause.BALANCE:
            self._waiting.tell_all(claim.message.sender)


def _names_template(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether it is a refusal by which a template is marked."""
    if not (isinstance(outcome, Failed) and isinstance(attempt.content, TemplateMessage)):
        return False
    return template_code(outcome.error) is not None


def _word_of(outcome: Outcome) -> dict[str, Fact]:
    return {"outcome": OUTCOMES[type(outcome)]}


def _facts(outcome: Outcome) -> dict[str, object]:
    """What came of an attempt, as a log may tell it: numbers, and none of the provider's words."""
    match outcome:
        case Submitted():  # the platform's own ids hold the contact's number
            return {"outcome": "submitted"}
        case Retry(cause=cause, error=error):
            return {"outcome": "retry", "cause": cause, "code": error.code, "http_status": error.status}
        case Failed(error=error):
            return {"outcome": "failed", "code": error.code, "http_status": error.status}
        case WindowWasClosed(error=error):
            return {"outcome": "window_closed", "code": error.code, "http_status": error.status}
        case Unknown(error=error):
            return {"outcome": "unknown", "cause": error.message, "http_status": error.status}
