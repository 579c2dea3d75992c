"""kill -9 at any moment: every acknowledged message is delivered or visibly unknown, and none is sent twice."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

KILLS = 20


async def drive(kills: int, folder: Path) -> dict[str, object]:
    driver = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.crash.driver",
        "--kills",
        str(kills),
        "--folder",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    printed, _ = await driver.communicate()
    log = folder / "gateway.log"
    assert printed, log.read_text("utf-8")[-4000:] if log.exists() else "the driver broke off"
    report: dict[str, object] = json.loads(printed)
    return report


def check(report: dict[str, object], kills: int) -> None:
    assert report["kills"] == kills
    assert report["kills_in_the_middle"] == kills, "each kill had a request and an attempt under way"
    assert int(str(report["acknowledged"])) >= kills, "there was something to lose"
    assert report["lost"] == []
    assert report["false_claims"] == [], "what is called submitted had arrived"
    assert report["doubles"] == [], "with on_unknown: hold nothing is ever sent twice"
    assert report["exit"] == 0


async def test_no_acknowledged_message_is_lost_or_doubled_by_twenty_kills(tmp_path: Path) -> None:
    check(await drive(KILLS, tmp_path), KILLS)


@pytest.mark.prove
async def test_no_acknowledged_message_is_lost_or_doubled_by_two_hundred_kills(tmp_path: Path) -> None:
    check(await drive(200, tmp_path), 200)
