"""What posting a message would come to at this instant, and why. Nothing is stored, sent, counted or logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from gateway.config import SenderConfig
from gateway.considering import Considering
from gateway.decision import Decider
from gateway.domain.carriage import NO_CARRIAGES, Carriage, objection_to
from gateway.domain.compliance import Decision, Downgrade, Mode, Rung, Send
from gateway.domain.errors import InvalidRequest, Misfit, TemplateRefused
from gateway.domain.explanation import ExplainedPace, Explanation, explain
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Content, Draft, FreeForm, JsonObject, TemplateMessage
from gateway.domain.rendered import rendered_free_form
from gateway.domain.template import fold_language
from gateway.domain.would_change import Amended, Considered, What, as_recorded
from gateway.ports import Clock, MessageRecord, Outlook
from gateway.registry import Registry
from gateway.template_checks import AT, with_checked_templates
from gateway.template_health import TemplateHealth


class Store(Protocol):
    """As much of the store as is asked."""

    async def outlook(
        self,
        sender: Sender,
        contact: Contact,
        *,
        downgrades_since: datetime | None,
        also: tuple[Contact, ...] = (),
        client: str = "",
    ) -> Outlook: ...


class Explain:
    """Explains drafts, and what was decided of messages."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        decider: Decider,
        senders: Mapping[Sender, SenderConfig],
        clock: Clock,
        health: TemplateHealth | None = None,
        carriages: Mapping[Sender, Carriage] = NO_CARRIAGES,
    ) -> None:
        self._store = store
        self._registry = registry
        self._decider = decider
        self._senders = senders
        self._clock = clock
        self._health = health
        self._carriages = carriages

    async def __call__(self, draft: Draft, *, fallback_at: str = AT) -> Explanation:
        """What accepting the draft now would decide. What does not fit is part of the answer.

        `fallback_at` is where the template that is to stand in is found in the request. Raises InvalidRequest for an
        unknown sender, NotCarried, StoreUnavailable.
        """
        sender = self._sender(draft.sender)
        if (objection := objection_to(draft, self._carriages)) is not None:
            raise objection
        now = self._clock.now()
        since = self._decider.downgrades_since(draft.sender, now)
        outlook = await self._store.outlook(
            draft.sender, draft.contact, downgrades_since=since, also=draft.also_known_as, client=draft.client
        )
        # Nothing is waited for from here on: templates that are taken over meanwhile would be half-known.
        checked, misfits = self._checked(draft, sender, fallback_at)
        considering = Considering(sender, self._decider, self._registry, self._health)
        considered = considering(checked, outlook.known, now=now, limit_frees_at=_limit_frees_at(sender, outlook))
        explanation = explain(
            _naming(considered, misfits),
            rendered=self._rendered_of(considered),
            misfits=misfits,
            pace=_pace_of(outlook),
        )
        own = draft.fallback
        return explanation if own is None or fallback_at == AT else _with_own_at(explanation, own.name, fallback_at)

    def recorded(self, record: MessageRecord) -> Explanation | None:
        """The same of a message, from what was stored with its last decision; None where that is damaged.

        The rungs are those that were tried, and nobody knows any more what the pace was. What would have changed it is
        told as far as the evidence tells it.
        """
        if record.decided is None:
            return None
        considered = as_recorded(record.message.content, record.decided)
        leaves = isinstance(record.decided, Send | Downgrade)
        return explain(considered, rendered=self._read_then(record, record.decided) if leaves else None)

    def _read_then(self, record: MessageRecord, decided: Decision) -> JsonObject | None:
        """What the contact read: None where that can't be told any more, as the template is another one by now."""
        left, rungs = _left_as(record, decided), decided.evidence.rungs
        if not isinstance(left, TemplateMessage):
            return self._rendered(left)
        named = (left.name, fold_language(left.language))
        then = next((rung.definition for rung in rungs if (rung.name, fold_language(rung.language)) == named), None)
        return None if then is None else self._registry.rendered(left, definition=then)

    def _sender(self, sender: Sender) -> SenderConfig:
        if sender not in self._senders:
            raise InvalidRequest("from", "expected a sender of this client")
        return self._senders[sender]

    def _checked(self, draft: Draft, sender: SenderConfig, fallback_at: str) -> tuple[Draft, Sequence[Misfit]]:
        """As accepting would take it; what does not fit is looked for also where nobody minds."""
        minding = replace(sender, mode=Mode.ENFORCE)
        try:
            checked = with_checked_templates(draft, minding, self._registry, fallback_at=fallback_at)
        except TemplateRefused as refused:
            return draft, refused.misfits
        return (draft if sender.mode is Mode.OBSERVE else checked), ()

    def _rendered_of(self, considered: Considered) -> JsonObject | None:
        decision = considered.decision
        return self._rendered(decision.content) if isinstance(decision, Send | Downgrade) else None

    def _rendered(self, content: Content | None) -> JsonObject | None:
        match content:
            case FreeForm(text=None, file_url=None, payload=None) | None:  # no longer kept
                return None
            case FreeForm():
                return rendered_free_form(content)
            case TemplateMessage():
                return self._registry.rendered(content)


def _left_as(record: MessageRecord, decided: Decision) -> Content | None:
    """What was sent, mended where that was needed; before the first attempt what is to be sent."""
    if record.attempts:
        return record.attempts[-1].content
    return decided.content if isinstance(decided, Send | Downgrade) else None


def _limit_frees_at(sender: SenderConfig, outlook: Outlook) -> datetime | None:
    """When there is room for one more fallback, if none is given meanwhile."""
    limit, given = sender.downgrade_limit, outlook.downgraded_at
    if limit is None or limit.count < 1 or len(given) < limit.count:
        return None
    return given[-limit.count] + limit.per


def _pace_of(outlook: Outlook) -> ExplainedPace:
    return ExplainedPace(
        contact_wait=outlook.contact_wait,
        sender_wait=outlook.sender_wait,
        ahead=outlook.ahead,
        paused=outlook.known.pause,
        paused_for=outlook.paused_for,
    )


def _naming(considered: Considered, misfits: Sequence[Misfit]) -> Considered:
    """With all places of the request at which arguments are to be corrected."""
    if not misfits:
        return considered
    paths = tuple(dict.fromkeys(misfit.path for misfit in misfits))
    return replace(considered, amended=tuple(_at(amended, paths) for amended in considered.amended))


def _at(amended: Amended, paths: tuple[str, ...]) -> Amended:
    return replace(amended, paths=paths) if amended.what is What.ARGUMENTS_CORRECTED else amended


def _with_own_at(explanation: Explanation, name: str, at: str) -> Explanation:
    """The forms of the request's own template are the first rungs: the places that their problems name are in the
    request, and told as they are found there."""
    own = len(list(takewhile(lambda each: each.rung.name == name, explanation.rungs)))
    placed = (replace(each, rung=_at_its_place(each.rung, at)) for each in explanation.rungs[:own])
    return replace(explanation, rungs=(*placed, *explanation.rungs[own:]))


def _at_its_place(rung: Rung, at: str) -> Rung:
    problem = None if rung.problem is None else rung.problem.replace(AT, at)
    return replace(rung, problem=problem, path=None if rung.path is None else rung.path.replace(AT, at))
