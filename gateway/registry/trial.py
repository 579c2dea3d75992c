"""Trials at load: is a template's contract met by its own examples, and can its fill ever stand in?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.arguments import NormalForm, normalise
from gateway.domain.message import JsonObject
from gateway.domain.places import components_from, optional_places, required_places
from gateway.domain.template import ButtonType, HeaderFormat, Place, TemplateDefinition, shown
from gateway.registry.fill_text import FillFacts, FillFailed
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.schema import Problem

_LINK = "https://www.example.com/example.jpg"
_TRIALS = (
    FillFacts(sender_id="Shop", contact_name="Ann", text="An answer", file_url=_LINK, reference="4711"),
    FillFacts(sender_id="Shop"),
    FillFacts(sender_id="Shop", text="An answer"),
    FillFacts(sender_id="Shop", file_url=_LINK),
    FillFacts(sender_id="Shop", contact_name="Ann", text=_LINK, file_url=_LINK, reference=_LINK),
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
    problem = template.derived_misfit(form)
    return None if problem is None else problem.text


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
    if template.derived_misfit(example.form) is not None:
        return
    problem = template.tightened_misfit(example.form)
    if problem is not None and (example.is_own or not _is_value(problem.place)):
        what = "the template's own examples" if example.is_own else "every message"
        yield (), f"its tightening refuses {what}, at {_told(problem)}; correct the tightening"


def _tightened_away(template: RegisteredTemplate) -> Iterator[Found]:
    example = example_of(template.definition)
    problem = None if example.is_own else template.misfit(example.form)
    if problem is not None:
        yield (), f"its contract could not be tried out, at {_told(problem)}; add examples"


def _examples_unfit(template: RegisteredTemplate) -> Iterator[Found]:
    example = example_of(template.definition)
    problem = template.derived_misfit(example.form) if example.is_own else None
    if problem is not None:
        yield (), f"its own examples don't fit its contract, at {_told(problem)}"


def _told(problem: Problem) -> str:
    return f"{shown(problem.place, under='components')}: {problem.text}"


def _is_value(place: Place) -> bool:
    """Whether the refusal is of one argument's value, which says nothing of another value."""
    return bool(place) and place[-1] in ("text", "payload", "link", "id")


@dataclass(frozen=True, slots=True)
class Example:
    """A message with every argument that the template takes; `is_own` when all its texts are the definition's own."""

    form: NormalForm
    is_own: bool


def example_of(definition: TemplateDefinition) -> Example:
    """A message from the examples in the definition, with made-up arguments where it has none."""
    own = dict(_examples(definition))
    places = [*required_places(definition), *optional_places(definition)]
    texts = {place: own.get(place) or _made_up(definition, place) for place in places}
    form = normalise(components_from(definition, texts))
    return Example(form, is_own=all(place in own or not _has_example(definition, place) for place in places))


def _made_up(definition: TemplateDefinition, place: Place) -> str:
    return _LINK if place == ("header",) and _is_media(definition) else "example"


def _has_example(definition: TemplateDefinition, place: Place) -> bool:
    """Whether the platform wants an example of it; media have handles of its own, payloads have none."""
    if place == ("header",):
        return not _is_media(definition)
    return place[0] == "body" or definition.buttons[int(place[1])].type is ButtonType.URL


def _is_media(definition: TemplateDefinition) -> bool:
    return definition.header is not None and definition.header.format is not HeaderFormat.TEXT


def _examples(definition: TemplateDefinition) -> Iterator[tuple[Place, str]]:
    for part in definition.document["components"]:
        example = part.get("example") or {}
        if part["type"] == "BODY":
            for key, text in _body_examples(example):
                yield ("body", key), text
        elif part["type"] == "HEADER":
            for text in [*example.get("header_text", ()), *_named(example, "header_text_named_params").values()][:1]:
                yield ("header",), text
        elif part["type"] == "BUTTONS":
            yield from _suffix_examples(definition, part["buttons"])


def _body_examples(example: JsonObject) -> Iterator[tuple[str | int, str]]:
    yield from _named(example, "body_text_named_params").items()
    rows = example.get("body_text", ())
    yield from enumerate(rows[0] if rows and isinstance(rows[0], list) else rows)


def _named(example: JsonObject, key: str) -> dict[str, str]:
    return {entry["param_name"]: entry["example"] for entry in example.get(key, ())}


def _suffix_examples(definition: TemplateDefinition, buttons: Sequence[JsonObject]) -> Iterator[tuple[Place, str]]:
    """The platform takes the whole URL for an example, or only its end."""
    for index, button in enumerate(buttons):
        fixed = definition.buttons[index].url.text.partition("{{")[0]
        for text in button.get("example", ())[:1]:
            yield ("buttons", index), text.removeprefix(fixed)
