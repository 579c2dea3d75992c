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


def contact_in(written: Any) -> Contact | None:
    """The contact in a field, or None when nobody can be made out."""
    text = scalar(written)
    try:
        return None if text is None else parse_contact(text)
    except ValueError:
        return None


def inbound_dedupe(
    message_id: str | None, contact: Contact, sender_names: Iterable[str], at: datetime | None, item: Any
) -> str:
    """What tells a repetition: the provider's id, or without one a hash of contact, sender, time and the object."""
    if message_id is not None:
        return f"m:{bounded(message_id)}"
    return f"h:{fingerprint(contact, list(sender_names), at, item)}"


def bounded(identifier: str) -> str:
    """The identifier itself, or its fingerprint when it is longer than any real one."""
    return identifier if len(identifier) <= _LONGEST_ID else fingerprint(identifier)


def unrecognized(raw: Any, why: str) -> Unrecognized:
    """The event that keeps what was not understood."""
    return Unrecognized(dedupe=f"u:{fingerprint(raw)}", raw=raw, why=why)
