"""What a run came to: every round, medians, ratios within rounds, and whether they are good enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.rounds import Kind, Measured

NAMES = {
    Kind.BARE: "bare aiohttp JSON endpoint",
    Kind.PROXY: "naive proxy",
    Kind.ACCEPT: "ours, accept",
    Kind.E2E: "ours, end to end",
    Kind.OTHER_ACCEPT: "the other, accept",
    Kind.OTHER_E2E: "the other, end to end",
}
_COLUMNS = f"{'per s':>9}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'MB':>12}{'others':>8}{'load':>7}"
EXPLANATION = """\
CPU µs: what the server's process used for one request or message. p50, p99, max: until a request was answered.
MB: resident before and after. others: share of the server's core that somebody else used meanwhile.
load: how busy the other core was."""
_GENERATOR_BOUND_FROM = 0.7
_DISTURBED_FROM = 0.05
_FULL_FROM = 0.95

Round = Mapping[Kind, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How much of one figure another has to be, if it has to be anything."""

    name: str
    ours: Kind
    floor: Kind
    at_least: float | None = None


DEMANDS = (
    Demand(name="accept / bare", ours=Kind.ACCEPT, floor=Kind.BARE, at_least=0.25),
    Demand(name="end to end / naive proxy", ours=Kind.E2E, floor=Kind.PROXY, at_least=0.5),
    Demand(name="accept / the other's", ours=Kind.ACCEPT, floor=Kind.OTHER_ACCEPT),
    Demand(name="end to end / the other's", ours=Kind.E2E, floor=Kind.OTHER_E2E),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What came of a demand: ratios within rounds, their median, and the ratio of the medians."""

    demand: Demand
    within_rounds: Sequence[float]
    of_medians: float
    of_cpu: float
    is_generator_bound: bool

    @property
    def median(self) -> float:
        return median(self.within_rounds)

    @property
    def is_met(self) -> bool:
        if self.demand.at_least is None:
            return True
        return self.median >= self.demand.at_least and not self.is_generator_bound

    def __str__(self) -> str:
        spread = f"{min(self.within_rounds):.2f}-{max(self.within_rounds):.2f}"
        asked, verdict = "", "----"
        if self.demand.at_least is not None:
            asked, verdict = f" >= {self.demand.at_least}", "PASS" if self.is_met else "FAIL"
        bound = ", generator-bound: does not count" if self.is_generator_bound else ""
        return (
            f"{verdict}  {self.demand.name}{asked}: {self.median:.3f} (rounds {spread}; "
            f"of medians {self.of_medians:.3f}; by CPU {self.of_cpu:.3f}){bound}"
        )


def ratios(rounds: Sequence[Round], ceiling: float) -> list[Ratio]:
    """Of every demand whose two sides were measured."""
    return [
        _ratio(demand, rounds, ceiling)
        for demand in DEMANDS
        if all({demand.ours, demand.floor} <= r.keys() for r in rounds)
    ]


def _ratio(demand: Demand, rounds: Sequence[Round], ceiling: float) -> Ratio:
    ours, floor = ([one[kind] for one in rounds] for kind in (demand.ours, demand.floor))
    return Ratio(
        demand=demand,
        within_rounds=[mine.per_second / theirs.per_second for mine, theirs in zip(ours, floor, strict=True)],
        of_medians=median(one.per_second for one in ours) / median(one.per_second for one in floor),
        of_cpu=median(one.cpu_micros for one in floor) / median(one.cpu_micros for one in ours),
        is_generator_bound=any(_is_generator_bound(side, ceiling) for side in (ours, floor)),
    )


def _is_generator_bound(measured: Sequence[Measured], ceiling: float) -> bool:
    return median(one.per_second for one in measured) > _GENERATOR_BOUND_FROM * ceiling


def headings(title: str = "") -> str:
    return f"{title:28}{_COLUMNS}"


def line(measured: Measured, ceiling: float) -> str:
    """One round of one kind."""
    return _line([measured], ceiling)


def medians(rounds: Sequence[Round], ceiling: float) -> Iterable[str]:
    """One line for each kind."""
    for kind in rounds[0]:
        yield _line([one[kind] for one in rounds], ceiling)


def warnings(rounds: Sequence[Round]) -> Iterable[str]:
    """Why rates of this run may say little."""
    everything = [one for measured in rounds for one in measured.values()]
    others, load = (median(getattr(one, name) for one in everything) for name in ("disturbance", "load_core"))
    if others > _DISTURBED_FROM:
        yield f"disturbed: others used {others:.0%} of the server's core; compare CPU µs, not rates"
    if load > _FULL_FROM:
        yield f"disturbed: the load's core was busy for {load:.0%} of the time; the generator may have been the limit"


def _line(measured: Sequence[Measured], ceiling: float) -> str:
    def middle(name: str) -> float:
        return float(median(getattr(one, name) for one in measured))

    memory = f"{middle('mb_before'):.0f}-{middle('mb_after'):.0f}"
    bound = "  generator-bound" if _is_generator_bound(measured, ceiling) else ""
    return (
        f"{NAMES[measured[0].kind]:28}{middle('per_second'):9,.0f}{middle('cpu_micros'):9.0f}{middle('p50'):9.1f}"
        f"{middle('p99'):9.1f}{middle('longest'):9.0f}{memory:>12}{middle('disturbance'):8.0%}{middle('load_core'):7.0%}{bound}"
    )
