"""Counters and histograms whose labelled children are looked up once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call] # they would double the series, and nobody reads them

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds that a request or a commit takes."""
REMOTE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Seconds that a server far away takes."""
WAITS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
"""Seconds that a message waits: from a pass straight through to its time to live."""
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Values = tuple[str, ...]


class Count:
    """One counter. Values are counted from nothing where they are known in advance, so that rates see the first."""

    def __init__(
        self, registry: CollectorRegistry, name: str, what: str, labels: Sequence[str], known: Iterable[Values] = ()
    ) -> None:
        self._counter = Counter(f"gateway_{name}", what, labels, registry=registry)
        self._children: dict[Values, Counter] = {}
        for values in known:
            self.add(values, 0)

    def add(self, values: Values = (), by: float = 1) -> None:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._counter.labels(*values) if values else self._counter
        child.inc(by)


class Spread:
    """One histogram."""

    def __init__(
        self, registry: CollectorRegistry, name: str, what: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> None:
        self._histogram = Histogram(f"gateway_{name}", what, labels, buckets=buckets, registry=registry)
        self._children: dict[Values, Histogram] = {}

    def add(self, value: float, values: Values = ()) -> None:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._histogram.labels(*values) if values else self._histogram
        child.observe(value)
