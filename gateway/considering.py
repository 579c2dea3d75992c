"""A decision with all that it might have come to: every rung, and what each would be without what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gateway.config import SenderConfig
from gateway.decision import Asked, Decider, Known, fill_facts
from gateway.domain.compliance import Decision, Mode, Rung, refuse_unfit
from gateway.domain.health import REASONS, until_told
from gateway.domain.message import FreeForm, TemplateMessage
from gateway.domain.would_change import Amended, Considered, What
from gateway.registry import Registry
from gateway.template_health import TemplateHealth

_STANDS_AGAINST = frozenset({"not_approved", *REASONS})
"""Problems that are the platform's to end."""


class Considering:
    """Decides for one sender as accepting would, and looks at the rest as well. Nothing is done about it."""

    def __init__(
        self,
        sender: SenderConfig,
        decider: Decider,
        registry: Registry,
        health: TemplateHealth | None = None,
    ) -> None:
        self._sender = sender
        self._decider = decider.under(sender)
        self._registry = registry
        self._health = health or TemplateHealth()

    def __call__(
        self, asked: Asked, known: Known, *, now: datetime, limit_frees_at: datetime | None = None
    ) -> Considered:
        unfit = self._unfit(asked)
        ladder = self._decider.ladder(asked, known, now=now)
        return Considered(
            content=asked.content,
            decision=self._decision(asked, known, unfit, now),
            circumstances=self._decider.circumstances(asked, known, now=now),
            ladder=ladder,
            ladder_at=lambda at: self._decider.ladder(asked, known, now=at),
            is_unfit=unfit is not None,
            amended=tuple(self._amended(asked, known, ladder, now)),
            limit_frees_at=limit_frees_at,
        )

    def _decision(self, asked: Asked, known: Known, unfit: Rung | None, now: datetime) -> Decision:
        if unfit is None or self._sender.mode is Mode.OBSERVE:
            return self._decider(asked, known, now=now)
        return refuse_unfit(asked.content, unfit, self._decider.circumstances(asked, known, now=now))

    def _unfit(self, asked: Asked) -> Rung | None:
        """The template that the request itself names, if accepting would not take it as it stands there."""
        own = _own(asked)
        if own is None:
            return None
        is_requested = own is asked.content
        rung = self._registry.judge(own, must_be_approved=is_requested, repair=self._sender.repair)
        return rung if rung.message is None else None

    # --- what each would be ------------------------------------------------------------------------------------------

    def _amended(self, asked: Asked, known: Known, ladder: tuple[Rung, ...], now: datetime) -> Iterator[Amended]:
        forms = tuple(self._registry.own_forms(_own(asked), self._alternates(asked)))
        for place, rung in enumerate(ladder):
            code = (rung.problem or "").partition(":")[0]
            if code in _STANDS_AGAINST:
                form = forms[place] if place < len(forms) else None
                usable = self._usable(asked, known, rung, form, now)
                until = until_told(rung.problem or "")
                yield Amended(place=place, rung=usable, what=What.TEMPLATE_USABLE, at=until)
            elif code == "contract" and place == 0 and forms:
                corrected = self._corrected(forms[0], now)
                paths = () if rung.path is None else (rung.path,)
                if (
                    corrected.message is not None
                ):  # else one of its other languages might leave, with arguments that fit
                    yield Amended(place=place, rung=corrected, what=What.ARGUMENTS_CORRECTED, paths=paths)

    def _alternates(self, asked: Asked) -> tuple[str, ...]:
        """A template that is asked for is meant in its own language."""
        return self._sender.alternates if isinstance(asked.content, FreeForm) else ()

    def _usable(self, asked: Asked, known: Known, rung: Rung, own: TemplateMessage | None, now: datetime) -> Rung:
        """What it would be if only that ended for which it is passed over."""
        sender = self._sender
        if own is not None:
            usable = self._registry.judge(own, must_be_approved=False, repair=sender.repair)
        else:
            assert isinstance(asked.content, FreeForm)  # noqa: S101 - a template message has no rung but its own
            facts = fill_facts(asked, asked.content, known)
            usable = self._registry.rung(rung.name, rung.language, facts, sender.repair, must_be_approved=False)
        usable = self._decider.as_the_provider_has_it(usable, sender)
        if rung.problem == "not_approved":
            return self._health.judged(usable, sender.provider, now)
        health = self._health.of(sender.provider, rung.name, rung.language)
        return replace(usable, category=health.category_over(usable.category))

    def _corrected(self, own: TemplateMessage, now: datetime) -> Rung:
        """What it would be with arguments that fit, whatever those are."""
        definition = self._registry.definition(own.name, own.language)
        rung = Rung(name=own.name, language=own.language, problem="not_approved")
        if definition is None or not definition.is_approved:
            return rung
        named = replace(own, name=definition.name, language=definition.language, components=())
        fit = replace(
            rung, name=named.name, language=named.language, message=named, problem=None, category=definition.category
        )
        healthy = self._health.judged(fit, self._sender.provider, now)
        return self._decider.as_the_provider_has_it(healthy, self._sender)


def _own(asked: Asked) -> TemplateMessage | None:
    """The template that the request itself names: its forms are the first rungs."""
    return asked.content if isinstance(asked.content, TemplateMessage) else asked.fallback
