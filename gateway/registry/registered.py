"""One registered template, ready for use: its definition, its compiled contract, and its fill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from gateway.domain.arguments import MOST_ITEMS, NormalForm, completed, has_too_many, normalise
from gateway.domain.compliance import Rung
from gateway.domain.contract import contract_of
from gateway.domain.errors import Misfit, TemplateRefused
from gateway.domain.hydration import ill_filled
from gateway.domain.message import TemplateMessage
from gateway.domain.repair import NO_REPAIR, UNSAID, Repair, RepairPolicy, repaired
from gateway.domain.template import TemplateDefinition, shown
from gateway.registry.fill import Fill
from gateway.registry.fill_text import FillFacts
from gateway.registry.schema import Problem, Schema
from gateway.registry.whereabouts import whereabouts

log = structlog.get_logger()

_TOO_MANY = f"expected at most {MOST_ITEMS} components, cards, parameters and products in all"

MOST_PROBLEMS = 20
"""Of one message; whoever mends so many sees the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTemplate:
    definition: TemplateDefinition
    contract: Schema
    """As it follows from the definition."""
    tightening: Schema | None = None
    """The operator's own schema, which applies in addition."""
    fill: Fill | None = None
    repair: RepairPolicy = UNSAID
    """What may be mended in the arguments of this template's messages."""
    fingerprint: str = ""
    """Of its components: another one, and a message with the same arguments reads otherwise."""

    @classmethod
    def of(
        cls,
        definition: TemplateDefinition,
        *,
        tightening: Schema | None = None,
        fill: Fill | None = None,
        repair: RepairPolicy = UNSAID,
    ) -> RegisteredTemplate:
        contract = Schema(contract_of(definition))
        return cls(
            definition=definition,
            contract=contract,
            tightening=tightening,
            fill=fill,
            repair=repair,
            fingerprint=_fingerprint(definition),
        )

    def document(self) -> Mapping[str, Any]:
        """The whole contract as one JSON Schema."""
        if self.tightening is None:
            return self.contract.document
        derived, name = self.contract.document, f"{self.definition.name}:{self.definition.language}"
        return {
            "$schema": derived["$schema"],
            "title": derived["title"],
            "description": derived["description"],
            "allOf": [
                derived | {"$id": f"urn:contract:{name}:derived"},
                self.tightening.document | {"$id": f"urn:contract:{name}:tightening"},
            ],
        }

    def check(
        self, message: TemplateMessage, *, at: str, must_be_approved: bool, repair: RepairPolicy = NO_REPAIR
    ) -> TemplateMessage:
        """The message in normal form; what could be mended is as it was written, to be mended when it leaves.

        Raises TemplateRefused with all problems, each with its path in the request.
        """
        form, _, _ = self._fitted(message, at=at, must_be_approved=must_be_approved, repair=repair)
        return self._carrying(message, form)

    def judged(self, message: TemplateMessage, *, must_be_approved: bool, repair: RepairPolicy = NO_REPAIR) -> Rung:
        """As a rung, for a decision: the message as it would leave, mended where that was needed."""
        try:
            form, mended, repairs = self._fitted(
                message, at="$.template", must_be_approved=must_be_approved, repair=repair
            )
        except TemplateRefused as refused:
            return replace(_passed_over(message, refused), definition=self.fingerprint)
        except (
            Exception
        ) as fault:  # a message in line must end somehow, and its sender go on, whatever is wrong with us
            log.exception("template.judging_failed", name=self.definition.name, language=self.definition.language)
            return Rung(name=message.name, language=message.language, problem=f"failed: {type(fault).__name__}")
        fit = self._carrying(message, mended)
        return Rung(
            name=fit.name,
            language=fit.language,
            message=fit,
            category=self.definition.category,
            repairs=tuple(_told(each, form) for each in repairs),
            definition=self.fingerprint,
        )

    def _fitted(
        self, message: TemplateMessage, *, at: str, must_be_approved: bool, repair: RepairPolicy
    ) -> tuple[NormalForm, NormalForm, tuple[Repair, ...]]:
        """The normal form as it was written, as it fits, and what had to be mended for it. Raises TemplateRefused."""
        if must_be_approved and not self.definition.is_approved:
            expected = f"expected an APPROVED template, this one is {self.definition.status}"
            raise TemplateRefused("template_paused", expected, field="template_name", path=f"{at}.name")
        if has_too_many(message.components):
            raise _arguments_refused([Problem((), _TOO_MANY)], at)
        form = normalise(message.components)
        components, repairs = repaired(self.definition, form.components, self.repair.over(repair))
        mended = NormalForm(components, form.origins)
        problems = self.misfits(mended)
        if problems:
            raise _arguments_refused(problems, at)
        return form, mended, repairs

    def _carrying(self, message: TemplateMessage, form: NormalForm) -> TemplateMessage:
        return replace(
            message,
            name=self.definition.name,
            language=self.definition.language,
            components=completed(self.definition, form.sendable().components),
            namespace=message.namespace or self.definition.namespace,
        )

    # --- what does not fit ------------------------------------------------------------------------------------------

    def misfits(self, form: NormalForm) -> Sequence[Problem]:
        """What does not fit, the most telling first, at its place in the request: by the derived contract and with
        its arguments in, or, if it fits that, as tightened."""
        return self.derived_misfits(form) or self.tightened_misfits(form)

    def derived_misfits(self, form: NormalForm) -> Sequence[Problem]:
        found = self.contract.ranked(form.components, most=MOST_PROBLEMS)
        if len(found) < MOST_PROBLEMS:  # else not all that is unfit is known
            unfit = {int(problem.place[0]) for problem in found if problem.place}
            filled = ill_filled(self.definition, form.components, without=unfit)
            found += [Problem(place, text) for place, text in filled]
        return [self._explained(problem, form) for problem in found[:MOST_PROBLEMS]]

    def tightened_misfits(self, form: NormalForm) -> Sequence[Problem]:
        """For a form that fits the derived contract."""
        if self.tightening is None:
            return ()
        sendable = form.sendable()
        found = self.tightening.ranked(sendable.components, most=MOST_PROBLEMS)
        return [self._explained(problem, sendable) for problem in found]

    def _explained(self, problem: Problem, form: NormalForm) -> Problem:
        """With what came, with the template's own words for the place, and at its place in the request."""
        came = "" if problem.came is None else f", got {problem.came}"
        told = whereabouts(self.definition, form.components, problem.place)
        where = "" if told is None else f" ({told})"
        return Problem(form.as_written(problem.place), f"{problem.text}{came}{where}")

    def filled(self, facts: FillFacts) -> TemplateMessage:
        """A message that stands in for free-form content, not yet checked. Raises FillFailed; it has a fill."""
        assert self.fill is not None  # noqa: S101 - the caller has looked
        components = self.fill.components(facts)
        return TemplateMessage(name=self.definition.name, language=self.definition.language, components=components)


def _fingerprint(definition: TemplateDefinition) -> str:
    worded = json.dumps(definition.document["components"], sort_keys=True, default=str)
    return hashlib.sha256(worded.encode(errors="replace")).hexdigest()[:16]


def _arguments_refused(problems: Sequence[Problem], at: str) -> TemplateRefused:
    misfits = tuple(Misfit(shown(each.place, under=f"{at}.components"), each.text) for each in problems)
    return TemplateRefused("template_arguments", misfits[0].text, path=misfits[0].path, misfits=misfits)


def _passed_over(message: TemplateMessage, refused: TemplateRefused) -> Rung:
    if refused.code == "template_paused":
        return Rung(name=message.name, language=message.language, problem="not_approved")
    problem = f"contract: {'; '.join(map(str, refused.misfits))}"
    return Rung(name=message.name, language=message.language, problem=problem, path=refused.path)


def _told(repair: Repair, form: NormalForm) -> str:
    return f"{shown(form.as_written(repair.place), under='components')} {repair.mending}"
