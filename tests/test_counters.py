"""Our counters say what Prometheus' own client would say of the same events."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from gateway.metrics.counters import GROUPS, QUICK, WAITS, Count, SharedCount, Spread

disable_created_metrics()  # type: ignore[no-untyped-call] # has no types

Word = StrEnum("Word", ["SENT", "READ"])
FORMATS = (generate_latest, lambda registry: generate_openmetrics(registry, version="1.0.0"))

word = st.sampled_from(["sent", "read", 'a "quoted" one', "two\nlines", "back\\slash", "…", "", *Word])
amount = st.integers(0, 2**60) | st.floats(0, 1e18)
kinds = st.sampled_from([Count, SharedCount])


def check_same(ours: CollectorRegistry, theirs: CollectorRegistry) -> None:
    for text_of in FORMATS:
        assert text_of(ours) == text_of(theirs)


@given(kinds, st.lists(st.tuples(st.tuples(word, word), amount)), st.lists(st.tuples(word, word), max_size=3))
def test_a_count_is_told_as_a_counter_is(kind: type[Count], events: list, known: list) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    count = kind(ours, "events", 'What "happened"\\', ("to", "as"), iter(known))
    counter = Counter("gateway_events", 'What "happened"\\', ("to", "as"), registry=theirs)
    for values in known:
        counter.labels(*values).inc(0)
    check_same(ours, theirs)
    for values, by in events:
        count.add(values, by)
        counter.labels(*values).inc(by)
    check_same(ours, theirs)


@given(kinds, st.lists(amount))
def test_a_count_without_labels_is_told_as_a_counter_is(kind: type[Count], events: list) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    count = kind(ours, "events", "Events", ())
    counter = Counter("gateway_events", "Events", registry=theirs)
    check_same(ours, theirs)
    for by in events:
        count.add(by=by)
        counter.inc(by)
    check_same(ours, theirs)


seconds = st.floats(0, 1e6) | st.sampled_from([*QUICK, *WAITS, *GROUPS, 0, float("inf")])
buckets = st.sampled_from([QUICK, WAITS, GROUPS])


@given(buckets, st.lists(st.tuples(word, seconds)))
def test_a_spread_is_told_as_a_histogram_is(bounds: tuple[float, ...], events: list) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    spread = Spread(ours, "seconds", "Time", ("route",), bounds)
    histogram = Histogram("gateway_seconds", "Time", ("route",), buckets=bounds, registry=theirs)
    check_same(ours, theirs)
    for route, value in events:
        spread.add(value, (route,))
        histogram.labels(route).observe(value)
    check_same(ours, theirs)


@given(buckets, st.lists(seconds))
def test_a_spread_without_labels_is_told_as_a_histogram_is(bounds: tuple[float, ...], events: list) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    spread = Spread(ours, "seconds", "Time", (), bounds)
    histogram = Histogram("gateway_seconds", "Time", buckets=bounds, registry=theirs)
    check_same(ours, theirs)
    for value in events:
        spread.add(value)
        histogram.observe(value)
    check_same(ours, theirs)


def test_a_name_is_counted_under_once() -> None:
    registry = CollectorRegistry()
    Count(registry, "events", "Events", ())
    with pytest.raises(ValueError, match="Duplicated"):
        Spread(registry, "events", "Events", (), QUICK)


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("_hasty_threads")
def test_several_threads_may_add_to_a_shared_count() -> None:
    registry = CollectorRegistry()
    spans = SharedCount(registry, "spans", "Spans", ("outcome",))

    def work() -> None:
        for number in range(2000):
            spans.add((f"outcome {number % 50}",))

    in_threads(work, work, work)
    assert b'gateway_spans_total{outcome="outcome 7"} 120.0' in generate_latest(registry)


@pytest.mark.usefixtures("_hasty_threads")
def test_a_scrape_may_come_while_new_series_are_counted() -> None:
    registry = CollectorRegistry()
    count = Count(registry, "events", "Events", ("number",))
    spread = Spread(registry, "seconds", "Time", ("number",), QUICK)
    texts: list[bytes] = []

    def work() -> None:
        for number in range(1000):
            count.add((str(number),))
            spread.add(0.1, (str(number),))

    in_threads(work, lambda: texts.extend(generate_latest(registry) for _ in range(5)))
    assert len(texts) == 5
    assert b'gateway_seconds_count{number="999"} 1.0' in generate_latest(registry)
