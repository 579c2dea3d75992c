"""Flat JSON callbacks, whose shape no document describes: statuses, and messages under field names of one's choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from gateway.config import InboundFields
from gateway.domain.callback import CallbackEvent, InboundMessage, StatusReport
from gateway.domain.delivery import AttemptStatus
from gateway.domain.window import OPENING, UNDOCUMENTED
from gateway.provider.callback_parts import (
    contact_in,
    inbound_dedupe,
    is_report,
    is_status_word,
    status_of,
    unrecognized,
    window_status,
)
from gateway.provider.instant import instant
from gateway.provider.lenient import fingerprint, integral, scalar
from gateway.provider.refusal import provider_error

_NUMBERS: Mapping[int, AttemptStatus] = {
    0: AttemptStatus.SENT,
    1: AttemptStatus.DELIVERED,
    2: AttemptStatus.FAILED,
    3: AttemptStatus.FAILED,
    4: AttemptStatus.FAILED,
}
"""Any other number is a status as well (5 pending, 20 unknown) and changes nothing."""

_KINDS = OPENING | UNDOCUMENTED
_TIMES = ("timestamp", "time", "date", "time_delivery")


def is_flat_status(item: Mapping[str, Any]) -> bool:
    """Whether its ``status`` is an integer or a known status word, whatever else it holds."""
    status = item.get("status")
    return integral(status) is not None or (isinstance(status, str) and is_status_word(status))


def flat_status(item: Mapping[str, Any], window_codes: Set[int], zone: tzinfo | None = None) -> CallbackEvent:
    """The report in a flat object; its ``status`` may be missing or mean nothing where it says something else."""
    number = integral(item.get("status"))
    said = _NUMBERS.get(number) if number is not None else status_of(scalar(item.get("status")) or "")
    status = window_status(said, item, window_codes)
    if status is None and not is_report(item):
        return unrecognized(item, "no_status")
    return StatusReport(
        dedupe=fingerprint(item),
        raw=item,
        status=status,
        provider_message_id=scalar(_first(item, ("message_id", "id"))),
        at=instant(_first(item, _TIMES), zone),
        error=provider_error(item) if status in (AttemptStatus.FAILED, AttemptStatus.WINDOW_CLOSED) else None,
    )


@dataclass(frozen=True, slots=True)
class InboundReader:
    """Reads flat inbound messages by the operator's names for their fields."""

    fields: InboundFields
    zone: tzinfo | None

    @classmethod
    def of(cls, fields: InboundFields) -> InboundReader:
        return cls(fields, None if fields.zone is None else ZoneInfo(fields.zone))

    def has_contact(self, item: Mapping[str, Any]) -> bool:
        return scalar(_first(item, self.fields.contact)) is not None

    def message(self, item: Mapping[str, Any]) -> CallbackEvent:
        """The message in an object that names a contact."""
        contact = contact_in(_first(item, self.fields.contact))
        if contact is None:
            return unrecognized(item, "contact")
        at = instant(_first(item, self.fields.time), self.zone)
        sender_names = _sender_names(_first(item, self.fields.sender))
        message_id = scalar(_first(item, self.fields.id))
        kind = _kind(item)
        return InboundMessage(
            contact=contact,
            kind=kind,
            dedupe=inbound_dedupe(message_id, contact, sender_names, kind=kind, at=at, item=item),
            raw=item,
            sender_names=sender_names,
            provider_message_id=message_id,
            at=at,
            text=_text(_first(item, self.fields.text)),
            name=_text(_first(item, self.fields.name)),
        )


def _first(item: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of the fields that is there with something in it."""
    return next((item[name] for name in names if item.get(name) not in (None, "")), None)


def _sender_names(written: Any) -> tuple[str, ...]:
    """The name of our number as it is written, then as digits where it is a phone number."""
    name = scalar(written)
    if name is None:
        return ()
    return tuple(dict.fromkeys(name for name in (name, contact_in(name)) if name is not None))


def _text(written: Any) -> str | None:
    if isinstance(written, dict):
        return _text(written.get("body"))
    return written if isinstance(written, str) else scalar(written)


def _kind(item: Mapping[str, Any]) -> str:
    kind = item.get("type")
    return kind.casefold() if isinstance(kind, str) and kind.casefold() in _KINDS else "text"
