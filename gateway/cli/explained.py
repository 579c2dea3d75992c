"""An explanation as people read it in a terminal: short paragraphs, and times in their own zone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.cli.bubble import bubble
from gateway.cli.tables import shown

View = Mapping[str, Any]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_VERDICTS = {"taken": "taken", "passed_over": "passed over", "not_needed": "not needed"}


def lines_of(view: View) -> Iterator[str]:
    """The lines of a whole explanation, as the native surface gives it."""
    for paragraph in (_answer, _window, _read, _rungs, _misfits, _pace, _changes):
        lines = list(paragraph(view))
        if lines:
            yield from (*(lines if paragraph is _read else map(_local, lines)), "")


def _local(line: str) -> str:
    """With every instant in the zone of whoever reads it, and nothing that a terminal would obey."""
    return shown(_INSTANT.sub(lambda found: _here(found[0]), line))


def _here(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone().isoformat(sep=" ", timespec="seconds")


def _answer(view: View) -> Iterator[str]:
    yield f"Posted at {view['at']}, this message {_comes_to(view)}."
    yield from (f"  {reason['sentence']}" for reason in view["reasons"])
    would_be = view["would_be"]
    if would_be is not None:
        yield f"If the sender did not only observe, it {_would(would_be)}."
        yield from (f"  {reason['sentence']}" for reason in would_be["reasons"])


def _comes_to(form: View) -> str:
    template = _named(form["template"])
    match form["decision"]:
        case "send":
            return "leaves as it is" if template is None else f"leaves as the template {template} that it asks for"
        case "downgrade":
            return f"is replaced: the template {template} leaves"
        case "hold":
            return "is kept until the customer writes"
        case _:
            return "is refused"


def _would(form: View) -> str:
    template = _named(form["template"])
    return "would be refused" if form["decision"] == "refuse" else f"would leave as the template {template}"


def _named(template: View | None) -> str | None:
    return None if template is None else f"{template['name']}/{template['language']}"


def _window(view: View) -> Iterator[str]:
    window = view["window"]
    margin = f"{window['margin']:g} s"
    if window["open"]:
        yield f"The window is open until {window['closes_at']}; the gateway stops {margin} before."
    else:
        yield "The window is closed."
    if window["opened_at"] is not None:
        by = "" if window["opened_by"] is None else f" (message {window['opened_by']})"
        yield f"  The customer last wrote at {window['opened_at']}{by}; known by: {window['evidence']}."
    else:
        yield "  The customer has never written, as far as is known."
    if window["refuted_at"] is not None:
        yield f"  The provider said that it was closed for what was sent at {window['refuted_at']}."


def _read(view: View) -> Iterator[str]:
    """As it is: a time that stands in the message is not ours to put into another zone."""
    if view["rendered"] is not None:
        yield "The customer reads:"
        yield from (f"  {line}" for line in bubble(view["rendered"]))


def _rungs(view: View) -> Iterator[str]:
    rungs: Sequence[View] = view["rungs"]
    if not rungs:
        return
    yield "The templates that come into question, in order:"
    width = max(len(str(_named(rung))) for rung in rungs)
    for rung in rungs:
        detail = "" if rung["detail"] is None else f" ({rung['detail']})"
        problem = "" if rung["sentence"] is None else f": {rung['sentence']}{detail}"
        yield f"  {_named(rung):<{width}}  {_VERDICTS[rung['verdict']]}{problem}"
        yield from (f"  {'':<{width}}  mended: {repair}" for repair in rung["repairs"])


def _misfits(view: View) -> Iterator[str]:
    if view["misfits"]:
        yield "What does not fit:"
        yield from (f"  {misfit['path']}: {misfit['detail']}" for misfit in view["misfits"])


def _pace(view: View) -> Iterator[str]:
    pace = view["pace"]
    if pace is None or view["decision"] == "refuse":
        return
    count = pace["ahead"]
    ahead = {0: "Nothing waits before it", 1: "One message waits before it"}
    delay = "it may leave at once" if not pace["delay"] else f"it may leave in {pace['delay']:g} s at the earliest"
    yield f"{ahead.get(count, f'{count} messages wait before it')}; by its pace {delay}."
    if pace["paused"] is not None:
        yield f"  The sender is paused, for {pace['paused']['for']:g} s by now: {pace['paused']['sentence']}"


def _changes(view: View) -> Iterator[str]:
    if view["would_change"]:
        yield "What would change this:"
        yield from (f"  {change['sentence']}" for change in view["would_change"])
