"""From the bytes of a callback to its events, whichever of the known shapes they have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from gateway.config import ProviderConfig
from gateway.domain.callback import CallbackEvent, StatusReport, Unrecognized
from gateway.ports import CallbackDecoder
from gateway.provider.callback_parts import bounded, unrecognized
from gateway.provider.flat_callback import InboundReader, flat_status, is_flat_status
from gateway.provider.lenient import Unreadable, clean, fingerprint, parse
from gateway.provider.meta_callback import envelope_events, is_envelope, is_on_premises, value_events

LONGEST_KEPT = 16_384
"""How much we keep of a body that is no JSON."""

LARGEST_BATCH = 10_000
"""Events in one body; the platform's own batches end at a thousand. A larger body is kept whole, not understood."""

LEAST_ROOM = 4 * 1024 * 1024
ROOM_PER_BYTE = 4
"""How much the events of a body may keep together, in characters of JSON: so much for each of its bytes, and no body
less than the first. Where the platform's items share more than that, they are kept without what they share."""


def callback_decoder(config: ProviderConfig) -> CallbackDecoder:
    """The decoder of a provider that documents no callbacks: flat statuses and messages, and the platform's own."""
    return FlatAndMeta(config)


class FlatAndMeta(CallbackDecoder):
    """Tells shapes apart item by item, so that a broken one costs the rest of its batch nothing.

    The platform's shapes carry their own marks and come first. Any other object is a status when its ``status``
    says so; at an attempt's own URL with any ``status``, or none and no contact. Else it is a message if it names one.
    """

    def __init__(self, config: ProviderConfig) -> None:
        self._window_codes = config.window_codes
        self._inbound = InboundReader.of(config.inbound_fields)

    def __call__(self, body: bytes, *, attempt: str | None = None) -> list[CallbackEvent]:
        try:
            value = parse(body)
        except Unreadable:
            return [_unreadable(body)]
        items = value if isinstance(value, list) else [value]
        room = max(LEAST_ROOM, ROOM_PER_BYTE * len(body))
        for is_lean in (False, True):
            found = (event for item in items for event in self._events(item, attempt, is_lean=is_lean))
            events = _batch(found, room)
            if events is not None:
                return _attributed(events, attempt)
        return [unrecognized(value, "batch")]

    def _events(self, item: Any, attempt: str | None, *, is_lean: bool) -> Iterator[CallbackEvent]:
        if not isinstance(item, dict):
            yield unrecognized(item, "not_an_object")
        elif is_envelope(item):
            yield from envelope_events(item, self._window_codes, is_lean=is_lean)
        elif is_on_premises(item):
            yield from value_events(item, self._window_codes, is_lean=is_lean)
        elif is_flat_status(item) or (attempt is not None and self._is_of_attempt(item)):
            yield flat_status(item, self._window_codes, self._inbound.zone)
        elif self._inbound.has_contact(item):
            yield self._inbound.message(item)
        else:
            yield unrecognized(item, "shape")

    def _is_of_attempt(self, item: Mapping[str, Any]) -> bool:
        """Whether an object at an attempt's own URL is about the attempt."""
        return "status" in item or not self._inbound.has_contact(item)


def _batch(found: Iterable[CallbackEvent], room: int) -> list[CallbackEvent] | None:
    """The events, or None as soon as they are too many or too large together."""
    events = []
    for event in islice(found, LARGEST_BATCH + 1):
        room -= len(json.dumps(event.raw, ensure_ascii=False, separators=(",", ":")))
        if room < 0:
            return None
        events.append(event)
    return events if len(events) <= LARGEST_BATCH else None


def _attributed(events: list[CallbackEvent], attempt: str | None) -> list[CallbackEvent]:
    """The events with each status given to the attempt at whose URL it was posted, whatever its body says; only when
    one body reports on several messages, those that name theirs are left to what they name."""
    ids = {event.provider_message_id for event in events if isinstance(event, StatusReport)} - {None}
    return [_of_attempt(event, attempt, is_shared=len(ids) > 1) for event in events]


def _of_attempt(event: CallbackEvent, attempt: str | None, *, is_shared: bool) -> CallbackEvent:
    if not isinstance(event, StatusReport):
        return event
    if not (is_shared and event.provider_message_id is not None):
        event = replace(event, attempt=attempt or event.attempt)
    return replace(event, dedupe=_status_dedupe(event))


def _status_dedupe(event: StatusReport) -> str:
    """A status is the same news whenever it comes again for the same attempt; one that names nothing is its content."""
    about = event.attempt or event.provider_message_id
    if about is None:
        return f"s:{event.dedupe}"
    said = event.status or f"?{event.dedupe}"
    return f"s:{bounded(about)}:{said}:{event.error.code if event.error else None}"


def _unreadable(body: bytes) -> Unrecognized:
    text = clean(body[:LONGEST_KEPT].decode(errors="replace"))
    return Unrecognized(dedupe=f"u:{fingerprint(body.hex())}", raw=text, why="not_json")
