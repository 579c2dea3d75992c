"""A run for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.report import Ratio, Round


def write_raw(
    path: Path, about: Sequence[str], rounds: Sequence[Round], ratios: Sequence[Ratio], ceiling: float
) -> None:
    """On what it was measured, every round with all that was measured, and what came of the demands."""
    told = {
        "about": about,
        "ceiling": ceiling,
        "rounds": [
            {
                kind: {**asdict(one), "per_second": one.per_second, "cpu_micros": one.cpu_micros}
                for kind, one in measured.items()
            }
            for measured in rounds
        ],
        "ratios": [{**asdict(ratio), "median": ratio.median, "is_met": ratio.is_met} for ratio in ratios],
    }
    path.write_text(json.dumps(told, indent=2) + "\n")
