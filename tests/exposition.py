"""Reads what a gateway exposes, with the parser of Prometheus' own client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Series = tuple[str, tuple[tuple[str, str], ...]]


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


def series(text: str) -> set[Series]:
    """Every name with its labels."""
    return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples(text)}


def value(text: str, name: str, **labels: str) -> float:
    """Of the one series that has just these labels."""
    (found,) = [sample.value for sample in samples(text) if sample.name == name and sample.labels == labels]
    return found


def total(text: str, name: str, **labels: str) -> float:
    """Over all series that have these labels among theirs."""
    return sum(
        sample.value for sample in samples(text) if sample.name == name and labels.items() <= sample.labels.items()
    )


def labels_of(text: str) -> Mapping[str, set[str]]:
    """The names of labels that each metric's series have."""
    found: dict[str, set[str]] = {}
    for sample in samples(text):
        found.setdefault(sample.name, set()).update(sample.labels)
    return found
