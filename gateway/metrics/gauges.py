"""How things stand, as gauges: worked out when they are asked for, from the last census."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.domain.delivery import PauseCause
from gateway.domain.health import REASONS
from gateway.domain.identity import Sender
from gateway.metrics.names import Names
from gateway.ports import Census, EndpointCensus, SenderCensus

Rows = Iterable[tuple[tuple[str, ...], float]]
Groups = Mapping[str, Sequence[SenderCensus]]

_STATES = ("open", "closed", "refuted", "unknown")
_ENDPOINTS = ("webhook", "callback_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotUse:
    """How many requests may be under way to a provider, and how many are."""

    provider: str
    limit: int
    in_use: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that the gauges are worked out from."""

    now: datetime
    is_stale: bool
    """The store could not be asked anew, or has not answered yet."""
    census: Census | None
    """The last one; None: there was none yet."""
    census_age: float = 0.0
    slots: Sequence[SlotUse] = ()
    unusable: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many registered templates are passed over, by provider and reason."""
    drifted: Mapping[str, int] = field(default_factory=dict)
    """How many are others at a provider than our files say."""


class Gauges(Collector):
    """Their series are those of the configuration, whatever the store knows."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.standing: Standing | None = None
        """Set before each scrape, which reads it from another thread."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # else the registry collects when it is registered

    def collect(self) -> Iterator[GaugeMetricFamily]:
        standing = self.standing
        if standing is None:
            return
        yield from _of_slots(standing.slots)
        yield self._of_templates(standing.unusable)
        yield self._of_drift(standing.drifted)
        yield _alone("census_stale", "Whether the store could not be asked for what it holds", standing.is_stale)
        census, now = standing.census, standing.now
        if census is not None:
            yield _alone("census_age_seconds", "How old the last look at the store is", standing.census_age)
            yield from _of_senders(self._groups(census), now)
            yield from self._of_clients(census, now)
            yield from _of_disk(census)

    def _of_templates(self, unusable: Mapping[tuple[str, str], int]) -> GaugeMetricFamily:
        known = dict.fromkeys(product(sorted(self._names.providers), REASONS), 0)
        rows = {key: count for key, count in unusable.items() if key[0] in self._names.providers}
        what = "Registered templates that a provider does not send now"
        return _family("templates_unusable", what, ("provider", "reason"), (known | rows).items())

    def _of_drift(self, drifted: Mapping[str, int]) -> GaugeMetricFamily:
        rows = (((name,), drifted.get(name, 0)) for name in sorted(self._names.providers))
        what = "Registered templates that are others at a provider than their files say"
        return _family("templates_drifted", what, ("provider",), rows)

    def _groups(self, census: Census) -> Groups:
        """The senders of the configuration; those that the store alone remembers are one."""
        groups: dict[str, list[SenderCensus]] = {
            name: [SenderCensus(sender=Sender(name))] for name in sorted(self._names.senders)
        }
        for one in census.senders:
            groups.setdefault(self._names.sender(one.sender), []).append(one)
        return groups

    def _of_clients(self, census: Census, now: datetime) -> Iterator[GaugeMetricFamily]:
        clients = sorted(self._names.clients)
        unknown = dict.fromkeys(clients, 0)
        for name, count in census.unknown:
            label = self._names.client(name)
            unknown[label] = unknown.get(label, 0) + count
        rows = (((name,), count) for name, count in unknown.items())
        yield _family("messages_unknown", "Messages whose answer was lost, and not settled since", ("client",), rows)

        endpoints: dict[tuple[str, str], list[EndpointCensus]] = {
            (kind, name): [] for kind in _ENDPOINTS for name in clients
        }
        for one in census.endpoints:
            endpoints.setdefault((one.kind, self._names.client(one.client)), []).append(one)
        labels = ("kind", "client")
        waiting = ((key, sum(one.waiting for one in group)) for key, group in endpoints.items())
        yield _family("webhook_waiting", "Notices that are not delivered yet", labels, waiting)
        ages = ((key, max((_age(one.oldest, now) for one in group), default=0)) for key, group in endpoints.items())
        yield _family("webhook_oldest_seconds", "Age of the oldest of them", labels, ages)


def _of_senders(groups: Groups, now: datetime) -> Iterator[GaugeMetricFamily]:
    def each(value: Callable[[Sequence[SenderCensus]], float]) -> Rows:
        return (((name,), value(group)) for name, group in groups.items())

    labels = ("sender",)
    counted = each(lambda group: sum(one.open for one in group))
    yield _family("messages_open", "Messages that are queued, held or sending", labels, counted)
    ages = each(lambda group: max(_age(one.oldest, now) for one in group))
    yield _family("messages_oldest_open_seconds", "Age of the oldest of them", labels, ages)
    yield _family("windows", "Contacts by the state of their window", ("sender", "state"), _windows(groups))
    yield _family("sender_paused", "Whether a sender is paused", ("sender", "cause"), _pauses(groups))
    spans = each(lambda group: max(one.paused_for.total_seconds() if one.paused_for else 0 for one in group))
    yield _family("sender_paused_seconds", "For how long a sender has been paused", labels, spans)
    heard = {name: group for name, group in groups.items() if any(one.silent_from for one in group)}
    silences = (((name,), max(_age(one.silent_from, now) for one in group)) for name, group in heard.items())
    yield _family("inbound_silence_seconds", "Time since anything was heard of a sender", labels, silences)


def _windows(groups: Groups) -> Rows:
    for name, group in groups.items():
        for state in _STATES:
            yield (name, state), sum(getattr(one.windows, state) for one in group)


def _pauses(groups: Groups) -> Rows:
    for name, group in groups.items():
        for cause in PauseCause:
            yield (name, cause.value), any(one.pause is cause for one in group)


def _of_slots(slots: Sequence[SlotUse]) -> Iterator[GaugeMetricFamily]:
    labels = ("provider",)
    limits = (((one.provider,), one.limit) for one in slots)
    yield _family("provider_slots", "Requests that may be under way to a provider", labels, limits)
    in_use = (((one.provider,), one.in_use) for one in slots)
    yield _family("provider_slots_in_use", "Requests that are under way", labels, in_use)


def _of_disk(census: Census) -> Iterator[GaugeMetricFamily]:
    sizes = (
        ("store_file_bytes", "Size of the store's file", census.file_bytes),
        ("store_wal_bytes", "Size of its write-ahead log", census.wal_bytes),
        ("store_disk_free_bytes", "Room on its disk", census.free_bytes),
    )
    for name, what, size in sizes:
        if size is not None:
            yield _alone(name, what, size)


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max(0.0, (now - at).total_seconds())


def _alone(name: str, what: str, value: float) -> GaugeMetricFamily:
    return _family(name, what, (), [((), value)])


def _family(name: str, what: str, labels: Sequence[str], rows: Rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"gateway_{name}", what, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
