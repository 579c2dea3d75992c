"""``make bench``: interleaved rounds, medians, and whether they are good enough."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import body, disk, ours, report
from bench.failing import CannotMeasure
from bench.load import CONNECTIONS, Generator
from bench.machine import Cores, description, on_core
from bench.options import Options, parse
from bench.ours import Gateways
from bench.processes import start_module
from bench.profiling import Profiler
from bench.raw import write_raw
from bench.report import Round
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
        return 130


def run(options: Options, stack: ExitStack) -> int:
    if shutil.which("wrk") is None:
        raise CannotMeasure("wrk makes the load, and is not installed; on Debian and Ubuntu: apt-get install wrk")
    cores = Cores.choose()
    stack.enter_context(on_core(cores.load))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=options.folder)))
    tell_of_machine(cores, disk.look_at(folder))
    generator = Generator(body_file=folder / "body.json", seconds=options.seconds)
    generator.body_file.write_text(body.template())
    most = ceiling(cores, generator)
    print(
        f"generator: at most {most:,.0f} requests per second; a figure above 70 % of that does not count\n", flush=True
    )
    rounds = prepare(options, cores, generator, folder, stack)
    if options.profile is not None:
        return profile(rounds, options.profile, options, most)
    measured = measure(rounds, options, most)
    return tell(measured, options, most)


def tell_of_machine(cores: Cores, stands_on: disk.Disk) -> None:
    print(f"machine: {description()}")
    print(f"cores: the server on {cores.server}, load and provider on {cores.load}")
    print(f"disk: {stands_on}")
    print(
        f"load: {CONNECTIONS} connections, bodies of {body.SIZE} bytes, "
        f"{body.CONTACTS:,} contacts drawn at random, half of their windows open"
    )
    print(f"gateway: {ours.SETTINGS}")


def prepare(options: Options, cores: Cores, generator: Generator, folder: Path, stack: ExitStack) -> Rounds:
    """Everything that stands all the while."""
    stub = start_module("bench.stub", str(options.latency), core=cores.load, stack=stack)
    take = f"http://127.0.0.1:{stub.port}/take"
    gateways = Gateways(folder=folder, core=cores.server)
    gateways.seed(take)
    return Rounds(
        cores=cores,
        generator=generator,
        stub=stub,
        bare=start_module("bench.bare", core=cores.server, stack=stack),
        proxy=start_module("bench.proxy", f"{take}/send-whatsapp", core=cores.server, stack=stack),
        gateways=gateways,
    )


def measure(rounds: Rounds, options: Options, most: float) -> list[Round]:
    """The counted rounds; one before them is for warming up."""
    counted: list[Round] = []
    for number in range(options.rounds + 1):
        print(
            f"round {number}" if number else "warming up",
            report.HEADINGS[10:],
            sep=" " * 3 if number else "",
            flush=True,
        )
        one = {}
        for kind in options.kinds:
            one[kind] = rounds.measure(kind, seed=number + 1)
            print(report.line(one[kind], most), flush=True)
        if number:
            counted.append(one)
    return counted


def tell(measured: list[Round], options: Options, most: float) -> int:
    print(f"\nmedians of {len(measured)} rounds of {options.seconds} s\n{report.HEADINGS}")
    print(*report.medians(measured, most), report.EXPLANATION, "", sep="\n")
    ratios = report.ratios(measured, most)
    print(*ratios, sep="\n")
    if options.json is not None:
        write_raw(options.json, measured, ratios, most)
    return 0 if all(ratio.is_met for ratio in ratios) else 1


def profile(rounds: Rounds, kind: Kind, options: Options, most: float) -> int:
    profiler = Profiler(output=options.output, is_native=options.native)
    one = profiler.measure(rounds, kind)
    print(report.HEADINGS, report.line(one, most), "", profiler.tables(), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
