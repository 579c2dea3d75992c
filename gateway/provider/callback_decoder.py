"""From the bytes of a callback to its events, whichever of the known shapes they have."""

from __future__ import annotations

from collections.abc import Iterator
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


def callback_decoder(config: ProviderConfig) -> CallbackDecoder:
    """The decoder of a provider that documents no callbacks: flat statuses and messages, and the platform's own."""
    return FlatAndMeta(config)


class FlatAndMeta(CallbackDecoder):
    """Tells shapes apart item by item, so that a broken one costs the rest of its batch nothing.

    The platform's shapes carry their own marks and come first. At an attempt's own URL every other object is a status;
    elsewhere it is one when its ``status`` says so, and else a message when it names a contact.
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
        found = (event for item in items for event in self._events(item, is_status=attempt is not None))
        events = list(islice(found, LARGEST_BATCH + 1))
        if len(events) > LARGEST_BATCH:
            return [unrecognized(value, "batch")]
        return _attributed(events, attempt)

    def _events(self, item: Any, *, is_status: bool) -> Iterator[CallbackEvent]:
        if not isinstance(item, dict):
            yield unrecognized(item, "not_an_object")
        elif is_envelope(item):
            yield from envelope_events(item, self._window_codes)
        elif is_on_premises(item):
            yield from value_events(item, self._window_codes)
        elif is_status or is_flat_status(item):
            yield flat_status(item, self._window_codes, self._inbound.zone)
        elif self._inbound.has_contact(item):
            yield self._inbound.message(item)
        else:
            yield unrecognized(item, "shape")


def _attributed(events: list[CallbackEvent], attempt: str | None) -> list[CallbackEvent]:
    """The events with each status given to the attempt at whose URL it was posted, whatever its body says; only when
    one body reports on several messages, those that name theirs are left to their ids."""
    ids = {event.provider_message_id for event in events if isinstance(event, StatusReport)} - {None}
    return [_of_attempt(event, attempt, is_shared=len(ids) > 1) for event in events]


def _of_attempt(event: CallbackEvent, attempt: str | None, *, is_shared: bool) -> CallbackEvent:
    if not isinstance(event, StatusReport):
        return event
    if not (is_shared and event.provider_message_id is not None):
        event = replace(event, attempt=attempt)
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
