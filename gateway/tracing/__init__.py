"""One trace from a request to the final status, across the queue. Where none is kept, it costs next to nothing."""

from gateway.tracing.tracer import NO_SPAN, UNTRACED, Fact, Span, Tracer, missing_package, tracer_for

__all__ = ["NO_SPAN", "UNTRACED", "Fact", "Span", "Tracer", "missing_package", "tracer_for"]
