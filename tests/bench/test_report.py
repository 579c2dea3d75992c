"""The arithmetic of a run, and what may not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.report import medians, ratios, warnings
from bench.rounds import Kind, Measured


def measured(kind: Kind, per_second: float, *, cpu_micros: float = 100) -> Measured:
    return Measured(
        kind=kind,
        count=int(per_second * 2),
        answered=int(per_second * 2),
        seconds=2,
        cpu_seconds=per_second * 2 * cpu_micros / 1e6,
        p50=1,
        p99=2,
        longest=3,
        mb_before=70,
        mb_after=71,
        server_core=1,
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


def test_a_disturbed_run_says_so() -> None:
    quiet = measured(Kind.BARE, 1000, cpu_micros=1000)
    assert list(warnings([{Kind.BARE: quiet}])) == []
    disturbed = measured(Kind.BARE, 1000, cpu_micros=600)
    assert [line[:31] for line in warnings([{Kind.BARE: disturbed}])] == ["disturbed: others used 40% of t"]
    full = replace(quiet, load_core=0.99)
    assert ["generator may have been the limit" in line for line in warnings([{Kind.BARE: full}])] == [True]


def test_what_others_used_of_the_servers_core_is_shown() -> None:
    one = measured(Kind.BARE, 1000, cpu_micros=600)  # 0.6 of the core that was busy all the time
    assert one.disturbance == pytest.approx(0.4)
    assert one.cpu_micros == pytest.approx(600)
