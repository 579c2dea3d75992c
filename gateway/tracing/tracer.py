"""What the gateway asks of whoever keeps its traces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Literal, Protocol, TypeVar

from gateway.config import TracingConfig
from gateway.domain.errors import CannotStart

Fact = str | int | float | bool | list[str] | None
Kind = Literal["server", "client", "internal"]
T = TypeVar("T")

_REMEDY = 'OpenTelemetry is not installed; pip install "whatsapp-session-gateway[tracing]"'
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class Span(Protocol):
    """One step of the way."""

    def note(self, **facts: Fact) -> None:
        """Ids, words and numbers; never contacts, content or keys. A fact that is None is none."""


class Tracer(Protocol):
    is_on: bool
    """Whether anything comes of it."""

    def span(
        self, name: str, *, kind: Kind = "internal", parent: str | None = None, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """A step within the trace of `parent`, a traceparent as W3C Trace Context writes it; else within the current
        step; else the first of a new trace."""

    def step(
        self,
        name: str,
        work: Awaitable[T],
        *,
        kind: Kind = "internal",
        telling: Callable[[T], Mapping[str, Fact]] | None = None,
        **facts: Fact,
    ) -> Awaitable[T]:
        """The same work as a step within the current one; `telling` finds the facts in what came of it."""

    def traceparent(self) -> str | None:
        """The current step, for what comes after it elsewhere."""

    async def aclose(self) -> None: ...


class SpanObserver(Protocol):
    """Is told what became of spans, on any thread."""

    def spans_exported(self, count: int) -> None: ...

    def spans_dropped(self, count: int) -> None: ...


class _NoSpan:
    def __enter__(self) -> _NoSpan:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def note(self, **_: Fact) -> None:
        return None


class Untraced(Tracer):
    """Keeps no traces."""

    is_on = False

    def span(
        self, name: str, *, kind: Kind = "internal", parent: str | None = None, **facts: Fact
    ) -> AbstractContextManager[Span]:
        return NO_SPAN

    def step(
        self,
        name: str,
        work: Awaitable[T],
        *,
        kind: Kind = "internal",
        telling: Callable[[T], Mapping[str, Fact]] | None = None,
        **facts: Fact,
    ) -> Awaitable[T]:
        return work

    def traceparent(self) -> str | None:
        return None

    async def aclose(self) -> None:
        return None


NO_SPAN = _NoSpan()
UNTRACED = Untraced()


def missing_package(config: TracingConfig | None) -> str | None:
    """Why traces can't be kept as they are configured, and what to do; None: they can."""
    if config is None:
        return None
    try:
        is_there = all(find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:
        is_there = False
    return None if is_there else f"tracing: {_REMEDY}"


def tracer_for(config: TracingConfig | None, observer: SpanObserver) -> Tracer:
    """Raises CannotStart."""
    problem = missing_package(config)
    if problem is not None:
        raise CannotStart(problem)
    if config is None:
        return UNTRACED
    from gateway.tracing.otlp import OtlpTracer  # an extra, which nobody has to install

    return OtlpTracer(config, observer)
