"""The report as one HTML file that asks for nothing from anywhere: to be kept, forwarded, and printed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from gateway.report.views import ANSWERS, DAY_KINDS
from gateway.report.wording import ANSWERED, PROBLEMS, REASONS, is_observed, matrix, said

View = Mapping[str, Any]

_MOST_COLUMNS = 70
"""More days than can be told apart are drawn several to a column."""
_UNITS = {1: "day", 7: "week", 28: "four weeks"}


def page(view: View) -> str:
    """The whole file."""
    style = _text("page.css")
    return _template().render(
        view=view,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        sections=[_shown(section) for section in view["sections"]],
        kinds=DAY_KINDS,
        answers=ANSWERS,
        answered=ANSWERED,
        reasons=REASONS,
        problems=PROBLEMS,
    )


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["grouped"] = lambda count: f"{count:,}"
    environment.filters["day"] = lambda written: written[:10]
    environment.filters["minute"] = lambda written: f"{written[:10]} {written[11:16]} UTC"
    return environment.from_string(_text("page.html"))


def _text(name: str) -> str:
    return files("gateway.report").joinpath(name).read_text(encoding="utf-8")


def _shown(section: View) -> View:
    days = section["days"]
    step = next(step for step in (*_UNITS, len(days)) if len(days) <= step * _MOST_COLUMNS)
    columns = list(_columns(days, step))
    return {
        **section,
        "is_observed": is_observed(section),
        "said": said(section),
        "matrix": matrix(section),
        "columns": columns,
        "unit": _UNITS.get(step, "part"),
        "highest": max((sum(column[kind] for kind in DAY_KINDS) for column in columns), default=0),
    }


def _columns(days: Sequence[View], step: int) -> Iterator[View]:
    for start in range(0, len(days), step):
        part = days[start : start + step]
        yield {"day": part[0]["day"], **{kind: sum(day[kind] for day in part) for kind in DAY_KINDS}}
