"""What the benchmark can be asked."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.rounds import Kind

_OTHERS = {Kind.ACCEPT: Kind.OTHER_ACCEPT, Kind.E2E: Kind.OTHER_E2E}
_KINDS = (Kind.BARE, Kind.ACCEPT, Kind.PROXY, Kind.E2E)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    rounds: int
    seconds: int
    kinds: Sequence[Kind]
    """In the order in which they are measured: what is compared stands side by side."""
    against: Path | None
    folder: Path
    latency: float
    json: Path | None
    profile: Kind | None
    output: Path


def parse(arguments: Sequence[str]) -> Options:
    """Ends the process with 2 and a line of help when they are wrong."""
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=_count, default=7, help="how many are counted (default %(default)s)")
    parser.add_argument("--seconds", type=_count, default=5, help="of load in one round (default %(default)s)")
    parser.add_argument("--only", type=_kinds, default=_KINDS, metavar="KIND,...", help="of: " + ", ".join(_KINDS))
    parser.add_argument("--against", type=_folder, metavar="CHECKOUT", help="another version, measured beside ours")
    parser.add_argument("--dir", type=_folder, default=_usual_folder(), help="where the store is made (%(default)s)")
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="how long the provider thinks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all rounds, for programs")
    parser.add_argument("--profile", type=Kind, choices=_KINDS, help="one round under py-spy instead")
    parser.add_argument("--output", type=Path, default=Path("bench.stacks"), help="of --profile (default %(default)s)")
    known = parser.parse_args(arguments)
    return Options(
        rounds=known.rounds,
        seconds=known.seconds,
        kinds=tuple(_measured(known.only, has_other=known.against is not None)),
        against=known.against,
        folder=known.dir,
        latency=known.latency,
        json=known.json,
        profile=known.profile,
        output=known.output,
    )


def _measured(kinds: Sequence[Kind], *, has_other: bool) -> Iterator[Kind]:
    for kind in kinds:
        yield kind
        if has_other and kind in _OTHERS:
            yield _OTHERS[kind]


def _count(written: str) -> int:
    number = int(written)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return number


def _kinds(written: str) -> tuple[Kind, ...]:
    try:
        asked = {Kind(name.strip()) for name in written.split(",")}
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(_KINDS)}, with commas") from None
    return tuple(kind for kind in _KINDS if kind in asked)


def _folder(written: str) -> Path:
    path = Path(written).resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{written} is not a folder")
    return path


def _usual_folder() -> Path:
    """What is kept over a restart of the machine stands on a disk."""
    kept = Path("/var/tmp")  # noqa: S108 - the folder that we make in it has a name that nobody can guess
    return kept if kept.is_dir() else Path.cwd()
