"""``make bench``: interleaved rounds, medians, and whether they are good enough."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import body, disk, report, validation
from bench.failing import CannotMeasure
from bench.load import CONNECTIONS, Generator
from bench.machine import Cores, description, on_core
from bench.options import Options, parse
from bench.ours import SETTINGS, Gateways
from bench.processes import start_module
from bench.profiling import Profiler
from bench.raw import write_raw
from bench.report import Ratio, Round
from bench.rounds import Kind, Rounds, ceiling


def main() -> int:
    """0: good enough. 1: not. 2: nothing could be measured."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with ExitStack() as stack:
            return run(options, stack)
    except CannotMeasure as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def run(options: Options, stack: ExitStack) -> int:
    """The whole run; what it started and wrote is gone when the stack unwinds."""
    if shutil.which("wrk") is None:
        raise CannotMeasure("wrk makes the load, and is not installed; on Debian and Ubuntu: apt-get install wrk")
    cores = Cores.choose()
    stack.enter_context(on_core(cores.load))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=options.folder)))
    about = _about(cores, disk.look_at(folder))
    _tell(*about)
    generator = Generator(body_file=folder / "body.json", seconds=options.seconds)
    generator.body_file.write_text(body.template())
    most = ceiling(cores, generator)
    _tell(f"generator: at most {most:,.0f} requests per second; a figure above 70 % of that does not count\n")
    rounds = prepare(options, cores, generator, folder, stack)
    if options.profile is not None:
        return _profile(rounds, options.profile, options.output, most)
    measured = _measure(rounds, options, most)
    ratios, checked = report.ratios(measured, most), validation.measure()
    _conclude(measured, ratios, options, most)
    _tell(str(checked))
    if options.json is not None:
        write_raw(options.json, about, measured, ratios, most)
    return 0 if checked.is_met and all(ratio.is_met for ratio in ratios) else 1


def _tell(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def _about(cores: Cores, stands_on: disk.Disk) -> Sequence[str]:
    return (
        f"machine: {description()}",
        f"cores: the server on {cores.server}, load and provider on {cores.load}",
        f"disk: {stands_on}",
        f"load: {CONNECTIONS} connections, bodies of {body.SIZE} bytes, "
        f"{body.CONTACTS:,} contacts drawn at random, half of their windows open",
        f"gateway: {SETTINGS}",
    )


def prepare(options: Options, cores: Cores, generator: Generator, folder: Path, stack: ExitStack) -> Rounds:
    """Everything that stands all the while."""
    stub = start_module("bench.stub", str(options.latency), core=cores.load, stack=stack)
    take = f"http://127.0.0.1:{stub.port}/take"
    ours = Gateways(folder=folder / "ours", core=cores.server)
    other = replace(ours, folder=folder / "other", root=options.against or ours.root)
    for gateways in (ours, other) if options.against else (ours,):
        gateways.seed(take)
    return Rounds(
        cores=cores,
        generator=generator,
        stub=stub,
        bare=start_module("bench.bare", core=cores.server, stack=stack),
        proxy=start_module("bench.proxy", f"{take}/send-whatsapp", core=cores.server, stack=stack),
        ours=ours,
        other=other,
    )


def _measure(rounds: Rounds, options: Options, most: float) -> list[Round]:
    """The counted rounds; one before them is for warming up."""
    counted: list[Round] = []
    for number in range(options.rounds + 1):
        _tell(report.headings(f"round {number} of {options.rounds}" if number else "to warm up"))
        one = {}
        # There and back, as a machine has slower and faster times: what is compared is measured right after each other.
        for kind in options.kinds if number % 2 else reversed(options.kinds):
            one[kind] = rounds.measure(kind, seed=number + 1)
            _tell(report.line(one[kind], most))
        if number:
            counted.append(one)
    return counted


def _conclude(measured: list[Round], ratios: list[Ratio], options: Options, most: float) -> None:
    _tell("", report.headings(f"medians of {len(measured)} x {options.seconds} s"), *report.medians(measured, most))
    _tell(report.EXPLANATION, "", *report.warnings(measured), *map(str, ratios))


def _profile(rounds: Rounds, kind: Kind, output: Path, most: float) -> int:
    profiler = Profiler(output=output)
    one = profiler.measure(rounds, kind)
    _tell(report.headings("under py-spy"), report.line(one, most), profiler.tables(one.count))
    return 0


if __name__ == "__main__":
    sys.exit(main())
