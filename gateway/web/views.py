"""Messages and windows as the native surface shows them: ids as strings, instants in RFC 3339."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.domain.errors import ProviderError
from gateway.domain.instant import rfc3339
from gateway.domain.message import Content, FreeForm, TemplateMessage
from gateway.domain.window import LENGTH, ServiceWindow
from gateway.ports import AttemptRecord, MessagePage, MessageRecord, MessageSummary, SenderState

View = Mapping[str, Any]


def message_view(record: MessageRecord) -> View:
    """Everything about one message; `decision` is the one that counts."""
    message = record.message
    return {
        "id": str(message.id),
        "sender": message.sender,
        "contact": message.contact,
        "status": record.status,
        "failure": record.failure,
        "error": _error(record.error),
        "content": _content(message.content),
        "reference": message.reference,
        "intent": message.intent,
        "accepted_at": rfc3339(message.accepted_at),
        "expires_at": rfc3339(message.expires_at),
        "decision": record.decisions[-1] if record.decisions else None,
        "decisions": list(record.decisions),
        "attempts": [_attempt(attempt) for attempt in record.attempts],
        "history": [{"status": change.status, "at": rfc3339(change.at)} for change in record.history],
    }


def page_view(page: MessagePage) -> View:
    """One page of a list, and the cursor of the next."""
    return {"messages": [_summary(message) for message in page.messages], "next_cursor": page.next_cursor}


def window_view(window: ServiceWindow, now: datetime) -> View:
    """A window as it is at `now`; one that is closed or unknown has no times."""
    closes_at = window.closes_at
    if closes_at is None or not window.is_open(now):
        return {"open": False, "opened_at": None, "closes_at": None, "opened_by": None, "evidence": None}
    return {
        "open": True,
        "opened_at": rfc3339(closes_at - LENGTH),
        "closes_at": rfc3339(closes_at),
        "opened_by": window.opened_by,
        "evidence": window.evidence,
    }


def paused_view(state: SenderState) -> View:
    """A paused sender, and why it is."""
    paused_for = state.paused_for
    error = state.error or ProviderError()
    return {
        "sender": state.sender,
        "cause": state.pause,
        "code": error.code,
        "status": error.status,
        "paused_for": None if paused_for is None else int(paused_for.total_seconds()),
    }


def _summary(message: MessageSummary) -> View:
    return {
        "id": str(message.id),
        "sender": message.sender,
        "contact": message.contact,
        "status": message.status,
        "accepted_at": rfc3339(message.accepted_at),
        "changed_at": rfc3339(message.changed_at),
    }


def _attempt(attempt: AttemptRecord) -> View:
    return {
        "number": attempt.number,
        "status": attempt.status,
        "content": _content(attempt.content),
        "started_at": rfc3339(attempt.started_at),
        "ended_at": None if attempt.ended_at is None else rfc3339(attempt.ended_at),
        "provider_message_id": attempt.provider_message_id,
        "error": _error(attempt.error),
    }


def _content(content: Content | None) -> View | None:
    match content:
        case FreeForm(payload=None, type="text"):
            return {"type": "text", "text": content.text}
        case FreeForm(payload=None):
            return {"type": content.type, "file_url": content.file_url, "text": content.text}
        case FreeForm():
            return {
                "type": content.type,
                "file_url": content.file_url,
                "text": content.text,
                "payload": content.payload,
            }
        case TemplateMessage():
            return {"type": "template", "template": _template(content)}
        case None:
            return None


def _template(template: TemplateMessage) -> View:
    return {
        "name": template.name,
        "language": template.language,
        "namespace": template.namespace,
        "components": list(template.components),
    }


def _error(error: ProviderError | None) -> View | None:
    if error is None:
        return None
    return {"code": error.code, "status": error.status, "name": error.name, "message": error.message}
