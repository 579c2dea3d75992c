"""A decision as it was recorded, as a value again, as far as it is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.domain.compliance import Decision, Downgrade, Evidence, Hold, Reason, Refuse, Rung, Send
from gateway.domain.message import Content, TemplateMessage
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.domain.window import ServiceWindow
from gateway.store.codec import template_of_facts

Facts = Mapping[str, Any]


def decision_of(row: sqlite3.Row, content: Content) -> Decision | None:
    """`content` is what was asked for. None for a decision that was damaged on the disk."""
    try:
        evidence, instead = _evidence_of(json.loads(row["evidence"])), json.loads(row["instead"] or "null")
        decision = _decision(row["action"], json.loads(row["reasons"]), evidence, content)
        if instead is None or not isinstance(decision, Send):
            return decision
        would_be = _decision(instead["action"], instead["reasons"], evidence, content)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None
    return Send(
        content=content,
        reasons=decision.reasons,
        evidence=evidence,
        instead_of=None if isinstance(would_be, Send) else would_be,
    )


def _decision(action: str, codes: list[str], evidence: Evidence, content: Content) -> Decision:
    reasons = tuple(map(Reason, codes))
    match action:
        case "send":
            return Send(content=content, reasons=reasons, evidence=evidence)
        case "downgrade":
            return Downgrade(content=_taken(evidence), reasons=reasons, evidence=evidence)
        case "hold":
            return Hold(reasons=reasons, evidence=evidence)
        case "refuse":
            return Refuse(reasons=reasons, evidence=evidence)
        case _:
            raise ValueError(action)


def _taken(evidence: Evidence) -> TemplateMessage:
    if not evidence.rungs or evidence.rungs[-1].message is None:
        raise ValueError("no rung was taken")
    return evidence.rungs[-1].message


def _evidence_of(facts: Facts) -> Evidence:
    window, suppression = facts["window"], facts.get("suppression")
    return Evidence(
        at=datetime.fromisoformat(facts["at"]),
        window=ServiceWindow(
            anchor=_instant(window["anchor"]),
            refuted_at=_instant(window["refuted_at"]),
            opened_by=window["opened_by"],
            evidence=window["evidence"],
        ),
        margin=timedelta(seconds=facts["margin"]),
        downgrades=facts["downgrades"],
        downgrade_limit=facts["downgrade_limit"],
        rungs=tuple(map(_rung_of, facts["rungs"])),
        suppression=None if suppression is None else _suppression_of(suppression),
    )


def _rung_of(facts: Facts) -> Rung:
    """One that was taken has a message, though of what it said nothing may be kept."""
    name, language, kept = facts["name"], facts["language"], facts["message"]
    message = None
    if facts["problem"] is None:
        message = TemplateMessage(name=name, language=language) if kept is None else template_of_facts(kept)
    return Rung(
        name=name,
        language=language,
        message=message,
        problem=facts["problem"],
        path=facts["path"],
        repairs=tuple(facts.get("repairs", ())),
        definition=facts.get("definition"),
    )


def _suppression_of(facts: Facts) -> Suppression:
    return Suppression(
        scope=Scope(facts["scope"]), source=Source(facts["source"]), since=datetime.fromisoformat(facts["since"])
    )


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
