"""Counters and histograms in plain numbers, which become samples when somebody scrapes.

A scrape reads them from a thread of its own while the event loop's counts on: it copies each at one blow first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds that a request or a commit takes."""
REMOTE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Seconds that a server far away takes."""
WAITS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
"""Seconds that a message waits: from a pass straight through to its time to live."""
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Values = tuple[str, ...]


class Count(Collector):
    """One counter. Values are counted from nothing where they are known in advance, so that rates see the first.

    Only the event loop's thread may add to it.
    """

    def __init__(
        self, registry: CollectorRegistry, name: str, what: str, labels: Sequence[str], known: Iterable[Values] = ()
    ) -> None:
        self._name, self._what, self._labels = f"gateway_{name}", what, tuple(labels)
        self._counted: dict[Values, float] = dict.fromkeys(known if labels else [()], 0.0)
        registry.register(self)

    def add(self, values: Values = (), by: float = 1) -> None:
        try:
            self._counted[values] += by
        except KeyError:
            plain = tuple(map(str, values))  # the members of an enumeration are texts of a longer kind
            self._counted[plain] = float(by)

    def describe(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._what, labels=self._labels)

    def collect(self) -> Iterator[CounterMetricFamily]:
        (family,) = self.describe()
        for values, counted in self._counted.copy().items():  # at one blow, as another thread may add
            family.add_metric(values, counted)
        yield family


class SharedCount(Count):
    """One that several threads may add to."""

    def __init__(
        self, registry: CollectorRegistry, name: str, what: str, labels: Sequence[str], known: Iterable[Values] = ()
    ) -> None:
        super().__init__(registry, name, what, labels, known)
        self._lock = Lock()

    def add(self, values: Values = (), by: float = 1) -> None:
        with self._lock:
            super().add(values, by)


class _Series:
    """The observations under one set of values."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.total = 0.0
        self.counts = [0] * buckets
        """How many fell into each bucket, and not into one before it."""


class Spread(Collector):
    """One histogram. Only the event loop's thread may add to it."""

    def __init__(
        self, registry: CollectorRegistry, name: str, what: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> None:
        self._name, self._what, self._labels = f"gateway_{name}", what, tuple(labels)
        self._bounds = [*map(float, buckets), inf]
        self._names = [floatToGoString(bound) for bound in self._bounds]  # type: ignore[no-untyped-call] # has no types
        self._series: dict[Values, _Series] = {} if labels else {(): _Series(len(self._bounds))}
        registry.register(self)

    def add(self, value: float, values: Values = ()) -> None:
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = _Series(len(self._bounds))
        series.total += value
        series.counts[bisect_left(self._bounds, value)] += 1

    def describe(self) -> Iterator[HistogramMetricFamily]:
        yield HistogramMetricFamily(self._name, self._what, labels=self._labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        (family,) = self.describe()
        for values, series in self._series.copy().items():
            so_far = accumulate(series.counts.copy())
            family.add_metric(values, list(zip(self._names, so_far, strict=True)), series.total)
        yield family
