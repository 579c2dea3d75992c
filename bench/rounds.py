"""One round of each kind: load on one server, what came of it, and what it cost the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench import stored
from bench.failing import CannotMeasure
from bench.load import CONNECTIONS, Generator, Load
from bench.machine import Cores, busy_seconds, cpu_seconds, resident_mb
from bench.ours import Gateways
from bench.processes import Server, start_module


class Kind(StrEnum):
    """What is measured."""

    BARE = "bare"
    PROXY = "proxy"
    ACCEPT = "accept"
    E2E = "e2e"
    OTHER_ACCEPT = "other-accept"
    OTHER_E2E = "other-e2e"

    @property
    def is_of_other(self) -> bool:
        """Whether it is about another version of the gateway, to compare with."""
        return self in (Kind.OTHER_ACCEPT, Kind.OTHER_E2E)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One server under load once. Latencies are in milliseconds, shares of a core between 0 and 1."""

    kind: Kind
    count: int
    answered: int
    """By the generator's own count, which leaves out what was under way when it stopped."""
    seconds: float
    cpu_seconds: float
    p50: float
    p99: float
    longest: float
    mb_before: float
    mb_after: float
    disturbance: float
    """How much of the server's core somebody else used meanwhile."""
    load_core: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_micros(self) -> float:
        """What the server used for one request or message."""
        return self.cpu_seconds / self.count * 1e6


Work = Callable[[], tuple[Load, int, float]]
"""Puts load on a server; what the generator saw, how much was done, and in how many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Measures one kind at a time. The stub, the bare server and the proxy stand all the while, idle between turns."""

    cores: Cores
    generator: Generator
    stub: Server
    bare: Server
    proxy: Server
    ours: Gateways
    other: Gateways
    watch: Callable[[Server], AbstractContextManager[None]] = lambda _: nullcontext()
    """Entered for each server while it is measured."""

    def measure(self, kind: Kind, seed: int) -> Measured:
        """Raises CannotMeasure when anything was refused, lost or doubled."""
        match kind:
            case Kind.BARE:
                return self._standing(kind, self.bare, seed)
            case Kind.PROXY:
                return self._standing(kind, self.proxy, seed)
            case Kind.ACCEPT | Kind.OTHER_ACCEPT:
                return self._accept(kind, seed)
            case Kind.E2E | Kind.OTHER_E2E:
                return self._end_to_end(kind, seed)

    def _standing(self, kind: Kind, server: Server, seed: int) -> Measured:
        def work() -> tuple[Load, int, float]:
            load = self.generator(server.url, seed=seed)
            return load, load.requests, load.seconds

        return self._measured(kind, server, work)

    def _accept(self, kind: Kind, seed: int) -> Measured:
        """The provider refuses our key, so what is accepted stays queued, on disk."""
        with ExitStack() as stack:
            gateways = self._gateways(kind)
            gateway, store = gateways.start(f"{kind}-{seed}", self._provider("refuse"), stack)
            measured = self._standing(kind, gateway, seed)
            kept, answered = stored.read(store), measured.count + gateways.warm_up
            if kept.submitted or not answered <= kept.messages <= answered + CONNECTIONS:
                raise CannotMeasure(f"{kind}: {answered} requests were answered with 200; stored is {kept}")
            return measured

    def _end_to_end(self, kind: Kind, seed: int) -> Measured:
        """From the first request until the last message is on disk as submitted."""
        before = self.stub.get("/count")
        with ExitStack() as stack:
            gateways = self._gateways(kind)
            gateway, store = gateways.start(f"{kind}-{seed}", self._provider("take"), stack)
            stored.wait_until_submitted(store, within=60)

            def work() -> tuple[Load, int, float]:
                load = self.generator(gateway.url, seed=seed)
                start = time.monotonic() - load.seconds  # without the generator's own start
                drained = stored.wait_until_submitted(store, within=60 + 30 * load.seconds)
                return load, stored.read(store).messages - gateways.warm_up, drained - start

            measured = self._measured(kind, gateway, work)
            self._check(store, measured, before)
            return measured

    def _check(self, store: Path, measured: Measured, before: dict[str, int]) -> None:
        after = self.stub.get("/count")
        arrived = {name: after[name] - before[name] for name in ("taken", "templates")}
        told = stored.problems(
            stored.read(store),
            answered=measured.answered + self._gateways(measured.kind).warm_up,
            in_flight=CONNECTIONS,
            **arrived,
        )
        if told:
            raise CannotMeasure(f"{measured.kind}: " + "; ".join(told))

    def _gateways(self, kind: Kind) -> Gateways:
        return self.other if kind.is_of_other else self.ours

    def _provider(self, does: str) -> str:
        return f"http://127.0.0.1:{self.stub.port}/{does}"

    def _measured(self, kind: Kind, server: Server, work: Work) -> Measured:
        with self.watch(server):
            before = Clocks.read(self.cores, server)
            load, count, seconds = work()
            after = Clocks.read(self.cores, server)
        elapsed, used = after.at - before.at, after.server - before.server
        return Measured(
            kind=kind,
            count=count,
            answered=load.requests,
            seconds=seconds,
            cpu_seconds=used,
            p50=load.p50,
            p99=load.p99,
            longest=load.longest,
            mb_before=before.mb,
            mb_after=after.mb,
            disturbance=max(0.0, after.server_core - before.server_core - used) / elapsed,
            load_core=(after.load_core - before.load_core) / elapsed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What was used by a moment: seconds of the server and of both cores, and memory."""

    at: float
    server: float
    server_core: float
    load_core: float
    mb: float

    @classmethod
    def read(cls, cores: Cores, server: Server) -> Clocks:
        return cls(
            at=time.monotonic(),
            server=cpu_seconds(server.pid),
            server_core=busy_seconds(cores.server),
            load_core=busy_seconds(cores.load),
            mb=resident_mb(server.pid),
        )


def ceiling(cores: Cores, generator: Generator) -> float:
    """How many requests per second the generator can make at most, as far as a bare socket server can tell."""
    with ExitStack() as stack:
        server = start_module("bench.socket_server", core=cores.server, stack=stack)
        return generator(server.url, seed=0).per_second
