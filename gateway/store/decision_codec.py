"""Decisions as rows hold them: words for what was done and why, ASCII JSON for the evidence."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache

from gateway.domain.compliance import Decision, Downgrade, Evidence, Reason, Refuse, Send, fallback_of, repairs_of
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.message import JsonObject
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.store.codec import content_facts, instant, micros, template_name, to_json


def action_of(decision: Decision) -> str:
    return type(decision).__name__.lower()


def reasons_text(decision: Send | Downgrade | Refuse) -> str:
    return _reasons_text(decision.reasons)


@lru_cache(maxsize=256)
def _reasons_text(reasons: tuple[Reason, ...]) -> str:
    return to_json([reason.value for reason in reasons])


def instead_text(decision: Send | Downgrade | Refuse) -> str | None:
    """What would have been decided, on the same evidence; a refused template is named as well."""
    if not isinstance(decision, Send) or decision.instead_of is None:
        return None
    would_be = decision.instead_of
    content = would_be.content if isinstance(would_be, Downgrade) else decision.content
    return to_json(
        {
            "action": action_of(would_be),
            "reasons": [reason.value for reason in would_be.reasons],
            "template": template_name(content),
        }
    )


_MOST_REPAIRS = 20


def repairs_text(decision: Send | Downgrade) -> str | None:
    """What was mended in the template that leaves, short enough for a header; None: nothing."""
    repairs = repairs_of(decision)
    told = ", ".join(repairs[:_MOST_REPAIRS])
    more = len(repairs) - _MOST_REPAIRS
    return (f"{told} and {more} more" if more > 0 else told) or None


def evidence_text(decision: Send | Downgrade | Refuse) -> str:
    """What it was decided on; the rendered template only of a fallback, as a requested one stands with the message."""
    return to_json(_evidence_facts(decision.evidence, with_messages=fallback_of(decision) is not None))


def _evidence_facts(evidence: Evidence, *, with_messages: bool) -> JsonObject:
    window, suppression = evidence.window, evidence.suppression
    return {
        "at": rfc3339(evidence.at),
        "window": {
            "anchor": rfc3339_or_none(window.anchor),
            "refuted_at": rfc3339_or_none(window.refuted_at),
            "closes_at": rfc3339_or_none(window.closes_at),
            "opened_by": window.opened_by,
            "evidence": window.evidence,
        },
        "margin": evidence.margin.total_seconds(),
        "downgrades": evidence.downgrades,
        "downgrade_limit": evidence.downgrade_limit,
        "rungs": [
            {
                "name": rung.name,
                "language": rung.language,
                "problem": rung.problem,
                "path": rung.path,
                "message": content_facts(rung.message) if with_messages and rung.message is not None else None,
                **({"repairs": rung.repairs} if rung.repairs else {}),
                **({} if rung.definition is None else {"definition": rung.definition}),
            }
            for rung in evidence.rungs
        ],
        **({} if suppression is None else {"suppression": _suppression_facts(suppression)}),
    }


def _suppression_facts(suppression: Suppression) -> JsonObject:
    return {"scope": suppression.scope, "source": suppression.source, "since": rfc3339(suppression.since)}


def suppression_text(suppression: Suppression | None) -> str | None:
    """What a conversation keeps of the suppression list."""
    if suppression is None:
        return None
    return to_json({**_suppression_facts(suppression), "since": micros(suppression.since)})


def suppression_of(text: str | None) -> Suppression | None:
    if text is None:
        return None
    facts = json.loads(text)
    return Suppression(scope=Scope(facts["scope"]), source=Source(facts["source"]), since=instant(facts["since"]))


def evidence_without_content(text: str) -> str:
    try:
        facts = json.loads(text)
    except ValueError:  # damaged on the disk
        return to_json({})
    return to_json({**facts, "rungs": [{**rung, "message": None} for rung in facts["rungs"]]})


def evidence_without_person(text: str) -> str:
    """Without content, the provider's ids, and what a rung's problem may quote."""
    facts = json.loads(evidence_without_content(text))
    for rung in facts.get("rungs", ()):
        rung["problem"] = (rung["problem"] or "").partition(":")[0] or None
    if "window" in facts:
        facts["window"]["opened_by"] = None
    return to_json(facts)


def decision_facts(row: sqlite3.Row) -> JsonObject:
    return {
        "stage": row["stage"],
        "at": rfc3339(instant(row["at"])),
        "action": row["action"],
        "reasons": json.loads(row["reasons"]),
        "template": row["template"],
        "instead": None if row["instead"] is None else json.loads(row["instead"]),
        "evidence": json.loads(row["evidence"]),
    }
