"""The load: wrk, with one thread and 64 connections."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import body
from bench.failing import CannotMeasure

CONNECTIONS = 64
KEY = "bench-key-that-only-the-benchmark-uses"
AUTHORIZATION = "Basic " + base64.b64encode(KEY.encode()).decode()
SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of one run of the generator. Latencies are in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    longest: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """Puts load on a URL, from the core that it is called on."""

    body_file: Path
    seconds: int

    def __call__(self, url: str, *, seed: int) -> Load:
        """Raises CannotMeasure unless every request was answered with 200."""
        told = self._run(url, seed)
        if told["refused"] or told["lost"] or not told["requests"]:
            raise CannotMeasure(
                f"{url}: of {told['requests']} requests {told['refused']} were refused and {told['lost']} lost"
            )
        return Load(
            requests=told["requests"],
            seconds=told["micros"] / 1e6,
            p50=told["p50"] / 1e3,
            p99=told["p99"] / 1e3,
            longest=told["longest"] / 1e3,
        )

    def _run(self, url: str, seed: int) -> dict[str, int]:
        written = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url]
        arguments = [str(self.body_file), AUTHORIZATION, str(body.CONTACTS), body.contact(0), str(seed)]
        done = subprocess.run(  # noqa: S603 - our own words
            [*written, "--", *arguments], capture_output=True, text=True, timeout=self.seconds + 60, check=False
        )
        last = done.stdout.strip().rpartition("\n")[2]
        if done.returncode or not last.startswith("{"):
            raise CannotMeasure(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
        told: dict[str, int] = json.loads(last)
        return told
