"""What callbacks of every shape have in common: contacts, status words, the 24-hour refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any

from gateway.domain.callback import Unrecognized
from gateway.domain.delivery import AttemptStatus
from gateway.domain.identity import Contact, parse_contact
from gateway.provider.lenient import fingerprint, scalar
from gateway.provider.refusal import refuses_window, says_window_closed

_LONGEST_ID = 256
_ERRORS = ("error", "errors", "code", "error_code", "reason", "description")
"""Where a report says what went wrong; not ``name`` and ``message``, which a customer's message has as well."""
_WORDS: Mapping[str, AttemptStatus | None] = (
    dict.fromkeys(
        ("pending", "queued", "accepted", "scheduled", "submitted", "sending", "buffered", "enroute", "en_route"), None
    )
    | dict.fromkeys(("processing", "processed", "unknown", "deleted", "warning"), None)
    | {"sent": AttemptStatus.SENT}
    | dict.fromkeys(("delivered", "delivrd"), AttemptStatus.DELIVERED)
    | dict.fromkeys(("read", "seen", "viewed", "displayed", "played"), AttemptStatus.READ)
    | dict.fromkeys(
        ("failed", "failure", "error", "rejected", "rejectd", "undelivered", "undeliverable", "undeliv"),
        AttemptStatus.FAILED,
    )
    | dict.fromkeys(("expired", "not_delivered", "canceled", "cancelled", "blocked"), AttemptStatus.FAILED)
)


def status_of(word: str) -> AttemptStatus | None:
    """The status that a provider's word means; None for one that changes nothing or that nobody knows."""
    return _WORDS.get(_folded(word))


def is_status_word(word: str) -> bool:
    """Whether the word is one by which a provider names a status."""
    return _folded(word) in _WORDS


def _folded(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split())


def window_status(
    status: AttemptStatus | None, said: Mapping[str, Any], window_codes: Set[int]
) -> AttemptStatus | None:
    """The status, or ``window_closed`` where the failure is the 24-hour refusal.

    A report whose status means nothing to us is one too when it holds the sentence; a code alone is too little then.
    """
    if status is AttemptStatus.FAILED and refuses_window(said, window_codes):
        return AttemptStatus.WINDOW_CLOSED
    if status is None and says_window_closed(said):
        return AttemptStatus.WINDOW_CLOSED
    return status


def is_report(said: Mapping[str, Any]) -> bool:
    """Whether it names a status, known or not, or the message it is about, or an error."""
    is_named = any(scalar(said.get(name)) is not None for name in ("status", "message_id", "id"))
    return is_named or any(said.get(name) for name in _ERRORS)


def contact_in(written: Any) -> Contact | None:
    """The contact in a field, or None when nobody can be made out."""
    if isinstance(written, str) and len(written) > _LONGEST_ID:
        return None
    text = scalar(written)
    try:
        return None if text is None else parse_contact(text)
    except ValueError:
        return None


def inbound_dedupe(
    message_id: str | None,
    contact: Contact,
    sender_names: Iterable[str],
    *,
    kind: str,
    at: datetime | None,
    item: Any,
) -> str:
    """What tells a repetition: contact and provider's id, or without one a hash of contact, sender, time and object.

    What is unsupported has keys of its own: the real content may follow under the same id.
    """
    if message_id is not None:
        return f"{'unsupported' if kind == 'unsupported' else 'm'}:{contact}:{bounded(message_id)}"
    return f"h:{fingerprint(contact, list(sender_names), at, item)}"


def bounded(identifier: str) -> str:
    """The identifier itself, or its fingerprint when it is longer than any real one."""
    return identifier if len(identifier) <= _LONGEST_ID else fingerprint(identifier)


def unrecognized(raw: Any, why: str) -> Unrecognized:
    """The event that keeps what was not understood."""
    return Unrecognized(dedupe=f"u:{fingerprint(raw)}", raw=raw, why=why)
