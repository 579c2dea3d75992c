"""What a template comes to as a stand-in: filled in, checked, and remembered."""

from __future__ import annotations

from functools import lru_cache

from gateway.domain.compliance import Rung
from gateway.domain.repair import NO_REPAIR, RepairPolicy
from gateway.registry.fill_text import FillFacts, FillFailed
from gateway.registry.registered import RegisteredTemplate

_REMEMBERED = 1024
_NOT_REMEMBERED = ("message.text", "message.file_url", "contact.name")
"""Facts that hardly come twice and may be long, and those that name a person."""


class StandIns:
    """The rungs of one template that has a fill, by what the fill speaks of: the same facts always give the same rung,
    and many fills speak of few facts or none."""

    def __init__(self, template: RegisteredTemplate) -> None:
        self._template = template
        self._speaks_of = frozenset() if template.fill is None else template.fill.facts()
        is_remembered = self._speaks_of.isdisjoint(_NOT_REMEMBERED)
        self._made = lru_cache(_REMEMBERED)(self._make) if is_remembered else self._make

    def rung(self, facts: FillFacts, repair: RepairPolicy = NO_REPAIR) -> Rung:
        """The template, filled with these facts, whether it is approved or not."""
        return self._made(self._without_unspoken(facts), repair)

    def _without_unspoken(self, facts: FillFacts) -> FillFacts:
        return FillFacts(
            sender_id=facts.sender_id,
            contact_name=facts.contact_name if "contact.name" in self._speaks_of else None,
            text=facts.text if "message.text" in self._speaks_of else None,
            file_url=facts.file_url if "message.file_url" in self._speaks_of else None,
            reference=facts.reference if "message.reference" in self._speaks_of else None,
        )

    def _make(self, facts: FillFacts, repair: RepairPolicy) -> Rung:
        try:
            return self._template.judged(self._template.filled(facts), must_be_approved=False, repair=repair)
        except FillFailed as failed:
            definition = self._template.definition
            return Rung(name=definition.name, language=definition.language, problem=f"fill_failed: {failed}")
