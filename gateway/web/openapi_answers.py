"""What we answer, as schemas: every key is there, and none besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from gateway.domain.compliance import Reason
from gateway.domain.delivery import AttemptStatus, PauseCause
from gateway.domain.explanation import Verdict
from gateway.domain.health import Quality
from gateway.domain.message import Failure, FreeFormType, Status
from gateway.domain.would_change import Action, What
from gateway.web.openapi_schema import (
    ANYTHING,
    ID,
    INSTANT,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    Schema,
    a,
    one_of,
    or_null,
    ref,
    some,
)

_TEMPLATE_NAME = a({"name": TEXT, "language": TEXT})
_REASON = a({"code": one_of(Reason), "sentence": TEXT})
_FORM = {"decision": one_of(get_args(Action)), "template": or_null(_TEMPLATE_NAME)}
_CODES = some(one_of(Reason))

_EXPLANATION = a(
    {
        "at": INSTANT,
        "decision": one_of(get_args(Action)),
        "reasons": some(_REASON),
        "would_be": or_null(a({**_FORM, "reasons": some(_REASON)})),
        "window": a(
            {
                "open": TRUTH,
                "opened_at": or_null(INSTANT),
                "closes_at": or_null(INSTANT),
                "margin": NUMBER,
                "seconds_left": NUMBER,
                "opened_by": or_null(TEXT),
                "evidence": or_null(TEXT),
                "refuted_at": or_null(INSTANT),
            }
        ),
        "rungs": some(
            a(
                {
                    "name": TEXT,
                    "language": TEXT,
                    "verdict": one_of(Verdict),
                    "problem": or_null(TEXT),
                    "detail": or_null(TEXT),
                    "sentence": or_null(TEXT),
                    "path": or_null(TEXT),
                    "repairs": some(TEXT),
                }
            )
        ),
        "template": or_null(_TEMPLATE_NAME),
        "rendered": or_null(ANYTHING),
        "misfits": some(a({"path": TEXT, "detail": TEXT})),
        "pace": or_null(
            a(
                {
                    "delay": NUMBER,
                    "contact": NUMBER,
                    "sender": NUMBER,
                    "ahead": WHOLE,
                    "paused": or_null(a({"cause": one_of(PauseCause), "for": or_null(NUMBER), "sentence": TEXT})),
                }
            )
        ),
        "would_change": some(
            a(
                {
                    "what": one_of(What),
                    "when": or_null(INSTANT),
                    "template": or_null(_TEMPLATE_NAME),
                    "paths": some(TEXT),
                    "then": or_null(a(_FORM)),
                    "sentence": TEXT,
                }
            )
        ),
    }
)

_RECEIPT = a(
    {
        "id": ID,
        "wamid": {"type": "string", "pattern": "^wamid\\.gw[0-9a-f]{14}$"},
        "status": one_of((Status.QUEUED, Status.HELD)),
        "decision": a(
            {
                "action": one_of(("send", "downgrade", "hold")),
                "template": or_null(TEXT),
                "reasons": _CODES,
                "window_closes_at": or_null(INSTANT),
            }
        ),
    }
)

_PROVIDER_ERROR = or_null(a({"code": or_null(WHOLE), "status": or_null(WHOLE), "name": TEXT, "message": TEXT}))
_TEMPLATE = a({"name": TEXT, "language": TEXT, "namespace": or_null(TEXT), "components": some(ANYTHING)})
_CONTENT = or_null(
    {
        "anyOf": [
            a({"type": {"const": "template"}, "template": _TEMPLATE}),
            a(
                {"type": one_of(get_args(FreeFormType)), "text": or_null(TEXT)},
                maybe={"file_url": or_null(TEXT), "payload": {}},
            ),
        ]
    }
)
_DECISION = a(
    {
        "stage": one_of(("accept", "send")),
        "at": INSTANT,
        "action": TEXT,
        "reasons": _CODES,
        "template": or_null(TEXT),
        "instead": or_null(a({"action": TEXT, "reasons": _CODES, "template": or_null(TEXT)})),
        "evidence": ANYTHING,
    }
)
_SUMMARY: Mapping[str, Schema] = {"id": ID, "sender": TEXT, "contact": TEXT, "status": one_of(Status)}
_MESSAGE = a(
    {
        **_SUMMARY,
        "failure": or_null(one_of(Failure)),
        "error": _PROVIDER_ERROR,
        "content": _CONTENT,
        "reference": or_null(TEXT),
        "intent": or_null(TEXT),
        "accepted_at": INSTANT,
        "expires_at": INSTANT,
        "decision": or_null(ref("decision")),
        "decisions": some(ref("decision")),
        "attempts": some(
            a(
                {
                    "number": WHOLE,
                    "status": one_of(AttemptStatus),
                    "content": _CONTENT,
                    "started_at": INSTANT,
                    "ended_at": or_null(INSTANT),
                    "provider_message_id": or_null(TEXT),
                    "error": _PROVIDER_ERROR,
                }
            )
        ),
        "history": some(a({"status": one_of(Status), "at": INSTANT})),
        "explanation": or_null(ref("explanation")),
    }
)

_HEALTH = a(
    {
        "usable": TRUTH,
        "problem": or_null(TEXT),
        "until": or_null(INSTANT),
        "status": or_null(TEXT),
        "status_at": or_null(INSTANT),
        "flagged": TRUTH,
        "quality": or_null(one_of(Quality)),
        "category": or_null(TEXT),
        "coming_category": or_null(a({"category": TEXT, "at": or_null(INSTANT)})),
        "components_changed_at": or_null(INSTANT),
        "refused": or_null(a({"code": WHOLE, "at": INSTANT, "until": or_null(INSTANT)})),
        "drift": or_null(TEXT),
    }
)
_REGISTERED: Mapping[str, Schema] = {
    "name": TEXT,
    "language": TEXT,
    "category": TEXT,
    "status": TEXT,
    "health": {"type": "object", "description": "By the provider's name.", "additionalProperties": _HEALTH},
}

_PAUSED = a(
    {
        "sender": TEXT,
        "cause": one_of(PauseCause),
        "code": or_null(WHOLE),
        "status": or_null(WHOLE),
        "paused_for": or_null(WHOLE),
    }
)

_PROBLEM = a(
    {"title": TEXT, "status": WHOLE, "code": TEXT, "detail": TEXT},
    maybe={
        "field": TEXT,
        "path": or_null(TEXT),
        "errors": some(a({"path": TEXT, "detail": TEXT})),
        "reasons": some(TEXT),
        "provider": a({"code": or_null(WHOLE), "name": TEXT, "message": TEXT}),
    },
)

_CLOUD_SENT = a(
    {
        "messaging_product": {"const": "whatsapp"},
        "contacts": some(a({"input": TEXT}, maybe={"wa_id": TEXT, "user_id": TEXT})),
        "messages": some(a({"id": TEXT}, maybe={"message_status": TEXT})),
    }
)
_CLOUD_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": TEXT,
                "type": TEXT,
                "code": WHOLE,
                "error_subcode": WHOLE,
                "is_transient": TRUTH,
                "error_user_title": TEXT,
                "error_user_msg": TEXT,
                "error_data": {
                    "type": "object",
                    "properties": {"messaging_product": {"const": "whatsapp"}, "details": TEXT},
                },
                "fbtrace_id": TEXT,
            },
            "required": ["message", "code"],
        }
    },
    "required": ["error"],
}

PASSED: Schema = ref("passed")

ANSWERS: Mapping[str, Schema] = {
    "receipt": _RECEIPT,
    "explanation": _EXPLANATION,
    "decision": _DECISION,
    "message": _MESSAGE,
    "messages": a(
        {
            "messages": some(a({**_SUMMARY, "accepted_at": INSTANT, "changed_at": INSTANT})),
            "next_cursor": or_null(TEXT),
        }
    ),
    "window": a(
        {
            "open": TRUTH,
            "opened_at": or_null(INSTANT),
            "closes_at": or_null(INSTANT),
            "opened_by": or_null(TEXT),
            "evidence": or_null(TEXT),
        }
    ),
    "templates": a({"templates": some(a(_REGISTERED))}),
    "template": a({**_REGISTERED, "definition": ANYTHING, "contract": or_null(ANYTHING)}),
    "alive": a({"status": {"const": "ok"}}),
    "ready": a(
        {"ready": TRUTH}, maybe={"store": TRUTH, "stopping": TRUTH, "templates": WHOLE, "paused": some(_PAUSED)}
    ),
    "problem": _PROBLEM,
    "decision-telecom-accepted": a({"message_id": WHOLE}),
    "decision-telecom-status": a({"message_id": WHOLE, "status": {"type": "integer", "enum": [0, 1, 2, 3, 4, 5, 20]}}),
    "decision-telecom-error": a({"name": TEXT, "message": TEXT, "code": WHOLE, "status": WHOLE}),
    "cloud-sent": _CLOUD_SENT,
    "cloud-done": {"type": "object", "properties": {"success": TRUTH}, "required": ["success"]},
    "cloud-error": _CLOUD_ERROR,
    "passed": {"type": ["object", "array"], "description": "What the provider says, in its own form."},
    "callback-taken": a({"ok": {"const": True}}),
    "callback-refused": a({"ok": {"const": False}, "code": TEXT}),
}
"""By the names under which they stand in the description."""
