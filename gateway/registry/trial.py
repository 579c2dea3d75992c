"""Trials at load: is a template's contract met by its own examples, and can its fill ever stand in?"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.domain.arguments import normalise
from gateway.domain.example import EXAMPLE_LINK, example_of
from gateway.domain.template import Place, shown
from gateway.registry.fill_text import FillFacts, FillFailed
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.schema import Problem

_TRIALS = (
    FillFacts(sender_id="Shop", contact_name="Ann", text="An answer", file_url=EXAMPLE_LINK, reference="4711"),
    FillFacts(sender_id="Shop"),
    FillFacts(sender_id="Shop", text="An answer"),
    FillFacts(sender_id="Shop", file_url=EXAMPLE_LINK),
    FillFacts(sender_id="Shop", contact_name="Ann", text=EXAMPLE_LINK, file_url=EXAMPLE_LINK, reference=EXAMPLE_LINK),
)
"""Messages that a template may have to stand in for; a fill that fits none of them never will."""

Found = tuple[Place, str]


def problems_on_trial(template: RegisteredTemplate) -> list[Found]:
    """What makes the template useless as it stands."""
    return [*_contradiction(template), *_useless_fill(template)]


def warnings_on_trial(template: RegisteredTemplate) -> list[Found]:
    """What an operator should look at."""
    return [*_examples_unfit(template), *_tightened_away(template), *_poured_text(template)]


def _useless_fill(template: RegisteredTemplate) -> Iterator[Found]:
    if template.fill is None:
        return
    reasons = [_unfit_fill(template, facts) for facts in _TRIALS]
    if all(reasons):
        yield ("fill",), f"fits none of the messages it was tried on; for the fullest of them: {reasons[0]}"


def _unfit_fill(template: RegisteredTemplate, facts: FillFacts) -> str | None:
    """Why this message can't be stood in for; tightenings left out, they may ask for anything."""
    try:
        form = normalise(template.filled(facts).components)
    except FillFailed as failed:
        return str(failed)
    return next((problem.text for problem in template.derived_misfits(form)), None)


def _poured_text(template: RegisteredTemplate) -> Iterator[Found]:
    category = template.definition.category
    if template.fill is None or category == "MARKETING":
        return
    for place in template.fill.takes("message.text"):
        yield (
            ("fill", *place),
            f"pours message.text into a template of category {category}; the platform may take that for abuse of it",
        )


# --- against its own examples ---------------------------------------------------------------------------------------


def _contradiction(template: RegisteredTemplate) -> Iterator[Found]:
    """A tightening that no message fits: it refuses the shape, or the examples that the platform approved."""
    example = example_of(template.definition)
    form = normalise(example.components)
    if template.derived_misfits(form):
        return
    problem = next(iter(template.tightened_misfits(form)), None)
    if problem is not None and (example.is_own or not _is_value(problem.place)):
        what = "the template's own examples" if example.is_own else "every message"
        yield (), f"its tightening refuses {what}, at {_told(problem)}; correct the tightening"


def _tightened_away(template: RegisteredTemplate) -> Iterator[Found]:
    example = example_of(template.definition)
    problems = () if example.is_own else template.misfits(normalise(example.components))
    for problem in problems[:1]:
        yield (), f"its contract could not be tried out, at {_told(problem)}; add examples"


def _examples_unfit(template: RegisteredTemplate) -> Iterator[Found]:
    example = example_of(template.definition)
    problems = template.derived_misfits(normalise(example.components)) if example.is_own else ()
    for problem in problems[:1]:
        yield (), f"its own examples don't fit its contract, at {_told(problem)}"


def _told(problem: Problem) -> str:
    return f"{shown(problem.place, under='components')}: {problem.text}"


def _is_value(place: Place) -> bool:
    """Whether the refusal is of one argument's value, which says nothing of another value."""
    return bool(place) and place[-1] in ("text", "payload", "link", "id")
