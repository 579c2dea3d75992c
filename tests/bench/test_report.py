"""The arithmetic of a run, and what may not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.report import medians, ratios, warnings
from bench.rounds import Kind, Measured


def measured(kind: Kind, per_second: float, *, disturbance: float = 0) -> Measured:
    return Measured(
        kind=kind,
        count=int(per_second * 2),
        answered=int(per_second * 2),
        seconds=2,
        cpu_seconds=per_second * 2 * 100 / 1e6,
        p50=1,
        p99=2,
        longest=3,
        mb_before=70,
        mb_after=71,
        disturbance=disturbance,
        load_core=0.5,
    )


def rounds(**per_second: tuple[float, ...]) -> list[dict[Kind, Measured]]:
    columns = {Kind(name): figures for name, figures in per_second.items()}
    count = len(next(iter(columns.values())))
    return [{kind: measured(kind, figures[number]) for kind, figures in columns.items()} for number in range(count)]


def test_a_ratio_is_made_within_each_round_and_then_the_median_is_taken() -> None:
    (ratio,) = ratios(rounds(bare=(1000, 4000, 2000), accept=(500, 1200, 400)), ceiling=1e6)
    assert list(ratio.within_rounds) == pytest.approx([0.5, 0.3, 0.2])
    assert ratio.median == pytest.approx(0.3)
    assert ratio.of_medians == pytest.approx(500 / 2000)
    assert "0.300 (rounds 0.20-0.50; of medians 0.250;" in str(ratio)


@pytest.mark.parametrize(("accepted", "verdict"), [(250, "PASS"), (249, "FAIL")])
def test_accepting_has_to_reach_a_quarter_of_the_bare_endpoint(accepted: float, verdict: str) -> None:
    (ratio,) = ratios(rounds(bare=(1000,), accept=(accepted,)), ceiling=1e6)
    assert str(ratio).startswith(f"{verdict}  accept / bare >= 0.25:")
    assert ratio.is_met == (verdict == "PASS")


@pytest.mark.parametrize(("sent", "verdict"), [(500, "PASS"), (499, "FAIL")])
def test_the_whole_way_has_to_reach_half_of_the_naive_proxy(sent: float, verdict: str) -> None:
    (ratio,) = ratios(rounds(proxy=(1000,), e2e=(sent,)), ceiling=1e6)
    assert str(ratio).startswith(f"{verdict}  end to end / naive proxy >= 0.5:")


def test_a_figure_above_70_percent_of_what_the_generator_can_make_does_not_count() -> None:
    (ratio,) = ratios(rounds(bare=(1000,), accept=(900,)), ceiling=1400)
    assert not ratio.is_met
    assert "generator-bound" in str(ratio)
    assert [("generator-bound" in line) for line in medians(rounds(bare=(1000,), accept=(900,)), 1400)] == [True, False]


def test_what_was_not_measured_is_not_judged() -> None:
    assert ratios(rounds(accept=(1,), e2e=(1,)), ceiling=1e6) == []
    assert len(ratios(rounds(bare=(9,), proxy=(9,), accept=(9,), e2e=(9,)), ceiling=1e6)) == 2


def test_another_version_is_compared_and_not_judged() -> None:
    (ratio,) = ratios(rounds(**{"accept": (300, 100), "other-accept": (100, 100)}), ceiling=1e6)
    assert ratio.is_met
    assert str(ratio).startswith("----  accept / the other's: 2.000 (rounds 1.00-3.00;")


def test_a_disturbed_run_says_so() -> None:
    assert list(warnings([{Kind.BARE: measured(Kind.BARE, 1000)}])) == []
    disturbed = measured(Kind.BARE, 1000, disturbance=0.4)
    assert ["others used 40% of the server's core" in line for line in warnings([{Kind.BARE: disturbed}])] == [True]
    full = replace(measured(Kind.BARE, 1000), load_core=0.99)
    assert ["generator may have been the limit" in line for line in warnings([{Kind.BARE: full}])] == [True]
