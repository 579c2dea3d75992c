"""One registered template, ready for use: its definition, its compiled contract, and its fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.arguments import NormalForm, normalise, too_long
from gateway.domain.compliance import Rung
from gateway.domain.contract import contract_of
from gateway.domain.errors import TemplateRefused
from gateway.domain.message import TemplateMessage
from gateway.domain.template import Place, TemplateDefinition, shown
from gateway.registry.fill import Fill
from gateway.registry.fill_text import FillFacts
from gateway.registry.schema import Problem, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTemplate:
    definition: TemplateDefinition
    contract: Schema
    """As it follows from the definition."""
    tightening: Schema | None
    """The operator's own schema, which applies in addition."""
    fill: Fill | None

    @classmethod
    def of(
        cls, definition: TemplateDefinition, *, tightening: Schema | None = None, fill: Fill | None = None
    ) -> RegisteredTemplate:
        contract = Schema(contract_of(definition))
        return cls(definition=definition, contract=contract, tightening=tightening, fill=fill)

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

    def check(self, message: TemplateMessage, *, at: str, must_be_approved: bool) -> TemplateMessage:
        """The message in normal form. Raises TemplateRefused with the path in the request."""
        if must_be_approved and not self.definition.is_approved:
            expected = f"expected an APPROVED template, this one is {self.definition.status}"
            raise TemplateRefused("template_paused", expected, field="template_name", path=f"{at}.name")
        form = normalise(message.components)
        problem = self.misfit(form)
        if problem is not None:
            path = shown(form.as_written(problem.place), under=f"{at}.components")
            raise TemplateRefused("template_arguments", problem.text, path=path)
        return replace(
            message,
            name=self.definition.name,
            language=self.definition.language,
            components=tuple(form.sendable().components),
            namespace=message.namespace or self.definition.namespace,
        )

    def judged(self, message: TemplateMessage, *, must_be_approved: bool) -> Rung:
        """`check` as a rung, for a decision."""
        try:
            checked = self.check(message, at="$.template", must_be_approved=must_be_approved)
        except TemplateRefused as refused:
            return _passed_over(message, refused)
        return Rung(name=checked.name, language=checked.language, message=checked, category=self.definition.category)

    def misfit(self, form: NormalForm) -> Problem | None:
        """What does not fit, at its place in the normal form: by the derived contract, in length, or as tightened."""
        return self.derived_misfit(form) or self.tightened_misfit(form)

    def derived_misfit(self, form: NormalForm) -> Problem | None:
        problem = self.contract.problem(form.components)
        if problem is not None:
            return self._counted(problem, form)
        long = too_long(self.definition, form.components)
        return None if long is None else Problem(*long)

    def _counted(self, problem: Problem, form: NormalForm) -> Problem:
        """With the number of the body parameter that it is about, where numbers are all that parameters have."""
        count = len(self.definition.body.parameters)
        match problem.place:
            case (int(component), "parameters", int(index), *_) if count > 1 and not self.definition.is_named:
                if form.components[component]["type"] == "body":
                    return replace(problem, text=f"{problem.text} (body parameter {index + 1} of {count})")
        return problem

    def tightened_misfit(self, form: NormalForm) -> Problem | None:
        """For a form that fits the derived contract."""
        if self.tightening is None:
            return None
        sendable = form.sendable()
        problem = self.tightening.problem(sendable.components)
        if problem is None or not problem.place:
            return problem
        return replace(problem, place=_moved(problem.place, sendable, form))

    def filled(self, facts: FillFacts) -> TemplateMessage:
        """A message that stands in for free-form content, not yet checked. Raises FillFailed; it has a fill."""
        assert self.fill is not None  # noqa: S101 - the caller has looked
        components = self.fill.components(facts)
        return TemplateMessage(name=self.definition.name, language=self.definition.language, components=components)


def _passed_over(message: TemplateMessage, refused: TemplateRefused) -> Rung:
    if refused.code == "template_paused":
        return Rung(name=message.name, language=message.language, problem="not_approved")
    problem = f"contract: {refused.path}: {refused}"
    return Rung(name=message.name, language=message.language, problem=problem, path=refused.path)


def _moved(place: Place, sendable: NormalForm, form: NormalForm) -> Place:
    return (form.origins.index(sendable.origins[int(place[0])]), *place[1:])
