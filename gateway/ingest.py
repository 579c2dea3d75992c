"""Taking in callbacks: decoded events -> inbox, window, status, outbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.config import Config, SenderConfig
from gateway.domain.callback import (
    CallbackEvent,
    ConsentChange,
    IdentityChange,
    InboundMessage,
    StatusReport,
    TemplateUpdate,
)
from gateway.domain.identity import Sender, parse_contact
from gateway.domain.template_refusal import template_code
from gateway.domain.window import opens_window
from gateway.metrics import Metrics
from gateway.ports import Arrival, Clock, Inbox, Ingested

log = structlog.get_logger()

Trace = Callable[[str, Sequence[Arrival], Ingested], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The senders of one provider, by every name that its callbacks may use for them."""

    names: Mapping[str, Sender]
    only: Sender | None
    """The provider's only sender, to whom a message that names none belongs."""
    use_arrival: bool = False

    @classmethod
    def of(cls, senders: Sequence[SenderConfig], *, use_arrival: bool) -> Directory:
        return cls(
            names={_folded(name): sender.id for sender in senders for name in _names(sender)},
            only=senders[0].id if len(senders) == 1 else None,
            use_arrival=use_arrival,
        )

    def sender_of(self, names: Sequence[str]) -> Sender | None:
        """Whose message it is; None when it can't be told."""
        return self.named(names) if names else self.only

    def named(self, names: Sequence[str]) -> Sender | None:
        """The sender of one of these names."""
        return next((self.names[name] for name in map(_folded, names) if name in self.names), None)


def directories(config: Config) -> Mapping[str, Directory]:
    """For each provider its senders."""
    return {
        provider.name: Directory.of(
            [sender for sender in config.senders if sender.provider == provider.name],
            use_arrival=provider.inbound_fields.use_arrival,
        )
        for provider in config.providers
    }


def _names(sender: SenderConfig) -> Iterable[str]:
    yield sender.id
    yield from sender.aliases
    if sender.phone_number_id is not None:
        yield sender.phone_number_id


def _folded(name: str) -> str:
    """One spelling for a phone number, whichever way it is written; other names as they are."""
    try:
        return parse_contact(name)
    except ValueError:
        return name.strip()


class Ingest:
    """Applies the events of one callback; when it returns, they are durable."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        clock: Clock,
        directories: Mapping[str, Directory],
        also_opened_by: frozenset[str],
        notify: Callable[[], None],
        metrics: Metrics,
        trace: Trace | None = None,
        templates_changed: Callable[[], Awaitable[None]] | None = None,
        heard: Callable[[str, Sequence[CallbackEvent]], None] = lambda _, __: None,
    ) -> None:
        self._inbox = inbox
        self._clock = clock
        self._directories = directories
        self._also_opened_by = also_opened_by
        self._notify = notify
        self._metrics = metrics
        self._trace = trace
        self._templates_changed = templates_changed
        self._heard = heard

    async def __call__(self, provider: str, events: Sequence[CallbackEvent]) -> Ingested:
        """What became of the events of one callback. Raises StoreUnavailable, and then nothing was applied."""
        now = self._clock.now()
        arrivals = [self._arrival(event, self._directories[provider], now) for event in events]
        ingested = await self._inbox.ingest(provider, arrivals, now=now)
        unattributed = sum(arrival.problem == "unattributed" for arrival in arrivals)
        tell = log.warning if unattributed or ingested.failed else log.info
        tell(
            "callback.ingested",
            provider=provider,
            applied=ingested.applied,
            repeated=ingested.repeated,
            kept=ingested.kept,
            failed=ingested.failed,
            unattributed=unattributed,
        )
        self._metrics.ingested(provider, arrivals, ingested)
        if self._templates_changed is not None and any(map(_is_about_template, events)):
            await self._templates_changed()
        self._heard(provider, events)
        self._notify()
        if self._trace is not None:
            await self._trace(provider, arrivals, ingested)
        return ingested

    def _arrival(self, event: CallbackEvent, directory: Directory, now: datetime) -> Arrival:
        match event:
            case InboundMessage():
                return self._inbound(event, directory, now)
            case TemplateUpdate():
                return Arrival(event=event)
            case StatusReport():
                return Arrival(event=event, sender=directory.named(event.sender_names))
            case IdentityChange():
                sender = directory.named(event.sender_names)
                is_lost = bool(event.sender_names) and sender is None
                return Arrival(event=event, sender=sender, problem="unattributed" if is_lost else None)
            case ConsentChange():
                sender = directory.sender_of(event.sender_names)
                return Arrival(event=event, sender=sender, problem=None if sender else "unattributed")
            case _:
                return Arrival(event=event, problem="unrecognized")

    def _inbound(self, event: InboundMessage, directory: Directory, now: datetime) -> Arrival:
        sender = directory.sender_of(event.sender_names)
        if sender is None:
            return Arrival(event=event, problem="unattributed")
        written_at = event.at if event.at is not None or not directory.use_arrival else now
        if written_at is None or not opens_window(event.kind, self._also_opened_by):
            return Arrival(event=event, sender=sender)
        return Arrival(event=event, sender=sender, opened_at=min(written_at, now), evidence=_evidence(event))


def _is_about_template(event: CallbackEvent) -> bool:
    if isinstance(event, StatusReport):
        return template_code(event.error) is not None
    return isinstance(event, TemplateUpdate)


def _evidence(event: InboundMessage) -> str:
    if event.at is None:
        return "arrival"
    return "call" if event.kind == "call" else "message"
