"""Values for tests of the store and of all that stands on it; every argument can be overridden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from gateway.domain.callback import InboundMessage, StatusReport
from gateway.domain.compliance import Downgrade, Evidence, Reason, Refuse, Rung, Send
from gateway.domain.delivery import AttemptStatus
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Draft, FreeForm, TemplateMessage
from gateway.domain.window import UNKNOWN_WINDOW, ServiceWindow
from gateway.ports import Arrival

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENDER = Sender("Custom Company")
CONTACT = Contact("380501234567")
CLIENT = "support-desk"
PROVIDER = "dt"
TEXT = FreeForm(type="text", text="Your parcel is here")
TEMPLATE = TemplateMessage(
    name="ticket_answer",
    language="en_US",
    components=({"type": "body", "parameters": [{"type": "text", "text": "of today"}]},),
)
REFUSAL = ProviderError(code=1, status=400, name="Invalid Parameter: text", message="Empty parameter")
TOO_LATE = ProviderError(code=7, status=400, name="Only template messages are allowed", message="more than 24 hours")

_numbers = count(1)


def a_contact(number: int) -> Contact:
    return Contact(str(380_500_000_000 + number))


def a_draft(**changes: Any) -> Draft:
    wanted = {"client": CLIENT, "sender": SENDER, "contact": CONTACT, "content": TEXT}
    return Draft(**{**wanted, **changes})


def a_window(heard_at: datetime = NOW) -> ServiceWindow:
    return UNKNOWN_WINDOW.heard(heard_at, by="wamid.first", evidence="message")


def an_evidence(**changes: Any) -> Evidence:
    known = {"at": NOW, "window": a_window(), "margin": timedelta(0), "downgrades": 0, "downgrade_limit": 2}
    return Evidence(**{**known, **changes})


def a_send(content: FreeForm | TemplateMessage = TEXT, **changes: Any) -> Send:
    reason = Reason.WINDOW_OPEN if isinstance(content, FreeForm) else Reason.TEMPLATE_REQUESTED
    return Send(**{"content": content, "reasons": (reason,), "evidence": an_evidence(), **changes})


def a_downgrade(content: TemplateMessage = TEMPLATE, **changes: Any) -> Downgrade:
    rung = Rung(name=content.name, language=content.language, message=content)
    evidence = an_evidence(window=UNKNOWN_WINDOW, rungs=(rung,))
    reasons = (Reason.WINDOW_CLOSED, Reason.WINDOW_UNKNOWN, Reason.FALLBACK)
    return Downgrade(**{"content": content, "reasons": reasons, "evidence": evidence, **changes})


def a_refusal(**changes: Any) -> Refuse:
    rung = Rung(name="ticket_answer", language="en_US", problem="not_approved")
    evidence = an_evidence(window=UNKNOWN_WINDOW, rungs=(rung,))
    return Refuse(
        **{"reasons": (Reason.WINDOW_CLOSED, Reason.WINDOW_UNKNOWN, Reason.NO_RUNG), "evidence": evidence, **changes}
    )


def an_inbound(*, sender: Sender | None = SENDER, opened_at: datetime | None = NOW, **changes: Any) -> Arrival:
    """What a contact wrote, made out; a new message each time."""
    number = next(_numbers)
    known = {
        "contact": CONTACT,
        "kind": "text",
        "dedupe": f"message {number}",
        "raw": {"id": f"wamid.{number}", "text": "Hello"},
        "provider_message_id": f"wamid.{number}",
        "at": opened_at,
        "text": "Hello",
        "name": "Olena",
    }
    event = InboundMessage(**{**known, **changes})
    return Arrival(event=event, sender=sender, opened_at=opened_at, evidence="message")


def a_report(status: AttemptStatus | None, **changes: Any) -> Arrival:
    """News of an attempt; a new report each time."""
    known = {"dedupe": f"status {next(_numbers)}", "raw": {"status": str(status)}, "status": status}
    return Arrival(event=StatusReport(**{**known, **changes}))
