"""What the headers of a send request ask for, beside its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from multidict import MultiMapping, istr

from gateway.domain.errors import InvalidRequest

REFERENCE = istr("Gateway-Reference")
INTENT = istr("Gateway-Intent")
IDEMPOTENCY_KEY = istr("Idempotency-Key")
PREFER = istr("Prefer")

_KNOWN = (REFERENCE, INTENT, IDEMPOTENCY_KEY, PREFER)
_LONGEST_REFERENCE = 200
_LONGEST_WAIT = 30
_KEY = re.compile(r"[ -~]{1,255}")
_WAIT = re.compile(r'\s*wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))\s*(?:;.*)?', re.IGNORECASE)
_PREFERENCE = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,"])+')


@dataclass(frozen=True, slots=True, kw_only=True)
class SendHeaders:
    reference: str | None = None
    intent: str | None = None
    idempotency_key: str | None = None
    wait: timedelta | None = None


_NOTHING = SendHeaders()
"""What most requests ask for."""


def parse_send_headers(headers: MultiMapping[str]) -> SendHeaders:
    """What they ask for. Raises InvalidRequest, naming the header."""
    if not any(name in headers for name in _KNOWN):
        return _NOTHING
    return SendHeaders(
        reference=_reference(headers),
        intent=_single(headers, INTENT) or None,
        idempotency_key=_idempotency_key(headers),
        wait=_wait(headers),
    )


def _reference(headers: MultiMapping[str]) -> str | None:
    reference = _single(headers, REFERENCE)
    if not reference:
        return None
    if len(reference) > _LONGEST_REFERENCE or not reference.isprintable():
        raise InvalidRequest(REFERENCE, f"expected at most {_LONGEST_REFERENCE} printable characters")
    return reference


def _idempotency_key(headers: MultiMapping[str]) -> str | None:
    key = _single(headers, IDEMPOTENCY_KEY)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest(IDEMPOTENCY_KEY, "expected 1 to 255 printable ASCII characters")
    return key


def _single(headers: MultiMapping[str], name: str) -> str | None:
    values = headers.getall(name, [])
    if len(values) > 1:
        raise InvalidRequest(name, "expected this header once")
    return values[0] if values else None


def _wait(headers: MultiMapping[str]) -> timedelta | None:
    """The first ``wait`` preference. Source: RFC 7240: a preference that makes no sense is as if it were not there."""
    for line in headers.getall(PREFER, []):
        for preference in _PREFERENCE.findall(line):
            if found := _WAIT.fullmatch(preference):
                return _seconds(int(found[1] or found[2]))
    return None


def _seconds(wait: int) -> timedelta | None:
    return timedelta(seconds=min(wait, _LONGEST_WAIT)) if wait > 0 else None
