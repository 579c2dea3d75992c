"""Domain values as rows hold them: times as integers of microseconds, the rest as words or ASCII JSON."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from gateway.domain.compliance import Decision, Downgrade, Evidence, Refuse, Send, fallback_of
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.message import Content, FreeForm, JsonObject, OutboundMessage, Receipt, TemplateMessage
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.domain.window import ServiceWindow

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


# --- times ----------------------------------------------------------------------------------------------------------


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def instant_or_none(value: int | None) -> datetime | None:
    return None if value is None else instant(value)


def micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def span(length: timedelta) -> int:
    return length // _MICROSECOND


# --- texts ----------------------------------------------------------------------------------------------------------


def storable(text: str | None) -> str | None:
    """The text with what no database takes (NUL, lone surrogates) replaced by U+FFFD."""
    return None if text is None else _UNSTORABLE.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """Compact ASCII JSON: any text survives it."""
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)
"""Made once: ``json.dumps`` makes one at every call."""


# --- content --------------------------------------------------------------------------------------------------------


def content_facts(content: Content) -> JsonObject:
    match content:
        case FreeForm():
            return {"type": content.type, "text": content.text, "file_url": content.file_url}
        case TemplateMessage():
            return {
                "type": "template",
                "name": content.name,
                "language": content.language,
                "components": content.components,
                "namespace": content.namespace,
            }


def content_of(text: str) -> Content:
    facts = json.loads(text)
    return _template_of(facts) if facts["type"] == "template" else FreeForm(**facts)


def content_or(text: str, instead: T) -> Content | T:
    """The content; something else when it was damaged on the disk."""
    try:
        return content_of(text)
    except (KeyError, TypeError, ValueError):
        return instead


def template_of_text(text: str | None) -> TemplateMessage | None:
    """A fallback; one that was damaged on the disk is as if it were not there."""
    content = None if text is None else content_or(text, None)
    return content if isinstance(content, TemplateMessage) else None


def _template_of(facts: dict[str, Any]) -> TemplateMessage:
    return TemplateMessage(
        name=facts["name"],
        language=facts["language"],
        components=tuple(facts["components"]),
        namespace=facts["namespace"],
    )


def emptied(text: str) -> str:
    """Stored content without what was said: its kind, and which template."""
    match content_or(text, UNREADABLE):
        case FreeForm(type=kind):
            return to_json(content_facts(FreeForm(type=kind)))
        case TemplateMessage(name=name, language=language):
            return to_json(content_facts(TemplateMessage(name=name, language=language)))


def template_name(content: Content) -> str | None:
    return f"{content.name}/{content.language}" if isinstance(content, TemplateMessage) else None


# --- errors and receipts --------------------------------------------------------------------------------------------


def error_text(error: ProviderError | None) -> str | None:
    if error is None:
        return None
    return to_json(asdict(error))


def wordless(text: str | None) -> str | None:
    """A stored error without the provider's words, which may name somebody."""
    return None if text is None else error_text(unspoken(error_of(text)))


def unspoken(error: ProviderError | None) -> ProviderError | None:
    return None if error is None else replace(error, name="", message="")


def error_of(text: str | None) -> ProviderError | None:
    return None if text is None else ProviderError(**json.loads(text))


def receipt_text(receipt: Receipt) -> str:
    return to_json(
        {
            "message_id": receipt.message_id,
            "action": receipt.action,
            "template": receipt.template,
            "reason": receipt.reason,
            "window_closes_at": micros_or_none(receipt.window_closes_at),
            "observed": receipt.observed,
        }
    )


def receipt_of(text: str) -> Receipt:
    facts = json.loads(text)
    return Receipt(**{**facts, "window_closes_at": instant_or_none(facts["window_closes_at"])})


# --- decisions ------------------------------------------------------------------------------------------------------


def action_of(decision: Decision) -> str:
    return type(decision).__name__.lower()


def reasons_text(decision: Send | Downgrade | Refuse) -> str:
    return to_json([reason.value for reason in decision.reasons])


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


# --- rows -----------------------------------------------------------------------------------------------------------


def window_of(row: sqlite3.Row) -> ServiceWindow:
    return ServiceWindow(
        anchor=instant_or_none(row["anchor"]),
        refuted_at=instant_or_none(row["refuted_at"]),
        opened_by=row["opened_by"],
        evidence=row["evidence"],
    )


UNREADABLE = FreeForm(type="text")
"""Stands for content that was damaged on the disk, where a message is only shown or told of."""


def message_of(row: sqlite3.Row) -> OutboundMessage:
    """From a row of the message joined with its conversation's sender and contact."""
    return message_with(row, content_or(row["content"], UNREADABLE))


def message_with(row: sqlite3.Row, content: Content) -> OutboundMessage:
    """`message_of` for a row whose content has been read."""
    return OutboundMessage(
        id=MessageId(row["id"]),
        client=row["client"],
        sender=Sender(row["sender"]),
        contact=Contact(row["contact"]),
        content=content,
        fallback=template_of_text(row["fallback"]),
        reference=row["reference"],
        callback_url=row["callback_url"],
        accepted_at=instant(row["accepted_at"]),
        expires_at=instant(row["expires_at"]),
        traceparent=row["traceparent"],
    )
