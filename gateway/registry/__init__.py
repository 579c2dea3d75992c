"""The operator's templates: read from files, compiled once, filled in, and checked against their contracts."""

from gateway.registry.fill_text import FillFacts
from gateway.registry.registry import Registry

__all__ = ["FillFacts", "Registry"]
