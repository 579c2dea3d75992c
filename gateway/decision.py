"""Gathers what a decision depends on, for the moment of accepting and for the moment of sending."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gateway.config import SenderConfig
from gateway.domain.compliance import Circumstances, Decision, Mode, Rung, decide, observed, refuse_fallback
from gateway.domain.identity import Sender
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.suppression import Suppression
from gateway.domain.window import ServiceWindow
from gateway.ladders import Ladders
from gateway.registry import FillFacts, Registry
from gateway.template_drift import TemplateDrift
from gateway.template_health import TemplateHealth


class Asked(Protocol):
    """What a client asked for: a draft, or the message that became of it."""

    @property
    def sender(self) -> Sender: ...
    @property
    def content(self) -> Content: ...
    @property
    def fallback(self) -> TemplateMessage | None: ...
    @property
    def reference(self) -> str | None: ...
    @property
    def intent(self) -> str | None: ...
    @property
    def on_closed_window(self) -> OnClosedWindow | None: ...


class Known(Protocol):
    """What is known of the conversation at that moment."""

    @property
    def window(self) -> ServiceWindow: ...
    @property
    def contact_name(self) -> str | None: ...
    @property
    def downgrades(self) -> int: ...
    @property
    def suppression(self) -> Suppression | None: ...


class Decider:
    """`decide`, with the sender's settings and the registry's templates."""

    def __init__(
        self,
        registry: Registry,
        senders: Mapping[Sender, SenderConfig],
        margin: timedelta,
        health: TemplateHealth | None = None,
        ladders: Ladders | None = None,
        drift: TemplateDrift | None = None,
    ) -> None:
        self._registry = registry
        self._health = health or TemplateHealth()
        self._ladders = ladders or Ladders()
        self._drift = drift or TemplateDrift()
        self._senders = senders
        self._margin = margin

    def downgrades_since(self, sender: Sender, now: datetime) -> datetime | None:
        """From when on a contact's fallbacks count against the sender's limit; None: it has none."""
        limit = self._senders[sender].downgrade_limit
        return None if limit is None else now - limit.per

    def __call__(
        self,
        asked: Asked,
        known: Known,
        *,
        now: datetime,
        template_started: bool = False,
        refused: Set[tuple[str, str]] = frozenset(),
    ) -> Decision:
        """`refused` are the fallbacks, by name and language, that the provider would not send for this message."""
        sender = self._senders[asked.sender]
        rungs = self._rungs(sender, now, refused)
        circumstances = self.circumstances(asked, known, now=now, template_started=template_started)
        is_enforced = sender.mode is Mode.ENFORCE or (template_started and isinstance(asked.content, FreeForm))
        if is_enforced:  # also what was begun under enforce, and may have arrived as a template
            return decide(asked.content, rungs.of(asked, known), circumstances)
        return observed(asked.content, _would_be(rungs, asked, known, circumstances))

    def circumstances(
        self, asked: Asked, known: Known, *, now: datetime, template_started: bool = False
    ) -> Circumstances:
        """All that a decision depends on, besides the content and the ladder."""
        settings = self._senders[asked.sender]
        return Circumstances(
            now=now,
            window=known.window,
            margin=self._margin,
            on_closed_window=asked.on_closed_window or settings.on_closed_window,
            downgrades=known.downgrades,
            downgrade_limit=None if settings.downgrade_limit is None else settings.downgrade_limit.count,
            template_started=template_started,
            suppression=known.suppression,
        )

    def under(self, sender: SenderConfig) -> Decider:
        """The same with other settings of one sender."""
        senders = {**self._senders, sender.id: sender}
        return Decider(self._registry, senders, self._margin, self._health, self._ladders, self._drift)

    def as_the_provider_has_it(self, rung: Rung, sender: SenderConfig) -> Rung:
        """The rung, passed over where the provider's template is another one and does not take it."""
        return self._drift.judged(rung, sender.provider)

    def ladder(self, asked: Asked, known: Known, *, now: datetime) -> tuple[Rung, ...]:
        """Every rung as a decision at `now` would find it if it came to it, whatever the contact may be sent."""
        return tuple(self._rungs(self._senders[asked.sender], now, frozenset()).of(asked, known))

    def _rungs(self, sender: SenderConfig, now: datetime, refused: Set[tuple[str, str]]) -> _Rungs:
        return _Rungs(
            registry=self._registry.as_it_is(),
            ladders=self._ladders,
            health=self._health,
            drift=self._drift,
            sender=sender,
            now=now,
            refused=refused,
        )

    def is_observed(self, sender: Sender) -> bool:
        """Whether the sender's messages leave as they were asked for."""
        return self._senders[sender].mode is Mode.OBSERVE


def fill_facts(asked: Asked, content: FreeForm, known: Known) -> FillFacts:
    """What a fill may speak of."""
    return FillFacts(
        sender_id=asked.sender,
        contact_name=known.contact_name,
        text=content.text,
        file_url=content.file_url,
        reference=asked.reference,
    )


def _would_be(rungs: _Rungs, asked: Asked, known: Known, circumstances: Circumstances) -> Decision:
    """What a sender that enforces would do, the checks included that it makes before it decides."""
    if asked.fallback is not None:
        rung = rungs.registry.judge(asked.fallback, must_be_approved=False, repair=rungs.sender.repair)
        if rung.message is None:
            return refuse_fallback(rung, circumstances)
    return decide(asked.content, rungs.of(asked, known), circumstances)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rungs:
    """The templates as they are at one moment, for one sender."""

    registry: Registry
    ladders: Ladders
    health: TemplateHealth
    drift: TemplateDrift
    sender: SenderConfig
    now: datetime
    refused: Set[tuple[str, str]]

    def of(self, asked: Asked, known: Known) -> Iterator[Rung]:
        """What may leave as a template for this message, best first; each is only made when it is asked for."""
        for rung in self._registered(asked, known):
            healthy = self.health.judged(rung, self.sender.provider, self.now)
            yield self._untried(self.drift.judged(healthy, self.sender.provider))

    def _registered(self, asked: Asked, known: Known) -> Iterable[Rung]:
        sender = self.sender
        match asked.content:
            case TemplateMessage():
                return (self.registry.judge(asked.content, repair=sender.repair),)
            case FreeForm() as content:
                facts = fill_facts(asked, content, known)
                steps = self.ladders.steps(sender, asked.intent, content.type)
                return self.registry.ladder(
                    asked.fallback, steps, facts, alternates=sender.alternates, repair=sender.repair
                )

    def _untried(self, rung: Rung) -> Rung:
        """No template is tried a second time for one message, however soon it may be sent again."""
        if rung.message is None or (rung.name, rung.language) not in self.refused:
            return rung
        return replace(rung, message=None, problem="refused: by the provider, for this message")
