"""An explanation as the native surface and the command line show it: stable codes, each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gateway.domain.explanation import ExplainedPace, ExplainedRung, ExplainedWindow, Explanation
from gateway.domain.explanation_words import PAUSES, REASONS, sentence_of_change, sentence_of_problem
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.would_change import Change, Form

View = dict[str, Any]


def explanation_view(explanation: Explanation) -> View:
    would_be = explanation.would_be
    return {
        "at": rfc3339(explanation.at),
        "decision": explanation.form.action,
        "reasons": [_reason(reason) for reason in explanation.reasons],
        "would_be": None
        if would_be is None
        else {**_form(would_be.form), "reasons": [_reason(reason) for reason in would_be.reasons]},
        "window": _window(explanation.window),
        "rungs": [_rung(rung) for rung in explanation.rungs],
        "template": _template(explanation.form),
        "rendered": explanation.rendered,
        "misfits": [{"path": misfit.path, "detail": misfit.text} for misfit in explanation.misfits],
        "pace": None if explanation.pace is None else _pace(explanation.pace),
        "would_change": [_change(change) for change in explanation.would_change],
    }


def _reason(reason: Any) -> View:
    return {"code": reason.value, "sentence": REASONS[reason]}


def _form(form: Form) -> View:
    return {"decision": form.action, "template": _template(form)}


def _template(form: Form) -> View | None:
    if form.template is None:
        return None
    name, _, language = form.template.rpartition("/")
    return {"name": name, "language": language}


def _window(explained: ExplainedWindow) -> View:
    window = explained.window
    return {
        "open": explained.is_open,
        "opened_at": rfc3339_or_none(window.anchor),
        "closes_at": rfc3339_or_none(window.closes_at),
        "margin": explained.margin.total_seconds(),
        "seconds_left": explained.left.total_seconds(),
        "opened_by": window.opened_by,
        "evidence": window.evidence,
        "refuted_at": rfc3339_or_none(window.refuted_at),
    }


def _rung(explained: ExplainedRung) -> View:
    rung, code = explained.rung, explained.code
    return {
        "name": rung.name,
        "language": rung.language,
        "verdict": explained.verdict.value,
        "problem": code,
        "detail": explained.detail,
        "sentence": None if code is None else sentence_of_problem(code),
        "path": rung.path,
        "repairs": list(rung.repairs),
    }


def _pace(pace: ExplainedPace) -> View:
    paused = None
    if pace.paused is not None:
        paused = {
            "cause": pace.paused.value,
            "for": _seconds(pace.paused_for),
            "sentence": PAUSES[pace.paused],
        }
    return {
        "delay": _seconds(pace.delay),
        "contact": _seconds(pace.contact_wait),
        "sender": _seconds(pace.sender_wait),
        "ahead": pace.ahead,
        "paused": paused,
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)


def _change(change: Change) -> View:
    template: Mapping[str, Any] | None = _template(Form("send", change.template))
    return {
        "what": change.what.value,
        "when": rfc3339_or_none(change.at),
        "template": template,
        "paths": list(change.paths),
        "then": None if change.then is None else _form(change.then),
        "sentence": sentence_of_change(change),
    }
